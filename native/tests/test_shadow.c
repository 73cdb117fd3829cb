/* The shadow's limits, what it costs, and that it gives memory back. */
#include "shadow.h"

#include <unistd.h>

#include "check.h"
#include "scarcity.h"

#define MIB ((uintptr_t)1 << 20)
#define ADDRESS_END ((uintptr_t)1 << 48)

enum { SHADOW_PAGE_COVERS = 4096 * SHADOW_ALIGNMENT };

static long resident_bytes(void)
{
    long total, resident;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%ld %ld", &total, &resident) == 2, "/proc/self/statm");
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

static void remembers_every_size_at_every_edge(void)
{
    const uintptr_t edges[] = {16, MIB - 16, MIB, (16384 * MIB) - 16, 16384 * MIB, ADDRESS_END - 16};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        int old = 0;
        CHECK(shadow_take_nopy(edges[i]) == -1, "nothing at %#zx yet", (size_t)edges[i]);
        CHECK(shadow_put_nopy(edges[i], 0, &old) && old == -1, "%d", old);
        for (int size = 1; size <= SHADOW_SIZE_MAX; size++) {
            CHECK(shadow_put_nopy(edges[i], (size_t)size, &old) && old == size - 1, "%d under %d", old, size);
        }
    }
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        CHECK(shadow_take_nopy(edges[i]) == SHADOW_SIZE_MAX, "at %#zx", (size_t)edges[i]);
        CHECK(shadow_take_nopy(edges[i]) == -1, "twice at %#zx", (size_t)edges[i]);
    }
}

static void costs_a_byte_for_sixteen(void)
{
    const uintptr_t heap = 0x7e0000000000, heap_bytes = 64 * MIB;
    size_t before = shadow_mapped_bytes();
    for (uintptr_t at = 0; at < heap_bytes; at += 256) {
        int old;
        CHECK(shadow_put_nopy(heap + at, 250, &old) && old == -1, "at %#zx", (size_t)at);
    }
    CHECK(shadow_mapped_bytes() - before == heap_bytes / 16, "%zu", shadow_mapped_bytes() - before);
    for (uintptr_t at = 0; at < heap_bytes; at += 16) {
        CHECK(shadow_take_nopy(heap + at) == (at % 256 == 0 ? 250 : -1), "at %#zx", (size_t)at);
    }
    CHECK(shadow_mapped_bytes() - before == heap_bytes / 16, "taking mapped something");
}

/* Looking costs nothing, noting costs a page, clearing gives it back. */
static void holds_only_the_pages_it_needs(void)
{
    const uintptr_t heap = 0x7d0000000000, heap_bytes = 512 * MIB;
    const long shadow_bytes = (long)heap_bytes / 16;
    int old;
    for (uintptr_t at = 0; at < heap_bytes; at += MIB) {
        CHECK(shadow_put_nopy(heap + at, 1, &old), "a leaf for each MiB");
    }
    long before = resident_bytes();
    for (uintptr_t at = 0; at < heap_bytes; at += SHADOW_PAGE_COVERS) {
        CHECK(shadow_take_nopy(heap + at + 32) == -1, "unknown");
    }
    CHECK(resident_bytes() - before < shadow_bytes / 4, "looking took %ld bytes", resident_bytes() - before);
    for (uintptr_t at = 0; at < heap_bytes; at += SHADOW_PAGE_COVERS) {
        CHECK(shadow_put_nopy(heap + at, 1, &old), "memory for the test");
    }
    long full = resident_bytes();
    CHECK(full - before > shadow_bytes / 2, "the measurement works: %ld bytes", full - before);
    long mappings = scarcity_mappings();
    shadow_clear();
    CHECK(full - resident_bytes() > shadow_bytes / 2, "only %ld bytes came back", full - resident_bytes());
    CHECK(scarcity_mappings() == mappings, "leaves stay mapped: a hook may be inside");
    for (uintptr_t at = 0; at < heap_bytes; at += SHADOW_PAGE_COVERS) {
        CHECK(shadow_take_nopy(heap + at) == -1, "forgotten");
    }
}

int main(void)
{
    remembers_every_size_at_every_edge();
    costs_a_byte_for_sixteen();
    holds_only_the_pages_it_needs();
    return 0;
}
