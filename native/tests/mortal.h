/* What the ending test's library does on behalf of CPython's core: the calls that outlive redirects there. */
#ifndef OUTLIVE_TESTS_MORTAL_H
#define OUTLIVE_TESTS_MORTAL_H

#include <signal.h>

void mortal_exit_at_once(int status);
void mortal_exit_at_once_too(int status);
int mortal_sigaction(int number, const struct sigaction *wanted, struct sigaction *previous);
int mortal_execv(const char *path, char *const arguments[]);
int mortal_execve(const char *path, char *const arguments[], char *const environment[]);
int mortal_fexecve(int file, char *const arguments[], char *const environment[]);

#endif
