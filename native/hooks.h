/* The wrappers around Python's allocators (PyMem domains RAW, MEM and OBJ) and around
 * PyTraceMalloc_Track, with which numpy and others report blocks they take from malloc directly. */
#ifndef OUTLIVE_HOOKS_H
#define OUTLIVE_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

enum { MODE_EXACT = 1, MODE_SAMPLE = 2 };

/* Once per process, before all else. False without a pthread key. Needs the GIL. */
bool hooks_init(void);

/* Begins to count every block (MODE_EXACT), or to sample by `interval` bytes with `seed` (MODE_SAMPLE);
 * wraps whatever allocators are there. A mode that runs already is left as it is. Needs the GIL. */
void hooks_start(int mode, uint64_t interval, uint64_t seed);

/* Ends one mode and gives its tables back. When none is left, the allocators are again what they
 * were, unless another tool wrapped ours: then ours stay below and only pass on. Needs the GIL. */
void hooks_stop(int mode);

/* The modes that run. */
int hooks_mode(void);

/* Points the tracking calls of extension modules loaded since the last call at ours, while counting runs; returns how many
 * were changed. Needs the GIL. */
int hooks_adopt_modules(void);

#endif
