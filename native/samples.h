/* The sampled blocks that are alive, kept in the recording.
 *
 * Poisson sampling by bytes: sample points lie on the stream of allocated bytes with exponential gaps
 * of mean R. A block of n bytes catches at least one with probability p = 1 - exp(-n/R), so each
 * sampled block stands for n/p bytes (Horvitz-Thompson), and the sum over live samples estimates the
 * bytes in use with variance sum n^2 (1-p)/p^2. The derivation for allocators:
 * Duffield, Lund, Thorup, "Priority sampling" (2007); Go's runtime/mprof.go applies the same weights.
 *
 * R is the interval times 2^level. The level new samples are drawn at rises while they come too fast, and
 * falls again; each sample keeps its own. When all places are taken, the samples of the lowest level are
 * thinned to the next: kept with probability p(next)/p, as if they had been drawn there.
 */
#ifndef OUTLIVE_SAMPLES_H
#define OUTLIVE_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"
#include "lock.h"
#include "stacks.h"

/* A pymalloc block that is not RAW's has at most this many bytes; larger requests go on to RAW. */
enum { PYMALLOC_MAX = 512 };

enum { FROM_PYTHON = 0, FROM_MALLOC = 1 };

/* A sample whose block is being reallocated: `place` 0 if it was none. */
typedef struct {
    uint64_t bytes;
    uint32_t place;
    unsigned epoch;
} LiftedSample;

/* What a stack holds now; its innermost line. The texts are cut if longer. */
typedef struct {
    char file[CODE_FILE_MAX], function[CODE_NAME_MAX]; /* "" if no Python frame ran */
    uint32_t line;
    double bytes, bytes_variance;
    double blocks;
    uint64_t samples;
} SiteTotal;

/* All live samples. `large_bytes` estimates the part in Python's blocks above PYMALLOC_MAX. */
typedef struct {
    double bytes, bytes_variance, large_bytes;
    uint64_t samples, dropped;
    uint64_t interval; /* new ones are drawn at */
} SamplesTotal;

/* Guards the samples and the recording. Whoever takes it may not allocate through a hook. */
extern Lock samples_lock;

/* Take and give the lock, unless this thread holds it around a fork: then handlers that others registered for
 * the fork are what runs. */
bool samples_enter(void);
void samples_leave(bool entered);

/* Whether sampling runs, and is to go on. Takes no lock. */
bool samples_are_recorded(void);

/* Whether the recording is to stay as it is. */
bool samples_are_concluded(void);

/* Counts the starts: the number of the last recording that began. The lock is held. */
extern unsigned samples_starts;

/* A slot by its index, and back. The lock is held. */
RecordedSample *samples_slot_nopy(uint32_t index);
uint32_t samples_place_nopy(const RecordedSample *slot);

/* Begins with no samples, a mean gap of `interval` bytes (>= 1), this seed, and a recording of `bytes`
 * (recording.h). False without memory; nothing runs then. */
bool samples_start(uint64_t interval, uint64_t seed, size_t bytes, const CodeReader *reader);

/* Ends the recording (`state`, recording.h), forgets all and gives the memory back. Safe beside put and take
 * in other threads. */
void samples_stop(void);

/* Leaves the recording as it is from now on, whatever is allocated or freed, until the next start. */
void samples_conclude(void);

/* Whether others wrote to the recording's file, or cut it. */
bool samples_are_damaged(void);

/* Forgets all live samples; what was allocated so far stays known. */
void samples_forget_all(void);

/* The number of the last recording that began. */
unsigned samples_number(void);

/* Moves the recording of this number into a file; see recording_attach. EINVAL when that one is over. */
bool samples_record(unsigned number, int fd);

/* Writes into the notes and timeline of the recording of this number; see recording_write. True, with nothing
 * done, when that one is over. */
bool samples_write(unsigned number, uint64_t offset, const void *bytes, size_t count);

/* The rest of samples_hit_nopy: the gap is over, or was drawn before this start. */
bool samples_gap_over_nopy(ThreadCounters *counters, uint64_t bytes);

/* Notes a block that this thread's last hit chose, made in the run of this id (scopes.h); counts a drop
 * instead when memory runs out. */
void samples_put_nopy(const ThreadCounters *counters, uintptr_t address, uint64_t bytes, int origin,
                      const RawStack *stack, uint64_t run);

/* Forgets the block at `address`; false if it was not sampled, or around a fork(), which only notes it. */
bool samples_take_nopy(uintptr_t address);

/* Before a realloc: takes the sample's address from it. After: gives it its new one, and size; a block that
 * shrank may lose its sample. */
LiftedSample samples_lift_nopy(uintptr_t address);
void samples_land_nopy(LiftedSample lifted, uintptr_t address, uint64_t bytes);

/* Forgets a lifted sample. */
void samples_forget_nopy(LiftedSample lifted);

/* Fills `totals` (room for `capacity`) with the stacks that hold something, and returns how many those are,
 * also beyond capacity. */
size_t samples_by_stack(SiteTotal *totals, size_t capacity);

/* All of it in one. */
SamplesTotal samples_total(void);

/* Around fork(): take and give all locks; the child goes on with a copy and without a file. */
void samples_fork_prepare(void);
void samples_fork_parent(void);
void samples_fork_child(void);

/* Instead, in a child that only reads, and may not even free: another thread may have been allocating. */
void samples_clone_child(void);

/* Counts the starts; a thread's gap belongs to one. */
extern atomic_uint samples_epoch;

/* Whether the `bytes` this thread allocates now end before its next sample point, which they come nearer to.
 * If not, samples_gap_over_nopy must follow. */
static inline bool samples_pass_nopy(ThreadCounters *counters, uint64_t bytes)
{
    counters->until -= (int64_t)bytes;
    return __builtin_expect(counters->until > 0 &&
                                counters->epoch == atomic_load_explicit(&samples_epoch, memory_order_relaxed),
                            1);
}

/* Whether one of this thread's sample points lies in the `bytes` it allocates now; draws the next gap if so.
 * */
static inline bool samples_hit_nopy(ThreadCounters *counters, uint64_t bytes)
{
    return !samples_pass_nopy(counters, bytes) && samples_gap_over_nopy(counters, bytes);
}

#endif
