#include "blocks.h"

#include <stdatomic.h>

#include "shadow.h"
#include "table.h"

static Table large; /* all that the shadow can't describe: large, unaligned, partial */
static atomic_uint_fast64_t dropped;

static inline bool fits_shadow_nopy(uintptr_t address)
{
    return address % SHADOW_ALIGNMENT == 0 && address >> 48 == 0;
}

void blocks_init(size_t blocks_max)
{
    table_init(&large, blocks_max);
}

bool blocks_put_nopy(uintptr_t address, Block block, uint64_t *replaced)
{
    uint64_t old = 0;
    bool had = false, stored;
    *replaced = 0;
    if (block.bytes <= SHADOW_SIZE_MAX && !block.partial && fits_shadow_nopy(address)) {
        int old_small = -1;
        stored = shadow_put_nopy(address, block.bytes, &old_small);
        *replaced = old_small > 0 ? (uint64_t)old_small : 0;
    } else {
        stored = table_put_nopy(&large, address, block.bytes << 1 | block.partial, &old, &had);
        *replaced = had ? old >> 1 : 0;
        int old_small = stored && fits_shadow_nopy(address) ? shadow_take_nopy(address) : -1;
        *replaced += old_small > 0 ? (uint64_t)old_small : 0;
    }
    if (!stored) {
        atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
    }
    return stored;
}

bool blocks_take_nopy(uintptr_t address, Block *block)
{
    if (fits_shadow_nopy(address)) {
        int small = shadow_take_nopy(address);
        if (small >= 0) {
            *block = (Block){.bytes = (uint64_t)small, .partial = false};
            return true;
        }
    }
    uint64_t value;
    if (!table_take_nopy(&large, address, &value)) {
        return false;
    }
    *block = (Block){.bytes = value >> 1, .partial = value & 1};
    return true;
}

void blocks_clear(void)
{
    shadow_clear();
    table_clear_nopy(&large);
    atomic_store(&dropped, 0);
}

uint64_t blocks_dropped(void)
{
    return atomic_load(&dropped);
}

void blocks_lock_all(void)
{
    table_lock_all(&large);
}

void blocks_unlock_all(void)
{
    table_unlock_all(&large);
}
