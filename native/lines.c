#include "lines.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 1 << 20, CHOSEN_MAX = 1 << 16 };

/* A chosen frame on a thread's stack. Positions are values of the thread's in_use counter. */
typedef struct {
    ChosenCode *chosen;
    const void *frame;
    int line;               /* index into chosen->figures, -1 for none */
    bool fresh;             /* entered by a call, and no line event since */
    int64_t base;           /* where the account began, moved on by what nested calls of this code did */
    int64_t start;          /* where the account began */
    int64_t high;           /* the highest position seen since then */
    int64_t process_in_use; /* the process's bytes in use then */
    int64_t frame_start;    /* where the frame began: what it did, moved on like base */
    int64_t frame_high;     /* the highest position since the frame began */
} Active;

typedef struct {
    int depth, capacity;
    Active active[];
} Stack;

static ChosenCode **chosen_codes; /* in the order of choosing */
static size_t chosen_count;
static uint32_t *chosen_index; /* by hash of the code's address: position + 1, or 0; CHOSEN_MAX * 2 entries */
static uint64_t dropped;

/* ---- the chosen codes ---- */

static uint32_t *index_slot(PyCodeObject *code)
{
    uint64_t h = (uint64_t)(uintptr_t)code / 16 * UINT64_C(0x9E3779B97F4A7C15) >> 47;
    for (;; h++) {
        uint32_t *slot = &chosen_index[h % (CHOSEN_MAX * 2)];
        if (*slot == 0 || chosen_codes[*slot - 1]->code == code) {
            return slot;
        }
    }
}

ChosenCode *lines_find(PyCodeObject *code)
{
    if (chosen_index == NULL) {
        return NULL;
    }
    uint32_t *slot = index_slot(code);
    return *slot != 0 ? chosen_codes[*slot - 1] : NULL;
}

ChosenCode *lines_at(size_t i)
{
    return i < chosen_count ? chosen_codes[i] : NULL;
}

/* Fills in everything but the code itself. False without memory; lines_choose then frees the parts. */
static bool describe(ChosenCode *chosen, const int *lines, int instruction_count, int first_line)
{
    int last_line = first_line;
    for (int i = 0; i < instruction_count; i++) {
        first_line = lines[i] > 0 && lines[i] < first_line ? lines[i] : first_line;
        last_line = lines[i] > last_line ? lines[i] : last_line;
    }
    chosen->first_line = first_line;
    chosen->line_count = last_line - first_line + 1;
    chosen->instruction_count = instruction_count;
    chosen->line_of = malloc(sizeof(int) * (size_t)(instruction_count + 1));
    chosen->figures = calloc((size_t)chosen->line_count, sizeof *chosen->figures);
    if (chosen->line_of == NULL || chosen->figures == NULL) {
        return false;
    }
    for (int i = 0; i < instruction_count; i++) {
        chosen->line_of[i] = lines[i] > 0 ? lines[i] - first_line : -1;
    }
    return true;
}

ChosenCode *lines_choose(PyCodeObject *code, const int *lines, int instruction_count, int start_instruction)
{
    if (chosen_index == NULL) {
        chosen_codes = calloc(CHOSEN_MAX, sizeof *chosen_codes);
        chosen_index = calloc(CHOSEN_MAX * 2, sizeof *chosen_index);
        if (chosen_codes == NULL || chosen_index == NULL) {
            free(chosen_codes);
            free(chosen_index);
            chosen_codes = NULL;
            chosen_index = NULL;
            return NULL;
        }
    }
    ChosenCode *chosen = lines_find(code);
    if (chosen != NULL || chosen_count == CHOSEN_MAX) {
        return chosen;
    }
    chosen = calloc(1, sizeof *chosen);
    if (chosen == NULL || !describe(chosen, lines, instruction_count, code->co_firstlineno)) {
        if (chosen != NULL) {
            free(chosen->line_of);
            free(chosen->figures);
            free(chosen);
        }
        return NULL;
    }
    chosen->code = (PyCodeObject *)Py_NewRef((PyObject *)code);
    chosen->start_instruction = start_instruction;
    uint32_t *slot = index_slot(code);
    chosen_codes[chosen_count] = chosen;
    *slot = (uint32_t)++chosen_count;
    return chosen;
}

uint64_t lines_dropped(void)
{
    return dropped;
}

/* ---- a thread's stack ---- */

static Active *top(ThreadCounters *counters)
{
    Stack *stack = counters->lines;
    return stack != NULL && stack->depth > 0 ? &stack->active[stack->depth - 1] : NULL;
}

static Active *push(ThreadCounters *counters)
{
    Stack *stack = counters->lines;
    int depth = stack != NULL ? stack->depth : 0, capacity = stack != NULL ? stack->capacity : 0;
    if (depth == capacity) {
        capacity = capacity ? capacity * 2 : 16;
        Stack *larger =
            capacity <= DEPTH_MAX ? realloc(stack, sizeof(Stack) + sizeof(Active) * (size_t)capacity) : NULL;
        if (larger == NULL) {
            dropped++;
            return NULL;
        }
        larger->depth = depth;
        larger->capacity = capacity;
        counters->lines = stack = larger;
    }
    return &stack->active[stack->depth++];
}

void lines_thread_exits(ThreadCounters *counters)
{
    /* Without the GIL, so the active counts of frames that a thread dies in stay up: that only costs pop()
     * its shortcut. */
    free(counters->lines);
    counters->lines = NULL;
}

int lines_depth(void)
{
    Stack *stack = thread_counters.lines;
    return stack != NULL ? stack->depth : 0;
}

/* ---- accounts ---- */

/* Credits the thread's high-water mark to the frame that ran meanwhile, and starts a new one. */
static void settle_high(ThreadCounters *counters, Active *active)
{
    if (active != NULL && counters->high > active->high) {
        active->high = counters->high;
    }
    counters->high = counters->in_use;
}

static void open_account(ThreadCounters *counters, Active *active, int line)
{
    active->line = line;
    active->base = active->start = active->high = counters->in_use;
    active->process_in_use = counters_process_in_use(counters);
    counters->high = counters->in_use;
}

static void close_account(ThreadCounters *counters, Active *active)
{
    settle_high(counters, active);
    if (active->high > active->frame_high) {
        active->frame_high = active->high;
    }
    if (active->line < 0) {
        return;
    }
    LineFigures *figures = &active->chosen->figures[active->line];
    int64_t in_use = counters_process_in_use(counters);
    int64_t peak = active->process_in_use + active->high - active->start;
    figures->increment += counters->in_use - active->base;
    figures->in_use = in_use > figures->in_use ? in_use : figures->in_use;
    peak = peak > in_use ? peak : in_use;
    figures->peak = peak > figures->peak ? peak : figures->peak;
}

/* Takes the top frame off. What it did counts in the frame below like any callee's doing, unless that
 * is, at some distance, a call of the same code: then each line already has its own, and the outer call's
 * line must not count it again. */
static void pop(ThreadCounters *counters)
{
    Stack *stack = counters->lines;
    Active *active = &stack->active[stack->depth - 1];
    close_account(counters, active);
    int64_t change = counters->in_use - active->frame_start;
    stack->depth--;
    if (stack->depth > 0) {
        settle_high(counters, &stack->active[stack->depth - 1]);
        Active *below = &stack->active[stack->depth - 1];
        below->high = active->frame_high > below->high ? active->frame_high : below->high;
    }
    ChosenCode *chosen = active->chosen;
    chosen->active--;
    for (int i = stack->depth - 1; chosen->active > 0 && i >= 0; i--) {
        if (stack->active[i].chosen == chosen) {
            stack->active[i].base += change;
            break;
        }
    }
}

/* Makes `frame` the top of the stack if it is on it, and says so. Frames above it were left without an
 * event: a greenlet switched away from them, or another tool kept the event from us. */
static bool surface(ThreadCounters *counters, const void *frame)
{
    Stack *stack = counters->lines;
    for (int i = stack != NULL ? stack->depth - 1 : -1; i >= 0; i--) {
        if (stack->active[i].frame == frame) {
            while (stack->depth - 1 > i) {
                pop(counters);
            }
            return true;
        }
    }
    return false;
}

static int line_index(const ChosenCode *chosen, int instruction)
{
    int i = instruction / (int)sizeof(_Py_CODEUNIT);
    return i >= 0 && i < chosen->instruction_count ? chosen->line_of[i] : -1;
}

void lines_enter(ChosenCode *chosen, const void *frame, int instruction, bool call)
{
    ThreadCounters *counters = &thread_counters;
    settle_high(counters, top(counters));
    Active *active = push(counters);
    if (active == NULL) {
        return;
    }
    *active = (Active){.chosen = chosen,
                       .frame = frame,
                       .fresh = call,
                       .frame_start = counters->in_use,
                       .frame_high = counters->in_use};
    chosen->active++;
    int line = call ? chosen->code->co_firstlineno - chosen->first_line : line_index(chosen, instruction);
    open_account(counters, active, line);
    if (call) {
        chosen->calls++;
        chosen->figures[line].occurrences++;
    }
}

void lines_line(ChosenCode *chosen, const void *frame, int line)
{
    ThreadCounters *counters = &thread_counters;
    Active *active = top(counters);
    if (active == NULL || active->frame != frame) {
        if (!surface(counters, frame)) { /* it ran before it was chosen, or came back by a greenlet switch */
            lines_enter(chosen, frame, -1, false);
        }
        active = top(counters);
        if (active == NULL || active->frame != frame) {
            return;
        }
    }
    line -= chosen->first_line;
    if (line < 0 || line >= chosen->line_count) {
        return;
    }
    bool still_def = active->fresh && line == active->line;
    active->fresh = false;
    if (still_def) {
        return; /* a one-line function: its call was counted already */
    }
    close_account(counters, active);
    open_account(counters, active, line);
    chosen->figures[line].occurrences++;
}

void lines_leave(const void *frame)
{
    if (surface(&thread_counters, frame)) {
        pop(&thread_counters);
    }
}

bool lines_restart(const void *frame)
{
    ThreadCounters *counters = &thread_counters;
    Active *active = top(counters);
    if (active == NULL || active->frame != frame) {
        return false;
    }
    active->frame_start = active->frame_high = counters->in_use;
    open_account(counters, active, active->line);
    return true;
}

void lines_abandon(const void *frame)
{
    Active *active = top(&thread_counters);
    if (active != NULL && active->frame == frame) {
        pop(&thread_counters);
    }
}
