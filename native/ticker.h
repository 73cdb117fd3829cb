/* The thread that has the process looked at once a second.
 *
 * It sleeps without any state of Python's, and takes the GIL for the call only; `threading` does not know it.
 * It takes no signal: one that a thread of the host's waits for must not end up here. Before a fork it ends,
 * to come back afterwards: a child never finds a lock that it held, and Python 3.12 and later do not warn of
 * a process with several threads. What os.register_at_fork is to call are builtins: the interpreter runs the
 * host's signal handlers in Python code only, and drops what they raise in such a hook.
 */
#ifndef OUTLIVE_TICKER_H
#define OUTLIVE_TICKER_H

#include "pycompat.h"

/* What a module is to have:
 *
 * ticker_start(tick, delay, period) calls `tick` in the thread.
 *
 * ticker_stop() drops the tick, and ends the thread; it returns whether that has ended, False if it was at a
 * tick that took longer than a second. To be called before the interpreter ends.
 *
 * ticker_before_fork(), ..._after_fork_in_parent() and ..._in_child() are for os.register_at_fork. A tick
 * under way is waited for briefly; the fork goes ahead beside one that takes long, which goes on in the
 * parent. A child has its first tick in a moment, unless a tick forked it. */
extern PyMethodDef ticker_functions[];

#endif
