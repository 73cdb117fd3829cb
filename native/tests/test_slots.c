/* Every slot is whole whenever somebody looks: between two steps here, and in the file while threads change
 * it. */
#define _GNU_SOURCE
#include "slots.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "codes.h"

enum { WRITERS = 3, OWN = 400, COPIES = 300 };

static const Code code = {"a.py", "f", 1};

/* The check, said another way than the core's: all 16-bit words of a slot but itself, one over the other. */
static uint16_t check_of(const RecordedSample *slot)
{
    const uint64_t words[] = {
        slot->tag & ((UINT64_C(1) << 48) - 1), slot->size, slot->stack, slot->born, slot->thread, slot->run};
    uint16_t check = 0x6F75;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        for (int shift = 0; shift < 64; shift += 16) {
            check ^= (uint16_t)(words[i] >> shift);
        }
    }
    return check;
}

static bool is_whole(const RecordedSample *slot)
{
    return slot->tag == 0 || slot->tag >> 48 == check_of(slot);
}

/* What a sample at an address must say: nothing but the address decides it. */
static uint64_t bytes_of(uintptr_t address)
{
    return 1000 + (address >> 4) % 9000;
}

static int32_t line_of(uintptr_t address)
{
    return (int32_t)((address >> 4) % 40);
}

static void put(ThreadCounters *counters, uintptr_t address)
{
    const RawStack stack = stack_at(&code, line_of(address));
    samples_put_nopy(counters, address, bytes_of(address), (int)(address >> 4 & 1), &stack, 0);
}

static void change(ThreadCounters *counters, uintptr_t first, uint64_t *random)
{
    uintptr_t address = first + random_below(random, OWN) * 16;
    switch (random_below(random, 3)) {
    case 0: put(counters, address); break;
    case 1: samples_take_nopy(address); break;
    default: samples_land_nopy(samples_lift_nopy(address), address, bytes_of(address)); break;
    }
}

/* Slots that are not whole; those that are say what their address says. */
static size_t torn(const RecordedSample *slots, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_whole(&slots[i])) {
            found++;
        } else if (slots[i].tag != 0) {
            uintptr_t address = slot_address_nopy(&slots[i]);
            CHECK(slot_bytes_nopy(&slots[i]) == bytes_of(address), "%llu bytes at %#zx",
                  (unsigned long long)slot_bytes_nopy(&slots[i]), (size_t)address);
            CHECK(slot_origin_nopy(&slots[i]) == (int)(address >> 4 & 1), "at %#zx", (size_t)address);
            CHECK(slots[i].thread != 0 && slots[i].run == 0, "at %#zx", (size_t)address);
            CHECK(slots[i].stack >= 1 && slots[i].stack <= 40, "at %#zx", (size_t)address);
        }
    }
    return found;
}

static void words_keep_their_parts(void)
{
    const uint64_t bytes[] = {1, 512, (UINT64_C(1) << 48) - 1};
    const uintptr_t addresses[] = {1, 16, (UINT64_C(1) << 48) - 1};
    for (int i = 0; i < 27; i++) {
        RecordedSample slot = {.stack = 0xFFFFFFFFu >> i, .born = 77u << i, .thread = 1u << i, .run = 5};
        slot.size = slot_size_nopy(bytes[i % 3], (uint32_t)i, i / 3 % 2);
        slot_seal_nopy(&slot, addresses[i / 9]);
        CHECK(slot_bytes_nopy(&slot) == bytes[i % 3] && slot_level_nopy(&slot) == (uint32_t)i, "slot %d", i);
        CHECK(slot_origin_nopy(&slot) == i / 3 % 2 && slot_address_nopy(&slot) == addresses[i / 9], "slot %d",
              i);
        CHECK(is_whole(&slot), "slot %d", i);
        slot.born ^= 4;
        CHECK(!is_whole(&slot), "slot %d", i);
        slot_open_nopy(&slot);
        CHECK(slot.tag == 0, "slot %d", i);
    }
}

static void whole_after_every_step(void)
{
    CHECK(samples_start(1, 1, RECORDING_BYTES_MIN, &code_reader), "memory for the test");
    ThreadCounters counters = counters_now();
    uint64_t random = 1;
    for (int step = 0; step < 20000; step++) {
        change(&counters, 0x10000, &random);
        CHECK(torn(recording_slots_nopy(), recording->slots_used) == 0, "step %d", step);
    }
    /* Thinned: levels differ from then on. */
    CHECK(samples_start(256, 1, RECORDING_BYTES_MIN, &code_reader), "memory for the test");
    counters = counters_now();
    for (uintptr_t i = 1; recording->floor_level < 8; i++) {
        const RawStack stack = stack_at(&code, 0);
        samples_put_nopy(&counters, i * 16, 1 + i % 3000, FROM_PYTHON, &stack, 0);
    }
    uint64_t levels = 0;
    for (uint64_t i = 0; i < recording->slots_used; i++) {
        const RecordedSample *slot = &recording_slots_nopy()[i];
        CHECK(is_whole(slot), "slot %llu", (unsigned long long)i);
        CHECK(slot->tag == 0 || slot_level_nopy(slot) >= 8, "slot %llu", (unsigned long long)i);
        levels += slot->tag != 0;
    }
    CHECK(levels == samples_total().samples, "%llu", (unsigned long long)levels);
}

static atomic_bool done;
static atomic_int writing;

static void *write_on(void *argument)
{
    uintptr_t number = (uintptr_t)argument;
    uint64_t random = number;
    ThreadCounters counters = counters_now();
    writing++;
    while (!done) {
        change(&counters, number << 20, &random);
    }
    return NULL;
}

/* Copies the file as a reader in another process does. */
static void whole_in_the_file(void)
{
    CHECK(samples_start(1, 1, RECORDING_BYTES_MIN, &code_reader), "memory for the test");
    int fd = memfd_create("recording", 0);
    CHECK(fd >= 0 && posix_fallocate(fd, 0, RECORDING_BYTES_MIN) == 0, "a file for the test");
    CHECK(samples_record(samples_number(), fd), "moved");
    pthread_t threads[WRITERS];
    for (uintptr_t i = 0; i < WRITERS; i++) {
        CHECK(pthread_create(&threads[i], NULL, write_on, (void *)(i + 1)) == 0, "a thread for the test");
    }
    while (writing < WRITERS) {
        sched_yield();
    }
    static RecordedSample slots[WRITERS * OWN];
    size_t live = 0;
    for (int copy = 0; copy < COPIES; copy++) {
        CHECK(pread(fd, slots, sizeof slots, (off_t)recording->slots_offset) == sizeof slots, "copy %d",
              copy);
        size_t count = torn(slots, WRITERS * OWN);
        CHECK(count <= WRITERS, "copy %d: %zu torn", copy, count);
        for (size_t i = 0; i < WRITERS * OWN; i++) {
            live += slots[i].tag != 0;
        }
    }
    CHECK(live > COPIES, "%zu seen", live);
    done = true;
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(pread(fd, slots, sizeof slots, (off_t)recording->slots_offset) == sizeof slots, "the last copy");
    CHECK(torn(slots, WRITERS * OWN) == 0, "nobody writes");
    close(fd);
}

int main(void)
{
    words_keep_their_parts();
    whole_after_every_step();
    whole_in_the_file();
    samples_stop();
    return 0;
}
