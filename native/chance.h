/* Which blocks are sampled, and how likely that was: the gaps between sample points, and the level that sets
 * their mean (samples.h). All but what a thread does with its own counters needs the sampler's lock.
 */
#ifndef OUTLIVE_CHANCE_H
#define OUTLIVE_CHANCE_H

#include <stdint.h>

#include "counters.h"

enum { LEVEL_MAX = 20 };

/* Begins at level 0: a mean gap of `interval` bytes. */
void chance_start(uint64_t interval, uint64_t seed);

/* In a forked child: from now on, other gaps than its parent's. */
void chance_diverge(void);

/* Gives a thread random numbers of its own, for the start that runs. */
void chance_seed_nopy(ThreadCounters *counters);

/* Draws the thread's next gap, at the level that now is. */
void chance_draw_nopy(ThreadCounters *counters);

/* How likely a block of `bytes` catches a sample point of this level. */
double chance_nopy(uint64_t bytes, uint32_t level);

/* What a sample stands for; the variance is that of the bytes. */
typedef struct {
    double bytes, variance, blocks;
} Estimate;

/* That of a sample of `bytes`, at least 1, at this level. */
Estimate chance_estimate_nopy(uint64_t bytes, uint32_t level);

/* Whether a sample of one chance is kept where it should have had another, lower one. */
bool chance_keeps_nopy(double chance, double lower);

/* The level that gaps are drawn at. */
uint32_t chance_level_nopy(void);

/* Has gaps drawn at this level at least. */
void chance_raise_nopy(uint32_t level);

/* Another sample was taken, `sampled` of them by now: sets the level, `floor` at least, by how fast they
 * come. */
void chance_pace_nopy(uint64_t sampled, uint64_t now_ns, uint32_t floor);

#endif
