#define _GNU_SOURCE
#include "extensions.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "counted.h"
#include "counters.h"
#include "hooks.h"
#include "relocate.h"
#include "sampler.h"

static _Atomic bool running;
static const void *core;
static _Thread_local void *newest __attribute__((tls_model("initial-exec")));

static inline bool is_sampled_nopy(void)
{
    return atomic_load_explicit(&hooks_modes, memory_order_relaxed) & MODE_SAMPLE;
}

/* Nested in a hook of Python's allocators, the block is the hook's to note. */
static inline bool is_seen_nopy(void)
{
    return atomic_load_explicit(&running, memory_order_relaxed) && !thread_counters.inside;
}

/* ---- what the slots lead to ----
 *
 * What is called malloc here is what everyone's malloc is: libc's, or that of a library in its place. */

static inline void *came_nopy(void *address, size_t bytes)
{
    if (address != NULL && is_seen_nopy()) {
        newest = address;
        counted_comes_nopy(address, bytes);
        if (is_sampled_nopy()) {
            sampler_born_nopy(address, bytes);
        }
    }
    return address;
}

static void *malloc_nopy(size_t bytes)
{
    return came_nopy(malloc(bytes), bytes);
}

static void *calloc_nopy(size_t count, size_t each)
{
    return came_nopy(calloc(count, each), count * each); /* the product fits if there is a block */
}

static void *aligned_alloc_nopy(size_t alignment, size_t bytes)
{
    return came_nopy(aligned_alloc(alignment, bytes), bytes);
}

static void *memalign_nopy(size_t alignment, size_t bytes)
{
    return came_nopy(memalign(alignment, bytes), bytes);
}

static void *valloc_nopy(size_t bytes)
{
    return came_nopy(valloc(bytes), bytes);
}

static int posix_memalign_nopy(void **address, size_t alignment, size_t bytes)
{
    int error = posix_memalign(address, alignment, bytes);
    if (error == 0) {
        came_nopy(*address, bytes);
    }
    return error;
}

static void free_nopy(void *address)
{
    if (address != NULL && is_seen_nopy()) {
        counted_goes_nopy(address); /* first: then another thread may get the address */
        if (is_sampled_nopy()) {
            sampler_dies_nopy(address);
        }
    }
    free(address);
}

static void *realloc_nopy(void *from, size_t bytes)
{
    if (from == NULL || !is_seen_nopy()) {
        return came_nopy(realloc(from, bytes), bytes);
    }
    bool sampled = is_sampled_nopy();
    Leaving leaving = counted_leaves_nopy(from);
    Moved moved = {0};
    if (sampled) {
        moved = sampler_leaves_nopy(from);
    }
    void *to = realloc(from, bytes);
    if (to != NULL) {
        newest = to;
        counted_arrives_nopy(leaving, from, to, bytes);
        if (sampled) {
            sampler_arrives_nopy(moved, to, bytes);
        }
    } else if (bytes != 0) {
        counted_stays_nopy(leaving, from);
        sampler_stays_nopy(moved, from);
    } else { /* to glibc, no bytes means free() */
        counted_ends_nopy(leaving);
        samples_forget_nopy(moved.lifted);
    }
    return to;
}

static void *reallocarray_nopy(void *from, size_t count, size_t each)
{
    size_t bytes;
    return __builtin_mul_overflow(count, each, &bytes) ? reallocarray(from, count, each) /* fails */
                                                       : realloc_nopy(from, bytes);
}

bool extensions_knew_nopy(const void *address)
{
    bool knew = address != NULL && address == newest;
    if (knew) {
        newest = NULL;
    }
    return knew;
}

/* ---- the slots ---- */

static const Relocation theirs_for_ours[] = {
    {"malloc", (void *)malloc, (void *)malloc_nopy},
    {"calloc", (void *)calloc, (void *)calloc_nopy},
    {"realloc", (void *)realloc, (void *)realloc_nopy},
    {"reallocarray", (void *)reallocarray, (void *)reallocarray_nopy},
    {"free", (void *)free, (void *)free_nopy},
    {"posix_memalign", (void *)posix_memalign, (void *)posix_memalign_nopy},
    {"aligned_alloc", (void *)aligned_alloc, (void *)aligned_alloc_nopy},
    {"memalign", (void *)memalign, (void *)memalign_nopy},
    {"valloc", (void *)valloc, (void *)valloc_nopy},
    {NULL, NULL, NULL},
};
enum { NAMES = sizeof theirs_for_ours / sizeof *theirs_for_ours - 1 };

/* Each name twice: slots hold the function's address, or what the executable's stub for it leads to. */
static Relocation ours_for_theirs[2 * NAMES + 1];

static void list_ours_for_theirs(void)
{
    Relocation *next = ours_for_theirs;
    for (const Relocation *back = theirs_for_ours; back->symbol != NULL; back++) {
        *next++ = (Relocation){back->symbol, back->instead_of, back->target};
        void *bound = relocate_bound(back->symbol);
        if (bound != NULL && bound != back->target) {
            *next++ = (Relocation){back->symbol, back->instead_of, bound};
        }
    }
    *next = (Relocation){NULL, NULL, NULL};
}

int extensions_start(const void *in_core)
{
    core = in_core;
    list_ours_for_theirs();
    atomic_store(&running, true);
    return relocate_extensions(ours_for_theirs, core);
}

int extensions_adopt(void)
{
    return atomic_load(&running) ? relocate_extensions(ours_for_theirs, core) : 0;
}

void extensions_stop(void)
{
    atomic_store(&running, false);
    relocate_extensions(theirs_for_ours, core);
}
