/* Exact mode's count of the blocks that malloc gave to others than Python. Nothing happens while it does not
 * run. */
#ifndef OUTLIVE_COUNTED_H
#define OUTLIVE_COUNTED_H

#include <stdbool.h>
#include <stddef.h>

#include "blocks.h"

/* A block of `bytes` now lives at `address`. Owns nothing; of a block there is no room for, a drop is
 * counted. */
void counted_comes_nopy(const void *address, size_t bytes);

/* The block at `address` is about to be freed. Unknown ones are none of ours. */
void counted_goes_nopy(const void *address);

typedef struct {
    Block was;
    bool known;
    size_t usable; /* what malloc had given */
} Leaving;

/* The block at `from` is about to be reallocated. What comes back is for one of the next three. */
Leaving counted_leaves_nopy(void *from);

/* It went to `to`, and has `bytes` now. */
void counted_arrives_nopy(Leaving leaving, const void *from, void *to, size_t bytes);

/* There was no memory for that: it lives on where it was. */
void counted_stays_nopy(Leaving leaving, const void *from);

/* It was freed instead. */
void counted_ends_nopy(Leaving leaving);

#endif
