#include "scopes.h"

#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "clocks.h"
#include "samples.h"
#include "slots.h"

/* The id: bits of a run's number, scope, place, and recording. Below 2^63. */
enum { ID_SCOPE = 32, ID_PLACE = 42, ID_RECORDING = 53, ID_END = 63 };

_Static_assert(SCOPES_MAX <= 1 << (ID_PLACE - ID_SCOPE), "scopes fit an id");
_Static_assert(RUNS_MAX <= 1 << (ID_RECORDING - ID_PLACE), "places fit an id");
_Static_assert(SCOPES_MAX <= 1 << (32 - SLOT_THREAD_BITS), "scopes fit a slot");

/* A run at its place, from its beginning until another takes the place. Place 0 is nobody's. */
typedef struct {
    RunOf as;       /* what its id says */
    RunOf is;       /* where what it makes belongs */
    uint32_t first; /* slot that it made and that lives, counted from 1; the others follow (Made) */
    bool open;
} Run;

/* Which run made a slot's block: its place, 0 if that is not known, and the slots, counted from 1, that it
 * made before and after. */
typedef struct {
    uint32_t place, next, previous;
} Made;

static uint32_t numbers[SCOPES_MAX];         /* of a base row's last run; none is given twice */
static RecordedScope scopes_own[SCOPES_MAX]; /* what the rows say, where nobody else can write; no names */
static Run runs[RUNS_MAX];
static uint16_t free_runs[RUNS_MAX]; /* a ring: the place that was free longest is the next */
static uint32_t free_first, free_count;
static Made *made; /* by slot */

/* Runs that tasks in this thread began last. */
enum { BEGUN_HERE_MAX = 8 };
static _Thread_local uint64_t begun_here[BEGUN_HERE_MAX];
static _Thread_local uint32_t begun_here_count;

static RecordedScope *row_nopy(uint32_t scope)
{
    return (RecordedScope *)((char *)recording + recording_own.scopes_offset) + scope;
}

static RecordedRun *open_run_nopy(uint32_t place)
{
    return (RecordedRun *)((char *)recording + recording_own.runs_offset) + place;
}

/* Shows readers what changed in a row. */
static void publish_nopy(uint32_t scope)
{
    memcpy(row_nopy(scope), &scopes_own[scope], offsetof(RecordedScope, name));
}

static uint64_t id_of(uint32_t place, RunOf run)
{
    return run.run | (uint64_t)run.scope << ID_SCOPE | (uint64_t)place << ID_PLACE |
           (uint64_t)(samples_starts % (1 << (ID_END - ID_RECORDING))) << ID_RECORDING;
}

static uint32_t bits_nopy(uint64_t id, int from, int to)
{
    return (uint32_t)(id >> from & ((UINT64_C(1) << (to - from)) - 1));
}

static RunOf said_by_nopy(uint64_t id)
{
    return (RunOf){bits_nopy(id, ID_SCOPE, ID_PLACE), bits_nopy(id, 0, ID_SCOPE)};
}

static bool is_same_nopy(RunOf a, RunOf b)
{
    return a.scope == b.scope && a.run == b.run;
}

/* Whether the id is of the recording that runs, and what it says can be. */
static bool is_current_nopy(uint64_t id)
{
    return recording != NULL && id != 0 &&
           bits_nopy(id, ID_RECORDING, ID_END) == samples_starts % (1 << (ID_END - ID_RECORDING)) &&
           said_by_nopy(id).scope < recording_own.scopes_used;
}

/* The run that the id is of, if it has its place yet. */
static Run *run_at_nopy(uint64_t id)
{
    Run *run = &runs[bits_nopy(id, ID_PLACE, ID_RECORDING)];
    return run != runs && is_same_nopy(run->as, said_by_nopy(id)) ? run : NULL;
}

bool scopes_start(uint64_t slots)
{
    made = calloc(slots, sizeof *made);
    memset(scopes_own, 0, sizeof scopes_own);
    memset(numbers, 0, sizeof numbers);
    memset(runs, 0, sizeof runs);
    free_first = 0;
    free_count = RUNS_MAX - 1;
    for (uint32_t i = 0; i < free_count; i++) {
        free_runs[i] = (uint16_t)(i + 1);
    }
    scopes_own[SCOPE_OTHERS].base = SCOPE_OTHERS;
    publish_nopy(SCOPE_OTHERS);
    RECORDING_SET(scopes_used, SCOPE_OTHERS + 1);
    return made != NULL;
}

void scopes_clear(void)
{
    free(made);
    made = NULL;
}

static uint32_t add(const char *name, uint32_t base)
{
    uint32_t scope = recording_own.scopes_used;
    /* Labels leave room for names. */
    if (base >= scope || scope >= (base == 0 ? SCOPES_MAX : SCOPES_MAX / 2)) {
        return base != 0 && base < scope ? base : SCOPE_OTHERS;
    }
    RecordedScope *row = row_nopy(scope);
    size_t length = strnlen(name, sizeof row->name - 1);
    while (name[length] != '\0' && ((unsigned char)name[length] & 0xC0) == 0x80) {
        length--; /* not within a character */
    }
    memcpy(row->name, name, length);
    scopes_own[scope].base = base != 0 ? base : scope;
    publish_nopy(scope);
    RECORDING_SET(scopes_used, scope + 1);
    return scope;
}

uint32_t scopes_add(const char *name, uint32_t base)
{
    bool entered = samples_enter();
    uint32_t scope = recording != NULL ? add(name, base) : SCOPE_NONE;
    samples_leave(entered);
    return scope;
}

/* Counts another run in a row and its base. */
static RunOf numbered(uint32_t scope)
{
    uint32_t base = scopes_own[scope].base;
    if (base != scope) {
        scopes_own[base].began++;
        scopes_own[base].open++;
    }
    scopes_own[scope].began++;
    scopes_own[scope].open++;
    publish_nopy(base);
    publish_nopy(scope);
    if (++numbers[base] == 0) {
        numbers[base] = 1;
    }
    return (RunOf){scope, numbers[base]};
}

/* `ended` 0: it was counted in the wrong row. */
static void closed(uint32_t scope, uint32_t ended)
{
    uint32_t rows[] = {scope, scopes_own[scope].base};
    for (int i = 0; i < (rows[0] == rows[1] ? 1 : 2); i++) {
        RecordedScope *own = &scopes_own[rows[i]];
        own->open--;
        own->ended += ended;
        own->began -= 1 - ended;
        publish_nopy(rows[i]);
    }
}

uint64_t scopes_begin(uint32_t scope)
{
    bool entered = samples_enter();
    uint64_t id = 0;
    if (recording != NULL && scope != SCOPE_NONE && scope < recording_own.scopes_used &&
        !samples_are_concluded()) {
        RunOf run = numbered(scope);
        uint32_t place = 0;
        if (free_count > 0) {
            place = free_runs[free_first];
            free_first = (free_first + 1) % RUNS_MAX;
            free_count--;
            runs[place] = (Run){.as = run, .is = run, .open = true};
            uint64_t now_ns = clock_ns_nopy(CLOCK_MONOTONIC_COARSE);
            uint64_t began = recording_own.began_monotonic_ns;
            RecordedRun *open = open_run_nopy(place);
            open->scope = scope;
            open->began = now_ns > began ? (uint32_t)((now_ns - began) / 100000000) : 0;
            open->run = run.run;
        } else {
            RECORDING_SET(runs_untracked, recording_own.runs_untracked + 1);
        }
        id = id_of(place, run);
    }
    samples_leave(entered);
    return id;
}

void scopes_begun_in_task(uint64_t id)
{
    begun_here[begun_here_count++ % BEGUN_HERE_MAX] = id;
}

/* What the run made so far is of another. */
static void hand_over(const Run *run)
{
    for (uint32_t at = run->first; at != 0; at = made[at - 1].next) {
        RecordedSample *slot = samples_slot_nopy(at - 1);
        if (slot->tag == 0) {
            continue; /* the file was cut */
        }
        uintptr_t address = slot_address_nopy(slot);
        scopes_sample_nopy(slot, -1);
        slot_open_nopy(slot);
        slot->run = run->is.run;
        slot->thread = slot_thread_nopy(slot->thread, run->is.scope);
        slot_seal_nopy(slot, address);
        scopes_sample_nopy(slot, 1);
    }
}

void scopes_end(uint64_t id, uint32_t scope)
{
    bool entered = samples_enter();
    if (is_current_nopy(id) && !samples_are_concluded()) {
        uint32_t place = bits_nopy(id, ID_PLACE, ID_RECORDING);
        Run *run = run_at_nopy(id);
        RunOf as = said_by_nopy(id);
        if (run != NULL && run->open) {
            if (scope != SCOPE_NONE && scope != as.scope && scope < recording_own.scopes_used) {
                closed(as.scope, 0);
                run->is = numbered(scope);
                hand_over(run);
            }
            run->open = false;
            closed(run->is.scope, 1);
            open_run_nopy(place)->run = 0;
            free_runs[(free_first + free_count++) % RUNS_MAX] = (uint16_t)place;
        } else if (place == 0 && scopes_own[as.scope].open > 0) {
            closed(as.scope, 1);
        }
    }
    samples_leave(entered);
}

static bool is_open_nopy(uint64_t id)
{
    Run *run = is_current_nopy(id) ? run_at_nopy(id) : NULL;
    return run != NULL && run->open;
}

uint64_t scopes_maker_nopy(uint64_t id)
{
    if (!(id & RUN_IN_CALLBACK)) {
        return id;
    }
    id &= ~RUN_IN_CALLBACK;
    if (bits_nopy(id, ID_PLACE, ID_RECORDING) != 0 && !is_open_nopy(id)) { /* else nobody knows */
        for (uint32_t i = 1; i <= BEGUN_HERE_MAX; i++) {
            uint64_t other = begun_here[(begun_here_count - i) % BEGUN_HERE_MAX];
            if (is_open_nopy(other)) {
                return other;
            }
        }
    }
    return id;
}

RunOf scopes_run_nopy(uint64_t id)
{
    if (!is_current_nopy(id)) {
        return (RunOf){0, 0};
    }
    Run *run = run_at_nopy(id);
    return run != NULL ? run->is : said_by_nopy(id);
}

void scopes_sample_nopy(const RecordedSample *slot, double sign)
{
    uint32_t scope = slot_scope_nopy(slot);
    if (scope == SCOPE_NONE || scope >= recording_own.scopes_used) {
        return;
    }
    double bytes = sign * chance_estimate_nopy(slot_bytes_nopy(slot), slot_level_nopy(slot)).bytes;
    uint32_t rows[] = {scope, scopes_own[scope].base};
    for (int i = 0; i < (rows[0] == rows[1] ? 1 : 2); i++) {
        RecordedScope *own = &scopes_own[rows[i]];
        own->bytes += bytes;
        if (own->bytes > own->high_bytes) {
            own->high_bytes = own->bytes;
        }
        publish_nopy(rows[i]);
    }
}

void scopes_born_nopy(const RecordedSample *slot, uint64_t id)
{
    scopes_sample_nopy(slot, 1);
    Run *run = is_current_nopy(id) ? run_at_nopy(id) : NULL;
    uint32_t number = samples_place_nopy(slot) + 1;
    made[number - 1] = (Made){0};
    if (run != NULL) {
        made[number - 1] = (Made){.place = (uint32_t)(run - runs), .next = run->first};
        if (run->first != 0) {
            made[run->first - 1].previous = number;
        }
        run->first = number;
    }
}

void scopes_gone_nopy(const RecordedSample *slot)
{
    if (slot->tag != 0) { /* it was sealed, and nobody wrote over it */
        scopes_sample_nopy(slot, -1);
    }
    uint32_t number = samples_place_nopy(slot) + 1;
    Made *of = &made[number - 1];
    if (of->next != 0) {
        made[of->next - 1].previous = of->previous;
    }
    if (of->previous != 0) {
        made[of->previous - 1].next = of->next;
    } else if (runs[of->place].first == number) { /* else another run has the place by now */
        runs[of->place].first = of->next;
    }
    *of = (Made){0};
}

void scopes_death_nopy(const RecordedSample *slot)
{
    uint32_t scope = slot_scope_nopy(slot);
    if (scope == SCOPE_NONE || scope >= recording_own.scopes_used ||
        slot->stack >= recording_own.stacks_capacity ||
        numbers[scopes_own[scope].base] - slot->run < SCOPE_SETTLED) {
        return;
    }
    const Run *run = &runs[made[samples_place_nopy(slot)].place];
    if (run->open && is_same_nopy(run->is, (RunOf){scope, slot->run})) {
        return;
    }
    RecordedTotal *total = &recording_totals_nopy()[slot->stack];
    total->late_bytes += chance_estimate_nopy(slot_bytes_nopy(slot), slot_level_nopy(slot)).bytes;
    total->late_samples++;
}
