/* The memory that extension modules and the libraries they bring take from malloc themselves, behind Python's
 * back: their import slots for malloc and its like lead here, where the sampler sees each block.
 *
 * Not so in CPython's core (its calls are the RAW domain's, which is wrapped), in libc, the loader and what
 * provides malloc. A block that one side makes and the other frees is the sampler's unknown or, until its
 * address is used again, a block that still seems to live.
 */
#ifndef OUTLIVE_EXTENSIONS_H
#define OUTLIVE_EXTENSIONS_H

#include <stdbool.h>

/* Begins, in every object but that which the address `core` lies in (CPython's core) and the executable.
 * Returns how many slots were changed. Needs the GIL, as the next two. */
int extensions_start(const void *core);

/* The same for objects loaded since. Returns 0 when it did not begin. */
int extensions_adopt(void);

/* Gives the slots back that are still ours. Who has copied our functions' addresses may call them for ever.
 */
void extensions_stop(void);

/* Whether the newest block of this thread is at `address`, and was not asked for since: who reports it
 * (PyTraceMalloc_Track) tells of it a second time. */
bool extensions_knew_nopy(const void *address);

#endif
