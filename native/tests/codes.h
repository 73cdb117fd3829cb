/* Plain structures in the place of code objects, and how they are read. */
#ifndef OUTLIVE_TESTS_CODES_H
#define OUTLIVE_TESTS_CODES_H

#include <stdio.h>

#include "counters.h"
#include "samples.h"

typedef struct {
    char file[40], name[40];
    uint32_t first_line;
} Code;

/* An instruction's line is its number below the first line. */
__attribute__((unused)) static uint32_t code_line_nopy(const void *code, int32_t instruction)
{
    return ((const Code *)code)->first_line + (uint32_t)instruction;
}

__attribute__((unused)) static void code_describe_nopy(const void *object, CodeText *text)
{
    const Code *code = object;
    snprintf(text->file, sizeof text->file, "%s", code->file);
    snprintf(text->name, sizeof text->name, "%s", code->name);
    text->first_line = code->first_line;
}

__attribute__((unused)) static const CodeReader code_reader = {code_describe_nopy, code_line_nopy};

/* One frame. */
__attribute__((unused)) static RawStack stack_at(const Code *code, int32_t instruction)
{
    return (RawStack){.frames = {{code, instruction}}, .count = 1};
}

/* Those of a thread that samples in the start that runs. */
__attribute__((unused)) static ThreadCounters counters_now(void)
{
    ThreadCounters counters = {0};
    samples_hit_nopy(&counters, 1);
    return counters;
}

#endif
