/* Live blocks of every kind against an array that remembers the same. */
#include "blocks.h"

#include "check.h"
#include "scarcity.h"
#include "shadow.h"

enum { COUNT = 4000, BLOCKS_MAX = 1 << 20 };

typedef struct {
    uintptr_t address;
    Block block;
    bool known;
} Entry;

static Entry entries[COUNT];

/* Heap blocks over several MiB: mostly at multiples of 16, some at odd ones of 8, close behind another. */
static void lay_out(uint64_t *random)
{
    uintptr_t address = 0x7f00000f0000;
    for (int i = 0; i < COUNT; i++) {
        bool odd = address % 16 == 0 && random_below(random, 4) == 0;
        address = odd ? address + 8 : address / 16 * 16 + 16 * (1 + random_below(random, 300));
        entries[i] = (Entry){.address = address};
    }
}

static Block any_block(uint64_t *random)
{
    const uint64_t edges[] = {0, 1, SHADOW_SIZE_MAX, SHADOW_SIZE_MAX + 1, (UINT64_C(1) << 47) - 1};
    uint64_t kind = random_below(random, 20);
    uint64_t bytes = kind < 5 ? edges[kind] : random_below(random, kind < 15 ? 512 : 1 << 30);
    return (Block){.bytes = bytes, .partial = random_below(random, 8) == 0};
}

static void take(Entry *entry)
{
    Block block;
    bool found = blocks_take_nopy(entry->address, &block);
    CHECK(found == entry->known, "at %#zx", (size_t)entry->address);
    if (found) {
        CHECK(block.bytes == entry->block.bytes && block.partial == entry->block.partial,
              "at %#zx: %llu bytes", (size_t)entry->address, (unsigned long long)block.bytes);
    }
    entry->known = false;
}

static void put(Entry *entry, Block block)
{
    uint64_t replaced = 1;
    CHECK(blocks_put_nopy(entry->address, block, &replaced), "at %#zx", (size_t)entry->address);
    CHECK(replaced == (entry->known ? entry->block.bytes : 0), "%llu replaced", (unsigned long long)replaced);
    entry->block = block;
    entry->known = true;
}

static bool is_small(Block block)
{
    return block.bytes <= SHADOW_SIZE_MAX && !block.partial;
}

static void churn(uint64_t seed)
{
    lay_out(&seed);
    for (int step = 0; step < 300000; step++) {
        Entry *entry = &entries[random_below(&seed, COUNT)];
        Block block = any_block(&seed);
        if (random_below(&seed, 100) < (step / 20000 % 2 ? 30 : 70)) {
            if (entry->known && is_small(block)) {
                take(entry); /* blocks_put_nopy's contract: it would not find a large one there */
            }
            put(entry, block);
        } else {
            take(entry);
        }
        if (step == 150000) {
            blocks_clear();
            for (int i = 0; i < COUNT; i++) {
                CHECK(!blocks_take_nopy(entries[i].address, &block), "cleared");
                entries[i].known = false;
            }
        }
    }
    for (int i = 0; i < COUNT; i++) {
        take(&entries[i]);
    }
    CHECK(blocks_dropped() == 0, "%llu dropped", (unsigned long long)blocks_dropped());
}

/* A death went unseen, and the address came back. The new block's record must be the one that counts. */
static void a_block_replaces_a_dead_one(void)
{
    const Block kinds[] = {{.bytes = 0}, {.bytes = 80}, {.bytes = 800}, {.bytes = 90, .partial = true}};
    for (int was = 0; was < 4; was++) {
        for (int now = 0; now < 4; now++) {
            if (is_small(kinds[now]) && !is_small(kinds[was])) {
                continue; /* not promised */
            }
            Entry entry = {.address = 0x7f0000000010};
            put(&entry, kinds[was]);
            put(&entry, kinds[now]);
            take(&entry);
            take(&entry);
        }
    }
}

static void what_cannot_be_noted_is_a_drop(void)
{
    const struct {
        uintptr_t address;
        Block block;
    } bad[] = {
        {UINT64_C(1) << 48, {.bytes = 16}},   {UINT64_C(1) << 48, {.bytes = 4096}},
        {UINTPTR_MAX - 15, {.bytes = 16}},    {0, {.bytes = 4096}},
        {4096, {.bytes = UINT64_C(1) << 47}},
    };
    const uint64_t bads = sizeof bad / sizeof *bad;
    for (uint64_t i = 0; i < bads; i++) {
        uint64_t replaced = 1;
        Block block;
        CHECK(!blocks_put_nopy(bad[i].address, bad[i].block, &replaced) && replaced == 0, "case %d", (int)i);
        CHECK(blocks_dropped() == i + 1, "%llu", (unsigned long long)blocks_dropped());
        CHECK(!blocks_take_nopy(bad[i].address, &block), "case %d", (int)i);
    }
    blocks_clear();
    CHECK(blocks_dropped() == 0, "a clear forgets drops too");
}

static void the_cap_holds(void)
{
    blocks_init(1000);
    uint64_t stored = 0, count = 10000, replaced;
    for (uint64_t i = 0; i < count; i++) {
        stored += blocks_put_nopy(0x600000000000 + i * 4096, (Block){.bytes = 4096}, &replaced);
    }
    CHECK(stored >= 1000 && stored < 3000, "%llu", (unsigned long long)stored);
    CHECK(blocks_dropped() == count - stored, "%llu", (unsigned long long)blocks_dropped());
    CHECK(blocks_put_nopy(0x600000000000, (Block){.bytes = 16}, &replaced), "small ones need none of it");
    blocks_clear();
    CHECK(blocks_put_nopy(0x600000000000, (Block){.bytes = 4096}, &replaced), "room again");
    blocks_clear();
    blocks_init(BLOCKS_MAX);
}

int main(void)
{
    blocks_init(BLOCKS_MAX);
    for (uint64_t seed = 1; seed <= 4; seed++) {
        churn(seed);
    }
    a_block_replaces_a_dead_one();
    what_cannot_be_noted_is_a_drop();
    the_cap_holds();
    CHECK(scarcity_blocks() == 0, "%ld left", scarcity_blocks());
    return 0;
}
