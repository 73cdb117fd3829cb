/* The sampled blocks that are alive, and the source lines that made them.
 *
 * Poisson sampling by bytes: sample points lie on the stream of allocated bytes with exponential gaps
 * of mean R. A block of n bytes catches at least one with probability p = 1 - exp(-n/R), so each
 * sampled block stands for n/p bytes (Horvitz-Thompson), and the sum over live samples estimates the
 * bytes in use with variance sum n^2 (1-p)/p^2. The derivation for allocators:
 * Duffield, Lund, Thorup, "Priority sampling" (2007); Go's runtime/mprof.go applies the same weights.
 */
#ifndef OUTLIVE_SAMPLES_H
#define OUTLIVE_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"

enum { SITE_FILE_MAX = 512, SITE_FUNCTION_MAX = 128 };

/* Where an allocation was made, copied out of Python so that nothing of Python's is kept. */
typedef struct {
    char file[SITE_FILE_MAX];         /* UTF-8, cut if longer, "" if no Python frame ran */
    char function[SITE_FUNCTION_MAX]; /* qualified name, the same */
    int line;
} Site;

/* What a site holds now. */
typedef struct {
    Site site; /* a copy: the sampler may be stopped while it is looked at */
    double bytes, bytes_variance;
    double blocks;
    uint64_t samples;
} SiteTotal;

/* Begins with no samples, a mean gap of `interval` bytes (>= 1) and this seed. */
void samples_start(uint64_t interval, uint64_t seed);

/* Forgets all and gives the memory back. Safe beside put and take in other threads: what a hook notes later
 * is kept until the next clear. */
void samples_clear(void);

/* The rest of samples_hit_nopy: the gap is over, or was drawn before this start. */
bool samples_gap_over_nopy(ThreadCounters *counters, uint64_t bytes);

/* Notes a sampled block; counts a drop instead when memory or a cap runs out. */
void samples_put_nopy(uintptr_t address, uint64_t bytes, const Site *site);

/* Forgets the block at `address`; false if it was not sampled. */
bool samples_take_nopy(uintptr_t address);

/* Fills `totals` (room for `capacity`) and returns how many sites that makes, those that hold nothing now
 * included; called with 0, how many there are. (Those give way when all places are taken.) */
size_t samples_totals(SiteTotal *totals, size_t capacity);

/* Samples lost to a cap or to want of memory since the start. */
uint64_t samples_dropped(void);

/* Take and give all locks here: before and after fork(). */
void samples_lock_all(void);
void samples_unlock_all(void);

/* Counts the starts; a thread's gap belongs to one. */
extern atomic_uint samples_epoch;

/* Whether one of this thread's sample points lies in the `bytes` it allocates now; draws the next gap if so.
 * */
static inline bool samples_hit_nopy(ThreadCounters *counters, uint64_t bytes)
{
    counters->until -= (int64_t)bytes;
    if (__builtin_expect(counters->until > 0 &&
                             counters->epoch == atomic_load_explicit(&samples_epoch, memory_order_relaxed),
                         1)) {
        return false;
    }
    return samples_gap_over_nopy(counters, bytes);
}

#endif
