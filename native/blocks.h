/* The live blocks of exact mode: every block's address and how many of its bytes were counted. */
#ifndef OUTLIVE_BLOCKS_H
#define OUTLIVE_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t bytes; /* counted */
    bool partial;   /* the block is older than the counting; only its growth is counted */
} Block;

/* Caps the table; call once, before anything else here. */
void blocks_init(size_t blocks_max);

/* Notes a live block. `*replaced` gets the bytes counted under that address before: normally 0, else the
 * block that was there died unseen. (A small block does not look for a large one: whoever may note a living
 * block twice takes it first.) False, with nothing noted and one drop counted, without memory, at the cap,
 * or for an address from 2^48 on. */
bool blocks_put_nopy(uintptr_t address, Block block, uint64_t *replaced);

/* Forgets a block. False if it was not known. */
bool blocks_take_nopy(uintptr_t address, Block *block);

/* Forgets all blocks and drops, and gives their memory back. */
void blocks_clear(void);

/* Blocks that could not be noted since the last clear. */
uint64_t blocks_dropped(void);

/* Around fork(): see table.h. */
void blocks_lock_all(void);
void blocks_unlock_all(void);

#endif
