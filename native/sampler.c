#include "sampler.h"

#include <malloc.h>

#include "site.h"

/* What malloc gives for a request just above PYMALLOC_MAX; sampled small blocks have it (sampling.c). */
enum { SMALL_USABLE = PYMALLOC_MAX + 16 };

void sampler_note_nopy(const ThreadCounters *counters, void *address, size_t bytes, int origin)
{
    RawStack stack;
    site_stack_nopy(&stack);
    samples_put_nopy(counters, (uintptr_t)address, bytes, origin, &stack, site_run_nopy());
}

static inline void drawn_nopy(ThreadCounters *counters, void *address, size_t bytes, int origin)
{
    if (__builtin_expect(samples_hit_nopy(counters, bytes), 0)) {
        sampler_note_nopy(counters, address, bytes, origin);
    }
}

void sampler_moved_nopy(ThreadCounters *counters, Moved moved, void *to, size_t bytes, int origin)
{
    if (moved.usable <= SMALL_USABLE || bytes <= PYMALLOC_MAX) {
        samples_forget_nopy(moved.lifted);
        drawn_nopy(counters, to, bytes, origin);
    } else if (moved.lifted.place != 0) {
        samples_land_nopy(moved.lifted, (uintptr_t)to, bytes);
    } else {
        /* In malloc's sizes: what a block had been asked for is not known, and measured from there a block
         * that grows a byte at a time would hardly seem to grow. */
        size_t usable = malloc_usable_size(to);
        if (usable > moved.usable && __builtin_expect(samples_hit_nopy(counters, usable - moved.usable), 0)) {
            sampler_note_nopy(counters, to, bytes, origin);
        }
    }
}

void sampler_born_nopy(void *address, size_t bytes)
{
    drawn_nopy(&thread_counters, address, bytes, FROM_MALLOC);
}

void sampler_dies_nopy(void *address)
{
    samples_take_nopy((uintptr_t)address);
}

Moved sampler_leaves_nopy(void *from)
{
    return (Moved){samples_lift_nopy((uintptr_t)from), malloc_usable_size(from)};
}

void sampler_arrives_nopy(Moved moved, void *to, size_t bytes)
{
    sampler_moved_nopy(&thread_counters, moved, to, bytes, FROM_MALLOC);
}

void sampler_stays_nopy(Moved moved, void *from)
{
    samples_land_nopy(moved.lifted, (uintptr_t)from, moved.lifted.bytes);
}
