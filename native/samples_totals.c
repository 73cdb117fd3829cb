#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "recording.h"
#include "samples.h"
#include "slots.h"

static void add_up_nopy(const RecordedSample *slot, double *bytes, double *variance, double *blocks)
{
    Estimate of_slot = chance_estimate_nopy(slot_bytes_nopy(slot), slot_level_nopy(slot));
    *bytes += of_slot.bytes;
    *variance += of_slot.variance;
    *blocks += of_slot.blocks;
}

static void name_site(uint32_t number, SiteTotal *site)
{
    const char *file, *function;
    const RecordedFrame *frame = stacks_line(number, &file, &function);
    if (frame != NULL) {
        strncpy(site->file, file, sizeof site->file - 1);
        strncpy(site->function, function, sizeof site->function - 1);
        site->line = frame->line;
    }
}

size_t samples_by_stack(SiteTotal *totals, size_t capacity)
{
    size_t count = 0;
    lock_nopy(&samples_lock);
    /* By stack: index + 1 in `totals`. */
    uint32_t *places = recording != NULL ? calloc(recording_own.stacks_capacity, sizeof *places) : NULL;
    for (uint64_t i = 0; places != NULL && i < recording_own.slots_used; i++) {
        const RecordedSample *slot = &recording_slots_nopy()[i];
        if (slot->tag == 0 || slot->stack >= recording_own.stacks_capacity) {
            continue;
        }
        if (places[slot->stack] == 0) {
            places[slot->stack] = (uint32_t)++count;
            if (count <= capacity) {
                totals[count - 1] = (SiteTotal){0};
                name_site(slot->stack, &totals[count - 1]);
            }
        }
        if (places[slot->stack] <= capacity) {
            SiteTotal *site = &totals[places[slot->stack] - 1];
            add_up_nopy(slot, &site->bytes, &site->bytes_variance, &site->blocks);
            site->samples++;
        }
    }
    unlock_nopy(&samples_lock);
    free(places);
    return count;
}

SamplesTotal samples_total(void)
{
    SamplesTotal total = {0};
    double blocks = 0, large_variance = 0;
    lock_nopy(&samples_lock);
    for (uint64_t i = 0; recording != NULL && i < recording_own.slots_used; i++) {
        const RecordedSample *slot = &recording_slots_nopy()[i];
        if (slot->tag != 0) {
            total.samples++;
            add_up_nopy(slot, &total.bytes, &total.bytes_variance, &blocks);
            if (slot_bytes_nopy(slot) > PYMALLOC_MAX && slot_origin_nopy(slot) == FROM_PYTHON) {
                add_up_nopy(slot, &total.large_bytes, &large_variance, &blocks);
            }
        }
    }
    if (recording != NULL) {
        total.dropped = recording_own.dropped;
        double interval = ldexp((double)recording_own.interval, (int)chance_level_nopy());
        total.interval = interval < 0x1p63 ? (uint64_t)interval : UINT64_MAX;
    }
    unlock_nopy(&samples_lock);
    return total;
}
