/* Files for recordings. */
#ifndef OUTLIVE_TESTS_FILES_H
#define OUTLIVE_TESTS_FILES_H

#include <fcntl.h>
#include <unistd.h>

#include "check.h"

/* A file of zeros, with its blocks, that goes when closed. */
static int file_of(size_t bytes)
{
    FILE *file = tmpfile();
    CHECK(file != NULL && posix_fallocate(fileno(file), 0, (off_t)bytes) == 0, "a file for the test");
    int fd = dup(fileno(file));
    fclose(file);
    return fd;
}

#endif
