/* The recording's sections, its file, and whose it is after a fork. */
#define _GNU_SOURCE
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "codes.h"
#include "files.h"
#include "scarcity.h"

enum { BYTES = 3 << 20 };

static const Code code = {"a.py", "f", 1};
static ThreadCounters counters;

static void start(void)
{
    CHECK(samples_start(1, 1, BYTES, &code_reader), "memory for the test");
    counters = counters_now();
}

static void put(uintptr_t address, uint64_t bytes)
{
    const RawStack stack = stack_at(&code, 0);
    samples_put_nopy(&counters, address, bytes, FROM_PYTHON, &stack, 0);
}

/* What a reader in another process finds there. */
static RecordingHeader header_of(int fd)
{
    RecordingHeader header;
    CHECK(pread(fd, &header, sizeof header, 0) == sizeof header, "a header");
    return header;
}

/* How many samples a file holds, and in `*bytes` their bytes. */
static uint64_t samples_in(int fd, uint64_t *bytes)
{
    RecordingHeader header = header_of(fd);
    uint64_t count = 0;
    *bytes = 0;
    for (uint64_t i = 0; i < header.slots_capacity; i++) {
        RecordedSample slot;
        off_t place = (off_t)(header.slots_offset + i * sizeof slot);
        CHECK(pread(fd, &slot, sizeof slot, place) == sizeof slot, "slot %llu", (unsigned long long)i);
        if (slot.tag != 0) {
            count++;
            *bytes += slot.size & ((UINT64_C(1) << 48) - 1);
        }
    }
    return count;
}

static void sections_fit(size_t bytes)
{
    CHECK(recording_create(bytes, 4096), "memory for the test");
    const RecordingHeader *header = recording;
    CHECK(memcmp(header->magic, "outlive", 8) == 0 && header->version == 1, "what it is");
    CHECK(header->header_bytes == 4096 && header->file_bytes == bytes && header->interval == 4096, "%zu",
          bytes);
    CHECK(header->state == STATE_RUNNING && header->pid == (uint32_t)getpid() && header->parent_pid == 0,
          "whose");
    CHECK(header->began_unix_ns > UINT64_C(1000000000) * 1700000000 && header->ended_unix_ns == 0, "when");
    const uint64_t sections[][2] = {
        {0, header->header_bytes},
        {header->notes_offset, header->notes_bytes},
        {header->timeline_offset, header->timeline_bytes},
        {header->slots_offset, header->slots_capacity * sizeof(RecordedSample)},
        {header->totals_offset, header->stacks_capacity * sizeof(RecordedTotal)},
        {header->halves_offset[0], header->half_bytes},
        {header->halves_offset[1], header->half_bytes},
    };
    const size_t count = sizeof sections / sizeof *sections;
    for (size_t i = 0; i < count; i++) {
        uint64_t end = sections[i][0] + sections[i][1];
        CHECK(sections[i][1] > 0 && sections[i][0] % 8 == 0, "%zu bytes, section %zu", bytes, i);
        CHECK(end <= (i + 1 < count ? sections[i + 1][0] : bytes), "%zu bytes, section %zu", bytes, i);
    }
    for (uint32_t which = 0; which < 2; which++) {
        RecordedHalf half = recording_half_nopy(which);
        const char *begin = (char *)recording + header->halves_offset[which];
        CHECK((char *)half.stacks == begin, "stacks first");
        CHECK((char *)half.functions == (char *)(half.stacks + header->stacks_capacity), "then functions");
        CHECK((char *)half.frames == (char *)(half.functions + header->functions_capacity), "then frames");
        CHECK(half.text == (char *)(half.frames + header->frames_capacity), "then text");
        CHECK(half.text + header->text_bytes <= begin + header->half_bytes, "%zu bytes, half %u", bytes,
              which);
    }
    CHECK(header->functions_capacity > 1000 && header->text_bytes > 100000, "room for stacks in %zu", bytes);
    CHECK(header->frames_capacity > 5 * header->stacks_capacity, "room for frames in %zu", bytes);
    /* The last bytes of all are there. */
    recording_slots_nopy()[header->slots_capacity - 1].run = 1;
    recording_half_nopy(1).text[header->text_bytes - 1] = 'x';
    recording_close(STATE_STOPPED, 0);
    CHECK(recording == NULL && scarcity_mappings() == 0, "given back");
}

static void attaching_moves_all(void)
{
    start();
    put(16, 1000);
    put(32, 2000);
    samples_take_nopy(16);
    const uint64_t notes = recording->notes_offset, points = recording->timeline_offset;
    CHECK(samples_write(samples_number(), notes, "before", 6) &&
              samples_write(samples_number(), points + TIMELINE_BYTES - 4, "last", 4),
          "in");
    RecordingHeader *there = recording;
    int fd = file_of(BYTES);
    CHECK(samples_record(samples_number(), fd), "errno %d", errno);
    CHECK(recording == there && scarcity_mappings() == 1, "in its place");
    RecordingHeader header = header_of(fd);
    CHECK(memcmp(&header, recording, sizeof header) == 0, "the header");
    uint64_t bytes;
    CHECK(samples_in(fd, &bytes) == 1 && bytes == 2000, "%llu bytes", (unsigned long long)bytes);
    char text[6];
    CHECK(pread(fd, text, 6, (off_t)notes) == 6 && memcmp(text, "before", 6) == 0, "notes");
    CHECK(pread(fd, text, 4, (off_t)points + TIMELINE_BYTES - 4) == 4 && memcmp(text, "last", 4) == 0,
          "points");
    RecordedHalf half = recording_half_nopy(0);
    CHECK(pread(fd, text, 5, (char *)half.text - (char *)recording) == 5 && memcmp(text, "a.py", 5) == 0,
          "texts");
    RecordedTotal total;
    off_t totals = (off_t)(header.totals_offset + sizeof total);
    CHECK(pread(fd, &total, sizeof total, totals) == sizeof total && total.bytes == 3000, "%f", total.bytes);

    put(48, 4000);
    CHECK(samples_in(fd, &bytes) == 2 && bytes == 6000, "from now on it is the file");
    CHECK(samples_write(samples_number(), notes, "after", 5) && pread(fd, text, 5, (off_t)notes) == 5, "in");
    CHECK(memcmp(text, "after", 5) == 0, "notes");
    samples_stop();
    CHECK(header_of(fd).state == STATE_STOPPED && header_of(fd).ended_unix_ns > 0, "stopped");
    CHECK(samples_in(fd, &bytes) == 2 && bytes == 6000, "and as it was");
    CHECK(scarcity_mappings() == 0, "%ld left", scarcity_mappings());
    close(fd);
}

static void a_refused_file_changes_nothing(void)
{
    start();
    put(16, 1000);
    int larger = file_of(BYTES + 4096), smaller = file_of(BYTES - 4096), ends[2];
    CHECK(pipe(ends) == 0, "a pipe for the test");
    char path[64];
    int file = file_of(BYTES);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    int unwritable = open(path, O_RDONLY);
    const struct {
        int fd, error;
    } refused[] = {
        {larger, EINVAL}, {smaller, EINVAL}, {unwritable, EACCES}, {ends[1], EINVAL}, {-1, EINVAL}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        errno = 0;
        CHECK(!samples_record(samples_number(), refused[i].fd) && errno == refused[i].error,
              "file %zu: errno %d", i, errno);
        put(16 + 16 * (i + 1), 1000);
        CHECK(samples_total().bytes == 1000 * (double)(i + 2), "%f", samples_total().bytes);
    }
    for (long nth = 1; nth <= 2; nth++) { /* mmap, mremap */
        scarcity_begin(nth, REFUSE_ONE);
        CHECK(!samples_record(samples_number(), file) && errno == ENOMEM && scarcity_met(),
              "request %ld: errno %d", nth, errno);
        scarcity_begin(0, REFUSE_ONE);
        CHECK(scarcity_mappings() == 1, "request %ld: %ld", nth, scarcity_mappings());
    }
    CHECK(samples_record(samples_number(), file), "a good one still is taken");
    int second = file_of(BYTES);
    CHECK(samples_record(samples_number(), second), "and another after it");
    put(1600, 500);
    uint64_t bytes;
    CHECK(samples_in(second, &bytes) == 7 && bytes == 6500, "%llu bytes", (unsigned long long)bytes);
    CHECK(samples_in(file, &bytes) == 6 && bytes == 6000, "the first is left");
    samples_stop();
    const int all[] = {larger, smaller, unwritable, file, second, ends[0], ends[1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        close(all[i]);
    }
}

static void writes_keep_within_their_bounds(void)
{
    start();
    const uint64_t begin = recording->notes_offset, end = recording->timeline_offset + TIMELINE_BYTES;
    const char before = *((char *)recording + begin - 1), after = *((char *)recording + end);
    CHECK(samples_write(samples_number(), begin, "x", 1) &&
              samples_write(samples_number(), end - 1, "x", 1) && samples_write(samples_number(), end, "", 0),
          "to the edges");
    const uint64_t bad[][2] = {{begin - 1, 1},
                               {begin - 1, 10},
                               {end, 1},
                               {end - 1, 2},
                               {0, 1},
                               {begin, end - begin + 1},
                               {UINT64_MAX, 1},
                               {UINT64_MAX - 1, 10},
                               {begin, UINT64_MAX - begin},
                               {begin, UINT64_MAX},
                               {end + 1, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(!samples_write(samples_number(), bad[i][0], "xxxxxxxxxx", (size_t)bad[i][1]), "write %zu", i);
    }
    CHECK(*((char *)recording + begin - 1) == before && *((char *)recording + end) == after, "beside them");
    samples_stop();
}

/* Runs `child` in a forked process; whether outlive is told of the fork. */
static void in_child(void (*child)(int fd), int fd, bool told)
{
    if (told) {
        samples_fork_prepare();
    }
    pid_t pid = fork();
    if (pid == 0) {
        alarm(30);
        if (told) {
            samples_fork_child();
        }
        counters = counters_now();
        child(fd);
        _exit(0);
    }
    if (told) {
        samples_fork_parent();
    }
    int status;
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "child: status %#x", (unsigned)status);
}

static void goes_its_own_way(int fd)
{
    uint64_t bytes;
    CHECK(samples_total().samples == 2 && samples_total().bytes == 3000, "what its parent had");
    CHECK(recording->parent_pid == (uint32_t)getppid() && recording->pid == (uint32_t)getpid(), "whose");
    CHECK(samples_take_nopy(16), "known");
    for (uintptr_t i = 0; i < 5000; i++) {
        put(0x10000 + i * 16, 100);
    }
    CHECK(samples_write(samples_number(), recording->notes_offset, "child", 5), "in");
    recording_ended_nopy(STATE_EXITED, 1);
    CHECK(samples_total().samples == 5001, "%llu", (unsigned long long)samples_total().samples);
    CHECK(samples_in(fd, &bytes) == 2 && bytes == 3000, "its parent's file");
    int own = file_of(BYTES);
    recording_ended_nopy(STATE_RUNNING, 0);
    CHECK(samples_record(samples_number(), own), "errno %d", errno);
    CHECK(samples_in(own, &bytes) == 5001 && bytes == 502000, "%llu", (unsigned long long)bytes);
    CHECK(header_of(own).pid == (uint32_t)getpid() && header_of(own).parent_pid == (uint32_t)getppid(),
          "whose");
    char text[5];
    CHECK(pread(own, text, 5, HEADER_BYTES) == 5 && memcmp(text, "child", 5) == 0, "notes");
    samples_stop();
    CHECK(header_of(own).state == STATE_STOPPED && header_of(fd).state == STATE_RUNNING, "its own end");
    CHECK(scarcity_mappings() == 0, "%ld left", scarcity_mappings());
}

static void finds_nothing(int fd)
{
    (void)fd;
    CHECK(recording == NULL && samples_total().samples == 0, "no recording");
    put(0x10000, 100);
    CHECK(!samples_take_nopy(16) && samples_total().samples == 0, "nor is any kept");
    CHECK(scarcity_blocks() == 0 && scarcity_mappings() == 0, "%ld blocks, %ld mappings left",
          scarcity_blocks(), scarcity_mappings());
    start();
    put(16, 100);
    CHECK(samples_total().samples == 1, "it may begin anew");
}

/* As the child of a vfork(), which no handler knows of. */
static void ends_at_once(int fd)
{
    recording_ended_nopy(STATE_EXITED, 7);
    CHECK(header_of(fd).state == STATE_RUNNING, "its parent runs on");
}

static void a_child_has_its_own(void)
{
    for (int round = 0; round < 2; round++) {
        start();
        put(16, 1000);
        put(32, 2000);
        int fd = file_of(BYTES);
        CHECK(samples_record(samples_number(), fd), "errno %d", errno);
        long mappings = scarcity_mappings();
        in_child(goes_its_own_way, fd, true);
        CHECK(scarcity_mappings() == mappings, "%ld", scarcity_mappings() - mappings);
        uint64_t bytes;
        put(48, 4000);
        CHECK(samples_in(fd, &bytes) == 3 && bytes == 7000, "the parent goes on in its file");
        CHECK(header_of(fd).state == STATE_RUNNING && header_of(fd).parent_pid == 0, "as it was");
        CHECK(samples_take_nopy(48), "known");
        for (long nth = 1; nth <= 2; nth++) { /* mmap in the parent, mremap in the child */
            scarcity_begin(nth, REFUSE_ONE);
            in_child(finds_nothing, fd, true);
            scarcity_begin(0, REFUSE_ONE);
            CHECK(samples_in(fd, &bytes) == 2 && bytes == 3000, "request %ld", nth);
        }
        in_child(ends_at_once, fd, false);
        samples_stop();
        close(fd);
    }
}

/* In a child without memory for a copy, a block that died while it was forked has no sample to be taken out.
 */
static void a_death_on_the_way(int fd)
{
    samples_fork_prepare();
    CHECK(!samples_take_nopy(16), "only noted");
    scarcity_begin(1, REFUSE_ONE);
    samples_fork_child();
    CHECK(scarcity_met(), "no memory");
    scarcity_begin(0, REFUSE_ONE);
    counters = counters_now();
    finds_nothing(fd);
}

static void a_child_without_memory(void)
{
    start();
    put(16, 1000);
    int fd = file_of(BYTES);
    CHECK(samples_record(samples_number(), fd), "errno %d", errno);
    in_child(a_death_on_the_way, fd, false);
    samples_stop();
    close(fd);
}

/* What is only in memory is a child's own as it is. */
static void a_child_without_a_file(int fd)
{
    (void)fd;
    CHECK(samples_take_nopy(16) && samples_total().samples == 0, "its parent's");
    CHECK(recording->parent_pid == (uint32_t)getppid(), "whose");
}

static void notes_its_end(void)
{
    start();
    int fd = file_of(BYTES);
    CHECK(samples_record(samples_number(), fd), "errno %d", errno);
    recording_ended_nopy(STATE_SIGNALLED, 15);
    CHECK(header_of(fd).state == STATE_SIGNALLED && header_of(fd).status == 15, "signal 15");
    CHECK(header_of(fd).ended_unix_ns >= header_of(fd).began_unix_ns, "when");
    recording_ended_nopy(STATE_RUNNING, 0);
    CHECK(header_of(fd).state == STATE_RUNNING && header_of(fd).ended_unix_ns == 0, "it went on");
    recording_ended_nopy(STATE_EXITED, -3);
    CHECK(header_of(fd).state == STATE_EXITED && header_of(fd).status == -3, "exit");
    samples_stop();
    recording_ended_nopy(STATE_EXITED, 5);
    CHECK(header_of(fd).state == STATE_STOPPED && header_of(fd).status == 0, "closed: nobody's any more");
    close(fd);
}

int main(void)
{
    for (size_t bytes = RECORDING_BYTES_MIN; bytes <= (size_t)64 << 20; bytes += 4096 * 37) {
        sections_fit(bytes);
    }
    sections_fit(RECORDING_BYTES_MIN + 4096);
    sections_fit(RECORDING_BYTES_DEFAULT);
    sections_fit((size_t)64 << 20);
    sections_fit(RECORDING_BYTES_MAX);
    attaching_moves_all();
    a_refused_file_changes_nothing();
    writes_keep_within_their_bounds();
    a_child_has_its_own();
    a_child_without_memory();
    start();
    put(16, 1000);
    in_child(a_child_without_a_file, -1, true);
    CHECK(samples_take_nopy(16), "the parent's");
    samples_stop();
    notes_its_end();
    CHECK(scarcity_blocks() == 0 && scarcity_mappings() == 0, "%ld left", scarcity_blocks());
    return 0;
}
