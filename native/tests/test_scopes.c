/* Scopes and their runs against a plain model: who made what, which runs are open, what each scope has in
 * use. */
#include "scopes.h"

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "codes.h"
#include "samples.h"
#include "slots.h"

static const Code job = {"app/jobs.py", "job", 10};
static ThreadCounters counters;

static void start(void)
{
    CHECK(samples_start(1, 1, RECORDING_BYTES_DEFAULT, &code_reader), "memory for the test");
    counters = counters_now();
}

static void put(uintptr_t address, uint64_t bytes, uint64_t run)
{
    RawStack stack = stack_at(&job, 12);
    samples_put_nopy(&counters, address, bytes, FROM_PYTHON, &stack, run);
}

static const RecordedScope *row(uint32_t scope)
{
    return (const RecordedScope *)((const char *)recording + recording->scopes_offset) + scope;
}

static uint64_t open_runs(uint32_t scope)
{
    const RecordedRun *runs = (const RecordedRun *)((const char *)recording + recording->runs_offset);
    uint64_t count = 0;
    for (uint64_t i = 0; i < recording->runs_capacity; i++) {
        count += runs[i].run != 0 && runs[i].scope == scope;
    }
    return count;
}

/* Whose the sample at an address is. */
static RunOf made_in(uintptr_t address)
{
    for (uint64_t i = 0; i < recording->slots_used; i++) {
        const RecordedSample *slot = &recording_slots_nopy()[i];
        if (slot->tag != 0 && slot_address_nopy(slot) == address) {
            return (RunOf){slot_scope_nopy(slot), slot->run};
        }
    }
    CHECK(false, "no sample at %#lx", (unsigned long)address);
}

static void nothing_runs(void)
{
    samples_stop();
    CHECK(scopes_add("x", 0) == SCOPE_NONE && scopes_begin(1) == 0 && scopes_begin(7) == 0, "not recorded");
    scopes_end(0, 0);
    scopes_end(UINT64_MAX >> 1, 3);
}

static void each_sample_has_its_run(void)
{
    start();
    uint32_t export = scopes_add("export", 0), other = scopes_add("other", 0);
    CHECK(export == 2 && other == 3 && strcmp(row(export)->name, "export") == 0, "rows %u, %u", export,
          other);
    uint64_t outer = scopes_begin(export), inner = scopes_begin(other);
    put(0x1000, 100, outer);
    put(0x2000, 500, inner);
    put(0x3000, 100, 0);
    CHECK(made_in(0x1000).scope == export && made_in(0x1000).run == 1, "the outer one's");
    CHECK(made_in(0x2000).scope == other && made_in(0x3000).scope == SCOPE_NONE, "the inner one's, nobody's");
    CHECK(open_runs(export) == 1 && row(export)->open == 1 && row(export)->bytes == 100, "open");
    scopes_end(outer, 0);
    scopes_end(outer, 0); /* again: nothing */
    CHECK(open_runs(export) == 0 && row(export)->open == 0 && row(export)->ended == 1, "ended");
    put(0x4000, 70, outer); /* by a task that it left behind */
    CHECK(made_in(0x4000).run == 1 && row(export)->bytes == 170, "after the end");
    samples_take_nopy(0x1000);
    CHECK(row(export)->bytes == 70 && row(export)->high_bytes == 170, "%f", row(export)->bytes);
    uint64_t second = scopes_begin(export);
    put(0x5000, 100, second);
    CHECK(made_in(0x5000).run == 2, "numbered on");
}

static uint64_t begin_in_task(uint32_t scope)
{
    uint64_t id = scopes_begin(scope);
    scopes_begun_in_task(id);
    return id;
}

static void a_callback_works_for_the_newest_run_once_its_own_is_over(void)
{
    start();
    uint32_t export = scopes_add("export", 0);
    uint64_t opener = scopes_begin(export);
    put(0x1000, 100, opener | RUN_IN_CALLBACK);
    CHECK(made_in(0x1000).run == 1, "its own, which is open");
    uint64_t second = begin_in_task(export), third = begin_in_task(export);
    put(0x2000, 100, opener | RUN_IN_CALLBACK);
    CHECK(made_in(0x2000).run == 1, "open still");
    scopes_end(opener, 0);
    put(0x3000, 100, opener | RUN_IN_CALLBACK);
    put(0x4000, 100, opener);
    CHECK(made_in(0x3000).run == 3 && made_in(0x4000).run == 1, "the newest one's; a task's stays its own");
    scopes_begin(export); /* in no task */
    scopes_end(third, 0);
    put(0x5000, 100, opener | RUN_IN_CALLBACK);
    CHECK(made_in(0x5000).run == 2, "the newest that is open");
    scopes_end(second, 0);
    put(0x6000, 100, opener | RUN_IN_CALLBACK);
    CHECK(made_in(0x6000).run == 1, "none is open");
    for (int i = 0; i < 20; i++) {
        scopes_end(begin_in_task(export), 0);
    }
    put(0x7000, 100, opener | RUN_IN_CALLBACK);
    CHECK(made_in(0x7000).run == 1, "none of many");
    start(); /* another recording */
    scopes_add("export", 0);
    uint64_t now = begin_in_task(export);
    put(0x8000, 100, opener | RUN_IN_CALLBACK);
    CHECK(made_in(0x8000).run == 1 && made_in(0x8000).scope == export, "of this recording");
    scopes_end(now, 0);
}

static void labels_count_for_their_base_too(void)
{
    start();
    uint32_t export = scopes_add("export", 0), acme = scopes_add("export {tenant=acme}", export);
    scopes_end(scopes_begin(export), 0);
    uint64_t run = scopes_begin(acme);
    put(0x1000, 640, run);
    CHECK(made_in(0x1000).scope == acme && made_in(0x1000).run == 2, "numbered by the base");
    CHECK(row(export)->began == 2 && row(acme)->began == 1 && row(acme)->base == export, "both count");
    CHECK(row(export)->bytes == 640 && row(acme)->bytes == 640 && row(export)->open == 1, "both have it");
    scopes_end(run, 0);
    CHECK(row(export)->ended == 2 && row(acme)->ended == 1 && row(export)->open == 0, "both ended");
}

static void a_run_that_turns_out_to_be_of_another(int count)
{
    start();
    uint32_t get = scopes_add("GET", 0), users = scopes_add("GET /users", 0);
    scopes_end(scopes_begin(users), 0);
    uint64_t run = scopes_begin(get), beside = scopes_begin(get);
    for (int i = 0; i < count; i++) {
        put(0x1000 + (uintptr_t)i * 16, 100, run);
    }
    put(0x900000, 500, beside);
    samples_take_nopy(0x1000);
    put(0x700000, 50000, beside); /* in its slot */
    samples_take_nopy(0x700000);
    scopes_end(run, users);
    for (int i = 1; i < count; i++) {
        RunOf of = made_in(0x1000 + (uintptr_t)i * 16);
        CHECK(of.scope == users && of.run == 2, "sample %d is of %u, %u", i, of.scope, of.run);
    }
    CHECK(made_in(0x900000).scope == get, "the other run's stays");
    CHECK(row(get)->bytes == 500 && row(users)->bytes == 100 * (count - 1), "%f", row(users)->bytes);
    CHECK(row(get)->began == 1 && row(get)->open == 1 && row(users)->began == 2 && row(users)->ended == 2,
          "runs");
    put(0x800000, 300, run);
    CHECK(made_in(0x800000).scope == users && made_in(0x800000).run == 2,
          "what it left behind goes there too");
}

static void names_without_end(void)
{
    start();
    uint32_t base = scopes_add("base", 0), last = 0;
    char name[200];
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "label %d", i);
        last = scopes_add(name, base);
    }
    CHECK(last == base && recording->scopes_used == SCOPES_MAX / 2, "labels end in their base: %u", last);
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "name %d", i);
        last = scopes_add(name, 0);
    }
    CHECK(last == SCOPE_OTHERS && recording->scopes_used == SCOPES_MAX, "names end in others: %u", last);
    scopes_end(scopes_begin(last), 0);
    CHECK(row(SCOPE_OTHERS)->began == 1, "others count");
    CHECK(scopes_begin(SCOPES_MAX) == 0 && scopes_begin(UINT32_MAX) == 0, "no such row");
    CHECK(scopes_add("x", UINT32_MAX) == SCOPE_OTHERS, "no such base");
}

static void long_names(void)
{
    start();
    char name[200];
    memset(name, 'x', sizeof name);
    memcpy(name + 86, "\xC3\xA9", 3); /* é, and the end: its second byte would be the last */
    uint32_t scope = scopes_add(name, 0);
    CHECK(strlen(row(scope)->name) == 86, "cut before the character: %zu", strlen(row(scope)->name));
}

static void more_open_than_there_is_room_for(void)
{
    start();
    uint32_t scope = scopes_add("slow", 0);
    static uint64_t runs[RUNS_MAX + 100];
    for (int i = 0; i < RUNS_MAX + 100; i++) {
        runs[i] = scopes_begin(scope);
        CHECK(runs[i] != 0 && runs[i] >> 63 == 0, "run %d", i);
    }
    CHECK(recording->runs_untracked == 101 && row(scope)->open == RUNS_MAX + 100, "counted");
    put(0x1000, 10, runs[RUNS_MAX + 50]);
    CHECK(made_in(0x1000).run == RUNS_MAX + 51, "known by its id");
    for (int i = 0; i < RUNS_MAX + 100; i++) {
        scopes_end(runs[i], 0);
    }
    CHECK(row(scope)->open == 0 && row(scope)->ended == RUNS_MAX + 100 && open_runs(scope) == 0, "all ended");
    for (int i = 0; i < 5 * RUNS_MAX; i++) {
        scopes_end(scopes_begin(scope), 0);
    }
    CHECK(recording->runs_untracked == 101, "places are used again");
}

static void ids_of_another_recording(void)
{
    start();
    uint32_t scope = scopes_add("old", 0);
    uint64_t old = scopes_begin(scope);
    start();
    CHECK(scopes_add("new", 0) == scope, "the same row");
    uint64_t run = scopes_begin(scope);
    CHECK(old != run, "told apart");
    scopes_end(old, 0);
    put(0x1000, 10, old);
    CHECK(row(scope)->open == 1 && made_in(0x1000).scope == SCOPE_NONE, "the old one is over");
    scopes_end(UINT64_MAX >> 1, UINT32_MAX); /* anything */
    put(0x2000, 10, UINT64_MAX);
}

static void a_moved_and_a_thinned_block(void)
{
    start();
    uint32_t scope = scopes_add("x", 0);
    uint64_t run = scopes_begin(scope);
    put(0x1000, 1000, run);
    samples_land_nopy(samples_lift_nopy(0x1000), 0x2000, 3000);
    CHECK(made_in(0x2000).run == 1 && row(scope)->bytes == 3000, "grown: %f", row(scope)->bytes);
    samples_land_nopy(samples_lift_nopy(0x2000), 0x3000, 500);
    CHECK(row(scope)->bytes == 500, "shrunk: %f", row(scope)->bytes);
    samples_forget_nopy(samples_lift_nopy(0x3000));
    CHECK(row(scope)->bytes == 0 && row(scope)->high_bytes == 3000, "gone");
}

static void deaths_are_late_when_the_run_is_long_over(void)
{
    start();
    uint32_t scope = scopes_add("x", 0);
    uint64_t first = scopes_begin(scope), second = scopes_begin(scope);
    for (uintptr_t i = 1; i <= 4; i++) {
        put(i * 0x1000, 100, first);
        put(i * 0x100000, 100, second);
    }
    const RecordedTotal *total = &recording_totals_nopy()[1];
    samples_take_nopy(0x1000);
    scopes_end(first, 0);
    samples_take_nopy(0x2000); /* no three runs later */
    CHECK(total->late_samples == 0 && total->bytes == 800, "%f late", total->late_bytes);
    for (int i = 0; i < 2; i++) {
        scopes_end(scopes_begin(scope), 0);
    }
    samples_take_nopy(0x3000);
    CHECK(total->late_samples == 1 && total->late_bytes == 100, "%f late", total->late_bytes);
    scopes_end(scopes_begin(scope), 0);
    samples_take_nopy(0x100000); /* its run goes on */
    CHECK(total->late_samples == 1, "%f late", total->late_bytes);
    scopes_end(second, 0);
    samples_take_nopy(0x200000);
    samples_land_nopy(samples_lift_nopy(0x4000), 0x5000, 200); /* moved: no death */
    CHECK(total->late_samples == 2 && total->late_bytes == 200, "%f late", total->late_bytes);
}

/* Somebody wrote over the file: slots have no tags, and are given up, and taken again by the same run. */
static void slots_without_tags(void)
{
    start();
    uint32_t get = scopes_add("GET", 0), users = scopes_add("GET /users", 0);
    uint64_t run = scopes_begin(get);
    for (int round = 0; round < 3; round++) {
        for (uintptr_t i = 0; i < 50; i++) {
            put(0x10000 + i * 16, 100, run);
        }
        for (uint64_t i = 0; i < recording->slots_used; i++) {
            recording_slots_nopy()[i].tag = 0;
        }
        for (uintptr_t i = 0; i < 50; i += 2) {
            samples_take_nopy(0x10000 + i * 16);
        }
    }
    scopes_end(run, users); /* comes to an end */
    CHECK(row(users)->ended == 1, "handed over");
}

static void no_id_comes_again(void)
{
    start();
    uint32_t get = scopes_add("GET", 0), users = scopes_add("GET /users", 0);
    uint64_t first = scopes_begin(get);
    scopes_end(first, users);
    for (int i = 0; i < 3 * RUNS_MAX; i++) {
        uint64_t run = scopes_begin(get);
        CHECK(run != first, "again after %d", i);
        scopes_end(run, users);
    }
    CHECK(row(get)->began == 0 && row(get)->open == 0, "all are of another");
}

/* Blocks come, go and move, runs begin, end and turn out to be of another scope: each block is whose a plain
 * table says, and each scope has what they add up to. */
static void any_order_of_things(uint64_t seed)
{
    enum { BLOCKS = 300, RUNS = 12, SCOPES = 4, SIZE = 100 };
    static struct {
        int run; /* -1: it is not there */
        RunOf of;
    } blocks[BLOCKS];
    static struct {
        uint64_t id;
        RunOf of;
        uint64_t serial;
    } at[RUNS];
    static int serials[BLOCKS];
    start();
    uint32_t scopes[SCOPES];
    for (int i = 0; i < SCOPES; i++) {
        scopes[i] = scopes_add("scope", 0);
    }
    memset(at, 0, sizeof at);
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i].run = -1;
    }
    for (int step = 0; step < 20000; step++) {
        uint64_t i = random_below(&seed, BLOCKS), r = random_below(&seed, RUNS);
        uintptr_t address = 0x10000 + i * 16;
        uint64_t what = random_below(&seed, 10);
        if (what < 4 && blocks[i].run < 0 && at[r].id != 0) {
            put(address, SIZE, at[r].id);
            blocks[i].run = (int)r;
            blocks[i].of = at[r].of;
            serials[i] = (int)at[r].serial;
        } else if (what < 7 && blocks[i].run >= 0) {
            samples_take_nopy(address);
            blocks[i].run = -1;
        } else if (what == 7 && blocks[i].run >= 0) {
            samples_land_nopy(samples_lift_nopy(address), address, SIZE);
        } else if (what == 8 && at[r].id == 0) {
            uint32_t scope = scopes[random_below(&seed, SCOPES)];
            at[r].id = scopes_begin(scope);
            at[r].of = scopes_run_nopy(at[r].id);
            at[r].serial++;
        } else if (what == 9 && at[r].id != 0) {
            scopes_end(at[r].id, random_below(&seed, 2) ? scopes[random_below(&seed, SCOPES)] : SCOPE_NONE);
            RunOf now = scopes_run_nopy(at[r].id);
            for (int b = 0; b < BLOCKS; b++) {
                if (blocks[b].run == (int)r && serials[b] == (int)at[r].serial) {
                    blocks[b].of = now;
                }
            }
            at[r].id = 0;
        }
        if (step % 500 == 0) {
            double bytes[SCOPES] = {0};
            for (int b = 0; b < BLOCKS; b++) {
                if (blocks[b].run >= 0) {
                    RunOf of = made_in(0x10000 + (uintptr_t)b * 16);
                    CHECK(of.scope == blocks[b].of.scope && of.run == blocks[b].of.run, "block %d, step %d",
                          b, step);
                    bytes[of.scope - scopes[0]] += SIZE;
                }
            }
            for (int s = 0; s < SCOPES; s++) {
                CHECK(row(scopes[s])->bytes == bytes[s], "scope %d has %f", s, row(scopes[s])->bytes);
            }
        }
    }
}

int main(void)
{
    nothing_runs();
    each_sample_has_its_run();
    a_callback_works_for_the_newest_run_once_its_own_is_over();
    labels_count_for_their_base_too();
    a_run_that_turns_out_to_be_of_another(3);
    a_run_that_turns_out_to_be_of_another(400);
    names_without_end();
    long_names();
    more_open_than_there_is_room_for();
    ids_of_another_recording();
    a_moved_and_a_thinned_block();
    deaths_are_late_when_the_run_is_long_over();
    slots_without_tags();
    no_id_comes_again();
    for (uint64_t seed = 1; seed <= 5; seed++) {
        any_order_of_things(seed);
    }
    samples_stop();
    return 0;
}
