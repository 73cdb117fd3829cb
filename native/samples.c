#include "samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lock.h"
#include "table.h"

enum {
    FILTER_SIZE = 1 << 16,
    SAMPLES_MAX = 1 << 18,
    SITES_MAX = 1 << 13,
    SITES_HASHED = SITES_MAX * 2,
};

typedef struct {
    uint64_t bytes;
    uint32_t site;
    uint32_t next_free; /* index + 1 */
    bool alive;
} Sample;

static Table by_address;
static Lock lock;       /* guards everything below but the filter */
static Sample *samples; /* grown by doubling; index + 1 is the value in by_address */
static uint32_t samples_used, samples_capacity, samples_free;
static Site **sites;
static uint32_t sites_used;
static uint32_t *site_index; /* open-addressed by content: site + 1, or 0 */
static uint64_t dropped;

static double mean_gap;
static uint64_t base_seed;
static atomic_uint_fast64_t threads_seeded;
atomic_uint samples_epoch;

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
    unsigned char seen = atomic_load(count);
    while (seen < 255 && !atomic_compare_exchange_weak(count, &seen, seen + 1)) {
    }
}

static void filter_remove_nopy(uintptr_t address)
{
    atomic_uchar *count = filter_of_nopy(address);
    unsigned char seen = atomic_load(count);
    while (seen > 0 && seen < 255 && !atomic_compare_exchange_weak(count, &seen, seen - 1)) {
    }
}

void samples_start(uint64_t interval, uint64_t seed)
{
    samples_clear();
    lock_nopy(&lock); /* a hook that began before may still be in here */
    table_init(&by_address, SAMPLES_MAX);
    mean_gap = (double)interval;
    base_seed = seed;
    atomic_store(&threads_seeded, 0);
    atomic_fetch_add(&samples_epoch, 1);
    unlock_nopy(&lock);
}

void samples_clear(void)
{
    lock_nopy(&lock);
    table_clear(&by_address); /* with the lock: a hook may be noting a sample right now */
    for (uint32_t i = 0; i < sites_used; i++) {
        free(sites[i]);
    }
    free(sites);
    free(site_index);
    free(samples);
    sites = NULL;
    site_index = NULL;
    samples = NULL;
    sites_used = samples_used = samples_capacity = samples_free = 0;
    dropped = 0;
    for (size_t i = 0; i < FILTER_SIZE; i++) {
        atomic_store_explicit(&filter[i], 0, memory_order_relaxed);
    }
    unlock_nopy(&lock);
}

/* splitmix64 (Steele, Lea, Flood 2014): one 64-bit state, passes BigCrush, no warm-up. */
static uint64_t next_random_nopy(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static void draw_gap_nopy(ThreadCounters *counters)
{
    double uniform = (double)(next_random_nopy(&counters->random) >> 11) * 0x1p-53; /* [0, 1) */
    counters->until = (int64_t)(-log1p(-uniform) * mean_gap) + 1;
}

bool samples_gap_over_nopy(ThreadCounters *counters, uint64_t bytes)
{
    unsigned epoch = atomic_load(&samples_epoch);
    if (counters->epoch !=
        epoch) { /* this thread's first block since the start: there is no gap to end yet */
        uint64_t stream = atomic_fetch_add(&threads_seeded, 1) + 1;
        counters->epoch = epoch;
        counters->random = base_seed ^ stream * UINT64_C(0xD1342543DE82EF95);
        draw_gap_nopy(counters);
        counters->until -= (int64_t)bytes;
        if (counters->until > 0) {
            return false;
        }
    }
    draw_gap_nopy(counters);
    return true;
}

static uint64_t hash_site_nopy(const Site *site)
{
    uint64_t h = UINT64_C(1469598103934665603) ^ (uint64_t)site->line; /* FNV-1a */
    for (const char *c = site->file; *c != '\0'; c++) {
        h = (h ^ (unsigned char)*c) * UINT64_C(1099511628211);
    }
    for (const char *c = site->function; *c != '\0'; c++) {
        h = (h ^ (unsigned char)*c) * UINT64_C(1099511628211);
    }
    return h;
}

static bool same_site_nopy(const Site *a, const Site *b)
{
    return a->line == b->line && strcmp(a->file, b->file) == 0 && strcmp(a->function, b->function) == 0;
}

/* Where `site` is in site_index, or the empty place where it would go. There is one. */
static uint32_t *index_place_nopy(const Site *site)
{
    uint32_t i = (uint32_t)(hash_site_nopy(site) % SITES_HASHED);
    while (site_index[i] != 0 && !same_site_nopy(sites[site_index[i] - 1], site)) {
        i = (i + 1) % SITES_HASHED;
    }
    return &site_index[i];
}

/* Frees the sites that hold no sample and renumbers the others. Without memory it does nothing. The lock is
 * held. */
static void reclaim_sites_nopy(void)
{
    uint32_t *number = calloc(sites_used, sizeof *number); /* by old number: the new one + 1 */
    if (number == NULL) {
        return;
    }
    for (uint32_t i = 0; i < samples_used; i++) {
        if (samples[i].alive) {
            number[samples[i].site] = 1;
        }
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < sites_used; i++) {
        if (number[i] == 0) {
            free(sites[i]);
        } else {
            sites[kept] = sites[i];
            number[i] = ++kept;
        }
    }
    sites_used = kept;
    for (uint32_t i = 0; i < samples_used; i++) {
        if (samples[i].alive) {
            samples[i].site = number[samples[i].site] - 1;
        }
    }
    free(number);
    memset(site_index, 0, SITES_HASHED * sizeof *site_index);
    for (uint32_t i = 0; i < sites_used; i++) {
        *index_place_nopy(sites[i]) = i + 1;
    }
}

/* The number of the site equal to `site`, copied and interned if new; -1 at the cap or without memory.
 * The lock is held. */
static int64_t intern_nopy(const Site *site)
{
    if (sites == NULL) {
        sites = calloc(SITES_MAX, sizeof *sites);
        site_index = calloc(SITES_HASHED, sizeof *site_index);
        if (sites == NULL || site_index == NULL) {
            free(sites);
            free(site_index);
            sites = NULL;
            site_index = NULL;
            return -1;
        }
    }
    uint32_t *place = index_place_nopy(site);
    if (*place != 0) {
        return (int64_t)*place - 1;
    }
    if (sites_used == SITES_MAX) {
        reclaim_sites_nopy();
        place = index_place_nopy(site);
    }
    Site *copy = sites_used < SITES_MAX ? malloc(sizeof *copy) : NULL;
    if (copy == NULL) {
        return -1;
    }
    *copy = *site;
    sites[sites_used] = copy;
    *place = ++sites_used;
    return (int64_t)sites_used - 1;
}

/* A free place in `samples` as index + 1; 0 at the cap or without memory. The lock is held. */
static uint32_t new_sample_nopy(void)
{
    uint32_t place = samples_free;
    if (place != 0) {
        samples_free = samples[place - 1].next_free;
        return place;
    }
    if (samples_used == samples_capacity) {
        uint32_t capacity = samples_capacity ? samples_capacity * 2 : 256;
        Sample *more = capacity <= SAMPLES_MAX ? realloc(samples, capacity * sizeof *more) : NULL;
        if (more == NULL) {
            return 0;
        }
        samples = more;
        samples_capacity = capacity;
    }
    return ++samples_used;
}

static void free_sample_nopy(uint32_t place)
{
    samples[place - 1].alive = false;
    samples[place - 1].next_free = samples_free;
    samples_free = place;
}

void samples_put_nopy(uintptr_t address, uint64_t bytes, const Site *site)
{
    lock_nopy(&lock);
    int64_t site_number = intern_nopy(site);
    uint32_t place = site_number >= 0 ? new_sample_nopy() : 0;
    uint64_t old = 0;
    bool had = false;
    if (place != 0) {
        samples[place - 1] =
            (Sample){.bytes = bytes > 0 ? bytes : 1, .site = (uint32_t)site_number, .alive = true};
        if (!table_put_nopy(&by_address, address, place, &old, &had)) {
            free_sample_nopy(place);
            place = 0;
        } else if (had) {
            free_sample_nopy((uint32_t)old); /* its death was missed; its filter count serves the new one */
        }
    }
    if (place == 0) {
        dropped++;
    } else if (!had) {
        filter_add_nopy(address);
    }
    unlock_nopy(&lock);
}

bool samples_take_nopy(uintptr_t address)
{
    if (__builtin_expect(atomic_load_explicit(filter_of_nopy(address), memory_order_relaxed) == 0, 1)) {
        return false;
    }
    uint64_t place;
    bool found = false;
    lock_nopy(&lock);
    if (table_take_nopy(&by_address, address, &place)) {
        found = true;
        free_sample_nopy((uint32_t)place);
        filter_remove_nopy(address);
    }
    unlock_nopy(&lock);
    return found;
}

size_t samples_totals(SiteTotal *totals, size_t capacity)
{
    lock_nopy(&lock);
    size_t count = sites_used < capacity ? sites_used : capacity;
    for (size_t i = 0; i < count; i++) {
        totals[i] = (SiteTotal){.site = *sites[i]};
    }
    for (uint32_t i = 0; i < samples_used; i++) {
        double n = (double)samples[i].bytes;
        if (samples[i].alive && samples[i].site < count) {
            double p = -expm1(-n / mean_gap);
            SiteTotal *total = &totals[samples[i].site];
            total->bytes += n / p;
            total->bytes_variance += n * n * (1 - p) / (p * p);
            total->blocks += 1 / p;
            total->samples++;
        }
    }
    size_t known = sites_used;
    unlock_nopy(&lock);
    return capacity == 0 ? known : count;
}

uint64_t samples_dropped(void)
{
    lock_nopy(&lock);
    uint64_t count = dropped;
    unlock_nopy(&lock);
    return count;
}

void samples_lock_all(void)
{
    lock_nopy(&lock);
    table_lock_all(&by_address);
}

void samples_unlock_all(void)
{
    table_unlock_all(&by_address);
    unlock_nopy(&lock);
}
