#include "hooks.h"

#include <malloc.h>
#include <pthread.h>

#include "blocks.h"
#include "coarse.h"
#include "counters.h"
#include "lines.h"
#include "pycompat.h"
#include "relocate.h"
#include "samples.h"
#include "site.h"

/* About 1.5 GB of table at most; blocks beyond are counted as dropped. */
#define BLOCKS_MAX ((size_t)64 << 20)

enum { DOMAINS = 3 };

static const PyMemAllocatorDomain domains[DOMAINS] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};
static PyMemAllocatorEx original[DOMAINS];
/* What was there to wrap. libc's blocks tell their size; a pymalloc block that is not RAW's has at most
 * PYMALLOC_MAX bytes; of others (debug allocators, another tool's) nothing is known. */
static enum { UNKNOWN, LIBC, PYMALLOC } kind;
enum { PYMALLOC_MAX = 512 };
static _Atomic int mode;

/* ---- counting ---- */

/* Sampling's view of a new block of `bytes`. */
static inline void born_sampled_nopy(ThreadCounters *counters, void *address, size_t bytes)
{
    if (__builtin_expect(samples_hit_nopy(counters, bytes), 0)) {
        Site site;
        site_here_nopy(&site);
        samples_put_nopy((uintptr_t)address, bytes, &site);
    }
}

/* A block of `bytes` now lives at `address`. */
static inline void born_nopy(ThreadCounters *counters, void *address, size_t bytes)
{
    int now = atomic_load_explicit(&mode, memory_order_relaxed);
    if (now & MODE_EXACT) {
        uint64_t replaced;
        if (blocks_put_nopy((uintptr_t)address, (Block){.bytes = bytes}, &replaced)) {
            counters_add_nopy(counters, (int64_t)bytes - (int64_t)replaced);
        }
    }
    if (now & MODE_SAMPLE) {
        born_sampled_nopy(counters, address, bytes);
    }
}

/* The block at `address` is about to be freed. Before, not after: once free() has it, another thread
 * may be given the address and note its own block there. */
static inline void dies_nopy(ThreadCounters *counters, void *address)
{
    int now = atomic_load_explicit(&mode, memory_order_relaxed);
    if (now & MODE_EXACT) {
        Block block;
        if (blocks_take_nopy((uintptr_t)address, &block)) {
            counters_add_nopy(counters, -(int64_t)block.bytes);
        }
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
    counters->inside = 1;
    void *address = inner->malloc(inner->ctx, bytes);
    counters->inside = 0;
    if (address != NULL) {
        born_nopy(counters, address, bytes);
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
    counters->inside = 1;
    void *address = inner->calloc(inner->ctx, count, each);
    counters->inside = 0;
    if (address != NULL) {
        born_nopy(counters, address, count * each); /* the product fits: the call succeeded */
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
    dies_nopy(counters, address);
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

static inline void *wrapped_realloc_nopy(int domain, void *from, size_t bytes)
{
    ThreadCounters *counters = &thread_counters;
    const PyMemAllocatorEx *inner = &original[domain];
    bool is_libc = kind == LIBC || (kind == PYMALLOC && domain == 0);
    if (counters->inside) {
        if (is_libc && (uintptr_t)from == counters->moved) {
            counters->moved_usable = malloc_usable_size(from);
        }
        return inner->realloc(inner->ctx, from, bytes);
    }
    if (from == NULL) {
        return wrapped_malloc_nopy(domain, bytes);
    }
    int now = atomic_load_explicit(&mode, memory_order_relaxed);
    Block was = {0};
    bool known = (now & MODE_EXACT) && blocks_take_nopy((uintptr_t)from, &was);
    if (now & MODE_SAMPLE) {
        samples_take_nopy((uintptr_t)from);
    }
    counters->inside = 1;
    counters->moved = (uintptr_t)from;
    counters->moved_usable = is_libc ? malloc_usable_size(from) : 0;
    void *to = inner->realloc(inner->ctx, from, bytes);
    size_t usable = counters->moved_usable;
    counters->moved = 0;
    counters->inside = 0;
    if (to == NULL) { /* the old block lives on */
        uint64_t replaced;
        if (known && !blocks_put_nopy((uintptr_t)from, was, &replaced)) {
            counters_add_nopy(counters, -(int64_t)was.bytes);
        }
        return NULL;
    }
    if (now & MODE_EXACT) {
        moved_nopy(counters, from, to, bytes, known, was, usable);
    }
    if (now & MODE_SAMPLE) {
        born_sampled_nopy(counters, to, bytes);
    }
    return to;
}

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

static const PyMemAllocatorEx wrappers[DOMAINS] = {
    {NULL, raw_malloc_nopy, raw_calloc_nopy, raw_realloc_nopy, raw_free_nopy},
    {NULL, mem_malloc_nopy, mem_calloc_nopy, mem_realloc_nopy, mem_free_nopy},
    {NULL, obj_malloc_nopy, obj_calloc_nopy, obj_realloc_nopy, obj_free_nopy},
};

/* ---- blocks that extensions report ---- */

/* What to tell who reports a block. CPython says -2 while tracemalloc is off, and numpy (2.5) then reports no
 * more. */
static int answer_nopy(int theirs)
{
    return theirs == -2 ? 0 : theirs;
}

static int track_nopy(unsigned int domain, uintptr_t address, size_t bytes)
{
    dies_nopy(&thread_counters, (void *)address); /* tracking a known address again replaces it */
    born_nopy(&thread_counters, (void *)address, bytes);
    return answer_nopy(PyTraceMalloc_Track(domain, address, bytes));
}

/* Domain 0 is RAW's: numpy takes a block from there and then reports it as its own. */
static int untrack_nopy(unsigned int domain, uintptr_t address)
{
    dies_nopy(&thread_counters, (void *)address);
    return answer_nopy(PyTraceMalloc_Untrack(domain, address));
}

/* Whether these modes need the wrappers. */
static bool wraps(int modes)
{
    return modes & (MODE_EXACT | MODE_SAMPLE);
}

static const Relocation to_ours[] = {
    {"PyTraceMalloc_Track", (void *)track_nopy},
    {"PyTraceMalloc_Untrack", (void *)untrack_nopy},
    {NULL, NULL},
};
static const Relocation to_theirs[] = {
    {"PyTraceMalloc_Track", (void *)PyTraceMalloc_Track},
    {"PyTraceMalloc_Untrack", (void *)PyTraceMalloc_Untrack},
    {NULL, NULL},
};

int hooks_adopt_modules(void)
{
    return wraps(atomic_load(&mode)) ? relocate(to_ours) : 0;
}

/* ---- start and stop ---- */

static bool on_top(int domain)
{
    PyMemAllocatorEx there;
    PyMem_GetAllocator(domains[domain], &there);
    return there.malloc == wrappers[domain].malloc;
}

static void *(*probed_malloc)(void *, size_t);
static bool probe_reached;

static void *probe_malloc_nopy(void *ctx, size_t bytes)
{
    probe_reached = true;
    return probed_malloc(ctx, bytes);
}

/* Whether requests to the domain still come through our wrapper, on top or below another tool's. A tool that
 * restores what it found before us drops us without a word; wrapping again while we are only buried would
 * make us our own inner allocator, and recurse for ever. So try it. */
static bool in_chain(int domain)
{
    if (on_top(domain)) {
        return true;
    }
    if (original[domain].malloc == NULL) {
        return false; /* never wrapped */
    }
    probe_reached = false;
    probed_malloc = original[domain].malloc;
    original[domain].malloc = probe_malloc_nopy;
    switch (domains[domain]) {
    case PYMEM_DOMAIN_RAW: PyMem_RawFree(PyMem_RawMalloc(1)); break;
    case PYMEM_DOMAIN_MEM: PyMem_Free(PyMem_Malloc(1)); break;
    default: PyObject_Free(PyObject_Malloc(1)); break;
    }
    original[domain].malloc = probed_malloc;
    return probe_reached;
}

static void before_fork(void)
{
    blocks_lock_all();
    samples_lock_all();
}

static void after_fork(void)
{
    samples_unlock_all();
    blocks_unlock_all();
}

bool hooks_init(void)
{
    blocks_init(BLOCKS_MAX);
    return counters_init(lines_thread_exits) && pthread_atfork(before_fork, after_fork, after_fork) == 0;
}

static void recognize(void)
{
    const char *name = _PyMem_GetCurrentAllocatorName();
    kind = name == NULL                    ? UNKNOWN
           : strcmp(name, "pymalloc") == 0 ? PYMALLOC
           : strcmp(name, "malloc") == 0   ? LIBC
                                           : UNKNOWN;
}

/* Has each domain wrapped if `now`, the modes, need it, and else as it was. Buried under another tool's, ours
 * stays. */
static void wrap_domains(int now)
{
    for (int i = 0; i < DOMAINS; i++) {
        if (!wraps(now) && on_top(i)) {
            PyMem_SetAllocator(domains[i], &original[i]);
        } else if (wraps(now) && !in_chain(i)) {
            PyMem_GetAllocator(domains[i], &original[i]);
            PyMemAllocatorEx wrapper = wrappers[i];
            wrapper.ctx = original[i].ctx;
            PyMem_SetAllocator(domains[i], &wrapper);
        }
    }
}

bool hooks_intact(void)
{
    bool intact = true;
    for (int i = 0; i < DOMAINS && wraps(atomic_load(&mode)); i++) {
        intact &= in_chain(i);
    }
    return intact;
}

void hooks_start(int wanted, uint64_t interval, uint64_t seed)
{
    int before = atomic_load(&mode);
    wanted &= ~before;
    if (before == 0 && !in_chain(0)) {
        recognize();
    }
    if (wanted & MODE_COARSE && kind != PYMALLOC) {
        wanted = (wanted & ~MODE_COARSE) | (MODE_EXACT & ~before); /* coarse sees too little here */
    }
    if (wanted & MODE_EXACT) {
        hooks_stop(MODE_COARSE);
        blocks_clear();
        counters_reset();
    } else if (before & MODE_EXACT) {
        wanted &= ~MODE_COARSE;
    } else if (wanted & MODE_COARSE) {
        counters_reset();
        coarse_start();
    }
    if (wanted & MODE_SAMPLE) {
        samples_start(interval, seed);
    }
    wrap_domains(before | wanted);
    atomic_fetch_or(&mode, wanted);
    hooks_adopt_modules();
}

void hooks_stop(int unwanted)
{
    unwanted &= atomic_load(&mode);
    int left = atomic_fetch_and(&mode, ~unwanted) & ~unwanted;
    if (!wraps(left)) {
        relocate(to_theirs);
    }
    wrap_domains(left);
    if (unwanted & MODE_COARSE) {
        coarse_stop();
    }
    if (unwanted & MODE_EXACT) {
        counters_flush_nopy(&thread_counters);
        blocks_clear();
    }
    if (unwanted & MODE_SAMPLE) {
        samples_clear();
    }
}

int hooks_mode(void)
{
    return atomic_load(&mode);
}
