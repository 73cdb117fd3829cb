#include "table.h"

#include <stdlib.h>
#include <string.h>

enum { SHARD_CAPACITY_MIN = 64 };

static inline uintptr_t slot_address_nopy(const Slot *slot)
{
    return (uintptr_t)slot->address_low | (uintptr_t)slot->address_high << 32;
}

static inline uint64_t slot_value_nopy(const Slot *slot)
{
    return (uint64_t)slot->value_low | (uint64_t)slot->value_high << 32;
}

static inline void slot_set_nopy(Slot *slot, uintptr_t address, uint64_t value)
{
    slot->address_low = (uint32_t)address;
    slot->address_high = (uint16_t)(address >> 32);
    slot->value_low = (uint32_t)value;
    slot->value_high = (uint16_t)(value >> 32);
}

/* Fibonacci hashing: addresses differ mostly in their middle bits, the product's top bits mix all. */
static inline uint64_t hash_nopy(uintptr_t address)
{
    return ((uint64_t)address >> 3) * UINT64_C(0x9E3779B97F4A7C15);
}

static inline Shard *shard_of_nopy(Table *table, uint64_t h)
{
    return &table->shards[h >> 60];
}

/* Maps 32 hash bits (not those that chose the shard) onto [0, capacity) without a division. */
static inline uint32_t home_of_nopy(uint64_t h, uint32_t capacity)
{
    return (uint32_t)(((h >> 28 & UINT32_MAX) * capacity) >> 32);
}

/* The slot that holds `address`, or the empty one where it would go. The shard has one. */
static Slot *find_nopy(Slot *slots, uint32_t capacity, uintptr_t address, uint64_t h)
{
    uint32_t i = home_of_nopy(h, capacity);
    for (;;) {
        Slot *slot = &slots[i];
        uintptr_t there = slot_address_nopy(slot);
        if (there == address || there == 0) {
            return slot;
        }
        if (++i == capacity) {
            i = 0;
        }
    }
}

/* Moves a shard, its lock held, to half again as many slots. False, unchanged, at the cap or without
 * memory. */
static bool grow_nopy(Shard *shard, uint32_t capacity_max)
{
    uint64_t capacity = (uint64_t)shard->capacity + shard->capacity / 2;
    if (capacity < SHARD_CAPACITY_MIN) {
        capacity = SHARD_CAPACITY_MIN;
    }
    if (capacity > capacity_max) {
        capacity = capacity_max;
    }
    if (capacity <= shard->capacity) {
        return false;
    }
    Slot *slots = calloc(capacity, sizeof(Slot));
    if (slots == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < shard->capacity; i++) {
        uintptr_t address = slot_address_nopy(&shard->slots[i]);
        if (address != 0) {
            *find_nopy(slots, (uint32_t)capacity, address, hash_nopy(address)) = shard->slots[i];
        }
    }
    free(shard->slots);
    shard->slots = slots;
    shard->capacity = (uint32_t)capacity;
    return true;
}

void table_init(Table *table, size_t blocks_max)
{
    uint64_t slots = (uint64_t)blocks_max / TABLE_SHARDS * 4 / 3 + SHARD_CAPACITY_MIN;
    table->shard_capacity_max = slots > UINT32_MAX ? UINT32_MAX : (uint32_t)slots;
}

bool table_put_nopy(Table *table, uintptr_t address, uint64_t value, uint64_t *old, bool *had)
{
    if (address == 0 || address >> 48 != 0 || value > TABLE_VALUE_MAX) {
        return false;
    }
    uint64_t h = hash_nopy(address);
    Shard *shard = shard_of_nopy(table, h);
    bool stored = true;
    lock_nopy(&shard->lock);
    if (shard->used >= shard->capacity - shard->capacity / 4 &&
        !grow_nopy(shard, table->shard_capacity_max)) {
        /* One slot must stay empty, or a search would not end. */
        stored = shard->capacity > 0 && shard->used < shard->capacity / 16 * 15;
    }
    if (stored) {
        Slot *slot = find_nopy(shard->slots, shard->capacity, address, h);
        *had = slot_address_nopy(slot) == address;
        if (*had) {
            *old = slot_value_nopy(slot);
        } else {
            shard->used++;
        }
        slot_set_nopy(slot, address, value);
    }
    unlock_nopy(&shard->lock);
    return stored;
}

/* Empties slot `hole` and moves back those behind it that would no longer be found. */
static void close_hole_nopy(Shard *shard, uint32_t hole)
{
    uint32_t capacity = shard->capacity, i = hole;
    for (;;) {
        if (++i == capacity) {
            i = 0;
        }
        uintptr_t address = slot_address_nopy(&shard->slots[i]);
        if (address == 0) {
            break;
        }
        uint32_t home = home_of_nopy(hash_nopy(address), capacity);
        /* Reachable still if its home lies cyclically in (hole, i]. */
        bool reachable = hole < i ? (hole < home && home <= i) : (hole < home || home <= i);
        if (!reachable) {
            shard->slots[hole] = shard->slots[i];
            hole = i;
        }
    }
    memset(&shard->slots[hole], 0, sizeof(Slot));
    shard->used--;
}

/* Finds `address`, and takes it out if so wanted. */
static inline bool look_up_nopy(Table *table, uintptr_t address, uint64_t *value, bool take)
{
    if (address == 0 || address >> 48 != 0) {
        return false;
    }
    uint64_t h = hash_nopy(address);
    Shard *shard = shard_of_nopy(table, h);
    bool found = false;
    lock_nopy(&shard->lock);
    if (shard->used > 0) {
        Slot *slot = find_nopy(shard->slots, shard->capacity, address, h);
        if (slot_address_nopy(slot) == address) {
            *value = slot_value_nopy(slot);
            if (take) {
                close_hole_nopy(shard, (uint32_t)(slot - shard->slots));
            }
            found = true;
        }
    }
    unlock_nopy(&shard->lock);
    return found;
}

bool table_get_nopy(Table *table, uintptr_t address, uint64_t *value)
{
    return look_up_nopy(table, address, value, false);
}

bool table_take_nopy(Table *table, uintptr_t address, uint64_t *value)
{
    return look_up_nopy(table, address, value, true);
}

void table_clear_nopy(Table *table)
{
    for (int i = 0; i < TABLE_SHARDS; i++) {
        Shard *shard = &table->shards[i];
        lock_nopy(&shard->lock);
        free(shard->slots);
        shard->slots = NULL;
        shard->capacity = shard->used = 0;
        unlock_nopy(&shard->lock);
    }
}

size_t table_count(Table *table)
{
    size_t count = 0;
    for (int i = 0; i < TABLE_SHARDS; i++) {
        lock_nopy(&table->shards[i].lock);
        count += table->shards[i].used;
        unlock_nopy(&table->shards[i].lock);
    }
    return count;
}

size_t table_bytes(Table *table)
{
    size_t slots = 0;
    for (int i = 0; i < TABLE_SHARDS; i++) {
        lock_nopy(&table->shards[i].lock);
        slots += table->shards[i].capacity;
        unlock_nopy(&table->shards[i].lock);
    }
    return slots * sizeof(Slot);
}

void table_lock_all(Table *table)
{
    for (int i = 0; i < TABLE_SHARDS; i++) {
        lock_nopy(&table->shards[i].lock);
    }
}

void table_unlock_all(Table *table)
{
    for (int i = TABLE_SHARDS - 1; i >= 0; i--) {
        unlock_nopy(&table->shards[i].lock);
    }
}
