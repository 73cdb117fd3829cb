/* Tells how the process ends, and lets it end that way. */
#ifndef OUTLIVE_ENDING_H
#define OUTLIVE_ENDING_H

#include <stdbool.h>

/* Calls `ended_nopy` with a state as in recording.h before the process ends: STATE_EXITED and the status, by
 * exit(), or by _exit() called in the executable or in the object that the address `core` lies in (CPython's
 * core); STATE_SIGNALLED and the number, by a signal that nobody handles (but SIGKILL, which can't be told);
 * STATE_STOPPED, when the core is about to put another program in this one's place by exec(); if that fails,
 * STATE_RUNNING takes it back. The call may come from a signal handler, in any thread, more than once (the
 * last is right), and in forked children too; it must be async-signal-safe.
 *
 * A signal counts as handled if its disposition is not the default now. What the core asks of sigaction()
 * later is done, and answered as if this weren't here; back at the default, a signal is watched again. Called
 * once more it takes a new callback. False without memory, with nothing watched. Not for two threads at once.
 */
bool ending_watch(void (*ended_nopy)(int state, int status), const void *core);

/* Calls nobody any more, and gives back what is still ours. */
void ending_unwatch(void);

#endif
