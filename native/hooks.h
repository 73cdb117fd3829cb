/* The wrappers around Python's allocators (PyMem domains RAW, MEM and OBJ) and around
 * PyTraceMalloc_Track, with which numpy and others report blocks they take from malloc directly. */
#ifndef OUTLIVE_HOOKS_H
#define OUTLIVE_HOOKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* EXACT counts every block at the size that was asked for. SAMPLE keeps some blocks, with the line that made
 * them. COARSE only totals what Python takes from below: pymalloc's arenas, and blocks of the RAW domain at
 * the size malloc gave them; it costs nothing worth naming, and ends when EXACT begins. Where MEM and OBJ are
 * not pymalloc, EXACT takes its place. NATIVE, beside SAMPLE, samples also what extension modules take from
 * malloc themselves; beside EXACT, it counts that. */
enum { MODE_EXACT = 1, MODE_SAMPLE = 2, MODE_COARSE = 4, MODE_NATIVE = 8 };

extern _Atomic int hooks_modes; /* those that run, or'ed */

/* Once per process, before all else. False without a pthread key, or memory. Needs the GIL. */
bool hooks_init(void);

/* Begins modes; `interval` (bytes), `seed` and the size of the recording, `bytes`, are for MODE_SAMPLE. Wraps
 * whatever allocators are there. A mode that runs already is left as it is, and COARSE does not begin beside
 * EXACT. False without memory for sampling; nothing has begun then. Needs the GIL. */
bool hooks_start(int modes, uint64_t interval, uint64_t seed, size_t bytes);

/* Moves the sampler's recording into a file, as samples_record does, and from then on notes there how the
 * process ends. Needs the GIL. */
bool hooks_record(unsigned number, int fd);

/* Ends one mode and gives its tables back. When none is left, the allocators are again what they
 * were, unless another tool wrapped ours: then ours stay below and only pass on. Needs the GIL. */
void hooks_stop(int mode);

/* The modes that run. */
int hooks_mode(void);

/* Whether the domains that the running modes need still come through our wrappers; another tool can take them
 * away. Needs the GIL. */
bool hooks_intact(void);

/* Puts the hooks back that another tool took away. Then the samples there were are forgotten, for deaths of
 * theirs were missed, and the answer is true. Needs the GIL. */
bool hooks_mend(void);

/* Points the tracking calls of extension modules loaded since the last call at ours, while counting runs;
 * returns how many were changed. Needs the GIL. */
int hooks_adopt_modules(void);

#endif
