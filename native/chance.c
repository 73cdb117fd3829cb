#include "chance.h"

#include <math.h>
#include <stdatomic.h>
#include <unistd.h>

enum {
    PACE_SAMPLES = 64, /* between two looks at how fast they come */
    PACE_SPAN_NS = 20000000,
};

/* Allocated bytes a second above which the level rises: at the default interval of 128 KiB, 10,000 samples.
 * Who asks for a shorter one gets it. */
static const double pace_max = 10000.0 * (128 << 10);

static _Atomic double mean_gap;
static atomic_uint level;
static atomic_uint_fast64_t base_seed, threads_seeded;
static uint64_t thinning_random;
static uint64_t span_began_ns, span_sampled;

/* splitmix64 (Steele, Lea, Flood 2014): one 64-bit state, passes BigCrush, no warm-up. */
static uint64_t next_random_nopy(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* In [0, 1). */
static double next_uniform_nopy(uint64_t *state)
{
    return (double)(next_random_nopy(state) >> 11) * 0x1p-53;
}

static double mean_gap_nopy(uint32_t at_level)
{
    return ldexp(atomic_load_explicit(&mean_gap, memory_order_relaxed), (int)at_level);
}

void chance_start(uint64_t interval, uint64_t seed)
{
    atomic_store(&mean_gap, (double)interval);
    atomic_store(&base_seed, seed);
    atomic_store(&threads_seeded, 0);
    atomic_store(&level, 0);
    thinning_random = ~seed;
    span_began_ns = span_sampled = 0;
}

void chance_diverge(void)
{
    uint64_t process = (uint64_t)getpid() * UINT64_C(0x9E3779B97F4A7C15);
    atomic_fetch_xor(&base_seed, process);
    thinning_random ^= process;
}

void chance_seed_nopy(ThreadCounters *counters)
{
    uint64_t stream = atomic_fetch_add(&threads_seeded, 1) + 1;
    counters->random = atomic_load(&base_seed) ^ stream * UINT64_C(0xD1342543DE82EF95);
}

void chance_draw_nopy(ThreadCounters *counters)
{
    counters->level = chance_level_nopy();
    double gap = -log1p(-next_uniform_nopy(&counters->random)) * mean_gap_nopy(counters->level);
    counters->until = gap < 0x1p62 ? (int64_t)gap + 1 : INT64_C(1) << 62;
}

double chance_nopy(uint64_t bytes, uint32_t at_level)
{
    return -expm1(-(double)bytes / mean_gap_nopy(at_level));
}

Estimate chance_estimate_nopy(uint64_t bytes, uint32_t at_level)
{
    double n = (double)bytes, p = chance_nopy(bytes, at_level);
    return (Estimate){n / p, n * n * (1 - p) / (p * p), 1 / p};
}

bool chance_keeps_nopy(double chance, double lower)
{
    return next_uniform_nopy(&thinning_random) * chance < lower;
}

uint32_t chance_level_nopy(void)
{
    return atomic_load_explicit(&level, memory_order_relaxed);
}

void chance_raise_nopy(uint32_t least)
{
    if (chance_level_nopy() < least) {
        atomic_store(&level, least);
    }
}

void chance_pace_nopy(uint64_t sampled, uint64_t now_ns, uint32_t floor)
{
    uint64_t span_ns = now_ns - span_began_ns;
    if (sampled % PACE_SAMPLES != 0 || span_ns < PACE_SPAN_NS) {
        return; /* the coarse clock ticks every 4 ms */
    }
    uint32_t now = chance_level_nopy();
    if (span_began_ns != 0) {
        double pace = (double)(sampled - span_sampled) * mean_gap_nopy(0) / ((double)span_ns * 1e-9);
        if (pace > pace_max && now < LEVEL_MAX) {
            now++;
        } else if (pace < pace_max / 4 && now > floor) {
            now--;
        }
    }
    span_began_ns = now_ns;
    span_sampled = sampled;
    atomic_store(&level, now);
}
