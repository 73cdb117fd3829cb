#include "pycompat_heap.h" /* before any other header */

#include "heap_sites.h"

#include <math.h>

#include "chance.h"
#include "heap_found.h"
#include "heap_types.h"
#include "recording.h"
#include "samples.h"
#include "slots.h"
#include "stacks.h"

/* Sampled blocks by address, open addressing: index of the slot + 1. No lock is taken: another thread may
 * have held it when we were forked. A slot that was being written is open, or does not belong to any object.
 */
static uint32_t *slots_by_address;
static size_t mask;

static size_t first_place(uintptr_t address)
{
    return ((uint64_t)address >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 32 & mask;
}

static bool list_slots(void)
{
    size_t room = 1024;
    while (room < recording_own.slots_used * 2) {
        room *= 2;
    }
    slots_by_address = columns_keep(room * sizeof *slots_by_address);
    mask = room - 1;
    const RecordedSample *slots = recording_slots_nopy();
    for (uint32_t i = 0; slots_by_address != NULL && i < recording_own.slots_used; i++) {
        if (slots[i].tag != 0 && slot_origin_nopy(&slots[i]) == FROM_PYTHON) {
            size_t at = first_place(slot_address_nopy(&slots[i]));
            while (slots_by_address[at] != 0) {
                at = (at + 1) & mask;
            }
            slots_by_address[at] = i + 1;
        }
    }
    return slots_by_address != NULL;
}

static const RecordedSample *slot_at(const void *address)
{
    const RecordedSample *slots = recording_slots_nopy();
    for (size_t at = first_place((uintptr_t)address); slots_by_address[at] != 0; at = (at + 1) & mask) {
        const RecordedSample *slot = &slots[slots_by_address[at] - 1];
        if (slot_address_nopy(slot) == (uintptr_t)address) {
            return slot;
        }
    }
    return NULL;
}

/* The row of a stack's innermost line in `sites`. */
static uint32_t site_of(uint32_t stack)
{
    static Interner sites;
    const char *file = "", *function = "";
    const RecordedFrame *frame = stacks_line(stack, &file, &function);
    const uint32_t row[] = {found_string(function), found_string(file), frame == NULL ? 0 : frame->line};
    size_t before = interner_count(&sites);
    uint32_t number = interner_number(&sites, row, sizeof row);
    if (interner_count(&sites) > before) {
        column_push(&found.sites, row, sizeof row);
    }
    return number;
}

/* The estimates that its sample stands for, added to the object that has the block. */
static void push_sample(uint32_t row, const void *block)
{
    const RecordedSample *slot = block == NULL ? NULL : slot_at(block);
    if (slot == NULL) {
        return;
    }
    const struct {
        uint32_t object, site;
        Estimate estimate;
    } sample = {row, site_of(slot->stack),
                chance_estimate_nopy(slot_bytes_nopy(slot), slot_level_nopy(slot))};
    column_push(&found.samples, &sample, sizeof sample);
}

/* The further block that an object of some types has; NULL if it has none. */
static const void *further_block(PyObject *object)
{
    if (PyList_Check(object)) {
        return ((PyListObject *)object)->ob_item;
    }
    if (PyDict_Check(object)) {
        return ((PyDictObject *)object)->ma_keys;
    }
    if (PyAnySet_Check(object)) {
        return ((PySetObject *)object)->table;
    }
    if (PyByteArray_Check(object)) {
        return ((PyByteArrayObject *)object)->ob_bytes;
    }
    return NULL;
}

void heap_sites(void)
{
    if (recording == NULL || recording_own.slots_used == 0 || !list_slots()) {
        return;
    }
    for (uint64_t row = 0; row < found.walked && !columns_failed; row++) {
        PyObject *object = found_object(row);
        if (object != NULL) {
            push_sample((uint32_t)row, (const char *)object - bytes_before(Py_TYPE(object)));
            push_sample((uint32_t)row, further_block(object));
        }
    }
}
