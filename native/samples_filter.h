/* Which addresses may be those of sampled blocks. For samples.c alone: there is one filter. */
#ifndef OUTLIVE_SAMPLES_FILTER_H
#define OUTLIVE_SAMPLES_FILTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FILTER_SIZE = 1 << 16 };

/* Most frees are of blocks never sampled. One byte by address hash counts the sampled ones there; it
 * sticks at 255, after which that byte only costs look-ups. */
static atomic_uchar filter[FILTER_SIZE];

static inline atomic_uchar *filter_of_nopy(uintptr_t address)
{
    return &filter[((uint64_t)address >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 48];
}

static void filter_add_nopy(uintptr_t address)
{
    atomic_uchar *count = filter_of_nopy(address);
    unsigned char found = atomic_load(count);
    while (found < 255 && !atomic_compare_exchange_weak(count, &found, found + 1)) {
    }
}

static void filter_remove_nopy(uintptr_t address)
{
    atomic_uchar *count = filter_of_nopy(address);
    unsigned char found = atomic_load(count);
    while (found > 0 && found < 255 && !atomic_compare_exchange_weak(count, &found, found - 1)) {
    }
}

/* Whether no block at this address is sampled, as with most. */
static inline bool filter_passes_nopy(uintptr_t address)
{
    return __builtin_expect(atomic_load_explicit(filter_of_nopy(address), memory_order_relaxed) == 0, 1);
}

static void filter_clear(void)
{
    for (size_t i = 0; i < FILTER_SIZE; i++) {
        if (atomic_load_explicit(&filter[i], memory_order_relaxed) != 0) { /* leave clean pages clean */
            atomic_store_explicit(&filter[i], 0, memory_order_relaxed);
        }
    }
}

#endif
