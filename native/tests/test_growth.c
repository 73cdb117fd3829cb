/* Blocks that grow and shrink by realloc are sampled as their last size says, whatever the way there. */
#include "sampler.h"

#include <math.h>

#include "check.h"
#include "codes.h"
#include "recording.h"
#include "site.h"

enum { ROUNDS = 1500 };

size_t given_size(void *address);

/* In the place of malloc: it rounds up as glibc does, and has one block. */
static size_t given;
static void *const block = (void *)0x7f0000000010;

static void give(size_t bytes)
{
    given = bytes >= 128 << 10 ? ((bytes + 16 + 4095) & ~(size_t)4095) - 16
                               : ((bytes + 8 + 15) & ~(size_t)15) - 8;
}

size_t given_size(void *address)
{
    CHECK(address == block, "%p", address);
    return given;
}

static const Code code = {"a.py", "f", 1};

uint64_t site_run_nopy(void)
{
    return 0;
}

void site_stack_nopy(RawStack *stack)
{
    *stack = stack_at(&code, 0);
}

/* The interval is the last size: then chance is neither small nor certain. */
typedef struct {
    const char *name;
    size_t first, last; /* bytes */
    size_t (*next)(size_t bytes);
} Way;

static size_t by_one(size_t bytes)
{
    return bytes + 1;
}

static size_t by_pages(size_t bytes)
{
    return bytes + 777;
}

static size_t by_eighths(size_t bytes)
{
    return bytes + bytes / 8 + 6;
}

static size_t down_by_hundreds(size_t bytes)
{
    return bytes - 100;
}

static size_t up_and_down(size_t bytes)
{
    return bytes > 5000 ? bytes / 11 : bytes * 3 / 2 + 17;
}

static const Way ways[] = {
    {"by one", 600, 6000, by_one},           {"by one, from nothing", 1, 3000, by_one},
    {"by pages", 100000, 400000, by_pages},  {"by eighths", 8, 12000, by_eighths},
    {"down", 9050, 1050, down_by_hundreds},  {"down to a small one", 9050, 300, down_by_hundreds},
    {"up and down", 700, 4413, up_and_down},
};

/* Goes the way once: the estimate of the block at its end. */
static double estimate(const Way *way, uint64_t interval)
{
    size_t bytes = way->first;
    give(bytes);
    sampler_born_nopy(block, bytes);
    for (int step = 0; way->next != up_and_down ? bytes != way->last : step < 18; step++) {
        size_t next = way->next(bytes);
        bool there = way->next != up_and_down && (next > way->last) != (bytes > way->last);
        Moved moved = sampler_leaves_nopy(block);
        if (step % 5 == 4) { /* realloc fails */
            sampler_stays_nopy(moved, block);
            moved = sampler_leaves_nopy(block);
        }
        bytes = there ? way->last : next;
        give(bytes);
        sampler_arrives_nopy(moved, block, bytes);
    }
    CHECK(way->next != up_and_down || bytes == way->last, "%s: ends at %zu", way->name, bytes);
    SamplesTotal total = samples_total();
    CHECK(total.samples <= 1 && total.dropped == 0, "%s: %llu samples", way->name,
          (unsigned long long)total.samples);
    double weight = (double)bytes / -expm1(-(double)bytes / (double)interval);
    CHECK(total.samples == 0 || fabs(total.bytes / weight - 1) < 1e-9, "%s: %f for %f", way->name,
          total.bytes, weight);
    sampler_dies_nopy(block);
    CHECK(samples_total().samples == 0, "%s: lives on", way->name);
    return total.bytes;
}

int main(void)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        double sum = 0, squares = 0, truth = (double)ways[i].last;
        for (uint64_t round = 0; round < ROUNDS; round++) {
            if (round % 32 == 0) { /* before the level would rise */
                CHECK(samples_start(ways[i].last, seed_of(i * ROUNDS + round + 1), RECORDING_BYTES_MIN,
                                    &code_reader),
                      "memory for the test");
            }
            double bytes = estimate(&ways[i], ways[i].last);
            sum += bytes;
            squares += bytes * bytes;
        }
        double mean = sum / ROUNDS, error = sqrt((squares / ROUNDS - mean * mean) / ROUNDS);
        /* What malloc adds to a block is taken for the block's, once. */
        double added = truth < 128 << 10 ? 16 : 4096;
        CHECK(fabs(mean - truth) < 4 * error + added, "%s: %.1f for %.1f, standard error %.1f", ways[i].name,
              mean, truth, error);
        CHECK(error < truth / 40, "%s: too few rounds to tell, standard error %.1f", ways[i].name, error);
    }
    samples_stop();
    return 0;
}
