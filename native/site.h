/* Which Python code runs in this thread. */
#ifndef OUTLIVE_SITE_H
#define OUTLIVE_SITE_H

#include "stacks.h"

/* Fills `stack` with this thread's Python frames; none if it has none. Reads Python's structures, changes
 * none. */
void site_stack_nopy(RawStack *stack);

/* The id of the run (scopes.h) that this thread is in; 0 for none, or where that can't be told: without the
 * GIL. With RUN_IN_CALLBACK where no task runs. Changes nothing but reference counts, there and back. */
uint64_t site_run_nopy(void);

/* Has `variable`, a ContextVar whose values are ints below 2^63, say the id. It must never be reset or
 * deleted: a context variable that is read by an allocation in the midst of its deletion keeps what it was,
 * freed. Needs the GIL. */
void site_run_is_in(void *variable);

/* Has the variable say a run, a Python int, until site_run_leave gets what is returned here: what it said
 * before. Both need the GIL, and leave the error that is set as it is. */
void *site_run_enter(void *run);
void site_run_leave(void *around);

/* Has asyncio's dict of the tasks that run now, one a loop, tell whether this thread is in one. Needs the
 * GIL.
 */
void site_tasks_are_in(void *dict);

/* Whether a task runs; false where nobody tells. Needs the GIL. */
bool site_is_in_task(void);

/* Describes code objects, and from the first call on has the deaths of code objects told (stacks.h). Needs
 * the GIL. */
const CodeReader *site_reader(void);

#endif
