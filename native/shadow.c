#include "shadow.h"

#include <stdatomic.h>
#include <sys/mman.h>

enum {
    LEAF_BITS = 20, /* address bits that one leaf covers: 1 MiB of heap */
    NODE_BITS = 14, /* address bits that choose a leaf within a node, and a node within the root */
    LEAF_BYTES = (1 << LEAF_BITS) / SHADOW_ALIGNMENT,
    NODE_ENTRIES = 1 << NODE_BITS,
};

typedef struct {
    _Atomic(uint8_t *) leaves[NODE_ENTRIES];
} Node;

/* 128 KiB of bss, of which only the touched pages exist. */
static _Atomic(Node *) root[NODE_ENTRIES];
static _Atomic size_t mapped_bytes;

/* Zeroed memory straight from the kernel, or NULL. */
static void *map_zeroed_nopy(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* The byte for `address`; NULL if its leaf does not exist and `create` is false or memory is out.
 * Two threads may create one leaf at once: the loser unmaps its own. */
static inline uint8_t *entry_of_nopy(uintptr_t address, bool create)
{
    _Atomic(Node *) *node_slot = &root[address >> (LEAF_BITS + NODE_BITS)];
    Node *node = atomic_load_explicit(node_slot, memory_order_acquire);
    if (__builtin_expect(node == NULL, 0)) {
        if (!create) {
            return NULL;
        }
        Node *fresh = map_zeroed_nopy(sizeof(Node));
        if (fresh == NULL) {
            return NULL;
        }
        if (atomic_compare_exchange_strong(node_slot, &node, fresh)) {
            node = fresh;
        } else {
            munmap(fresh, sizeof(Node));
        }
    }
    _Atomic(uint8_t *) *leaf_slot = &node->leaves[address >> LEAF_BITS & (NODE_ENTRIES - 1)];
    uint8_t *leaf = atomic_load_explicit(leaf_slot, memory_order_acquire);
    if (__builtin_expect(leaf == NULL, 0)) {
        if (!create) {
            return NULL;
        }
        uint8_t *fresh = map_zeroed_nopy(LEAF_BYTES);
        if (fresh == NULL) {
            return NULL;
        }
        if (atomic_compare_exchange_strong(leaf_slot, &leaf, fresh)) {
            leaf = fresh;
            atomic_fetch_add_explicit(&mapped_bytes, LEAF_BYTES, memory_order_relaxed);
        } else {
            munmap(fresh, LEAF_BYTES);
        }
    }
    return &leaf[(address & ((1 << LEAF_BITS) - 1)) / SHADOW_ALIGNMENT];
}

bool shadow_put_nopy(uintptr_t address, size_t size, int *old)
{
    uint8_t *entry = entry_of_nopy(address, true);
    if (entry == NULL) {
        return false;
    }
    *old = (int)*entry - 1;
    *entry = (uint8_t)(size + 1); /* 0 means: no block known here */
    return true;
}

int shadow_take_nopy(uintptr_t address)
{
    uint8_t *entry = entry_of_nopy(address, false);
    if (entry == NULL) {
        return -1;
    }
    int size = (int)*entry - 1;
    if (size >= 0) {
        *entry = 0; /* a write where nothing was would cost a page of memory */
    }
    return size;
}

void shadow_clear(void)
{
    for (size_t i = 0; i < NODE_ENTRIES; i++) {
        Node *node = atomic_load(&root[i]);
        for (size_t j = 0; node != NULL && j < NODE_ENTRIES; j++) {
            uint8_t *leaf = atomic_load(&node->leaves[j]);
            if (leaf != NULL) {
                /* Stays mapped, reads as zeros: a thread may be inside put or take right now. */
                madvise(leaf, LEAF_BYTES, MADV_DONTNEED);
            }
        }
    }
}

size_t shadow_mapped_bytes(void)
{
    return atomic_load(&mapped_bytes);
}
