#include "hooks.h"

#include <pthread.h>

#include "allocators.h"
#include "blocks.h"
#include "coarse.h"
#include "ending.h"
#include "extensions.h"
#include "lines.h"
#include "recording.h"
#include "relocate.h"
#include "samples.h"
#include "site.h"

/* About 1.5 GB of table at most; blocks beyond are counted as dropped. */
#define BLOCKS_MAX ((size_t)64 << 20)

static const PyMemAllocatorDomain domains[DOMAINS] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};
PyMemAllocatorEx original[DOMAINS];
Kind kind;
_Atomic bool sampling_all;
_Atomic int hooks_modes;
/* The set that is in place, or was. */
static const PyMemAllocatorEx *wrappers = counting_wrappers;
/* An address in CPython's core; not of a function that an executable may have a stub for. */
static const void *const core = (const void *)_PyMem_GetCurrentAllocatorName;

/* ---- blocks that extensions report ---- */

/* What to tell who reports a block. CPython says -2 while tracemalloc is off, and numpy (2.5) then reports no
 * more. */
static int answer_nopy(int theirs)
{
    return theirs == -2 ? 0 : theirs;
}

static int track_nopy(unsigned int domain, uintptr_t address, size_t bytes)
{
    if (!extensions_knew_nopy((void *)address)) {
        counting_dies_nopy(&thread_counters, (void *)address); /* tracking a known address replaces it */
        counting_born_nopy(&thread_counters, (void *)address, bytes);
    }
    return answer_nopy(PyTraceMalloc_Track(domain, address, bytes));
}

/* Domain 0 is RAW's: numpy takes a block from there and then reports it as its own. */
static int untrack_nopy(unsigned int domain, uintptr_t address)
{
    counting_dies_nopy(&thread_counters, (void *)address);
    return answer_nopy(PyTraceMalloc_Untrack(domain, address));
}

/* Whether these modes need the wrappers. */
static bool wraps(int modes)
{
    return modes & (MODE_EXACT | MODE_SAMPLE);
}

static const Relocation to_ours[] = {
    {"PyTraceMalloc_Track", (void *)track_nopy, (void *)PyTraceMalloc_Track},
    {"PyTraceMalloc_Untrack", (void *)untrack_nopy, (void *)PyTraceMalloc_Untrack},
    {NULL, NULL, NULL},
};
static const Relocation to_theirs[] = {
    {"PyTraceMalloc_Track", (void *)PyTraceMalloc_Track, (void *)track_nopy},
    {"PyTraceMalloc_Untrack", (void *)PyTraceMalloc_Untrack, (void *)untrack_nopy},
    {NULL, NULL, NULL},
};

/* The generation of loaded objects at the last two looks. An object that another thread was just loading at
 * the first was passed over, so only a second look makes sure. */
static uint64_t looked_at[2];

int hooks_adopt_modules(void)
{
    uint64_t now = relocate_generation();
    if (!wraps(atomic_load(&hooks_modes)) || (now == looked_at[0] && now == looked_at[1])) {
        return 0;
    }
    looked_at[0] = looked_at[1];
    looked_at[1] = now;
    return relocate(to_ours) + extensions_adopt();
}

/* ---- start and stop ---- */

static bool on_top(int domain)
{
    PyMemAllocatorEx there;
    PyMem_GetAllocator(domains[domain], &there);
    return there.malloc == counting_wrappers[domain].malloc ||
           there.malloc == sampling_wrappers[domain].malloc;
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

/* Another library's fork handler may call malloc, which must not come for a lock that we hold. */
static void before_fork(void)
{
    thread_counters.inside++;
    blocks_lock_all();
    samples_fork_prepare();
}

static void after_fork_in_parent(void)
{
    samples_fork_parent();
    blocks_unlock_all();
    thread_counters.inside--;
}

static void after_fork_in_child(void)
{
    samples_fork_child();
    blocks_unlock_all();
    thread_counters.inside--;
}

bool hooks_init(void)
{
    blocks_init(BLOCKS_MAX);
    return counters_init(lines_thread_exits) &&
           pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0;
}

static void recognize(void)
{
    const char *name = _PyMem_GetCurrentAllocatorName();
    kind = name == NULL                    ? UNKNOWN
           : strcmp(name, "pymalloc") == 0 ? PYMALLOC
           : strcmp(name, "malloc") == 0   ? LIBC
                                           : UNKNOWN;
}

/* Puts one domain's wrappers on top of the original. */
static void wrap(int domain)
{
    PyMemAllocatorEx wrapper = wrappers[domain];
    wrapper.ctx = original[domain].ctx;
    if (wrapper.free == NULL) {
        wrapper.free = original[domain].free;
    }
    PyMem_SetAllocator(domains[domain], &wrapper);
}

/* Has each domain wrapped as `now`, the modes, need it, and else as it was. Buried under another tool's, ours
 * stays. */
static void wrap_domains(int now)
{
    bool any_in_chain = false;
    for (int i = 0; i < DOMAINS; i++) {
        any_in_chain |= in_chain(i) && !on_top(i);
    }
    /* What is buried can't be exchanged; counting's wrappers serve all modes. */
    const PyMemAllocatorEx *wanted =
        kind == PYMALLOC && !(now & MODE_EXACT) && !sampling_all ? sampling_wrappers : counting_wrappers;
    if (!any_in_chain) {
        wrappers = wanted;
    }
    for (int i = 0; i < DOMAINS; i++) {
        if (!wraps(now) && on_top(i)) {
            PyMem_SetAllocator(domains[i], &original[i]);
        } else if (wraps(now) && on_top(i)) {
            wrap(i);
        } else if (wraps(now) && !in_chain(i)) {
            PyMemAllocatorEx there;
            PyMem_GetAllocator(domains[i], &there);
            if (memcmp(&there, &original[i], sizeof there) != 0) {
                original[i] = there; /* a thread without the GIL may be reading it: not without need */
            }
            wrap(i);
        }
    }
}

/* Whether all domains that these modes need still come through our wrappers. */
static bool all_in_chain(int now)
{
    bool all = true;
    for (int i = 0; i < DOMAINS && wraps(now); i++) {
        all &= in_chain(i);
    }
    return all;
}

bool hooks_intact(void)
{
    int now = atomic_load(&hooks_modes);
    return all_in_chain(now) && (!(now & MODE_EXACT) || wrappers == counting_wrappers);
}

bool hooks_mend(void)
{
    int now = atomic_load(&hooks_modes);
    if (all_in_chain(now)) {
        return false;
    }
    wrap_domains(now);
    samples_forget_all(); /* deaths were missed */
    return true;
}

bool hooks_start(int wanted, uint64_t interval, uint64_t seed, size_t bytes)
{
    int before = atomic_load(&hooks_modes);
    wanted &= ~before;
    if (before == 0 && !in_chain(RAW)) {
        recognize();
    }
    if (wanted & MODE_SAMPLE && !samples_start(interval, seed, bytes, site_reader())) {
        return false;
    }
    if (wanted & MODE_SAMPLE) {
        sampling_all = interval == 1;
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
    wrap_domains(before | wanted);
    atomic_fetch_or(&hooks_modes, wanted);
    if (wanted & MODE_NATIVE) {
        extensions_start(core);
    }
    hooks_adopt_modules();
    return true;
}

bool hooks_record(unsigned number, int fd)
{
    if (!samples_record(number, fd)) {
        return false;
    }
    ending_watch(recording_ended_nopy, core);
    return true;
}

void hooks_stop(int unwanted)
{
    int now = atomic_load(&hooks_modes);
    if (unwanted & (MODE_SAMPLE | MODE_EXACT)) { /* it goes with the last of the two */
        bool is_last = (now & ~unwanted & (MODE_SAMPLE | MODE_EXACT)) == 0;
        unwanted = is_last ? unwanted | MODE_NATIVE : unwanted & ~MODE_NATIVE;
    }
    unwanted &= now;
    int left = atomic_fetch_and(&hooks_modes, ~unwanted) & ~unwanted;
    if (!wraps(left)) {
        relocate(to_theirs);
        looked_at[0] = looked_at[1] = 0;
    }
    if (unwanted & MODE_SAMPLE) {
        sampling_all = false;
    }
    wrap_domains(left);
    if (unwanted & MODE_COARSE) {
        coarse_stop();
    }
    if (unwanted & MODE_EXACT) {
        counters_flush_nopy(&thread_counters);
        blocks_clear();
    }
    if (unwanted & MODE_NATIVE) {
        extensions_stop();
    }
    if (unwanted & MODE_SAMPLE) {
        ending_unwatch();
        samples_stop();
    }
}

int hooks_mode(void)
{
    return atomic_load(&hooks_modes);
}
