/* The wrappers that see every block, in all three domains: they count it exactly, and sample it if that runs
 * too. Also for sampling alone where blocks don't come from pymalloc: its trick (sampling.c) is not to be had
 * there. */
#include <malloc.h>

#include "allocators.h"
#include "blocks.h"
#include "counted.h"
#include "sampler.h"

/* What exact mode makes of a new block. */
static inline void counted_nopy(ThreadCounters *counters, const void *address, size_t bytes)
{
    uint64_t replaced;
    if (blocks_put_nopy((uintptr_t)address, (Block){.bytes = bytes}, &replaced)) {
        counters_add_nopy(counters, (int64_t)bytes - (int64_t)replaced);
    }
}

/* Whether the sampler chose a block of `bytes`; then `*asked` is what to ask for, so that its death is seen
 * also when only sampling goes on (sampling.c). */
static inline bool chosen_nopy(ThreadCounters *counters, int domain, size_t bytes, size_t *asked)
{
    *asked = bytes;
    if ((atomic_load_explicit(&hooks_modes, memory_order_relaxed) & MODE_SAMPLE) == 0 ||
        __builtin_expect(!samples_hit_nopy(counters, bytes), 1)) {
        return false;
    }
    if (kind == PYMALLOC && domain != RAW && bytes <= PYMALLOC_MAX && !sampling_all) {
        *asked = PYMALLOC_MAX + 1;
    }
    return true;
}

/* A block of `bytes` now lives at `address`. */
static inline void born_nopy(ThreadCounters *counters, void *address, size_t bytes, bool chosen)
{
    if (atomic_load_explicit(&hooks_modes, memory_order_relaxed) & MODE_EXACT) {
        counted_nopy(counters, address, bytes);
    }
    if (__builtin_expect(chosen, 0)) {
        sampler_note_nopy(counters, address, bytes, FROM_PYTHON);
    }
}

void counting_born_nopy(ThreadCounters *counters, void *address, size_t bytes)
{
    size_t asked;
    born_nopy(counters, address, bytes, chosen_nopy(counters, RAW, bytes, &asked));
}

/* What exact mode makes of a death. */
static inline void uncounted_nopy(ThreadCounters *counters, const void *address)
{
    Block block;
    if (blocks_take_nopy((uintptr_t)address, &block)) {
        counters_add_nopy(counters, -(int64_t)block.bytes);
    }
}

/* The block at `address` is about to be freed. Before, not after: once free() has it, another thread
 * may be given the address and note its own block there. */
void counting_dies_nopy(ThreadCounters *counters, void *address)
{
    int now = atomic_load_explicit(&hooks_modes, memory_order_relaxed);
    if (now & MODE_EXACT) {
        uncounted_nopy(counters, address);
    }
    if (now & MODE_SAMPLE) {
        samples_take_nopy((uintptr_t)address);
    }
}

/* ---- the wrappers ----
 *
 * One body for the three domains. `inside` keeps nested calls out: pymalloc hands requests above 512
 * bytes on to the RAW domain, which is wrapped too.
 *
 * The context argument is not ours but the wrapped allocator's own: PyMem_SetAllocator replaces the
 * four functions and the context one word after another, and a thread without the GIL may call the
 * RAW domain in between. Any mix of old and new words then still is a valid call. */

static inline void *wrapped_malloc_nopy(int domain, size_t bytes)
{
    ThreadCounters *counters = &thread_counters;
    const PyMemAllocatorEx *inner = &original[domain];
    if (counters->inside) {
        return inner->malloc(inner->ctx, bytes);
    }
    size_t asked;
    bool chosen = chosen_nopy(counters, domain, bytes, &asked);
    counters->inside = 1;
    void *address = inner->malloc(inner->ctx, asked);
    counters->inside = 0;
    if (address != NULL) {
        born_nopy(counters, address, bytes, chosen);
    }
    return address;
}

static inline void *wrapped_calloc_nopy(int domain, size_t count, size_t each)
{
    ThreadCounters *counters = &thread_counters;
    const PyMemAllocatorEx *inner = &original[domain];
    if (counters->inside) {
        return inner->calloc(inner->ctx, count, each);
    }
    size_t bytes, asked;
    if (__builtin_mul_overflow(count, each, &bytes)) {
        return inner->calloc(inner->ctx, count, each); /* fails */
    }
    bool chosen = chosen_nopy(counters, domain, bytes, &asked);
    counters->inside = 1;
    void *address =
        asked == bytes ? inner->calloc(inner->ctx, count, each) : inner->calloc(inner->ctx, 1, asked);
    counters->inside = 0;
    if (address != NULL) {
        born_nopy(counters, address, bytes, chosen);
    }
    return address;
}

static inline void wrapped_free_nopy(int domain, void *address)
{
    ThreadCounters *counters = &thread_counters;
    const PyMemAllocatorEx *inner = &original[domain];
    if (counters->inside || address == NULL) {
        inner->free(inner->ctx, address);
        return;
    }
    counting_dies_nopy(counters, address);
    counters->inside = 1;
    inner->free(inner->ctx, address);
    counters->inside = 0;
}

/* What exact mode knows after a block went from `was` (if `known`) at `from` to `bytes` at `to`. `usable`:
 * the size malloc had given the old block, 0 if unknown. Of a block older than the counting only growth
 * counts. */
static void moved_nopy(ThreadCounters *counters, const void *from, void *to, size_t bytes, bool known,
                       Block was, size_t usable)
{
    Block now = {.bytes = bytes};
    if (!known || was.partial) {
        int64_t counted = (int64_t)was.bytes;
        if (usable != 0) {
            counted += (int64_t)bytes - (int64_t)usable;
        } else if (kind == PYMALLOC && from != to && bytes > PYMALLOC_MAX) {
            counted += (int64_t)bytes - PYMALLOC_MAX; /* it may have been smaller: never too much */
        }
        if (!known && counted <= 0) {
            return; /* stays unknown */
        }
        now = (Block){.bytes = counted > 0 ? (uint64_t)counted : 0, .partial = true};
    }
    uint64_t replaced;
    int64_t change = -(int64_t)was.bytes;
    if (blocks_put_nopy((uintptr_t)to, now, &replaced)) {
        change += (int64_t)now.bytes - (int64_t)replaced;
    }
    if (change != 0) {
        counters_add_nopy(counters, change);
    }
}

/* The old block lives on. */
static void stays_nopy(ThreadCounters *counters, const void *from, bool known, Block was)
{
    uint64_t replaced;
    if (known && !blocks_put_nopy((uintptr_t)from, was, &replaced)) {
        counters_add_nopy(counters, -(int64_t)was.bytes);
    }
}

static inline void *wrapped_realloc_nopy(int domain, void *from, size_t bytes)
{
    ThreadCounters *counters = &thread_counters;
    const PyMemAllocatorEx *inner = &original[domain];
    bool is_libc = kind == LIBC || (kind == PYMALLOC && domain == RAW);
    if (counters->inside) {
        if (is_libc && (uintptr_t)from == counters->moved) {
            counters->moved_usable = malloc_usable_size(from);
        }
        return inner->realloc(inner->ctx, from, bytes);
    }
    if (from == NULL) {
        return wrapped_malloc_nopy(domain, bytes);
    }
    int now = atomic_load_explicit(&hooks_modes, memory_order_relaxed);
    Block was = {0};
    bool known = (now & MODE_EXACT) && blocks_take_nopy((uintptr_t)from, &was);
    Moved moved = {0};
    bool chosen = false, small = kind == PYMALLOC && domain != RAW && bytes <= PYMALLOC_MAX;
    size_t asked = bytes;
    if (now & MODE_SAMPLE) {
        moved.lifted = samples_lift_nopy((uintptr_t)from);
        chosen = small && chosen_nopy(counters, domain, bytes, &asked);
    }
    counters->inside = 1;
    counters->moved = (uintptr_t)from;
    counters->moved_usable = is_libc ? malloc_usable_size(from) : 0;
    void *to = inner->realloc(inner->ctx, from, asked);
    moved.usable = counters->moved_usable;
    counters->moved = 0;
    counters->inside = 0;
    if (to == NULL) {
        stays_nopy(counters, from, known, was);
        sampler_stays_nopy(moved, from);
        return NULL;
    }
    if (now & MODE_EXACT) {
        moved_nopy(counters, from, to, bytes, known, was, moved.usable);
    }
    if ((now & MODE_SAMPLE) && !small) {
        sampler_moved_nopy(counters, moved, to, bytes, FROM_PYTHON);
    } else if (now & MODE_SAMPLE) {
        samples_forget_nopy(moved.lifted);
        if (chosen) {
            sampler_note_nopy(counters, to, bytes, FROM_PYTHON);
        }
    }
    return to;
}

/* ---- what extension modules take from malloc themselves (extensions.c) ---- */

static inline bool is_exact_nopy(void)
{
    return atomic_load_explicit(&hooks_modes, memory_order_relaxed) & MODE_EXACT;
}

void counted_comes_nopy(const void *address, size_t bytes)
{
    if (is_exact_nopy()) {
        counted_nopy(&thread_counters, address, bytes);
    }
}

void counted_goes_nopy(const void *address)
{
    if (is_exact_nopy()) {
        uncounted_nopy(&thread_counters, address);
    }
}

Leaving counted_leaves_nopy(void *from)
{
    Leaving leaving = {.usable = malloc_usable_size(from)};
    leaving.known = is_exact_nopy() && blocks_take_nopy((uintptr_t)from, &leaving.was);
    return leaving;
}

void counted_arrives_nopy(Leaving leaving, const void *from, void *to, size_t bytes)
{
    if (is_exact_nopy()) {
        moved_nopy(&thread_counters, from, to, bytes, leaving.known, leaving.was, leaving.usable);
    }
}

void counted_stays_nopy(Leaving leaving, const void *from)
{
    stays_nopy(&thread_counters, from, leaving.known, leaving.was);
}

void counted_ends_nopy(Leaving leaving)
{
    if (leaving.known) {
        counters_add_nopy(&thread_counters, -(int64_t)leaving.was.bytes);
    }
}

/* ---- the domains ---- */

#define WRAP_DOMAIN(name, domain)                                                                            \
    static void *name##_malloc_nopy(void *ctx, size_t bytes)                                                 \
    {                                                                                                        \
        return wrapped_malloc_nopy(domain, bytes);                                                           \
    }                                                                                                        \
    static void *name##_calloc_nopy(void *ctx, size_t count, size_t each)                                    \
    {                                                                                                        \
        return wrapped_calloc_nopy(domain, count, each);                                                     \
    }                                                                                                        \
    static void *name##_realloc_nopy(void *ctx, void *from, size_t bytes)                                    \
    {                                                                                                        \
        return wrapped_realloc_nopy(domain, from, bytes);                                                    \
    }                                                                                                        \
    static void name##_free_nopy(void *ctx, void *address)                                                   \
    {                                                                                                        \
        wrapped_free_nopy(domain, address);                                                                  \
    }

WRAP_DOMAIN(raw, 0)
WRAP_DOMAIN(mem, 1)
WRAP_DOMAIN(obj, 2)

const PyMemAllocatorEx counting_wrappers[DOMAINS] = {
    {NULL, raw_malloc_nopy, raw_calloc_nopy, raw_realloc_nopy, raw_free_nopy},
    {NULL, mem_malloc_nopy, mem_calloc_nopy, mem_realloc_nopy, mem_free_nopy},
    {NULL, obj_malloc_nopy, obj_calloc_nopy, obj_realloc_nopy, obj_free_nopy},
};
