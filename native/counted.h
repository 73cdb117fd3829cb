/* Exact mode's count of the blocks that malloc gave to others than Python. Nothing happens while it does not
 * run. */
#ifndef OUTLIVE_COUNTED_H
#define OUTLIVE_COUNTED_H

#include <stdbool.h>
#include <stddef.h>

#include "blocks.h"

/* A block of `bytes` now lives at `address`, or is about to die. */
void counted_comes_nopy(const void *address, size_t bytes);
void counted_goes_nopy(const void *address);

/* One is about to be reallocated: it leaves, and then arrives elsewhere or stays. */
typedef struct {
    Block was;
    bool known;
    size_t usable; /* what malloc had given */
} Leaving;

Leaving counted_leaves_nopy(void *from);
void counted_arrives_nopy(Leaving leaving, const void *from, void *to, size_t bytes);
void counted_stays_nopy(Leaving leaving, const void *from);

#endif
