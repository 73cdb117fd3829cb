/* Decides with each block whether it is sampled, and finds the stack that made it. */
#ifndef OUTLIVE_SAMPLER_H
#define OUTLIVE_SAMPLER_H

#include "samples.h"

/* A block that is being reallocated. */
typedef struct {
    LiftedSample lifted;
    size_t usable; /* what malloc had given it; 0: not known */
} Moved;

/* Notes a block that this thread's last hit chose, with the stack that runs now. */
void sampler_note_nopy(const ThreadCounters *counters, void *address, size_t bytes, int origin);

/* After a realloc that succeeded. A block whose old size is known and above pymalloc's is sampled by its
 * growth, and keeps its sample; any other is drawn afresh: either way it ends up sampled with the probability
 * that its new size gives. */
void sampler_moved_nopy(ThreadCounters *counters, Moved moved, void *to, size_t bytes, int origin);

/* For blocks that extensions take from malloc: a new one, one about to be freed, and around a realloc, which
 * may fail. */
void sampler_born_nopy(void *address, size_t bytes);
void sampler_dies_nopy(void *address);
Moved sampler_leaves_nopy(void *from);
void sampler_arrives_nopy(Moved moved, void *to, size_t bytes);
void sampler_stays_nopy(Moved moved, void *from);

#endif
