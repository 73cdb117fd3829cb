#define _GNU_SOURCE
#include "samples.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "chance.h"
#include "clocks.h"
#include "lock.h"
#include "recording.h"
#include "slots.h"
#include "samples_filter.h"
#include "scopes.h"
#include "table.h"

Lock samples_lock;            /* guards everything below but the filter, and the recording */
static Table by_address;      /* address -> place: index + 1 of its slot */
static uint32_t *free_places; /* a stack of them */
static uint64_t free_count;

unsigned samples_starts;
static atomic_bool running;
atomic_uint samples_epoch;

/* Handlers that others registered for a fork may run while this thread holds all locks. Blocks that die then
 * are taken out afterwards, and none is sampled. */
enum { DIED_MAX = 256 };
static uintptr_t died[DIED_MAX];
static size_t died_count;

static atomic_bool concluded; /* what is kept stays as it is, until the next start */
static uint32_t unlist_nopy(uintptr_t address);
static void slot_free_nopy(uint32_t place);

/* ---- start and stop ---- */

static void forget_all(uint32_t state)
{
    if (recording != NULL) {
        recording_close(state, 0);
    }
    table_clear_nopy(&by_address);
    stacks_clear();
    scopes_clear();
    free(free_places);
    free_places = NULL;
    free_count = 0;
    filter_clear();
    atomic_store(&running, false);
    atomic_fetch_add(&samples_epoch, 1);
}

bool samples_start(uint64_t interval, uint64_t seed, size_t bytes, const CodeReader *reader)
{
    lock_nopy(&samples_lock); /* a hook that began before may still be in here */
    forget_all(STATE_STOPPED);
    atomic_store(&concluded, false);
    samples_starts++;
    bool started = recording_create(bytes, interval);
    if (started) {
        free_places = calloc(recording_own.slots_capacity, sizeof *free_places);
        started = scopes_start(recording_own.slots_capacity) && free_places != NULL && stacks_start(reader);
        table_init(&by_address, recording_own.slots_capacity);
        chance_start(interval, seed);
        atomic_store(&running, true);
        atomic_fetch_add(&samples_epoch, 1); /* gaps drawn until now belong to what was before */
        if (!started) {
            forget_all(STATE_STOPPED);
        }
    }
    unlock_nopy(&samples_lock);
    return started;
}

void samples_stop(void)
{
    lock_nopy(&samples_lock);
    forget_all(STATE_STOPPED);
    unlock_nopy(&samples_lock);
}

void samples_conclude(void)
{
    atomic_store(&concluded, true);
}

bool samples_are_recorded(void)
{
    return atomic_load(&running) && !samples_are_concluded();
}

bool samples_are_concluded(void)
{
    return atomic_load_explicit(&concluded, memory_order_relaxed);
}

bool samples_enter(void)
{
    if (stacks_are_held_nopy()) {
        return false;
    }
    lock_nopy(&samples_lock);
    return true;
}

void samples_leave(bool entered)
{
    if (entered) {
        unlock_nopy(&samples_lock);
    }
}

bool samples_are_damaged(void)
{
    lock_nopy(&samples_lock);
    bool damaged = recording_is_damaged();
    unlock_nopy(&samples_lock);
    return damaged;
}

void samples_forget_all(void)
{
    lock_nopy(&samples_lock);
    for (uint32_t i = 0; recording != NULL && i < recording_own.slots_used; i++) {
        RecordedSample *slot = &recording_slots_nopy()[i];
        uintptr_t address = slot_address_nopy(slot);
        uint64_t place;
        if (slot->tag != 0 && table_get_nopy(&by_address, address, &place) && place == i + 1) {
            unlist_nopy(address);
            slot_free_nopy(i + 1);
        }
    }
    unlock_nopy(&samples_lock);
}

unsigned samples_number(void)
{
    lock_nopy(&samples_lock);
    unsigned number = samples_starts;
    unlock_nopy(&samples_lock);
    return number;
}

bool samples_record(unsigned number, int fd)
{
    lock_nopy(&samples_lock);
    errno = EINVAL;
    bool done = recording != NULL && number == samples_starts && recording_attach(fd);
    unlock_nopy(&samples_lock);
    return done;
}

bool samples_write(unsigned number, uint64_t offset, const void *bytes, size_t count)
{
    lock_nopy(&samples_lock);
    bool done = recording == NULL || number != samples_starts || recording_write(offset, bytes, count);
    unlock_nopy(&samples_lock);
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

RecordedSample *samples_slot_nopy(uint32_t index)
{
    return &recording_slots_nopy()[index];
}

uint32_t samples_place_nopy(const RecordedSample *slot)
{
    return (uint32_t)(slot - recording_slots_nopy());
}

/* Forgets a slot; its address is out of by_address already. The lock is held. */
static void slot_free_nopy(uint32_t place)
{
    RecordedSample *slot = &recording_slots_nopy()[place - 1];
    scopes_gone_nopy(slot);
    slot_open_nopy(slot);
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
    uint32_t floor = RECORDING_SET(floor_level, recording_own.floor_level + 1);
    RecordedSample *slots = recording_slots_nopy();
    for (uint32_t i = 0; i < recording_own.slots_used; i++) {
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
            scopes_sample_nopy(slot, -1);
            slot_open_nopy(slot);
            slot->size = slot_size_nopy(bytes, floor, slot_origin_nopy(slot));
            slot_seal_nopy(slot, address);
            scopes_sample_nopy(slot, 1);
        } else {
            unlist_nopy(address);
            slot_free_nopy(i + 1);
        }
    }
    chance_raise_nopy(floor);
    RECORDING_SET(level, chance_level_nopy());
}

/* A free place; 0 if all are taken. The lock is held. */
static uint32_t new_place_nopy(void)
{
    if (free_count == 0 && recording_own.slots_used < recording_own.slots_capacity) {
        return (uint32_t)RECORDING_SET(slots_used, recording_own.slots_used + 1);
    }
    while (free_count == 0 && recording_own.floor_level < LEVEL_MAX) {
        thin_nopy();
    }
    return free_count > 0 ? free_places[--free_count] : 0;
}

/* What a block adds to the figures of its stack when it is sampled at this size. */
static void allocated_nopy(const RecordedSample *slot, double sign)
{
    Estimate of_slot = chance_estimate_nopy(slot_bytes_nopy(slot), slot_level_nopy(slot));
    if (slot->stack < recording_own.stacks_capacity) {
        RecordedTotal *total = &recording_totals_nopy()[slot->stack];
        total->bytes += sign * of_slot.bytes;
        total->blocks += sign * of_slot.blocks;
    }
}

void samples_put_nopy(const ThreadCounters *counters, uintptr_t address, uint64_t bytes, int origin,
                      const RawStack *stack, uint64_t run)
{
    if (stacks_are_held_nopy() || atomic_load_explicit(&concluded, memory_order_relaxed)) {
        return;
    }
    uint64_t now_ns = clock_ns_nopy(CLOCK_MONOTONIC_COARSE);
    lock_nopy(&samples_lock);
    /* Stopped, or started again, since the hit; or an address no sample can keep. */
    if (recording == NULL || counters->epoch != atomic_load(&samples_epoch) || address >> 48 != 0) {
        unlock_nopy(&samples_lock);
        return;
    }
    uint64_t age_ns =
        now_ns > recording_own.began_monotonic_ns ? now_ns - recording_own.began_monotonic_ns : 0;
    uint32_t at_level = counters->hit_level;
    uint32_t place = new_place_nopy();
    if (place != 0 && at_level < recording_own.floor_level) { /* thinned meanwhile: so is this one */
        double chance = chance_nopy(bytes, at_level);
        at_level = recording_own.floor_level;
        if (!chance_keeps_nopy(chance, chance_nopy(bytes, at_level))) {
            slot_free_nopy(place);
            unlock_nopy(&samples_lock);
            return;
        }
    }
    if (place != 0 && !list_nopy(address, place)) {
        slot_free_nopy(place);
        place = 0;
    }
    if (place == 0) {
        RECORDING_SET(dropped, recording_own.dropped + 1);
    } else {
        RecordedSample *slot = &recording_slots_nopy()[place - 1];
        slot->size = slot_size_nopy(bytes > 0 ? bytes : 1, at_level, origin);
        slot->stack = stacks_number_nopy(stack);
        slot->born = (uint32_t)(age_ns / 100000000);
        run = scopes_maker_nopy(run);
        RunOf made_in = scopes_run_nopy(run);
        slot->thread = slot_thread_nopy(counters->thread, made_in.scope);
        slot->run = made_in.run;
        slot_seal_nopy(slot, address);
        scopes_born_nopy(slot, run);
        allocated_nopy(slot, 1);
        RECORDING_SET(sampled, recording_own.sampled + 1);
        chance_pace_nopy(recording_own.sampled, now_ns, recording_own.floor_level);
        RECORDING_SET(level, chance_level_nopy());
    }
    unlock_nopy(&samples_lock);
}

/* Whether the block that leaves this address may have a sample to be taken out now. */
static inline bool may_leave_nopy(uintptr_t address)
{
    if (filter_passes_nopy(address)) {
        return false;
    }
    if (stacks_are_held_nopy()) {
        if (died_count < DIED_MAX) {
            died[died_count++] = address;
        }
        return false;
    }
    return !atomic_load_explicit(&concluded, memory_order_relaxed);
}

/* Forgets the sample of a block that dies; 0 if there is none. The lock is held. */
static uint32_t dies_nopy(uintptr_t address)
{
    uint32_t place = unlist_nopy(address);
    if (place != 0) {
        scopes_death_nopy(&recording_slots_nopy()[place - 1]);
        slot_free_nopy(place);
    }
    return place;
}

bool samples_take_nopy(uintptr_t address)
{
    if (!may_leave_nopy(address)) {
        return false;
    }
    lock_nopy(&samples_lock);
    uint32_t place = dies_nopy(address);
    unlock_nopy(&samples_lock);
    return place != 0;
}

LiftedSample samples_lift_nopy(uintptr_t address)
{
    LiftedSample lifted = {0};
    if (!may_leave_nopy(address)) {
        return lifted;
    }
    lock_nopy(&samples_lock);
    lifted.place = unlist_nopy(address);
    lifted.epoch = atomic_load(&samples_epoch);
    if (lifted.place != 0) {
        lifted.bytes = slot_bytes_nopy(&recording_slots_nopy()[lifted.place - 1]);
    }
    unlock_nopy(&samples_lock);
    return lifted;
}

void samples_land_nopy(LiftedSample lifted, uintptr_t address, uint64_t bytes)
{
    if (lifted.place == 0) {
        return;
    }
    lock_nopy(&samples_lock);
    if (lifted.epoch == atomic_load(&samples_epoch)) {
        RecordedSample *slot = &recording_slots_nopy()[lifted.place - 1];
        uint32_t at_level = slot_level_nopy(slot);
        bool keep = bytes >= lifted.bytes ||
                    chance_keeps_nopy(chance_nopy(lifted.bytes, at_level), chance_nopy(bytes, at_level));
        if (!keep || !list_nopy(address, lifted.place)) {
            RECORDING_SET(dropped, recording_own.dropped + keep);
            slot_free_nopy(lifted.place);
        } else {
            scopes_sample_nopy(slot, -1);
            slot_open_nopy(slot);
            if (bytes > lifted.bytes) {
                allocated_nopy(slot, -1);
            }
            slot->size = slot_size_nopy(bytes, at_level, slot_origin_nopy(slot));
            if (bytes > lifted.bytes) {
                allocated_nopy(slot, 1);
            }
            slot_seal_nopy(slot, address);
            scopes_sample_nopy(slot, 1);
        }
    }
    unlock_nopy(&samples_lock);
}

void samples_forget_nopy(LiftedSample lifted)
{
    if (lifted.place != 0) {
        lock_nopy(&samples_lock);
        if (lifted.epoch == atomic_load(&samples_epoch)) {
            slot_free_nopy(lifted.place);
        }
        unlock_nopy(&samples_lock);
    }
}

/* ---- fork ---- */

void samples_fork_prepare(void)
{
    lock_nopy(&samples_lock);
    table_lock_all(&by_address);
    stacks_lock_all();
    RecordingUsed used;
    stacks_extent(&used);
    recording_fork_prepare(&used);
}

static void unlock_all(void)
{
    stacks_unlock_all();
    table_unlock_all(&by_address);
    while (died_count > 0) {
        dies_nopy(died[--died_count]);
    }
    unlock_nopy(&samples_lock);
}

void samples_fork_parent(void)
{
    recording_fork_parent();
    unlock_all();
}

void samples_clone_child(void)
{
    recording_fork_child();
}

void samples_fork_child(void)
{
    bool goes_on = recording_fork_child();
    died_count = goes_on ? died_count : 0; /* there is nothing to take them out of */
    chance_diverge();
    atomic_fetch_add(&samples_epoch, 1);
    unlock_all();
    if (!goes_on) {
        samples_stop();
    }
}
