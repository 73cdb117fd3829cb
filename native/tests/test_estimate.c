/* The estimate is right on average and its variance is what it says, over many seeds. */
#include <math.h>

#include "chance.h"
#include "check.h"
#include "codes.h"
#include "recording.h"
#include "samples.h"

enum { SEEDS = 4000, BLOCKS = 400, KINDS = 5 };

static const double interval = 4096;
static const Code codes[2] = {{"a.py", "f", 1}, {"a.py", "g", 1}};
static uint64_t sizes[BLOCKS];
static bool dies[BLOCKS];

static void start(uint64_t every, uint64_t seed)
{
    CHECK(samples_start(every, seed, RECORDING_BYTES_MIN, &code_reader), "memory for the test");
}

/* From well below the interval to well above it, in no order; a third of them freed again. */
static void lay_out(void)
{
    const uint64_t kinds[KINDS] = {24, 500, 4096, 9000, 60000};
    uint64_t random = 11;
    for (int i = 0; i < BLOCKS; i++) {
        uint64_t kind = random_below(&random, KINDS);
        sizes[i] = kinds[kind] + random_below(&random, kinds[kind]);
        dies[i] = random_below(&random, 3) == 0;
    }
}

static uintptr_t address_of(int i)
{
    return (uintptr_t)(i + 1) << 20;
}

/* What the hook does with a block. */
static void born(ThreadCounters *counters, uintptr_t address, uint64_t bytes, const Code *code)
{
    if (samples_hit_nopy(counters, bytes)) {
        const RawStack stack = stack_at(code, 0);
        samples_put_nopy(counters, address, bytes, FROM_PYTHON, &stack, 0);
    }
}

/* All stacks in one. */
static SiteTotal sum_of_sites(void)
{
    SiteTotal sites[2], sum = {0};
    size_t count = samples_by_stack(sites, 2);
    for (size_t i = 0; i < count; i++) {
        sum.bytes += sites[i].bytes;
        sum.bytes_variance += sites[i].bytes_variance;
        sum.blocks += sites[i].blocks;
        sum.samples += sites[i].samples;
    }
    return sum;
}

static SiteTotal run(uint64_t seed)
{
    ThreadCounters counters = {0};
    start((uint64_t)interval, seed);
    for (int i = 0; i < BLOCKS; i++) {
        born(&counters, address_of(i), sizes[i], &codes[i % 2]);
    }
    for (int i = 0; i < BLOCKS; i++) {
        if (dies[i]) {
            samples_take_nopy(address_of(i));
        }
    }
    return sum_of_sites();
}

typedef struct {
    double sum, squares, count;
} Moments;

static void add(Moments *moments, double value)
{
    moments->sum += value;
    moments->squares += value * value;
    moments->count++;
}

static double mean(const Moments *moments)
{
    return moments->sum / moments->count;
}

static double variance(const Moments *moments)
{
    return (moments->squares - moments->sum * mean(moments)) / (moments->count - 1);
}

/* Whether the mean is within 4 standard errors of what is true: once in 16,000 it is not, by chance. */
static void check_mean(const char *name, const Moments *moments, double truth)
{
    double error = sqrt(variance(moments) / moments->count);
    CHECK(fabs(mean(moments) - truth) < 4 * error, "%s: %.1f for %.1f, standard error %.1f", name,
          mean(moments), truth, error);
    CHECK(error < truth / 50, "%s: too few seeds to tell, standard error %.1f", name, error);
}

static void estimates_are_unbiased(void)
{
    double bytes = 0, blocks = 0, samples = 0, expected_variance = 0;
    for (int i = 0; i < BLOCKS; i++) {
        if (!dies[i]) {
            double n = (double)sizes[i], p = 1 - exp(-n / interval);
            bytes += n;
            blocks += 1;
            samples += p;
            expected_variance += n * n * (1 - p) / p;
        }
    }
    Moments estimates = {0}, variances = {0}, block_counts = {0}, sample_counts = {0};
    int covered = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        SiteTotal total = run(seed_of(seed));
        add(&estimates, total.bytes);
        add(&variances, total.bytes_variance);
        add(&block_counts, total.blocks);
        add(&sample_counts, (double)total.samples);
        covered += fabs(total.bytes - bytes) < 1.96 * sqrt(total.bytes_variance);
    }
    check_mean("bytes", &estimates, bytes);
    check_mean("blocks", &block_counts, blocks);
    check_mean("samples", &sample_counts, samples);
    check_mean("variance", &variances, expected_variance);
    double ratio = variance(&estimates) / expected_variance;
    CHECK(ratio > 0.9 && ratio < 1.1, "variance is %.3f of what the formula says", ratio);
    double coverage = (double)covered / SEEDS;
    CHECK(coverage > 0.93 && coverage < 0.97, "95 %% intervals hold the truth in %.1f %%", 100 * coverage);
}

/* Through a recording too small for all: its samples are thinned, again and again, and every figure stays
 * right. */
static void thinning_is_unbiased(void)
{
    enum { RUNS = 120, MANY = 60000 };
    Moments estimates = {0}, block_counts = {0}, variances = {0};
    double bytes = 0, blocks = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        ThreadCounters counters = {0};
        uint64_t random = 7; /* the same blocks each time */
        start(64, seed_of(seed));
        bytes = blocks = 0;
        for (int i = 0; i < MANY; i++) {
            uint64_t size = 1 + random_below(&random, random_below(&random, 20) == 0 ? 6000 : 300);
            born(&counters, address_of(i), size, &codes[i % 2]);
            if (random_below(&random, 3) == 0) {
                samples_take_nopy(address_of(i));
            } else {
                bytes += (double)size;
                blocks++;
            }
        }
        CHECK(recording->floor_level >= 2 && samples_total().dropped == 0, "level %u",
              recording->floor_level);
        CHECK(samples_total().interval == UINT64_C(64) << recording->level, "%llu",
              (unsigned long long)samples_total().interval);
        SiteTotal total = sum_of_sites();
        add(&estimates, total.bytes);
        add(&block_counts, total.blocks);
        add(&variances, total.bytes_variance);
    }
    check_mean("bytes, thinned", &estimates, bytes);
    check_mean("blocks, thinned", &block_counts, blocks);
    double ratio = variance(&estimates) / mean(&variances);
    CHECK(ratio > 0.6 && ratio < 1.6, "thinned: variance is %.3f of what is stated", ratio);
}

/* While the level rises and falls. */
static void pace_is_unbiased(void)
{
    double bytes = 0, blocks = 0;
    for (int i = 0; i < BLOCKS; i++) {
        bytes += (double)sizes[i];
        blocks++;
    }
    Moments estimates = {0}, block_counts = {0}, variances = {0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        ThreadCounters counters = {0};
        start((uint64_t)interval, seed_of(seed));
        uint64_t now_ns = 1, sampled = 0, random = 3;
        for (int i = 0; i < BLOCKS; i++) {
            if (i % 10 == 0) {
                now_ns += 1000000000;
                sampled += random_below(&random, 2) ? UINT64_C(64) << 30 : 64;
                chance_pace_nopy(sampled, now_ns, 0);
            }
            born(&counters, address_of(i), sizes[i], &codes[i % 2]);
        }
        SiteTotal total = sum_of_sites();
        add(&estimates, total.bytes);
        add(&block_counts, total.blocks);
        add(&variances, total.bytes_variance);
    }
    check_mean("bytes, paced", &estimates, bytes);
    check_mean("blocks, paced", &block_counts, blocks);
    double ratio = variance(&estimates) / mean(&variances);
    CHECK(ratio > 0.9 && ratio < 1.1, "paced: variance is %.3f of what is stated", ratio);
}

/* At the default interval, 10,000 samples a second raise the level, and 2,500 lower it again. */
static void the_level_follows_the_pace(void)
{
    chance_start(128 << 10, 1);
    uint64_t now_ns = 1000000000, sampled = 64;
    chance_pace_nopy(sampled, now_ns, 0);
    CHECK(chance_level_nopy() == 0, "one look tells no pace");
    for (uint32_t looks = 1; looks <= 2 * LEVEL_MAX; looks++) {
        chance_pace_nopy(sampled += 640, now_ns += 50000000, 0);
        CHECK(chance_level_nopy() == (looks < LEVEL_MAX ? looks : LEVEL_MAX), "12,800 a second: %u",
              chance_level_nopy());
    }
    chance_pace_nopy(sampled += 640, now_ns += 19000000, 0);
    CHECK(chance_level_nopy() == LEVEL_MAX, "too soon to tell");
    chance_pace_nopy(sampled += 320, now_ns += 81000000, 0);
    CHECK(chance_level_nopy() == LEVEL_MAX, "9,600 a second");
    chance_pace_nopy(sampled += 1, now_ns += 1000000000, 0);
    CHECK(chance_level_nopy() == LEVEL_MAX, "between two looks");
    sampled -= 1;
    for (uint32_t looks = 1; looks <= 2 * LEVEL_MAX; looks++) {
        chance_pace_nopy(sampled += 64, now_ns += 50000000, 3);
        CHECK(chance_level_nopy() == (LEVEL_MAX - looks > 3 && looks < LEVEL_MAX ? LEVEL_MAX - looks : 3),
              "1,280 a second: %u", chance_level_nopy());
    }
    chance_raise_nopy(2);
    CHECK(chance_level_nopy() == 3, "at least");
    chance_raise_nopy(5);
    CHECK(chance_level_nopy() == 5, "at least");
    chance_start(64, 1);
    chance_pace_nopy(64, 1000000000, 0);
    chance_pace_nopy(64 + 64 * 1000, 2000000000, 0);
    CHECK(chance_level_nopy() == 0, "who asks for a short interval gets it");
}

/* A block that no gap outlasts is hit, and leaves a fresh gap. */
static int64_t next_gap(ThreadCounters *counters)
{
    CHECK(samples_hit_nopy(counters, UINT64_C(1) << 60), "%s", "not hit");
    return counters->until;
}

/* Gaps are exponential: mean and deviation are the interval, and half of them are below ln 2 of it. */
static void gaps_are_exponential(void)
{
    ThreadCounters counters = {0};
    start((uint64_t)interval, 5);
    enum { COUNT = 400000 };
    double sum = 0, squares = 0;
    int below = 0;
    for (int i = 0; i < COUNT; i++) {
        int64_t until = next_gap(&counters);
        CHECK(until >= 1, "%lld", (long long)until);
        double gap = (double)until - 0.5; /* the middle of the byte it ends in */
        sum += gap;
        squares += gap * gap;
        below += gap < interval * log(2);
    }
    double average = sum / COUNT, deviation = sqrt(squares / COUNT - average * average);
    CHECK(fabs(average / interval - 1) < 0.01, "mean %.1f", average);
    CHECK(fabs(deviation / interval - 1) < 0.01, "deviation %.1f", deviation);
    CHECK(fabs((double)below / COUNT - 0.5) < 0.005, "%d below the median", below);
}

/* One seed repeats; another, or another thread of the same process, draws other gaps. */
static void gaps_repeat_by_seed(void)
{
    int64_t gaps[3];
    for (int i = 0; i < 3; i++) {
        ThreadCounters counters = {0}, other_thread = {0};
        start((uint64_t)interval, i < 2 ? 9 : 10);
        gaps[i] = next_gap(&counters);
        CHECK(gaps[i] != next_gap(&other_thread), "%lld twice", (long long)gaps[i]);
    }
    CHECK(gaps[0] == gaps[1] && gaps[1] != gaps[2], "%lld, %lld", (long long)gaps[1], (long long)gaps[2]);
}

/* A gap drawn at a huge interval does not outlive the start it was drawn for. */
static void a_new_start_draws_anew(void)
{
    ThreadCounters counters = {0};
    start(UINT64_C(1) << 50, 1);
    samples_hit_nopy(&counters, 1);
    CHECK(counters.until > INT64_C(1) << 30, "%lld", (long long)counters.until);
    start(1, 1);
    CHECK(samples_hit_nopy(&counters, 1000), "%lld", (long long)counters.until);
}

int main(void)
{
    lay_out();
    estimates_are_unbiased();
    thinning_is_unbiased();
    pace_is_unbiased();
    the_level_follows_the_pace();
    gaps_are_exponential();
    gaps_repeat_by_seed();
    a_new_start_draws_anew();
    samples_stop();
    return 0;
}
