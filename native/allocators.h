/* The allocators as they were found, for the two sets of wrappers around them. */
#ifndef OUTLIVE_ALLOCATORS_H
#define OUTLIVE_ALLOCATORS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "counters.h"
#include "hooks.h"
#include "pycompat.h"

enum { DOMAINS = 3, RAW = 0 };

/* What there was to wrap. libc's blocks tell their size; of UNKNOWN ones (debug allocators, another tool's)
 * nothing is known. */
typedef enum { UNKNOWN, LIBC, PYMALLOC } Kind;

extern PyMemAllocatorEx original[DOMAINS];
extern Kind kind;
extern _Atomic bool sampling_all; /* every block is a sample: then free() is wrapped, and none made larger */

/* Count every block, and sample if that runs too: all four functions of every domain (counting.c). */
extern const PyMemAllocatorEx counting_wrappers[DOMAINS];

/* Sample only, over pymalloc, leaving its free() alone (sampling.c). */
extern const PyMemAllocatorEx sampling_wrappers[DOMAINS];

/* A block of `bytes` now lives at `address`, or is about to die: for blocks that others report. */
void counting_born_nopy(ThreadCounters *counters, void *address, size_t bytes);
void counting_dies_nopy(ThreadCounters *counters, void *address);

#endif
