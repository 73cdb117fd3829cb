/* The book of live samples: what goes in comes out, up to its caps. */
#include "samples.h"

#include <string.h>

#include "check.h"
#include "scarcity.h"

enum { SITES_MAX = 1 << 13, SAMPLES_MAX = 1 << 18, INTERVAL = 4096 };

static Site site_at(const char *file, const char *function, int line)
{
    Site site = {.line = line};
    snprintf(site.file, sizeof site.file, "%s", file);
    snprintf(site.function, sizeof site.function, "%s", function);
    return site;
}

static uint64_t live_samples(void)
{
    size_t capacity = samples_totals(NULL, 0);
    SiteTotal *totals = calloc(capacity + 1, sizeof *totals);
    CHECK(totals != NULL, "memory for the test");
    size_t count = samples_totals(totals, capacity);
    CHECK(count == capacity, "%zu of %zu", count, capacity);
    uint64_t live = 0;
    for (size_t i = 0; i < count; i++) {
        live += totals[i].samples;
        CHECK((totals[i].bytes > 0) == (totals[i].samples > 0), "site %zu", i);
    }
    free(totals);
    return live;
}

static void churn(uint64_t seed)
{
    enum { COUNT = 3000 };
    static bool known[COUNT];
    samples_start(INTERVAL, seed);
    uint64_t live = 0;
    for (int step = 0; step < 200000; step++) {
        uint64_t i = random_below(&seed, COUNT);
        uintptr_t address = 0x7f0000000000 + i * 48;
        if (random_below(&seed, 100) < (step / 20000 % 2 ? 20 : 60)) {
            Site site = site_at("app/jobs.py", "job", (int)random_below(&seed, 100));
            samples_put_nopy(address, 1 + random_below(&seed, 100000), &site);
            live += !known[i];
            known[i] = true;
        } else {
            CHECK(samples_take_nopy(address) == known[i], "step %d", step);
            live -= known[i];
            known[i] = false;
        }
        if (step % 5000 == 0) {
            CHECK(live_samples() == live, "step %d: %llu", step, (unsigned long long)live_samples());
        }
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        CHECK(samples_take_nopy(0x7f0000000000 + i * 48) == known[i], "at %d", (int)i);
        known[i] = false;
    }
    CHECK(live_samples() == 0 && samples_dropped() == 0, "empty again");
}

static void one_site_for_equal_places(void)
{
    char long_file[SITE_FILE_MAX], other_file[SITE_FILE_MAX], long_name[SITE_FUNCTION_MAX];
    memset(long_file, 'f', sizeof long_file - 1);
    memset(long_name, 'n', sizeof long_name - 1);
    long_file[sizeof long_file - 1] = long_name[sizeof long_name - 1] = '\0';
    memcpy(other_file, long_file, sizeof other_file);
    other_file[sizeof other_file - 2] = 'g';
    const Site sites[] = {
        site_at("a.py", "f", 1),        site_at("a.py", "f", 2), site_at("a.py", "g", 1),
        site_at("b.py", "f", 1),        site_at("", "", 0),      site_at(long_file, long_name, 1),
        site_at(other_file, long_name, 1), site_at("a.py", "", 1), site_at("", "a.py", 1),
        site_at("a.py", "f", 1 + (1 << 14)), /* its hash ends in the same bits */
    };
    enum { COUNT = sizeof sites / sizeof *sites };
    samples_start(INTERVAL, 1);
    for (uintptr_t i = 0; i < 10 * COUNT; i++) {
        Site copy = sites[i % COUNT];
        samples_put_nopy(16 + i * 16, 1000 * (i % COUNT + 1), &copy);
        memset(&copy, 'x', sizeof copy); /* kept by value */
    }
    SiteTotal totals[COUNT + 1];
    CHECK(samples_totals(NULL, 0) == COUNT, "%zu", samples_totals(NULL, 0));
    CHECK(samples_totals(totals, COUNT + 1) == COUNT, "room to spare");
    for (int i = 0; i < COUNT; i++) {
        CHECK(totals[i].site.line == sites[i].line && strcmp(totals[i].site.file, sites[i].file) == 0 &&
                  strcmp(totals[i].site.function, sites[i].function) == 0, "site %d", i);
        CHECK(totals[i].samples == 10, "site %d", i);
    }
    CHECK(samples_totals(totals, 3) == 3 && totals[2].samples == 10, "fewer than there are");
}

static void sites_have_a_cap(void)
{
    samples_start(INTERVAL, 1);
    for (int i = 0; i < SITES_MAX + 100; i++) {
        Site site = site_at("app/generated.py", "f", i);
        samples_put_nopy(16 * ((uintptr_t)i + 1), 64, &site);
    }
    CHECK(samples_dropped() == 100, "%llu", (unsigned long long)samples_dropped());
    CHECK(samples_totals(NULL, 0) == SITES_MAX && live_samples() == SITES_MAX, "what was there stays");
    Site known = site_at("app/generated.py", "f", SITES_MAX - 1);
    samples_put_nopy(8, 64, &known);
    CHECK(samples_dropped() == 100 && samples_take_nopy(8), "a known site needs no new place");
}

static void samples_have_a_cap(void)
{
    const Site site = site_at("a.py", "f", 1);
    samples_start(INTERVAL, 1);
    for (uintptr_t i = 1; i <= SAMPLES_MAX + 1000; i++) {
        samples_put_nopy(i * 16, 64, &site);
    }
    CHECK(samples_dropped() == 1000, "%llu", (unsigned long long)samples_dropped());
    for (uintptr_t i = 1; i <= SAMPLES_MAX; i++) {
        CHECK(samples_take_nopy(i * 16), "sample %zu", (size_t)i);
    }
    CHECK(live_samples() == 0, "empty");
    samples_put_nopy(16, 64, &site);
    CHECK(samples_dropped() == 1000 && samples_take_nopy(16), "room again");
    samples_put_nopy(UINT64_C(1) << 48, 64, &site);
    CHECK(samples_dropped() == 1001 && !samples_take_nopy(UINT64_C(1) << 48), "no such address");
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
    const Site site = site_at("a.py", "f", 1);
    for (int count = 254; count <= COUNT; count += count < 257 ? 1 : 343) {
        samples_start(INTERVAL, 1);
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < count; i++) {
                samples_put_nopy(addresses[i], 64, &site);
                samples_put_nopy(addresses[i], 128, &site); /* seen twice, dies once */
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
    const Site site = site_at("a.py", "f", 1);
    samples_start(INTERVAL, 1);
    for (uintptr_t i = 0; i < 3 * (uintptr_t)SAMPLES_MAX; i++) {
        samples_put_nopy((i + 1) * 16, 64, &site);
        CHECK(i < 10 || samples_take_nopy((i - 9) * 16), "sample %zu", (size_t)i);
    }
    CHECK(samples_dropped() == 0 && live_samples() == 10, "%llu", (unsigned long long)live_samples());
}

int main(void)
{
    churn(1);
    churn(2);
    one_site_for_equal_places();
    sites_have_a_cap();
    samples_have_a_cap();
    the_filter_saturates();
    places_are_used_again();
    samples_clear();
    CHECK(scarcity_blocks() == 0 && samples_totals(NULL, 0) == 0, "%ld left", scarcity_blocks());
    return 0;
}
