#define _GNU_SOURCE 1 /* mremap */
#include "heap_columns.h"

#include <string.h>
#include <sys/mman.h>

enum {
    ADDRESS_BITS = 47, /* of user space */
    REGION_BITS = 24,
    UNIT_BITS = 5,
    FIRST_ROOM = 1 << 16,
    KEPT_BYTES = 1 << 20,
    FIRST_SLOTS = 1 << 12,
};

bool columns_failed;
static size_t left;
static uint32_t *
    *regions; /* lists of places, by the address's upper bits; pages that are not used cost nothing */
static unsigned char *kept, *kept_end;

static void *map(size_t bytes)
{
    void *memory = MAP_FAILED;
    if (bytes <= left) {
        memory =
            mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    if (memory == MAP_FAILED) {
        columns_failed = true;
        return NULL;
    }
    left -= bytes;
    return memory;
}

static void unmap(void *memory, size_t bytes)
{
    munmap(memory, bytes);
    left += bytes;
}

void columns_start(size_t limit)
{
    columns_failed = false;
    left = SIZE_MAX;
    regions = map(sizeof *regions << (ADDRESS_BITS - REGION_BITS));
    left = limit;
}

void *columns_keep(size_t bytes)
{
    bytes = (bytes + 15) & ~(size_t)15;
    if (bytes > (size_t)(kept_end - kept)) {
        size_t more = bytes > KEPT_BYTES ? bytes : KEPT_BYTES;
        kept = map(more);
        kept_end = kept == NULL ? NULL : kept + more;
    }
    void *memory = kept;
    kept = kept == NULL ? NULL : kept + bytes;
    return memory;
}

bool column_grow(Column *column, size_t more)
{
    size_t room = column->room == 0 ? FIRST_ROOM : column->room + column->room / 2;
    while (room - column->used < more) {
        room *= 2;
    }
    room = (room + 4095) & ~(size_t)4095;
    if (columns_failed || room - column->room > left) {
        columns_failed = true;
        return false;
    }
    void *memory = column->room == 0 ? map(room) : mremap(column->bytes, column->room, room, MREMAP_MAYMOVE);
    if (memory == NULL || memory == MAP_FAILED) {
        columns_failed = true;
        return false;
    }
    if (column->room != 0) {
        left -= room - column->room;
    }
    column->bytes = memory;
    column->room = room;
    return true;
}

/* ---- byte strings ---- */

/* FNV-1a by words of eight bytes, with a last turn over. */
static uint64_t hash_of(const unsigned char *bytes, size_t count)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        hash = (hash ^ word) * UINT64_C(0x100000001B3);
        hash ^= hash >> 29;
    }
    for (; count > 0; bytes++, count--) {
        hash = (hash ^ *bytes) * UINT64_C(0x100000001B3);
    }
    hash *= UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

size_t interner_count(const Interner *interner)
{
    size_t offsets = column_count(&interner->offsets);
    return offsets == 0 ? 0 : offsets - 1;
}

const unsigned char *interner_bytes(const Interner *interner, uint32_t number, size_t *count)
{
    const uint32_t *offsets = column_rows(&interner->offsets);
    *count = offsets[number + 1] - offsets[number];
    return interner->bytes.bytes + offsets[number];
}

uint32_t interner_add(Interner *interner, const void *bytes, size_t count)
{
    if (interner->offsets.used == 0) {
        column_push32(&interner->offsets, 0);
    }
    size_t number = interner_count(interner);
    if (interner->bytes.used + count > UINT32_MAX) {
        columns_failed = true;
    }
    column_push(&interner->bytes, bytes, count);
    column_push32(&interner->offsets, (uint32_t)interner->bytes.used);
    return columns_failed ? 0 : (uint32_t)number;
}

static bool rehash(Interner *interner)
{
    size_t count = interner->slot_count == 0 ? FIRST_SLOTS : interner->slot_count * 4;
    uint32_t *slots = map(count * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < interner->slot_count; i++) {
        if (interner->slots[i] != 0) {
            size_t bytes;
            const unsigned char *string = interner_bytes(interner, interner->slots[i] - 1, &bytes);
            size_t at = hash_of(string, bytes) & (count - 1);
            while (slots[at] != 0) {
                at = (at + 1) & (count - 1);
            }
            slots[at] = interner->slots[i];
        }
    }
    if (interner->slots != NULL) {
        unmap(interner->slots, interner->slot_count * sizeof *slots);
    }
    interner->slots = slots;
    interner->slot_count = count;
    return true;
}

uint32_t interner_number(Interner *interner, const void *bytes, size_t count)
{
    if (interner->filled * 2 >= interner->slot_count && !rehash(interner)) {
        return 0;
    }
    size_t at = hash_of(bytes, count) & (interner->slot_count - 1);
    while (interner->slots[at] != 0) {
        size_t there;
        const unsigned char *string = interner_bytes(interner, interner->slots[at] - 1, &there);
        if (there == count && memcmp(string, bytes, count) == 0) {
            return interner->slots[at] - 1;
        }
        at = (at + 1) & (interner->slot_count - 1);
    }
    uint32_t number = interner_add(interner, bytes, count);
    if (!columns_failed) {
        interner->slots[at] = number + 1;
        interner->filled++;
    }
    return number;
}

/* ---- addresses ---- */

/* Nearly all objects are 32 bytes apart, so there is a place for each 32 bytes: row + 1, doubled, and which
 * half of the 32 bytes it is of. The few that find the other half taken are listed apart. */
typedef struct {
    uint64_t address;
    uint64_t row; /* + 1; 0: free */
} Spilled;

static Spilled *spilled;
static size_t spilled_room, spilled_count;

static uint32_t *place_of(uintptr_t address)
{
    uint32_t *region =
        regions == NULL || address >> ADDRESS_BITS != 0 ? NULL : regions[address >> REGION_BITS];
    return region == NULL ? NULL : &region[(address & ((1 << REGION_BITS) - 1)) >> UNIT_BITS];
}

static uint32_t half_of(uintptr_t address)
{
    return address >> (UNIT_BITS - 1) & 1;
}

static Spilled *spilled_place(uintptr_t address)
{
    size_t at = (address >> 3) * UINT64_C(0x9E3779B97F4A7C15) >> 32 & (spilled_room - 1);
    while (spilled[at].row != 0 && spilled[at].address != address) {
        at = (at + 1) & (spilled_room - 1);
    }
    return &spilled[at];
}

static void spill(uintptr_t address, uint32_t row)
{
    if (spilled_count * 2 >= spilled_room) {
        Spilled *before = spilled;
        size_t room = spilled_room;
        spilled_room = room == 0 ? FIRST_SLOTS : room * 4;
        spilled = map(spilled_room * sizeof *spilled);
        if (spilled == NULL) {
            spilled_room = spilled_count = 0;
            return;
        }
        for (size_t i = 0; i < room; i++) {
            if (before[i].row != 0) {
                *spilled_place(before[i].address) = before[i];
            }
        }
        if (before != NULL) {
            unmap(before, room * sizeof *before);
        }
    }
    *spilled_place(address) = (Spilled){address, (uint64_t)row + 1};
    spilled_count++;
}

uint32_t address_row(uintptr_t address)
{
    const uint32_t *place = place_of(address);
    if (place == NULL || *place == 0) {
        return NO_ROW;
    }
    if ((*place & 1) == half_of(address)) {
        return (*place >> 1) - 1;
    }
    return spilled_room == 0 ? NO_ROW : (uint32_t)(spilled_place(address)->row - 1);
}

void address_set(uintptr_t address, uint32_t row)
{
    uint32_t *place = place_of(address);
    if (place == NULL && regions != NULL && address >> ADDRESS_BITS == 0) {
        size_t before = left;
        left = SIZE_MAX; /* only what is touched of it costs memory: the limit is the columns' */
        regions[address >> REGION_BITS] = map(sizeof **regions << (REGION_BITS - UNIT_BITS));
        left = before;
        place = place_of(address);
    }
    if (place == NULL) {
        columns_failed = true;
    } else if (*place == 0) {
        *place = (row + 1) << 1 | half_of(address);
    } else {
        spill(address, row);
    }
}
