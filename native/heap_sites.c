#include "pycompat_heap.h" /* before any other header */

#include "heap_sites.h"

#include <math.h>
#include <string.h>

#include "chance.h"
#include "heap_found.h"
#include "heap_types.h"
#include "recording.h"
#include "samples.h"
#include "slots.h"
#include "stacks.h"

/* Sampled blocks by address, open addressing: index of the slot + 1, and CLAIMED once its object is known. No
 * lock is taken: another thread may have held it when we were forked. A slot that was being written is open,
 * or does not belong to any object. */
static uint32_t *slots_by_address;
static size_t mask;
static uint64_t unclaimed;

#define CLAIMED (UINT32_C(1) << 31)
enum { OWNER_WORDS_MAX = 24 };

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
            unclaimed++;
        }
    }
    return slots_by_address != NULL;
}

static const RecordedSample *slot_of(uint32_t entry)
{
    return &recording_slots_nopy()[(entry & ~CLAIMED) - 1];
}

/* The entry of the sampled block at an address; NULL if there is none. */
static uint32_t *entry_at(const void *address)
{
    for (size_t at = first_place((uintptr_t)address); slots_by_address[at] != 0; at = (at + 1) & mask) {
        if (slot_address_nopy(slot_of(slots_by_address[at])) == (uintptr_t)address) {
            return &slots_by_address[at];
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

/* The estimates that a sample stands for, added to the object that has its block. */
static void push_sample(uint32_t row, const RecordedSample *slot)
{
    const struct {
        uint32_t object, site;
        Estimate estimate;
        uint64_t block;
    } sample = {row, site_of(slot->stack), chance_estimate_nopy(slot_bytes_nopy(slot), slot_level_nopy(slot)),
                slot_address_nopy(slot)};
    column_push(&found.samples, &sample, sizeof sample);
}

/* Whether objects of a type own no block but their own: most objects are of these. */
static bool owns_nothing_more(const PyTypeObject *type)
{
    return type == &PyUnicode_Type || type == &PyLong_Type || type == &PyBytes_Type ||
           type == &PyFloat_Type || type == &PyTuple_Type;
}

/* Whether objects of a type refer to the blocks of others, whose addresses they have. */
static bool are_views(const PyTypeObject *type)
{
    return type == &PyMemoryView_Type || strcmp(type->tp_name, "managedbuffer") == 0;
}

/* A sampled block that is no object is of the object whose struct has its address: a list's items, a dict's
 * keys, an array's data, the buffer of a file. */
static void push_owned(uint32_t row, const PyObject *object)
{
    size_t words = (size_t)Py_TYPE(object)->tp_basicsize / sizeof(void *);
    for (size_t i = sizeof(PyObject) / sizeof(void *); i < words && i < OWNER_WORDS_MAX; i++) {
        uint32_t *entry = entry_at(((void *const *)object)[i]);
        if (entry != NULL && !(*entry & CLAIMED) && !are_views(Py_TYPE(object))) {
            push_sample(row, slot_of(*entry));
            *entry |= CLAIMED;
            unclaimed--;
        }
    }
}

static uint32_t *entry_of_object(const PyObject *object)
{
    return entry_at((const char *)object - bytes_before(Py_TYPE(object)));
}

void heap_sites(void)
{
    if (recording == NULL || recording_own.slots_used == 0 || !list_slots()) {
        return;
    }
    for (uint64_t row = 0; row < found.walked; row++) {
        const PyObject *object = found_object(row);
        uint32_t *entry = object == NULL ? NULL : entry_of_object(object);
        if (entry != NULL && !(*entry & CLAIMED)) {
            *entry |= CLAIMED;
            unclaimed--;
        }
    }
    for (uint64_t row = 0; row < found.walked && !columns_failed; row++) { /* in order */
        const PyObject *object = found_object(row);
        if (object == NULL) {
            continue;
        }
        const uint32_t *entry = entry_of_object(object);
        if (entry != NULL) {
            push_sample((uint32_t)row, slot_of(*entry));
        }
        if (unclaimed > 0 && !owns_nothing_more(Py_TYPE(object))) {
            push_owned((uint32_t)row, object);
        }
    }
}
