/* A concurrent map from block addresses to 48-bit values, at most 24 bytes a block.
 *
 * Open addressing with linear probing in 12-byte slots, split into shards with a lock each. A shard
 * grows by half when three quarters full, so its load stays between 0.5 and 0.75: 16 to 24 bytes a
 * block, once past its smallest size. Deletion shifts the cluster back; there are no tombstones.
 */
#ifndef OUTLIVE_TABLE_H
#define OUTLIVE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lock.h"

enum { TABLE_SHARDS = 16 };

#define TABLE_VALUE_MAX ((UINT64_C(1) << 48) - 1)

typedef struct {
    uint32_t address_low;
    uint16_t address_high; /* 0 with address_low 0: the slot is empty */
    uint16_t value_high;
    uint32_t value_low;
} Slot;

typedef struct {
    Lock lock;
    Slot *slots; /* owned, from malloc */
    uint32_t capacity;
    uint32_t used;
} Shard;

typedef struct {
    Shard shards[TABLE_SHARDS];
    uint32_t shard_capacity_max; /* slots; the cap on this table's memory */
} Table;

/* Makes an all-zero `table` ready to hold at most about `blocks_max` blocks. Allocates nothing. */
void table_init(Table *table, size_t blocks_max);

/* Maps `address` (below 2^48, not 0) to `value` (<= TABLE_VALUE_MAX). Returns false, with nothing
 * changed, when memory or the cap runs out. If the address was mapped, `*old` gets its previous
 * value and `*had` true. */
bool table_put_nopy(Table *table, uintptr_t address, uint64_t value, uint64_t *old, bool *had);

/* True and `*value` if `address` is mapped. */
bool table_get_nopy(Table *table, uintptr_t address, uint64_t *value);

/* Removes `address`. True and `*value` if it was mapped. Never allocates. */
bool table_take_nopy(Table *table, uintptr_t address, uint64_t *value);

/* Forgets every block and gives the memory back. Safe beside put and take in other threads. */
void table_clear_nopy(Table *table);

/* How many blocks are mapped, and the bytes of memory the table itself holds. */
size_t table_count(Table *table);
size_t table_bytes(Table *table);

/* Take and give every shard's lock: before and after fork(), so that the child finds none taken. */
void table_lock_all(Table *table);
void table_unlock_all(Table *table);

#endif
