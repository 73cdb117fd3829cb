/* The table against an array that remembers the same, over long random sequences. */
#include "table.h"

#include <string.h>

#include "check.h"
#include "scarcity.h"

#define ADDRESS_END (UINT64_C(1) << 48)
#define UNBOUNDED ((size_t)1 << 24)

typedef struct {
    uintptr_t address;
    uint64_t value;
    bool known;
} Entry;

typedef void Shape(Entry *entries, size_t count);

static void neighbours(Entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        entries[i].address = 0x7f12a0000000 + i * 16;
    }
}

/* Eight in a row share their hash. */
static void bytes_in_a_row(Entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        entries[i].address = 1 + i;
    }
}

static void pages(Entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        entries[i].address = ADDRESS_END - 4096 * (i + 1);
    }
}

static void scattered(Entry *entries, size_t count)
{
    uint64_t random = 7;
    for (size_t i = 0; i < count; i++) {
        entries[i].address = random_next(&random) % (ADDRESS_END - 1) + 1;
    }
}

/* Addresses that one shard wants in its last slots, so that its only cluster goes on at its first. Repeats
 * the table's hash: should that change, this becomes one more scattered shape. */
static void around_the_end(Entry *entries, size_t count)
{
    uintptr_t address = 0x560000000000;
    for (size_t i = 0; i < count; address += 16) {
        uint64_t hash = (address >> 3) * UINT64_C(0x9E3779B97F4A7C15);
        if (hash >> 60 == 5 && (hash >> 28 & UINT32_MAX) > UINT32_MAX / 32 * 31) {
            entries[i++].address = address;
        }
    }
}

/* Compares all by taking each block out and putting it back. */
static void compare(Table *table, Entry *entries, size_t count)
{
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 0, old;
        bool had = true, found = table_take_nopy(table, entries[i].address, &value);
        CHECK(found == entries[i].known, "address %#zx", (size_t)entries[i].address);
        if (found) {
            CHECK(value == entries[i].value, "%#llx", (unsigned long long)value);
            CHECK(table_put_nopy(table, entries[i].address, value, &old, &had) && !had, "back in its place");
        }
        known += found;
    }
    CHECK(table_count(table) == known, "%zu for %zu", table_count(table), known);
}

static void churn(Shape *shape, size_t count, size_t blocks_max, uint64_t seed)
{
    Table table;
    memset(&table, 0, sizeof table);
    table_init(&table, blocks_max);
    Entry *entries = calloc(count, sizeof *entries);
    CHECK(entries != NULL, "memory for the test");
    shape(entries, count);

    unsigned puts = 90, refused = 0; /* of 100 steps; the rest take */
    size_t known = 0;
    for (int step = 0; step < 40000; step++) {
        if (step % 5000 == 0) {
            puts = step / 5000 % 2 ? 15 : 90;
            compare(&table, entries, count);
        }
        Entry *entry = &entries[random_below(&seed, count)];
        if (random_below(&seed, 100) < puts) {
            uint64_t value = random_next(&seed) & TABLE_VALUE_MAX, old = 0;
            bool had = false;
            if (table_put_nopy(&table, entry->address, value, &old, &had)) {
                CHECK(had == entry->known, "step %d", step);
                CHECK(!had || old == entry->value, "step %d", step);
                known += !had;
                entry->value = value;
                entry->known = true;
            } else {
                CHECK(blocks_max != UNBOUNDED, "refused at %zu blocks", known);
                refused++;
            }
        } else {
            uint64_t value = 0;
            bool found = table_take_nopy(&table, entry->address, &value);
            CHECK(found == entry->known, "step %d", step);
            CHECK(!found || value == entry->value, "step %d", step);
            known -= found;
            entry->known = false;
        }
        CHECK(table_count(&table) == known, "step %d", step);
        if (step == 20000) {
            table_clear_nopy(&table);
            CHECK(table_bytes(&table) == 0 && scarcity_blocks() == 0, "cleared");
            known = 0;
            for (size_t i = 0; i < count; i++) {
                entries[i].known = false;
            }
        }
    }
    CHECK(blocks_max == UNBOUNDED || refused > 0, "the cap was never met");
    compare(&table, entries, count);
    table_clear_nopy(&table);
    CHECK(scarcity_blocks() == 0, "%ld left", scarcity_blocks());
    free(entries);
}

/* At every size that it grows through. */
static void holds_24_bytes_a_block(uintptr_t first, uintptr_t stride, size_t count)
{
    Table table;
    memset(&table, 0, sizeof table);
    table_init(&table, UNBOUNDED);
    for (size_t n = 1; n <= count; n++) {
        uint64_t old;
        bool had;
        CHECK(table_put_nopy(&table, first + n * stride, n, &old, &had) && !had, "block %zu", n);
        CHECK(n < 2000 || table_bytes(&table) <= 24 * n, "stride %zu: %zu bytes for %zu blocks",
              (size_t)stride, table_bytes(&table), n);
    }
    for (size_t n = 1; n <= count; n++) {
        uint64_t value = 0;
        CHECK(table_take_nopy(&table, first + n * stride, &value) && value == n, "block %zu", n);
    }
    CHECK(table_count(&table) == 0, "all taken");
    table_clear_nopy(&table);
}

static void refuses_what_it_cannot_hold(void)
{
    Table table;
    memset(&table, 0, sizeof table);
    uint64_t old, value = 0;
    bool had = false;
    CHECK(!table_take_nopy(&table, 16, &value), "nothing is in a table of zeros");
    CHECK(!table_put_nopy(&table, 16, 1, &old, &had), "nor has it room before table_init");

    table_init(&table, 100);
    const uintptr_t bad[] = {0, ADDRESS_END, ADDRESS_END + 4096, UINTPTR_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(!table_put_nopy(&table, bad[i], 1, &old, &had), "%#zx", (size_t)bad[i]);
        CHECK(!table_take_nopy(&table, bad[i], &value), "%#zx", (size_t)bad[i]);
    }
    CHECK(!table_put_nopy(&table, 16, TABLE_VALUE_MAX + 1, &old, &had), "too great a value");
    CHECK(table_count(&table) == 0, "and all that left nothing");

    const uintptr_t good[] = {1, 16, 17, 23, UINT32_MAX, UINT64_C(1) << 32, ADDRESS_END - 1};
    const size_t goods = sizeof good / sizeof *good;
    for (size_t i = 0; i < goods; i++) {
        CHECK(table_put_nopy(&table, good[i], TABLE_VALUE_MAX - i, &old, &had) && !had, "%#zx",
              (size_t)good[i]);
    }
    for (size_t i = 0; i < goods; i++) {
        CHECK(table_take_nopy(&table, good[i], &value) && value == TABLE_VALUE_MAX - i, "%#zx",
              (size_t)good[i]);
    }
    table_clear_nopy(&table);
}

static void keeps_its_cap(size_t blocks_max)
{
    Table table;
    memset(&table, 0, sizeof table);
    table_init(&table, blocks_max);
    Entry *entries = calloc(4 * blocks_max + 4000, sizeof *entries);
    CHECK(entries != NULL, "memory for the test");
    size_t count = 4 * blocks_max + 4000, stored = 0;
    scattered(entries, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t old;
        bool had = false;
        entries[i].value = i;
        entries[i].known = table_put_nopy(&table, entries[i].address, i, &old, &had);
        stored += entries[i].known;
    }
    CHECK(stored >= blocks_max, "%zu of %zu", stored, blocks_max);
    CHECK(stored <= blocks_max * 4 / 3 + 64 * TABLE_SHARDS, "%zu for a cap of %zu", stored, blocks_max);
    CHECK(table_count(&table) == stored, "what was refused left something");
    compare(&table, entries, count);
    table_clear_nopy(&table);
    free(entries);
}

int main(void)
{
    Shape *const shapes[] = {neighbours, bytes_in_a_row, pages, scattered, around_the_end};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (uint64_t seed = 1; seed <= 3; seed++) {
            churn(shapes[i], 3000, UNBOUNDED, seed);
            churn(shapes[i], 3000, 500, seed);
        }
        churn(shapes[i], 40, UNBOUNDED, 4);
    }
    churn(around_the_end, 100, 0, 5);
    const uintptr_t strides[] = {16, 48, 512, 4096, 65552, 1 << 20};
    for (size_t i = 0; i < sizeof strides / sizeof *strides; i++) {
        holds_24_bytes_a_block(0x550000000000, strides[i], 100000);
    }
    refuses_what_it_cannot_hold();
    keeps_its_cap(0);
    keeps_its_cap(10000);
    return 0;
}
