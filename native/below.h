/* The frames below a greenlet's: its first frame has no caller, though it was called, by its parent. */
#ifndef OUTLIVE_BELOW_H
#define OUTLIVE_BELOW_H

#include "stacks.h"

/* Appends the frames that this thread's greenlet was called from, as of the last switch to it. */
void below_append_nopy(RawStack *stack);

/* Has switches of this thread's greenlets told, once there are some; again and again is fine. Needs the GIL.
 */
void below_follow(void);

#endif
