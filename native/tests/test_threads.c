/* Many threads in the tables at once, while another clears, counts and starts anew. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "blocks.h"
#include "check.h"
#include "codes.h"
#include "recording.h"
#include "samples.h"
#include "scarcity.h"
#include "table.h"

enum { THREADS = 4, OWN = 500, ROUNDS = 150, LEAVES = 200 };

static Table table;
static atomic_int rounds; /* done by all workers */
static atomic_bool undisturbed;

typedef void Work(uintptr_t first, uint64_t *random);

typedef struct {
    Work *work;
    uintptr_t number;
} Worker;

static void *run(void *argument)
{
    const Worker *worker = argument;
    uint64_t random = worker->number + 1;
    for (int round = 0; round < ROUNDS; round++) {
        /* Neighbours in memory, so that threads meet in one shard and one page of shadow. */
        worker->work(0x7f0000000000 + worker->number * OWN * 16, &random);
        rounds++;
    }
    return NULL;
}

/* `disturb` goes on beside the workers until they are done; NULL: they find all they put. */
static void beside(Work *work, void (*disturb)(void))
{
    undisturbed = disturb == NULL;
    rounds = 0;
    pthread_t threads[THREADS];
    Worker workers[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) {
        workers[i] = (Worker){work, i};
        CHECK(pthread_create(&threads[i], NULL, run, &workers[i]) == 0, "a thread for the test");
    }
    while (disturb != NULL && rounds < THREADS * ROUNDS) {
        disturb();
        sched_yield(); /* the tables' locks are not fair */
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void use_table(uintptr_t first, uint64_t *random)
{
    uint64_t values[OWN], old, value;
    bool had;
    for (int i = 0; i < OWN; i++) {
        values[i] = random_next(random) & TABLE_VALUE_MAX;
        CHECK(table_put_nopy(&table, first + (uintptr_t)i * 16, values[i], &old, &had) && !had, "block %d",
              i);
    }
    for (int i = 0; i < OWN; i++) {
        bool found = table_take_nopy(&table, first + (uintptr_t)i * 16, &value);
        CHECK(found ? value == values[i] : !undisturbed, "block %d", i);
    }
}

static void use_blocks(uintptr_t first, uint64_t *random)
{
    uint64_t sizes[OWN], replaced;
    for (int i = 0; i < OWN; i++) {
        sizes[i] = random_below(random, 600);
        CHECK(blocks_put_nopy(first + (uintptr_t)i * 16, (Block){.bytes = sizes[i]}, &replaced), "block %d",
              i);
        CHECK(replaced == 0, "block %d", i);
    }
    for (int i = 0; i < OWN; i++) {
        Block block;
        bool found = blocks_take_nopy(first + (uintptr_t)i * 16, &block);
        CHECK(found ? block.bytes == sizes[i] : !undisturbed, "block %d", i);
    }
}

static pthread_barrier_t barrier;

/* Everybody's first block in the same new MiB of heap, at the same time. */
static void use_new_heap(uintptr_t first, uint64_t *random)
{
    (void)random;
    for (uintptr_t leaf = 0; leaf < LEAVES; leaf++) {
        uint64_t replaced;
        Block block;
        uintptr_t address = (UINT64_C(0x100) << 34) + (leaf << 20) + first % (1 << 20);
        pthread_barrier_wait(&barrier);
        CHECK(blocks_put_nopy(address, (Block){.bytes = 7}, &replaced) && replaced == 0, "leaf %zu",
              (size_t)leaf);
        CHECK(blocks_take_nopy(address, &block) && block.bytes == 7, "leaf %zu", (size_t)leaf);
    }
}

static const Code code = {"a.py", "f", 1};

static void use_samples(uintptr_t first, uint64_t *random)
{
    for (int i = 0; i < OWN; i++) {
        RawStack stack = stack_at(&code, (int32_t)random_below(random, 50));
        samples_hit_nopy(&thread_counters, 1000); /* now it belongs to the start that runs */
        samples_put_nopy(&thread_counters, first + (uintptr_t)i * 16, 64, FROM_PYTHON, &stack, 0);
        samples_land_nopy(samples_lift_nopy(first + (uintptr_t)i * 16), first + (uintptr_t)i * 16, 128);
    }
    for (int i = 0; i < OWN; i++) {
        CHECK(samples_take_nopy(first + (uintptr_t)i * 16) || !undisturbed, "block %d", i);
    }
}

static uint64_t samples_live(void)
{
    SiteTotal totals[100];
    size_t count = samples_by_stack(totals, 100);
    uint64_t live = 0;
    for (size_t i = 0; i < count; i++) {
        live += totals[i].samples;
    }
    return live;
}

static void clear_table(void)
{
    table_clear_nopy(&table);
    CHECK(table_count(&table) <= THREADS * OWN, "%zu", table_count(&table));
    CHECK(table_bytes(&table) < 1 << 20, "%zu", table_bytes(&table));
}

static void read_samples(void)
{
    CHECK(samples_live() <= THREADS * OWN, "more than there can be");
}

static void start_samples(void)
{
    CHECK(samples_start(64, 1, RECORDING_BYTES_DEFAULT, &code_reader), "memory for the test");
}

/* Now and then, but not to the end: what is noted after the last time must be there to be taken. */
static void restart_samples(void)
{
    static int restarted_at;
    int now = rounds;
    if (now != restarted_at && now < THREADS * ROUNDS / 2) {
        restarted_at = now;
        start_samples();
    }
}

/* Whether each sample has a place of its own. */
static void check_samples(void)
{
    CHECK(samples_live() == 0, "%llu can't be taken any more", (unsigned long long)samples_live());
    ThreadCounters counters = counters_now();
    const RawStack stack = stack_at(&code, 0);
    for (uintptr_t i = 0; i < THREADS * OWN; i++) {
        samples_put_nopy(&counters, 0x100000 + i * 16, 64, FROM_PYTHON, &stack, 0);
    }
    CHECK(samples_live() == THREADS * OWN, "%llu", (unsigned long long)samples_live());
    for (uintptr_t i = 0; i < THREADS * OWN; i++) {
        CHECK(samples_take_nopy(0x100000 + i * 16), "block %d", (int)i);
    }
}

int main(void)
{
    memset(&table, 0, sizeof table);
    table_init(&table, 1 << 20);
    beside(use_table, NULL);
    CHECK(table_count(&table) == 0, "%zu left", table_count(&table));
    beside(use_table, clear_table);
    table_clear_nopy(&table);

    blocks_init(1 << 20);
    beside(use_blocks, NULL);
    beside(use_blocks, blocks_clear);
    CHECK(blocks_dropped() == 0, "%llu", (unsigned long long)blocks_dropped());
    blocks_clear();

    long mappings = scarcity_mappings();
    pthread_barrier_init(&barrier, NULL, THREADS);
    beside(use_new_heap, NULL);
    CHECK(scarcity_mappings() - mappings == LEAVES + 1, "%ld, not the leaves and their node",
          scarcity_mappings() - mappings);

    start_samples();
    beside(use_samples, NULL);
    CHECK(samples_live() == 0, "%llu left", (unsigned long long)samples_live());
    beside(use_samples, read_samples);
    CHECK(samples_live() == 0, "%llu left", (unsigned long long)samples_live());
    CHECK(samples_total().dropped == 0, "%llu", (unsigned long long)samples_total().dropped);
    for (int i = 0; i < 8; i++) {
        beside(use_samples, restart_samples);
        check_samples();
    }
    samples_stop();
    CHECK(scarcity_blocks() == 0, "%ld left", scarcity_blocks());
    return 0;
}
