#define _GNU_SOURCE
#include "recording.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clocks.h"

RecordingHeader *recording;
RecordingHeader recording_own;

static const char magic[8] = "outlive";
static bool in_file;
static atomic_bool was_cut;
static RecordingHeader *set_aside; /* for a forked child */

static uint64_t aligned(uint64_t bytes)
{
    return bytes & ~UINT64_C(63);
}

/* Divides what notes and timeline leave: about a third for live samples (32 bytes each), a stack for every
 * four of them, and the rest halved for what the stacks are made of. */
static void lay_out(RecordingHeader *header, size_t bytes)
{
    header->file_bytes = bytes;
    header->header_bytes = HEADER_BYTES;
    header->notes_offset = HEADER_BYTES;
    header->notes_bytes = NOTES_BYTES;
    header->timeline_offset = header->notes_offset + NOTES_BYTES;
    header->timeline_bytes = TIMELINE_BYTES;
    header->scopes_offset = aligned(header->timeline_offset + TIMELINE_BYTES + 63);
    header->scopes_capacity = SCOPES_MAX;
    header->runs_offset = header->scopes_offset + SCOPES_MAX * sizeof(RecordedScope);
    header->runs_capacity = RUNS_MAX;
    header->slots_offset = header->runs_offset + RUNS_MAX * sizeof(RecordedRun);
    uint64_t rest = bytes - header->slots_offset;
    header->slots_capacity = rest * 5 / 16 / sizeof(RecordedSample);
    header->stacks_capacity = header->slots_capacity / 4;
    header->totals_offset = header->slots_offset + header->slots_capacity * sizeof(RecordedSample);
    header->halves_offset[0] = header->totals_offset + header->stacks_capacity * sizeof(RecordedTotal);
    header->half_bytes = aligned((bytes - header->halves_offset[0]) / 2);
    header->halves_offset[1] = header->halves_offset[0] + header->half_bytes;
    header->functions_capacity = header->stacks_capacity / 2;
    rest = header->half_bytes - header->stacks_capacity * sizeof(RecordedStack) -
           header->functions_capacity * sizeof(RecordedFunction);
    header->frames_capacity = rest / 2 / sizeof(RecordedFrame);
    header->text_bytes = rest - header->frames_capacity * sizeof(RecordedFrame);
}

bool recording_create(size_t bytes, uint64_t interval)
{
    void *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED) {
        return false;
    }
    RecordingHeader *header = region;
    memcpy(header->magic, magic, sizeof magic);
    header->version = RECORDING_VERSION;
    lay_out(header, bytes);
    header->pid = (uint32_t)getpid();
    header->began_unix_ns = clock_ns_nopy(CLOCK_REALTIME);
    header->began_monotonic_ns = clock_ns_nopy(CLOCK_MONOTONIC);
    header->interval = interval;
    header->state = STATE_RUNNING;
    in_file = false;
    atomic_store(&was_cut, false);
    memcpy(&recording_own, header, sizeof recording_own);
    recording = header;
    return true;
}

/* Copies a part, and leaves pages that were never written alone. */
static void copy_part(RecordingHeader *to, uint64_t offset, uint64_t bytes)
{
    static const char nothing[4096];
    for (uint64_t done = 0; done < bytes; done += sizeof nothing) {
        size_t count = bytes - done < sizeof nothing ? (size_t)(bytes - done) : sizeof nothing;
        const char *source = (const char *)recording + offset + done;
        if (memcmp(source, nothing, count) != 0) {
            memcpy((char *)to + offset + done, source, count);
        }
    }
}

static void copy_header(RecordingHeader *to)
{
    memcpy((char *)to + sizeof magic, (const char *)&recording_own + sizeof magic,
           sizeof recording_own - sizeof magic);
    memcpy(to->magic, magic, sizeof magic); /* last: until then it is no recording */
}

bool recording_attach(int fd)
{
    size_t bytes = recording_own.file_bytes;
    if (lseek(fd, 0, SEEK_END) != (off_t)bytes) {
        errno = EINVAL;
        return false;
    }
    void *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (region == MAP_FAILED) {
        return false;
    }
    copy_part(region, HEADER_BYTES, bytes - HEADER_BYTES);
    copy_header(region);
    if (mremap(region, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, recording) == MAP_FAILED) {
        int error = errno;
        munmap(region, bytes);
        errno = error;
        return false;
    }
    in_file = true;
    return true;
}

void recording_ended_nopy(int state, int status)
{
    RecordingHeader *header = recording;
    /* The child of a vfork() shares our memory until it calls exec or _exit. */
    if (header != NULL && recording_own.pid == (uint32_t)getpid()) {
        header->status = recording_own.status = status;
        recording_own.ended_unix_ns = state == STATE_RUNNING ? 0 : clock_ns_nopy(CLOCK_REALTIME);
        header->ended_unix_ns = recording_own.ended_unix_ns;
        recording_own.state = (uint32_t)state;
        atomic_store(&header->state, (uint32_t)state);
    }
}

void recording_close(uint32_t state, int status)
{
    recording_ended_nopy((int)state, status);
    size_t bytes = recording_own.file_bytes;
    void *region = recording;
    recording = NULL;
    in_file = false;
    munmap(region, bytes);
}

bool recording_is_damaged(void)
{
    return recording != NULL &&
           (atomic_load(&was_cut) || memcmp(recording, &recording_own, sizeof recording_own) != 0);
}

bool recording_mend_nopy(const void *address)
{
    uintptr_t region = (uintptr_t)recording, at = (uintptr_t)address;
    if (recording == NULL || !in_file || at < region || at - region >= recording_own.file_bytes) {
        return false;
    }
    void *memory = mmap(recording, recording_own.file_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    atomic_store(&was_cut, true);
    return memory != MAP_FAILED;
}

bool recording_write(uint64_t offset, const void *bytes, size_t count)
{
    uint64_t start = recording_own.notes_offset,
             end = recording_own.timeline_offset + recording_own.timeline_bytes;
    if (offset < start || offset > end || count > end - offset) {
        return false;
    }
    memcpy((char *)recording + offset, bytes, count);
    return true;
}

void recording_fork_prepare(const RecordingUsed *used)
{
    const RecordingHeader *own = &recording_own;
    set_aside = NULL;
    if (recording == NULL || !in_file) {
        return; /* a private region is the child's own as it is */
    }
    void *copy = mmap(NULL, own->file_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED) {
        return;
    }
    set_aside = copy;
    RecordedHalf half = recording_half_nopy(own->half);
    const struct {
        const void *from;
        uint64_t bytes;
    } parts[] = {
        {(const char *)recording + own->scopes_offset, own->scopes_used * sizeof(RecordedScope)},
        {(const char *)recording + own->runs_offset, own->runs_capacity * sizeof(RecordedRun)},
        {recording_slots_nopy(), own->slots_used * sizeof(RecordedSample)},
        {recording_totals_nopy(), used->stacks * sizeof(RecordedTotal)},
        {half.stacks, used->stacks * sizeof(RecordedStack)},
        {half.functions, used->functions * sizeof(RecordedFunction)},
        {half.frames, used->frames * sizeof(RecordedFrame)},
        {half.text, used->text},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        copy_part(copy, (uint64_t)((const char *)parts[i].from - (const char *)recording), parts[i].bytes);
    }
    copy_header(copy);
}

void recording_fork_parent(void)
{
    if (set_aside != NULL) {
        munmap(set_aside, recording_own.file_bytes);
        set_aside = NULL;
    }
}

bool recording_fork_child(void)
{
    if (recording == NULL) {
        return true;
    }
    size_t bytes = recording_own.file_bytes;
    if (in_file && (set_aside == NULL || mremap(set_aside, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
                                                recording) == MAP_FAILED)) {
        if (set_aside != NULL) {
            munmap(set_aside, bytes);
            set_aside = NULL;
        }
        munmap(recording, bytes);
        recording = NULL;
        return false;
    }
    set_aside = NULL;
    in_file = false;
    RECORDING_SET(parent_pid, recording_own.pid);
    RECORDING_SET(pid, (uint32_t)getpid());
    return true;
}
