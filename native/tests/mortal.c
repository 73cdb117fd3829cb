#define _GNU_SOURCE
#include "mortal.h"

#include <stdlib.h>
#include <unistd.h>

void mortal_exit_at_once(int status)
{
    _exit(status);
}

void mortal_exit_at_once_too(int status)
{
    _Exit(status);
}

int mortal_sigaction(int number, const struct sigaction *wanted, struct sigaction *previous)
{
    return sigaction(number, wanted, previous);
}

int mortal_execv(const char *path, char *const arguments[])
{
    return execv(path, arguments);
}

int mortal_execve(const char *path, char *const arguments[], char *const environment[])
{
    return execve(path, arguments, environment);
}

int mortal_fexecve(int file, char *const arguments[], char *const environment[])
{
    return fexecve(file, arguments, environment);
}
