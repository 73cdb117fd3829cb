/* The allocation sites of the recording: stacks of (function, line), each kept once, with their texts.
 *
 * A stack comes raw, as addresses of code objects and instructions. Most were seen before, and a hash of the
 * raw stack finds their number. Else each frame is described once, by whoever knows code objects, and kept by
 * content: nothing in the recording refers to a code object, which may die; its address then may become
 * another's, so a death must be told. Everything here needs the sampler's lock but where said otherwise.
 */
#ifndef OUTLIVE_STACKS_H
#define OUTLIVE_STACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "recording.h"

enum { STACK_FRAMES_MAX = 64, CODE_FILE_MAX = 512, CODE_NAME_MAX = 128 };

typedef struct {
    const void *code;
    int32_t instruction;
} RawFrame;

typedef struct {
    RawFrame frames[STACK_FRAMES_MAX]; /* innermost first */
    int count;
    bool cut; /* there were more */
} RawStack;

/* UTF-8, cut if longer. */
typedef struct {
    char file[CODE_FILE_MAX], name[CODE_NAME_MAX];
    uint32_t first_line;
} CodeText;

/* Describe a code object, and tell the line of its instruction. They may only read memory. */
typedef struct {
    void (*describe_nopy)(const void *code, CodeText *text);
    uint32_t (*line_nopy)(const void *code, int32_t instruction);
} CodeReader;

/* Begins with no stacks, in the new region. False without memory. */
bool stacks_start(const CodeReader *reader);

/* Gives all private memory back. */
void stacks_clear(void);

/* The number of a stack; 0 for an empty one, or where there is no room for another. */
uint32_t stacks_number_nopy(const RawStack *stack);

/* A stack's innermost frame, and the texts of its function; NULL if it has none. Valid until a stack is kept.
 */
const RecordedFrame *stacks_line(uint32_t number, const char **file, const char **function);

/* How much of the half that counts is used. */
void stacks_extent(RecordingUsed *used);

/* A code object dies. Needs no lock. */
void stacks_code_dies_nopy(const void *code);

/* Around fork(). Need no lock. */
void stacks_lock_all(void);
void stacks_unlock_all(void);

/* Whether this thread is between those two. Needs no lock. */
bool stacks_are_held_nopy(void);

#endif
