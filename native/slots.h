/* One sample's slot in the recording, as a reader in another process may find it at any instant: open, its
 * tag 0, while it changes; sealed, by a check over all of it, as the last step. */
#ifndef OUTLIVE_SLOTS_H
#define OUTLIVE_SLOTS_H

#include "recording.h"

enum { SLOT_ADDRESS_BITS = 48, SLOT_SIZE_BITS = 48, SLOT_ORIGIN_SHIFT = 56, SLOT_THREAD_BITS = 22 };

static inline uintptr_t slot_address_nopy(const RecordedSample *slot)
{
    return slot->tag & ((UINT64_C(1) << SLOT_ADDRESS_BITS) - 1);
}

static inline uint64_t slot_bytes_nopy(const RecordedSample *slot)
{
    return slot->size & ((UINT64_C(1) << SLOT_SIZE_BITS) - 1);
}

static inline uint32_t slot_level_nopy(const RecordedSample *slot)
{
    return slot->size >> SLOT_SIZE_BITS & 0xFF;
}

static inline int slot_origin_nopy(const RecordedSample *slot)
{
    return (int)(slot->size >> SLOT_ORIGIN_SHIFT);
}

/* What to store as the size of an open slot. */
static inline uint64_t slot_size_nopy(uint64_t bytes, uint32_t level, int origin)
{
    return bytes | (uint64_t)level << SLOT_SIZE_BITS | (uint64_t)origin << SLOT_ORIGIN_SHIFT;
}

static inline uint32_t slot_scope_nopy(const RecordedSample *slot)
{
    return slot->thread >> SLOT_THREAD_BITS;
}

/* What to store as the thread of an open slot; what it was before will do for `thread`. */
static inline uint32_t slot_thread_nopy(uint32_t thread, uint32_t scope)
{
    return (thread & ((UINT32_C(1) << SLOT_THREAD_BITS) - 1)) | scope << SLOT_THREAD_BITS;
}

static inline void slot_open_nopy(RecordedSample *slot)
{
    atomic_store_explicit(&slot->tag, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

/* See slot_check in model/layout.py. */
static inline void slot_seal_nopy(RecordedSample *slot, uintptr_t address)
{
    uint64_t folded = address ^ slot->size ^ (uint64_t)slot->stack << 32 ^ slot->born ^
                      (uint64_t)slot->thread << 32 ^ (uint64_t)slot->run << 16;
    folded ^= folded >> 32;
    folded ^= folded >> 16;
    uint64_t check = (folded ^ 0x6F75) & 0xFFFF;
    atomic_store_explicit(&slot->tag, address | check << SLOT_ADDRESS_BITS, memory_order_release);
}

#endif
