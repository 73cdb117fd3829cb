/* A snapshot's file (src/outlive/model/heap_layout.py): its header, and the columns of heap_found.h. */
#ifndef OUTLIVE_HEAP_FILE_H
#define OUTLIVE_HEAP_FILE_H

#include <stdbool.h>
#include <stdint.h>

enum { HEAP_WALKING = 1, HEAP_COMPLETE, HEAP_FAILED };

typedef struct {
    uint32_t pid, python, state, error; /* error: an errno */
    uint64_t forked_unix_ns, paused_ns, walk_ns, objects, edges, rss_bytes;
} HeapInfo;

/* Writes the header alone, that a reader can follow the walk. False with errno. */
bool heap_file_tell(int fd, const HeapInfo *info);

/* Writes all that was found, the header last. False with errno: then the file is not complete. */
bool heap_file_write(int fd, const HeapInfo *info);

#endif
