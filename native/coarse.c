#include "coarse.h"

#include <malloc.h>

#include "counters.h"
#include "pycompat.h"

static PyMemAllocatorEx original;
static PyObjectArenaAllocator original_arena;
static _Atomic int running;

static inline void add_nopy(int64_t bytes)
{
    if (atomic_load_explicit(&running, memory_order_relaxed)) {
        counters_add_nopy(&thread_counters, bytes);
    }
}

static inline void *came_nopy(void *address)
{
    if (address != NULL) {
        add_nopy((int64_t)malloc_usable_size(address));
    }
    return address;
}

static void *malloc_nopy(void *ctx, size_t bytes)
{
    return came_nopy(original.malloc(original.ctx, bytes));
}

static void *calloc_nopy(void *ctx, size_t count, size_t each)
{
    return came_nopy(original.calloc(original.ctx, count, each));
}

static void *realloc_nopy(void *ctx, void *from, size_t bytes)
{
    int64_t before = (int64_t)malloc_usable_size(from); /* 0 for NULL */
    void *to = original.realloc(original.ctx, from, bytes);
    if (to != NULL) {
        add_nopy((int64_t)malloc_usable_size(to) - before);
    }
    return to;
}

static void free_nopy(void *ctx, void *address)
{
    add_nopy(-(int64_t)malloc_usable_size(address));
    original.free(original.ctx, address);
}

static void *arena_alloc_nopy(void *ctx, size_t bytes)
{
    void *arena = original_arena.alloc(original_arena.ctx, bytes);
    if (arena != NULL) {
        add_nopy((int64_t)bytes);
    }
    return arena;
}

static void arena_free_nopy(void *ctx, void *arena, size_t bytes)
{
    add_nopy(-(int64_t)bytes);
    original_arena.free(original_arena.ctx, arena, bytes);
}

void coarse_start(void)
{
    PyMemAllocatorEx there;
    PyObjectArenaAllocator there_arena;
    PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &there);
    PyObject_GetArenaAllocator(&there_arena);
    if (original.malloc == NULL) { /* once: what we wrapped is never rewritten */
        original = there;
        original_arena = there_arena;
    }
    if (there.malloc == original.malloc) {
        PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &(PyMemAllocatorEx){original.ctx, malloc_nopy, calloc_nopy,
                                                                 realloc_nopy, free_nopy});
    }
    if (there_arena.alloc == original_arena.alloc) {
        PyObject_SetArenaAllocator(
            &(PyObjectArenaAllocator){original_arena.ctx, arena_alloc_nopy, arena_free_nopy});
    }
    atomic_store(&running, 1);
}

void coarse_stop(void)
{
    PyMemAllocatorEx there;
    PyObjectArenaAllocator there_arena;
    atomic_store(&running, 0);
    PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &there);
    if (there.malloc == malloc_nopy) {
        PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &original);
    }
    PyObject_GetArenaAllocator(&there_arena);
    if (there_arena.alloc == arena_alloc_nopy) {
        PyObject_SetArenaAllocator(&original_arena);
    }
}
