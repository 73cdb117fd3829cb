/* The recording: one region of memory that holds the sampler's live state, laid out as format version 1 says
 * (docs/reference/formats.md). Private at first; recording_attach moves it into a file, which other processes
 * may then read at any instant, and after this one was killed: an update is a plain store.
 */
#ifndef OUTLIVE_RECORDING_H
#define OUTLIVE_RECORDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RECORDING_VERSION = 1,
    HEADER_BYTES = 4096,
    NOTES_BYTES = 2 * 8192,
    TIMELINE_BYTES = (1200 + 3600 + 11520) * 104,
    SCOPES_MAX = 1024,
    RUNS_MAX = 2048, /* open at a time; more are counted only */
    STATE_RUNNING = 1,
    STATE_STOPPED = 2,
    STATE_EXITED = 3,
    STATE_SIGNALLED = 4,
};

#define RECORDING_BYTES_MIN ((size_t)3 << 20)
#define RECORDING_BYTES_DEFAULT ((size_t)8 << 20)
#define RECORDING_BYTES_MAX ((size_t)1 << 30)

typedef struct {
    char magic[8];
    uint32_t version, header_bytes;
    uint64_t file_bytes;
    uint64_t notes_offset, notes_bytes;
    uint64_t timeline_offset, timeline_bytes;
    uint64_t slots_offset, slots_capacity;
    uint64_t totals_offset, stacks_capacity;
    uint64_t halves_offset[2], half_bytes;
    uint64_t functions_capacity, frames_capacity, text_bytes; /* of one half */
    /* From here on it changes. */
    uint32_t pid, parent_pid;
    uint64_t began_unix_ns, began_monotonic_ns;
    uint64_t interval;
    _Atomic uint32_t level;      /* new samples are taken every interval << level bytes */
    uint32_t floor_level;        /* the least level of any sample */
    _Atomic uint32_t generation; /* odd while stacks give way to others */
    _Atomic uint32_t half;       /* the one that counts */
    uint64_t slots_used;         /* those that ever held a sample */
    uint64_t sampled, dropped;
    double forgotten_bytes, forgotten_blocks; /* allocated by stacks that gave way */
    _Atomic uint32_t state;
    int32_t status; /* exit status, or the signal */
    uint64_t ended_unix_ns;
    uint64_t scopes_offset, scopes_capacity, runs_offset, runs_capacity; /* these do not change */
    uint64_t scopes_used, runs_untracked;
} RecordingHeader;

_Static_assert(sizeof(RecordingHeader) == 288, "the header is a file format");

typedef struct {
    _Atomic uint64_t tag; /* address, and above its 48 bits the check; 0: empty */
    uint64_t size;        /* bytes (48 bits), level (8), origin (8) */
    uint32_t stack, born;
    uint32_t thread; /* the kernel's number (22 bits), and above it the scope's row */
    uint32_t run;
} RecordedSample;

/* `base`: the row that numbers the runs, of the same scope without labels. Bytes: in use now, and at most, by
 * what samples stand for. */
typedef struct {
    uint32_t base, open; /* runs that began and did not end */
    uint64_t began, ended;
    double bytes, high_bytes;
    char name[88]; /* UTF-8, NUL-ended */
} RecordedScope;

/* An open run; its number is 0 where there is none. */
typedef struct {
    uint32_t run, scope;
    uint32_t began; /* tenths of a second since the recording began */
    uint32_t spare;
} RecordedRun;

_Static_assert(sizeof(RecordedScope) == 128 && sizeof(RecordedRun) == 16, "these are a file format");

/* What a stack ever allocated, estimated; and of that, what died when its run had long ended: how many
 * samples did, and the bytes they stand for. */
typedef struct {
    double bytes, blocks;
    double late_bytes, late_samples;
} RecordedTotal;

typedef struct {
    uint32_t first_frame, frames; /* top bit of frames: there were more */
} RecordedStack;

typedef struct {
    uint32_t file, name, first_line; /* the first two: offsets in the text */
} RecordedFunction;

typedef struct {
    uint32_t function, line;
} RecordedFrame;

#define STACK_CUT (UINT32_C(1) << 31)

/* The sections of one half. */
typedef struct {
    RecordedStack *stacks;
    RecordedFunction *functions;
    RecordedFrame *frames;
    char *text;
} RecordedHalf;

/* The region, or NULL while there is none. Whoever looks in holds the sampler's lock. Others may write to the
 * file: what is read from it must be checked before it is followed. */
extern RecordingHeader *recording;

/* What the header says, where nobody else can write. */
extern RecordingHeader recording_own;

/* Changes a field of both. */
#define RECORDING_SET(field, value) (recording->field = recording_own.field = (value))

/* Makes a region of `bytes` (RECORDING_BYTES_MIN to _MAX, whole pages) and fills its header. False without
 * memory. There must be none. */
bool recording_create(size_t bytes, uint64_t interval);

/* Moves the region into the file `fd`, which has its size and has its blocks allocated (a store into a hole
 * on a full disk would kill the process). Its address stays. False with errno set, and nothing changed. */
bool recording_attach(int fd);

/* Marks the recording as ended and gives the region back; a file stays. */
void recording_close(uint32_t state, int status);

/* Marks the recording as ended, or takes that back (STATE_RUNNING), from an exit handler or a signal handler;
 * only in the process whose it is. */
void recording_ended_nopy(int state, int status);

/* Whether the file was written to, or cut, by others: no figure in it can be relied on. */
bool recording_is_damaged(void);

/* Whether the address is one of the region's whose file was cut; if so, memory is put in the file's place, so
 * that the instruction which failed can go on, and recording_is_damaged. From a handler of SIGBUS. */
bool recording_mend_nopy(const void *address);

/* Copies `count` bytes to `offset`, which must lie within notes and timeline; false if it doesn't. */
bool recording_write(uint64_t offset, const void *bytes, size_t count);

/* How many rows of the half that counts are used, and bytes of its text. */
typedef struct {
    uint64_t stacks, functions, frames, text;
} RecordingUsed;

/* Before a fork: sets a private copy of what is live, and of what is used, aside. After it: the parent drops
 * the copy; the child puts it in the region's place, since the file is its parent's. recording_fork_child is
 * false if there was no memory for a copy, and the child has no region then. */
void recording_fork_prepare(const RecordingUsed *used);
void recording_fork_parent(void);
bool recording_fork_child(void);

static inline RecordedSample *recording_slots_nopy(void)
{
    return (RecordedSample *)((char *)recording + recording_own.slots_offset);
}

static inline RecordedTotal *recording_totals_nopy(void)
{
    return (RecordedTotal *)((char *)recording + recording_own.totals_offset);
}

static inline RecordedHalf recording_half_nopy(uint32_t which)
{
    char *start = (char *)recording + recording_own.halves_offset[which];
    RecordedHalf half = {.stacks = (RecordedStack *)start};
    half.functions = (RecordedFunction *)(half.stacks + recording_own.stacks_capacity);
    half.frames = (RecordedFrame *)(half.functions + recording_own.functions_capacity);
    half.text = (char *)(half.frames + recording_own.frames_capacity);
    return half;
}

#endif
