/* The estimate is right on average and its variance is what it says, over many seeds. */
#include <math.h>

#include "check.h"
#include "samples.h"

enum { SEEDS = 4000, BLOCKS = 400, KINDS = 5 };

static const double interval = 4096;
static uint64_t sizes[BLOCKS];
static bool dies[BLOCKS];

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
static void born(ThreadCounters *counters, int i)
{
    if (samples_hit_nopy(counters, sizes[i])) {
        const Site site = {.file = "a.py", .function = "f", .line = i % 2};
        samples_put_nopy(address_of(i), sizes[i], &site);
    }
}

/* One run; adds its two sites up. */
static SiteTotal run(uint64_t seed)
{
    ThreadCounters counters = {0};
    samples_start((uint64_t)interval, seed);
    for (int i = 0; i < BLOCKS; i++) {
        born(&counters, i);
    }
    for (int i = 0; i < BLOCKS; i++) {
        if (dies[i]) {
            samples_take_nopy(address_of(i));
        }
    }
    SiteTotal sites[2], sum = {0};
    size_t count = samples_totals(sites, 2);
    for (size_t i = 0; i < count; i++) {
        sum.bytes += sites[i].bytes;
        sum.bytes_variance += sites[i].bytes_variance;
        sum.blocks += sites[i].blocks;
        sum.samples += sites[i].samples;
    }
    return sum;
}

typedef struct {
    double sum, squares;
} Moments;

static void add(Moments *moments, double value)
{
    moments->sum += value;
    moments->squares += value * value;
}

static double mean(const Moments *moments)
{
    return moments->sum / SEEDS;
}

static double variance(const Moments *moments)
{
    return (moments->squares - moments->sum * moments->sum / SEEDS) / (SEEDS - 1);
}

/* Whether the mean is within 4 standard errors of what is true: once in 16,000 it is not, by chance. */
static void check_mean(const char *name, const Moments *moments, double truth)
{
    double error = sqrt(variance(moments) / SEEDS);
    CHECK(fabs(mean(moments) - truth) < 4 * error, "%s: %.1f for %.1f, standard error %.1f", name, mean(moments),
          truth, error);
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
        SiteTotal total = run(seed * UINT64_C(0x9E3779B97F4A7C15));
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
    samples_start((uint64_t)interval, 5);
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
        samples_start((uint64_t)interval, i < 2 ? 9 : 10);
        gaps[i] = next_gap(&counters);
        CHECK(gaps[i] != next_gap(&other_thread), "%lld twice", (long long)gaps[i]);
    }
    CHECK(gaps[0] == gaps[1] && gaps[1] != gaps[2], "%lld, %lld", (long long)gaps[1], (long long)gaps[2]);
}

/* A gap drawn at a huge interval does not outlive the start it was drawn for. */
static void a_new_start_draws_anew(void)
{
    ThreadCounters counters = {0};
    samples_start(UINT64_C(1) << 50, 1);
    samples_hit_nopy(&counters, 1);
    CHECK(counters.until > INT64_C(1) << 30, "%lld", (long long)counters.until);
    samples_start(1, 1);
    CHECK(samples_hit_nopy(&counters, 1000), "%lld", (long long)counters.until);
}

int main(void)
{
    lay_out();
    estimates_are_unbiased();
    gaps_are_exponential();
    gaps_repeat_by_seed();
    a_new_start_draws_anew();
    samples_clear();
    return 0;
}
