/* Columns, interned strings and the index of addresses: against arrays that are looked through, and with the
 * limit reached at any time. */
#include "heap_columns.h"

#include <string.h>

#include "check.h"

enum { MANY = 200000, LIMIT = 1 << 30 };

static uint64_t random_state = 1;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void columns_keep_what_is_pushed(void)
{
    Column column = {0};
    for (uint32_t i = 0; i < MANY; i++) {
        column_push32(&column, i * 7);
    }
    CHECK(column_count(&column) == MANY && !columns_failed, "%zu rows", column_count(&column));
    for (uint32_t i = 0; i < MANY; i++) {
        CHECK(column_rows(&column)[i] == i * 7, "row %u", i);
    }
}

static void strings_have_one_number(void)
{
    Interner interner = {0};
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < MANY / 4; i++) {
            uint32_t words[] = {i, i % 3, i};
            size_t bytes = 4 + i % 9; /* some are the beginning of others */
            CHECK(interner_number(&interner, words, bytes) == i, "string %u, round %d", i, round);
        }
    }
    uint32_t empty = interner_number(&interner, "", 0);
    CHECK(empty == MANY / 4 && interner_number(&interner, "", 0) == empty, "the empty one");
    uint32_t zero = 0;
    uint32_t own = interner_add(&interner, &zero, 4);
    CHECK(own == empty + 1 && interner_number(&interner, &zero, 4) == 0, "one of its own is not found");
    CHECK(interner_count(&interner) == own + 1, "%zu strings", interner_count(&interner));
    size_t count;
    const unsigned char *there = interner_bytes(&interner, 5, &count);
    uint32_t five[] = {5, 2, 5};
    CHECK(count == 9 && memcmp(there, five, count) == 0, "%zu bytes", count);
}

/* Objects 16, 24, 32 and more bytes apart, here and there, also two in 32 bytes. */
static void addresses_have_their_rows(void)
{
    static uintptr_t all[MANY];
    uintptr_t address = 0x10000;
    for (uint32_t i = 0; i < MANY; i++) {
        const uintptr_t steps[] = {16, 16, 24, 32, 48, 64, 4096, UINT64_C(1) << 26};
        address += steps[next_random() % (i % 1000 == 0 ? 8 : 7)];
        all[i] = address;
        CHECK(address_row(address) == NO_ROW, "%lx is new", (unsigned long)address);
        address_set(address, i);
    }
    CHECK(!columns_failed, "within the limit");
    for (uint32_t i = 0; i < MANY; i++) {
        CHECK(address_row(all[i]) == i, "row %u is %u", i, address_row(all[i]));
    }
    CHECK(address_row(8) == NO_ROW && address_row(UINT64_C(1) << 46) == NO_ROW, "not given");
    CHECK(address_row(UINTPTR_MAX) == NO_ROW, "no process has it");
    address_set(UINTPTR_MAX, 1);
    CHECK(columns_failed, "nor can it have a row");
}

static void the_limit_holds(void)
{
    for (size_t limit = 0; limit < 1 << 22; limit += 50021) {
        columns_start(limit);
        Column column = {0};
        Interner interner = {0};
        for (uint32_t i = 0; i < MANY && !columns_failed; i++) {
            column_push32(&column, i);
            interner_number(&interner, &i, sizeof i);
        }
        CHECK(columns_failed, "limit %zu", limit);
        CHECK(column.room + interner.bytes.room + interner.offsets.room <= limit + 4096, "limit %zu", limit);
        for (uint32_t i = 0; i < column_count(&column); i++) {
            CHECK(column_rows(&column)[i] == i, "what was pushed before stays");
        }
        CHECK(columns_keep(limit + 1) == NULL, "nor is there memory to keep");
    }
}

int main(void)
{
    columns_start(LIMIT);
    columns_keep_what_is_pushed();
    strings_have_one_number();
    addresses_have_their_rows();
    the_limit_holds();
    return 0;
}
