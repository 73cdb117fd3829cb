/* Which Python code runs in this thread. */
#ifndef OUTLIVE_SITE_H
#define OUTLIVE_SITE_H

#include "stacks.h"

/* Fills `stack` with this thread's Python frames; none if it has none. Reads Python's structures, changes
 * none. */
void site_stack_nopy(RawStack *stack);

/* Describes code objects, and from the first call on has the deaths of code objects told (stacks.h). Needs
 * the GIL. */
const CodeReader *site_reader(void);

#endif
