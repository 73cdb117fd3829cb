/* The book of live samples: what goes in comes out, up to its caps. At an interval of a byte every estimate
 * is exact. */
#include "samples.h"

#include <errno.h>
#include <string.h>

#include "check.h"
#include "codes.h"
#include "recording.h"
#include "scarcity.h"

static const Code job = {"app/jobs.py", "job", 10}, other = {"app/jobs.py", "other", 50};
static ThreadCounters counters;

static void start(uint64_t interval, uint64_t seed, size_t bytes)
{
    CHECK(samples_start(interval, seed, bytes, &code_reader), "memory for the test");
    counters = counters_now();
}

static void put(uintptr_t address, uint64_t bytes, const Code *code, int32_t line)
{
    RawStack stack = stack_at(code, line);
    samples_put_nopy(&counters, address, bytes, FROM_PYTHON, &stack, 0);
}

static uint64_t live_samples(void)
{
    uint64_t live = 0;
    size_t capacity = samples_by_stack(NULL, 0);
    SiteTotal *totals = calloc(capacity + 1, sizeof *totals);
    CHECK(totals != NULL, "memory for the test");
    CHECK(samples_by_stack(totals, capacity) == capacity, "%zu stacks", capacity);
    for (size_t i = 0; i < capacity; i++) {
        live += totals[i].samples;
        CHECK(totals[i].samples > 0 && totals[i].bytes > 0, "stack %zu holds something", i);
    }
    free(totals);
    CHECK(samples_total().samples == live, "%llu in all", (unsigned long long)samples_total().samples);
    return live;
}

static void churn(uint64_t seed)
{
    enum { COUNT = 3000 };
    static uint64_t known[COUNT]; /* its bytes; 0: it is not there */
    start(1, seed, RECORDING_BYTES_DEFAULT);
    uint64_t live = 0, bytes = 0;
    for (int step = 0; step < 200000; step++) {
        uint64_t i = random_below(&seed, COUNT);
        uintptr_t address = 0x7f0000000000 + i * 48;
        if (random_below(&seed, 100) < (step / 20000 % 2 ? 20 : 60)) {
            live += known[i] == 0;
            bytes -= known[i];
            known[i] = 100 + random_below(&seed, 100000);
            bytes += known[i];
            put(address, known[i], &job, (int32_t)random_below(&seed, 100));
        } else {
            CHECK(samples_take_nopy(address) == (known[i] != 0), "step %d", step);
            live -= known[i] != 0;
            bytes -= known[i];
            known[i] = 0;
        }
        if (step % 5000 == 0) {
            CHECK(live_samples() == live, "step %d: %llu", step, (unsigned long long)live_samples());
            CHECK(samples_total().bytes == (double)bytes, "step %d: %f", step, samples_total().bytes);
        }
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        CHECK(samples_take_nopy(0x7f0000000000 + i * 48) == (known[i] != 0), "at %d", (int)i);
        known[i] = 0;
    }
    CHECK(live_samples() == 0 && samples_total().dropped == 0 && samples_total().bytes == 0, "empty again");
}

static void tells_what_stacks_hold(void)
{
    start(1, 1, RECORDING_BYTES_DEFAULT);
    for (uintptr_t i = 0; i < 10; i++) {
        put(16 + i * 32, 1000, &job, 1);
        put(32 + i * 32, 100, &other, 2);
    }
    const RawStack nobody = {.count = 0};
    samples_put_nopy(&counters, 8, 5000, FROM_MALLOC, &nobody, 0);
    SiteTotal totals[4];
    CHECK(samples_by_stack(totals, 4) == 3, "room to spare");
    CHECK(strcmp(totals[0].file, "app/jobs.py") == 0 && strcmp(totals[0].function, "job") == 0, "the first");
    CHECK(totals[0].line == 11 && totals[0].samples == 10 && totals[0].bytes == 10000, "the first");
    CHECK(strcmp(totals[1].function, "other") == 0 && totals[1].line == 52 && totals[1].blocks == 10,
          "the second");
    CHECK(totals[2].file[0] == '\0' && totals[2].function[0] == '\0' && totals[2].bytes == 5000, "no frame");
    memset(totals, 0, sizeof totals);
    CHECK(samples_by_stack(totals, 1) == 3 && totals[0].samples == 10 && totals[1].samples == 0, "less room");
    SamplesTotal total = samples_total();
    CHECK(total.samples == 21 && total.bytes == 16000 && total.interval == 1, "%f bytes", total.bytes);
    CHECK(total.large_bytes == 10000, "%f: above 512, Python's", total.large_bytes);
}

/* Nothing can be thinned whose chance is 1 at every level. */
static void samples_have_a_cap(void)
{
    const uint64_t huge = UINT64_C(1) << 30;
    start(1, 1, RECORDING_BYTES_MIN);
    uintptr_t capacity = recording->slots_capacity;
    for (uintptr_t i = 1; i <= capacity + 1000; i++) {
        put(i * 16, huge, &job, 1);
    }
    CHECK(samples_total().dropped == 1000, "%llu", (unsigned long long)samples_total().dropped);
    for (uintptr_t i = 1; i <= capacity; i++) {
        CHECK(samples_take_nopy(i * 16), "sample %zu", (size_t)i);
    }
    CHECK(live_samples() == 0, "empty");
    put(16, huge, &job, 1);
    CHECK(samples_total().dropped == 1000 && samples_take_nopy(16), "room again");
    put(UINT64_C(1) << 48, huge, &job, 1);
    CHECK(live_samples() == 0 && !samples_take_nopy(UINT64_C(1) << 48), "no such address");
}

/* More samples under one byte of the filter than it can count. Repeats the filter's hash; should that change,
 * the addresses spread and the checks still hold. */
static void the_filter_saturates(void)
{
    enum { COUNT = 600 };
    static uintptr_t addresses[COUNT + 1];
    uintptr_t address = 16;
    for (int i = 0; i <= COUNT; address += 16) {
        if ((address >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 48 == 77) {
            addresses[i++] = address;
        }
    }
    for (int count = 254; count <= COUNT; count += count < 257 ? 1 : 343) {
        start(1, 1, RECORDING_BYTES_DEFAULT);
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < count; i++) {
                put(addresses[i], 64, &job, 1);
                put(addresses[i], 128, &job, 1); /* seen twice, dies once */
            }
            CHECK(!samples_take_nopy(addresses[COUNT]), "a stranger under the same byte");
            for (int i = 0; i < count; i++) {
                CHECK(samples_take_nopy(addresses[i]), "%d of %d", i, count);
                CHECK(!samples_take_nopy(addresses[i]), "%d of %d, twice", i, count);
            }
            CHECK(live_samples() == 0, "round %d", round);
        }
    }
}

/* What dies makes place for what is born: the book does not grow with traffic. */
static void places_are_used_again(void)
{
    start(1, 1, RECORDING_BYTES_MIN);
    for (uintptr_t i = 0; i < 3 * recording->slots_capacity; i++) {
        put((i + 1) * 16, 64, &job, 1);
        CHECK(i < 10 || samples_take_nopy((i - 9) * 16), "sample %zu", (size_t)i);
    }
    CHECK(samples_total().dropped == 0 && live_samples() == 10, "%llu", (unsigned long long)live_samples());
    CHECK(recording->slots_used == 11 && recording->floor_level == 0, "%llu places",
          (unsigned long long)recording->slots_used);
}

static void a_block_moves_with_its_sample(void)
{
    start(1, 1, RECORDING_BYTES_DEFAULT);
    put(16, 1000, &job, 1);
    LiftedSample lifted = samples_lift_nopy(16);
    CHECK(lifted.place != 0 && lifted.bytes == 1000 && !samples_take_nopy(16),
          "its old address is anybody's");
    put(16, 300, &other, 1); /* malloc gave it away already */
    samples_land_nopy(lifted, 32, 4000);
    SiteTotal totals[2];
    CHECK(samples_by_stack(totals, 2) == 2 && totals[0].bytes + totals[1].bytes == 4300, "both");
    CHECK(samples_take_nopy(16) && samples_take_nopy(32), "each at its own address");

    put(16, 1000, &job, 1);
    lifted = samples_lift_nopy(16);
    put(32, 300, &other, 1); /* whose death nobody told */
    samples_land_nopy(lifted, 32, 500);
    CHECK(samples_total().samples == 1 && samples_total().bytes == 500, "in the other's place");
    lifted = samples_lift_nopy(32);
    samples_forget_nopy(lifted);
    CHECK(live_samples() == 0, "forgotten");
    lifted = samples_lift_nopy(32);
    CHECK(lifted.place == 0, "not sampled");
    samples_land_nopy(lifted, 64, 500);
    samples_forget_nopy(lifted);
    CHECK(live_samples() == 0, "nothing came of nothing");

    put(16, 1000, &job, 1);
    lifted = samples_lift_nopy(16);
    start(1, 1, RECORDING_BYTES_DEFAULT);
    put(48, 700, &other, 1); /* in the same place */
    samples_land_nopy(lifted, 32, 500);
    samples_forget_nopy(lifted);
    CHECK(live_samples() == 1 && samples_total().bytes == 700, "what was lifted before a start is no more");
}

/* While a block is being moved its slot still names the old address, which may be another's by now. */
static void thinning_spares_what_moves(void)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        start(64, seed, RECORDING_BYTES_MIN);
        put(16, 64, &job, 1);
        LiftedSample lifted = samples_lift_nopy(16);
        put(16, 64, &other, 1);
        for (uintptr_t i = 2; recording->floor_level == 0; i++) {
            put(i * 16, 64, &job, 2);
        }
        uint64_t listed = live_samples() - 1;
        for (uintptr_t i = 1; i <= recording->slots_capacity + 1; i++) {
            listed -= samples_take_nopy(i * 16);
        }
        CHECK(listed == 0, "seed %llu: %llu can't die any more", (unsigned long long)seed,
              (unsigned long long)listed);
        samples_land_nopy(lifted, 32, 64);
        CHECK(live_samples() == 1 && samples_take_nopy(32), "what moved has arrived");
    }
}

/* What a stack has ever allocated: growth counts, what shrinks or dies does not. */
static void totals_count_what_was_allocated(void)
{
    start(1, 1, RECORDING_BYTES_DEFAULT);
    put(16, 1000, &job, 1);
    const RecordedTotal *total = &recording_totals_nopy()[1];
    CHECK(total->bytes == 1000 && total->blocks == 1, "%f", total->bytes);
    samples_land_nopy(samples_lift_nopy(16), 32, 3000);
    CHECK(total->bytes == 3000 && total->blocks == 1, "%f", total->bytes);
    samples_land_nopy(samples_lift_nopy(32), 32, 200);
    samples_take_nopy(32);
    put(32, 500, &job, 1);
    CHECK(total->bytes == 3500 && total->blocks == 2, "%f", total->bytes);
    CHECK(recording->sampled == 2, "%llu", (unsigned long long)recording->sampled);
}

static void after_the_end_nothing_is_kept(void)
{
    start(1, 1, RECORDING_BYTES_DEFAULT);
    put(16, 1000, &job, 1);
    LiftedSample lifted = samples_lift_nopy(16);
    samples_stop();
    CHECK(scarcity_blocks() == 0 && scarcity_mappings() == 0, "%ld left", scarcity_blocks());
    put(16, 1000, &job, 1);
    CHECK(!samples_take_nopy(16) && samples_lift_nopy(16).place == 0, "nothing there");
    samples_land_nopy(lifted, 32, 1000);
    samples_forget_nopy(lifted);
    CHECK(!samples_hit_nopy(&counters, UINT64_C(1) << 40), "nor drawn");
    CHECK(live_samples() == 0 && samples_total().interval == 0, "nothing");
    errno = 0;
    CHECK(!samples_record(samples_number(), 0) && errno == EINVAL, "no recording to move");
    CHECK(samples_write(samples_number(), 0, "", 1), "nowhere to write");
    samples_stop();
    CHECK(scarcity_blocks() == 0 && scarcity_mappings() == 0, "%ld left", scarcity_blocks());
}

int main(void)
{
    churn(1);
    churn(2);
    tells_what_stacks_hold();
    samples_have_a_cap();
    the_filter_saturates();
    places_are_used_again();
    a_block_moves_with_its_sample();
    thinning_spares_what_moves();
    totals_count_what_was_allocated();
    after_the_end_nothing_is_kept();
    return 0;
}
