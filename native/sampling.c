/* The wrappers while only sampling runs, over pymalloc.
 *
 * Nothing is hung on pymalloc's free(), where most of the time would go. A block that is sampled is asked for
 * at a size that pymalloc passes on to RAW, and comes back to RAW when it dies: RAW's free() is wrapped. A
 * request too large for pymalloc is RAW's business from the start. */
#include <malloc.h>

#include "allocators.h"
#include "hooks.h"
#include "sampler.h"

enum { TO_RAW = PYMALLOC_MAX + 1 };

static inline bool hit_nopy(ThreadCounters *counters, size_t bytes)
{
    return __builtin_expect(samples_hit_nopy(counters, bytes), 0);
}

/* ---- MEM and OBJ ---- */

/* `address` was asked of RAW on behalf of a block of `bytes` that is sampled. */
static void *noted_nopy(ThreadCounters *counters, void *address, size_t bytes)
{
    if (address != NULL) {
        sampler_note_nopy(counters, address, bytes, FROM_PYTHON);
    }
    return address;
}

/* The gap is over, or the sampler was started since. Out of the way of the others, which then need no stack
 * frame. */
__attribute__((noinline)) static void *chosen_malloc_nopy(int domain, size_t bytes)
{
    ThreadCounters *counters = &thread_counters;
    const PyMemAllocatorEx *inner = &original[domain];
    if (!samples_gap_over_nopy(counters, bytes)) {
        return inner->malloc(inner->ctx, bytes);
    }
    counters->inside++;
    void *address = inner->malloc(inner->ctx, TO_RAW);
    counters->inside--;
    return noted_nopy(counters, address, bytes);
}

__attribute__((noinline)) static void *chosen_calloc_nopy(int domain, size_t bytes)
{
    ThreadCounters *counters = &thread_counters;
    const PyMemAllocatorEx *inner = &original[domain];
    if (!samples_gap_over_nopy(counters, bytes)) {
        return inner->calloc(inner->ctx, 1, bytes);
    }
    counters->inside++;
    void *address = inner->calloc(inner->ctx, 1, TO_RAW);
    counters->inside--;
    return noted_nopy(counters, address, bytes);
}

static inline void *small_malloc_nopy(int domain, size_t bytes)
{
    const PyMemAllocatorEx *inner = &original[domain];
    if (__builtin_expect(bytes <= PYMALLOC_MAX, 1) && !samples_pass_nopy(&thread_counters, bytes)) {
        return chosen_malloc_nopy(domain, bytes);
    }
    return inner->malloc(inner->ctx, bytes);
}

static inline void *small_calloc_nopy(int domain, size_t count, size_t each)
{
    const PyMemAllocatorEx *inner = &original[domain];
    size_t bytes;
    if (!__builtin_mul_overflow(count, each, &bytes) && bytes <= PYMALLOC_MAX &&
        !samples_pass_nopy(&thread_counters, bytes)) {
        return chosen_calloc_nopy(domain, bytes);
    }
    return inner->calloc(inner->ctx, count, each);
}

/* A small block is drawn afresh whenever it is reallocated. What it was before is not known, and need not be:
 * it loses the sample that it may have (RAW sees to that), and gets one by its new size. */
static inline void *small_realloc_nopy(int domain, void *from, size_t bytes)
{
    ThreadCounters *counters = &thread_counters;
    const PyMemAllocatorEx *inner = &original[domain];
    if (from == NULL) {
        return small_malloc_nopy(domain, bytes);
    }
    if (bytes > PYMALLOC_MAX) {
        return inner->realloc(inner->ctx, from, bytes);
    }
    bool hit = hit_nopy(counters, bytes);
    counters->inside++;
    void *to = inner->realloc(inner->ctx, from, hit ? TO_RAW : bytes);
    counters->inside--;
    return hit ? noted_nopy(counters, to, bytes) : to;
}

/* ---- RAW, with the GIL or without ---- */

static void *raw_malloc_nopy(void *ctx, size_t bytes)
{
    ThreadCounters *counters = &thread_counters;
    void *address = original[RAW].malloc(ctx, bytes);
    if (!counters->inside && hit_nopy(counters, bytes)) {
        noted_nopy(counters, address, bytes);
    }
    return address;
}

static void *raw_calloc_nopy(void *ctx, size_t count, size_t each)
{
    ThreadCounters *counters = &thread_counters;
    void *address = original[RAW].calloc(ctx, count, each);
    if (address != NULL && !counters->inside && hit_nopy(counters, count * each)) {
        noted_nopy(counters, address, count * each);
    }
    return address;
}

static void *raw_realloc_nopy(void *ctx, void *from, size_t bytes)
{
    ThreadCounters *counters = &thread_counters;
    if (from == NULL) {
        return raw_malloc_nopy(ctx, bytes);
    }
    Moved moved = sampler_leaves_nopy(from);
    void *to = original[RAW].realloc(ctx, from, bytes);
    if (to == NULL) {
        sampler_stays_nopy(moved, from);
    } else if (counters->inside) {
        samples_forget_nopy(moved.lifted);
    } else {
        sampler_moved_nopy(counters, moved, to, bytes, FROM_PYTHON);
    }
    return to;
}

static void raw_free_nopy(void *ctx, void *address)
{
    if (address != NULL) {
        samples_take_nopy((uintptr_t)address); /* first: then another thread may get the address */
    }
    original[RAW].free(ctx, address);
}

/* ---- the wrappers ---- */

#define WRAP_SMALL(name, domain)                                                                             \
    static void *name##_malloc_nopy(void *ctx, size_t bytes)                                                 \
    {                                                                                                        \
        return small_malloc_nopy(domain, bytes);                                                             \
    }                                                                                                        \
    static void *name##_calloc_nopy(void *ctx, size_t count, size_t each)                                    \
    {                                                                                                        \
        return small_calloc_nopy(domain, count, each);                                                       \
    }                                                                                                        \
    static void *name##_realloc_nopy(void *ctx, void *from, size_t bytes)                                    \
    {                                                                                                        \
        return small_realloc_nopy(domain, from, bytes);                                                      \
    }

WRAP_SMALL(mem, 1)
WRAP_SMALL(obj, 2)

/* NULL: the original is left in place (hooks.c). */
const PyMemAllocatorEx sampling_wrappers[DOMAINS] = {
    {NULL, raw_malloc_nopy, raw_calloc_nopy, raw_realloc_nopy, raw_free_nopy},
    {NULL, mem_malloc_nopy, mem_calloc_nopy, mem_realloc_nopy, NULL},
    {NULL, obj_malloc_nopy, obj_calloc_nopy, obj_realloc_nopy, NULL},
};
