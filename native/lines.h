/* What each line of the chosen functions did to memory.
 *
 * A thread keeps a stack of the chosen frames that run in it. While a frame is on top, the change of the
 * thread's byte counter between two line events belongs to the line in between, callees included.
 * At yield and await the frame leaves the stack and its line's account closes; when it resumes it
 * comes back with a fresh account, so tasks that take turns in a thread never mix, and nothing needs
 * to be kept for a suspended frame: the instruction tells the line.
 *
 * All functions need the GIL, none raises, and none allocates through Python.
 */
#ifndef OUTLIVE_LINES_H
#define OUTLIVE_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "counters.h"
#include "pycompat.h"

/* One line's figures, summed or maximal over all its executions. */
typedef struct {
    uint64_t occurrences;
    int64_t increment; /* bytes: net change made while it ran */
    int64_t in_use;    /* bytes: the most the process had in use as it ended */
    int64_t peak;      /* bytes: the most the process had in use while it ran */
} LineFigures;

/* One chosen code object. Lives until the process ends, and keeps the code alive. */
typedef struct {
    PyCodeObject *code; /* strong */
    uint64_t calls;
    uint64_t active; /* frames of it on the stacks of all threads */
    int first_line, line_count;
    int start_instruction; /* byte offset of the RESUME that begins a call (not a resumption) */
    int *line_of;          /* by instruction: index into figures, -1 if it has no line */
    int instruction_count;
    LineFigures *figures; /* line_count of them, from first_line on */
} ChosenCode;

/* Chooses a code object, given its lines by instruction (owned by the caller, copied; 0 for none) and the
 * instruction at which a call starts. NULL without memory. Choosing again returns what is there. */
ChosenCode *lines_choose(PyCodeObject *code, const int *lines, int instruction_count, int start_instruction);

/* The chosen code for `code`, or NULL. */
ChosenCode *lines_find(PyCodeObject *code);

/* The i-th chosen code, or NULL past the last. */
ChosenCode *lines_at(size_t i);

/* A frame of `chosen` starts (`call`) or resumes at `instruction` (byte offset). */
void lines_enter(ChosenCode *chosen, const void *frame, int instruction, bool call);

/* The frame begins line number `line`. */
void lines_line(ChosenCode *chosen, const void *frame, int line);

/* The frame returned, yielded or raised. */
void lines_leave(const void *frame);

/* If `frame` is on top, its line's account begins anew: what it gathered so far was the tool's doing. False
 * if it is not. */
bool lines_restart(const void *frame);

/* Takes `frame`, whose evaluation is over, off the top of the stack if no event has done so. */
void lines_abandon(const void *frame);

/* How many chosen frames are on this thread's stack. */
int lines_depth(void);

/* Frees a thread's stack. */
void lines_thread_exits(ThreadCounters *counters);

/* Accounts that could not be kept (memory, or more than a million frames deep). */
uint64_t lines_dropped(void);

#endif
