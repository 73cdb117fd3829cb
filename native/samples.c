#define _GNU_SOURCE
#include "samples.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "chance.h"
#include "lock.h"
#include "recording.h"
#include "slots.h"
#include "table.h"

enum { FILTER_SIZE = 1 << 16 };

static Lock lock;             /* guards everything below but the filter, and the recording */
static Table by_address;      /* address -> place: index + 1 of its slot */
static uint32_t *free_places; /* a stack of them */
static uint64_t free_count;

static atomic_bool running;
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

/* ---- start and stop ---- */

static void forget_all(uint32_t state)
{
    if (recording != NULL) {
        recording_close(state, 0);
    }
    table_clear_nopy(&by_address);
    stacks_clear();
    free(free_places);
    free_places = NULL;
    free_count = 0;
    for (size_t i = 0; i < FILTER_SIZE; i++) {
        if (atomic_load_explicit(&filter[i], memory_order_relaxed) != 0) { /* leave clean pages clean */
            atomic_store_explicit(&filter[i], 0, memory_order_relaxed);
        }
    }
    atomic_store(&running, false);
    atomic_fetch_add(&samples_epoch, 1);
}

bool samples_start(uint64_t interval, uint64_t seed, size_t bytes, const CodeReader *reader)
{
    lock_nopy(&lock); /* a hook that began before may still be in here */
    forget_all(STATE_STOPPED);
    bool started = recording_create(bytes, interval);
    if (started) {
        free_places = calloc(recording->slots_capacity, sizeof *free_places);
        started = free_places != NULL && stacks_start(reader);
        table_init(&by_address, recording->slots_capacity);
        chance_start(interval, seed);
        atomic_store(&running, true);
        atomic_fetch_add(&samples_epoch, 1); /* gaps drawn until now belong to what was before */
        if (!started) {
            forget_all(STATE_STOPPED);
        }
    }
    unlock_nopy(&lock);
    return started;
}

void samples_stop(void)
{
    lock_nopy(&lock);
    forget_all(STATE_STOPPED);
    unlock_nopy(&lock);
}

bool samples_record(int fd)
{
    lock_nopy(&lock);
    bool done = false;
    if (recording != NULL) {
        done = recording_attach(fd);
    } else {
        errno = EINVAL;
    }
    unlock_nopy(&lock);
    return done;
}

bool samples_write(uint64_t offset, const void *bytes, size_t count)
{
    lock_nopy(&lock);
    bool done = recording == NULL || recording_write(offset, bytes, count);
    unlock_nopy(&lock);
    return done;
}

/* ---- the end of a gap ---- */

bool samples_gap_over_nopy(ThreadCounters *counters, uint64_t bytes)
{
    unsigned epoch = atomic_load(&samples_epoch);
    if (!atomic_load(&running)) { /* and a hook is still in place */
        counters->epoch = epoch;
        counters->until = INT64_C(1) << 62;
        return false;
    }
    if (counters->epoch != epoch) { /* the first block since the start: there is no gap to end yet */
        counters->epoch = epoch;
        chance_seed_nopy(counters);
        counters->thread = (uint32_t)syscall(SYS_gettid);
        chance_draw_nopy(counters);
        counters->until -= (int64_t)bytes;
        if (counters->until > 0) {
            return false;
        }
    }
    counters->hit_level = counters->level;
    chance_draw_nopy(counters);
    return !counters->muted;
}

/* ---- slots ---- */

/* Forgets a slot; its address is out of by_address already. The lock is held. */
static void slot_free_nopy(uint32_t place)
{
    slot_open_nopy(&recording_slots_nopy()[place - 1]);
    free_places[free_count++] = place;
}

/* Takes the sample at `address` out of the look-up; 0 if there is none. The lock is held. */
static uint32_t unlist_nopy(uintptr_t address)
{
    uint64_t place;
    if (!table_take_nopy(&by_address, address, &place)) {
        return 0;
    }
    filter_remove_nopy(address);
    return (uint32_t)place;
}

/* Lists a slot under its address; false without memory. The lock is held. */
static bool list_nopy(uintptr_t address, uint32_t place)
{
    uint64_t old = 0;
    bool had = false;
    if (!table_put_nopy(&by_address, address, place, &old, &had)) {
        return false;
    }
    if (had) {
        slot_free_nopy((uint32_t)old); /* its death was missed; its filter count serves the new one */
    } else {
        filter_add_nopy(address);
    }
    return true;
}

/* Raises the samples of the lowest level to the next: some go. The lock is held. */
static void thin_nopy(void)
{
    uint32_t floor = ++recording->floor_level;
    RecordedSample *slots = recording_slots_nopy();
    for (uint32_t i = 0; i < recording->slots_used; i++) {
        RecordedSample *slot = &slots[i];
        uint32_t old = slot_level_nopy(slot);
        uintptr_t address = slot_address_nopy(slot);
        if (slot->tag == 0 || old >= floor) {
            continue;
        }
        uint64_t bytes = slot_bytes_nopy(slot), place;
        if (!table_get_nopy(&by_address, address, &place) || place != i + 1) {
            continue; /* its block is being moved just now */
        }
        if (chance_keeps_nopy(chance_nopy(bytes, old), chance_nopy(bytes, floor))) {
            slot_open_nopy(slot);
            slot->size = slot_size_nopy(bytes, floor, slot_origin_nopy(slot));
            slot_seal_nopy(slot, address);
        } else {
            unlist_nopy(address);
            slot_free_nopy(i + 1);
        }
    }
    chance_raise_nopy(floor);
    recording->level = chance_level_nopy();
}

/* A free place; 0 if all are taken. The lock is held. */
static uint32_t new_place_nopy(void)
{
    if (free_count == 0 && recording->slots_used < recording->slots_capacity) {
        return (uint32_t)++recording->slots_used;
    }
    while (free_count == 0 && recording->floor_level < LEVEL_MAX) {
        thin_nopy();
    }
    return free_count > 0 ? free_places[--free_count] : 0;
}

/* What a block adds to the figures of its stack when it is sampled at this size. */
static void allocated_nopy(const RecordedSample *slot, double sign)
{
    double bytes = (double)slot_bytes_nopy(slot), p = chance_nopy((uint64_t)bytes, slot_level_nopy(slot));
    RecordedTotal *total = &recording_totals_nopy()[slot->stack];
    total->bytes += sign * bytes / p;
    total->blocks += sign / p;
}

void samples_put_nopy(const ThreadCounters *counters, uintptr_t address, uint64_t bytes, int origin,
                      const RawStack *stack)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    lock_nopy(&lock);
    /* Stopped, or started again, since the hit; or an address no sample can keep. */
    if (recording == NULL || counters->epoch != atomic_load(&samples_epoch) || address >> 48 != 0) {
        unlock_nopy(&lock);
        return;
    }
    uint64_t age_ns = now_ns > recording->began_monotonic_ns ? now_ns - recording->began_monotonic_ns : 0;
    uint32_t at_level = counters->hit_level;
    uint32_t place = new_place_nopy();
    if (place != 0 && at_level < recording->floor_level) { /* thinned meanwhile: so is this one */
        double chance = chance_nopy(bytes, at_level);
        at_level = recording->floor_level;
        if (!chance_keeps_nopy(chance, chance_nopy(bytes, at_level))) {
            slot_free_nopy(place);
            unlock_nopy(&lock);
            return;
        }
    }
    if (place != 0 && !list_nopy(address, place)) {
        slot_free_nopy(place);
        place = 0;
    }
    if (place == 0) {
        recording->dropped++;
    } else {
        RecordedSample *slot = &recording_slots_nopy()[place - 1];
        slot->size = slot_size_nopy(bytes > 0 ? bytes : 1, at_level, origin);
        slot->stack = stacks_number_nopy(stack);
        slot->born = (uint32_t)(age_ns / 100000000);
        slot->thread = counters->thread;
        slot->run = 0;
        slot_seal_nopy(slot, address);
        allocated_nopy(slot, 1);
        chance_pace_nopy(++recording->sampled, now_ns, recording->floor_level);
        recording->level = chance_level_nopy();
    }
    unlock_nopy(&lock);
}

bool samples_take_nopy(uintptr_t address)
{
    if (__builtin_expect(atomic_load_explicit(filter_of_nopy(address), memory_order_relaxed) == 0, 1)) {
        return false;
    }
    lock_nopy(&lock);
    uint32_t place = unlist_nopy(address);
    if (place != 0) {
        slot_free_nopy(place);
    }
    unlock_nopy(&lock);
    return place != 0;
}

LiftedSample samples_lift_nopy(uintptr_t address)
{
    LiftedSample lifted = {0};
    if (__builtin_expect(atomic_load_explicit(filter_of_nopy(address), memory_order_relaxed) == 0, 1)) {
        return lifted;
    }
    lock_nopy(&lock);
    lifted.place = unlist_nopy(address);
    lifted.epoch = atomic_load(&samples_epoch);
    if (lifted.place != 0) {
        lifted.bytes = slot_bytes_nopy(&recording_slots_nopy()[lifted.place - 1]);
    }
    unlock_nopy(&lock);
    return lifted;
}

void samples_land_nopy(LiftedSample lifted, uintptr_t address, uint64_t bytes)
{
    if (lifted.place == 0) {
        return;
    }
    lock_nopy(&lock);
    if (lifted.epoch == atomic_load(&samples_epoch)) {
        RecordedSample *slot = &recording_slots_nopy()[lifted.place - 1];
        uint32_t at_level = slot_level_nopy(slot);
        bool keep = bytes >= lifted.bytes ||
                    chance_keeps_nopy(chance_nopy(lifted.bytes, at_level), chance_nopy(bytes, at_level));
        if (!keep || !list_nopy(address, lifted.place)) {
            recording->dropped += keep;
            slot_free_nopy(lifted.place);
        } else {
            slot_open_nopy(slot);
            if (bytes > lifted.bytes) {
                allocated_nopy(slot, -1);
            }
            slot->size = slot_size_nopy(bytes, at_level, slot_origin_nopy(slot));
            if (bytes > lifted.bytes) {
                allocated_nopy(slot, 1);
            }
            slot_seal_nopy(slot, address);
        }
    }
    unlock_nopy(&lock);
}

void samples_forget_nopy(LiftedSample lifted)
{
    if (lifted.place != 0) {
        lock_nopy(&lock);
        if (lifted.epoch == atomic_load(&samples_epoch)) {
            slot_free_nopy(lifted.place);
        }
        unlock_nopy(&lock);
    }
}

/* ---- totals ---- */

static void add_up_nopy(const RecordedSample *slot, double *bytes, double *variance, double *blocks)
{
    double n = (double)slot_bytes_nopy(slot), p = chance_nopy((uint64_t)n, slot_level_nopy(slot));
    *bytes += n / p;
    *variance += n * n * (1 - p) / (p * p);
    *blocks += 1 / p;
}

static void name_site(uint32_t number, SiteTotal *site)
{
    RecordedHalf half = recording_half_nopy(recording->half);
    const RecordedStack *stack = &half.stacks[number];
    if (stack->frames != 0) {
        const RecordedFrame *frame = &half.frames[stack->first_frame];
        const RecordedFunction *function = &half.functions[frame->function];
        memccpy(site->file, half.text + function->file, 0, sizeof site->file);
        memccpy(site->function, half.text + function->name, 0, sizeof site->function);
        site->line = frame->line;
    }
}

size_t samples_by_stack(SiteTotal *totals, size_t capacity)
{
    size_t count = 0;
    lock_nopy(&lock);
    /* By stack: index + 1 in `totals`. */
    uint32_t *places = recording != NULL ? calloc(recording->stacks_capacity, sizeof *places) : NULL;
    for (uint64_t i = 0; places != NULL && i < recording->slots_used; i++) {
        const RecordedSample *slot = &recording_slots_nopy()[i];
        if (slot->tag == 0) {
            continue;
        }
        if (places[slot->stack] == 0) {
            places[slot->stack] = (uint32_t)++count;
            if (count <= capacity) {
                totals[count - 1] = (SiteTotal){0};
                name_site(slot->stack, &totals[count - 1]);
            }
        }
        if (places[slot->stack] <= capacity) {
            SiteTotal *site = &totals[places[slot->stack] - 1];
            add_up_nopy(slot, &site->bytes, &site->bytes_variance, &site->blocks);
            site->samples++;
        }
    }
    unlock_nopy(&lock);
    free(places);
    return count;
}

SamplesTotal samples_total(void)
{
    SamplesTotal total = {0};
    double blocks = 0, large_variance = 0;
    lock_nopy(&lock);
    for (uint64_t i = 0; recording != NULL && i < recording->slots_used; i++) {
        const RecordedSample *slot = &recording_slots_nopy()[i];
        if (slot->tag != 0) {
            total.samples++;
            add_up_nopy(slot, &total.bytes, &total.bytes_variance, &blocks);
            if (slot_bytes_nopy(slot) > PYMALLOC_MAX && slot_origin_nopy(slot) == FROM_PYTHON) {
                add_up_nopy(slot, &total.large_bytes, &large_variance, &blocks);
            }
        }
    }
    if (recording != NULL) {
        total.dropped = recording->dropped;
        total.interval = recording->interval << chance_level_nopy();
    }
    unlock_nopy(&lock);
    return total;
}

/* ---- fork ---- */

void samples_fork_prepare(void)
{
    lock_nopy(&lock);
    table_lock_all(&by_address);
    stacks_lock_all();
    recording_fork_prepare();
}

static void unlock_all(void)
{
    stacks_unlock_all();
    table_unlock_all(&by_address);
    unlock_nopy(&lock);
}

void samples_fork_parent(void)
{
    recording_fork_parent();
    unlock_all();
}

void samples_fork_child(void)
{
    bool goes_on = recording_fork_child();
    chance_diverge();
    atomic_fetch_add(&samples_epoch, 1);
    unlock_all();
    if (!goes_on) {
        samples_stop();
    }
}
