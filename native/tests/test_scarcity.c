/* Every request for memory refused in turn: nothing crashes, nothing leaks, nothing noted is lost. */
#define _GNU_SOURCE
#include "blocks.h"
#include "check.h"
#include "codes.h"
#include "files.h"
#include "recording.h"
#include "samples.h"
#include "scarcity.h"
#include "table.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { PUTS = 3000, SITES = 40 };

static bool stored[PUTS];

/* Blocks of both kinds in heap that no round had before: leaves of shadow, once there, stay. */
static void note_blocks(long round)
{
    static uintptr_t node = 1;
    const uintptr_t heap = node++ << 34;
    uint64_t refused = 0;
    for (uintptr_t i = 0; i < PUTS; i++) {
        uint64_t replaced = 1;
        Block block = {.bytes = i % 2 ? 100 : 10000 + i};
        stored[i] = blocks_put_nopy(heap + i * 4096, block, &replaced);
        CHECK(replaced == 0, "round %ld", round);
        refused += !stored[i];
    }
    CHECK(blocks_dropped() == refused, "round %ld: %llu of %llu", round, (unsigned long long)blocks_dropped(),
          (unsigned long long)refused);
    for (uintptr_t i = 0; i < PUTS; i++) {
        Block block = {0};
        CHECK(blocks_take_nopy(heap + i * 4096, &block) == stored[i], "round %ld, block %zu", round,
              (size_t)i);
        CHECK(!stored[i] || block.bytes == (i % 2 ? 100 : 10000 + i), "round %ld, block %zu", round,
              (size_t)i);
    }
    blocks_clear();
}

static void note_samples(long round)
{
    static const Code code = {"app/jobs/export.py", "export", 1};
    long mappings = scarcity_mappings();
    bool started = samples_start(1, 1, RECORDING_BYTES_MIN, &code_reader);
    CHECK(started == (recording != NULL) && (started || scarcity_met()), "round %ld", round);
    ThreadCounters counters = counters_now();
    for (uintptr_t i = 1; i <= PUTS; i++) {
        RawStack stack = stack_at(&code, (int32_t)(i % SITES));
        samples_put_nopy(&counters, i << 12, 1 << 20, FROM_PYTHON, &stack, 0);
        if (i == PUTS / 2 && started) {
            int fd = file_of(RECORDING_BYTES_MIN);
            RecordingHeader *before = recording;
            CHECK(samples_record(samples_number(), fd) || (scarcity_met() && errno == ENOMEM),
                  "round %ld: errno %d", round, errno);
            CHECK(recording == before, "round %ld", round);
            close(fd);
        }
    }
    uint64_t live = samples_total().samples, dropped = samples_total().dropped, taken = 0;
    CHECK(live + dropped == (started ? PUTS : 0), "round %ld: %llu and %llu", round, (unsigned long long)live,
          (unsigned long long)dropped);
    SiteTotal totals[SITES];
    size_t sites = samples_by_stack(totals, SITES);
    CHECK(sites <= SITES + 1, "round %ld: %zu", round, sites);
    for (size_t i = 0; i < sites && i < SITES; i++) {
        bool named = strcmp(totals[i].function, "export") == 0;
        CHECK(named || (totals[i].function[0] == '\0' && scarcity_met()), "round %ld: %s", round,
              totals[i].function);
    }
    for (uintptr_t i = 1; i <= PUTS; i++) {
        taken += samples_take_nopy(i << 12);
    }
    CHECK(taken == live, "round %ld: %llu of %llu", round, (unsigned long long)taken,
          (unsigned long long)live);
    samples_stop();
    CHECK(recording == NULL && scarcity_mappings() == mappings, "round %ld: %ld left", round,
          scarcity_mappings() - mappings);
}

/* Refuses the first, the second, ... until a round asks for less; says how many rounds it took. */
static long refuse_in_turn(void (*round)(long), Refusal refusal)
{
    long nth = 0;
    do {
        scarcity_begin(++nth, refusal);
        round(nth);
        CHECK(scarcity_blocks() == 0, "round %ld: %ld blocks leaked", nth, scarcity_blocks());
    } while (scarcity_met());
    scarcity_begin(0, REFUSE_ONE);
    return nth;
}

/* A refused growth leaves room for a while: the table goes on in what it has. */
static void a_table_lives_on_without_growth(void)
{
    Table table;
    memset(&table, 0, sizeof table);
    table_init(&table, 1 << 20);
    uint64_t old, value;
    bool had;
    for (uintptr_t i = 1; i <= PUTS; i++) {
        CHECK(table_put_nopy(&table, i * 16, i, &old, &had), "memory for the test");
    }
    scarcity_begin(1, REFUSE_ALL_FROM);
    uintptr_t end = PUTS + 1;
    size_t bytes = table_bytes(&table), refused = 0;
    for (; end <= 4 * PUTS; end++) {
        refused += !table_put_nopy(&table, end * 16, end, &old, &had);
    }
    CHECK(table_bytes(&table) == bytes && refused > 0, "%zu refused", refused);
    CHECK(table_count(&table) == end - 1 - refused, "%zu", table_count(&table));
    CHECK(table_count(&table) * sizeof(Slot) >= bytes / 10 * 9, "%zu in %zu bytes", table_count(&table),
          bytes);
    scarcity_begin(0, REFUSE_ONE);
    size_t found = 0;
    for (uintptr_t i = 1; i < end; i++) {
        bool there = table_take_nopy(&table, i * 16, &value);
        CHECK(there ? value == i : i > PUTS, "block %zu", (size_t)i);
        found += there;
    }
    CHECK(found == end - 1 - refused, "%zu", found);
    table_clear_nopy(&table);
}

int main(void)
{
    blocks_init(1 << 20);
    long mappings = scarcity_mappings();
    const Refusal refusals[] = {REFUSE_ONE, REFUSE_ALL_FROM};
    for (int i = 0; i < 2; i++) {
        long rounds = refuse_in_turn(note_blocks, refusals[i]);
        CHECK(rounds > 20, "%ld rounds are too few to have met every shard and a leaf", rounds);
        rounds = refuse_in_turn(note_samples, refusals[i]);
        CHECK(rounds > 15, "%ld rounds are too few to have met the region, the file and the tables", rounds);
    }
    CHECK(scarcity_mappings() > mappings, "leaves were mapped");
    a_table_lives_on_without_growth();
    return 0;
}
