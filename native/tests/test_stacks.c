/* The recording's stacks against what they were made of, read as another process would read them. */
#include "stacks.h"

#include <string.h>

#include "check.h"
#include "codes.h"
#include "recording.h"
#include "scarcity.h"

enum { CODES = 30000 };

static Code codes[CODES];
static ThreadCounters counters;

static void name_codes(const char *file, int names)
{
    for (int i = 0; i < CODES; i++) {
        codes[i] = (Code){.first_line = 1};
        snprintf(codes[i].file, sizeof codes[i].file, "%s", file);
        snprintf(codes[i].name, sizeof codes[i].name, "f%d", i % names);
    }
}

static void start(size_t bytes)
{
    CHECK(samples_start(1, 1, bytes, &code_reader), "memory for the test");
    counters = counters_now();
}

/* What a stack is recorded as must be what `raw` says now. */
static void check_stack(uint32_t number, const RawStack *raw)
{
    CHECK(number != 0 && number < recording->stacks_capacity, "number %u", number);
    RecordedHalf half = recording_half_nopy(recording->half);
    RecordedStack stack = half.stacks[number];
    CHECK(stack.frames == ((uint32_t)raw->count | (raw->cut ? STACK_CUT : 0)), "%#x frames", stack.frames);
    for (uint32_t i = 0; i < (uint32_t)raw->count; i++) {
        const Code *code = raw->frames[i].code;
        CHECK(stack.first_frame + i < recording->frames_capacity, "frame %u", i);
        const RecordedFrame *frame = &half.frames[stack.first_frame + i];
        CHECK(frame->function < recording->functions_capacity, "frame %u", i);
        const RecordedFunction *function = &half.functions[frame->function];
        CHECK(strcmp(half.text + function->file, code->file) == 0, "%s", half.text + function->file);
        CHECK(strcmp(half.text + function->name, code->name) == 0, "%s for %s", half.text + function->name,
              code->name);
        CHECK(function->first_line == code->first_line, "line %u", function->first_line);
        CHECK(frame->line == code->first_line + (uint32_t)raw->frames[i].instruction, "line %u", frame->line);
    }
}

/* A live sample of the stack; its number, from its slot. */
static uint32_t keep(uintptr_t address, const RawStack *raw)
{
    samples_put_nopy(&counters, address, 64, FROM_PYTHON, raw, 0);
    const RecordedSample *slots = recording_slots_nopy();
    for (uint64_t i = recording->slots_used; i-- > 0;) {
        if ((slots[i].tag & ((UINT64_C(1) << 48) - 1)) == address) {
            return slots[i].stack;
        }
    }
    CHECK(false, "no sample at %#zx", (size_t)address);
}

static void one_number_for_equal_stacks(void)
{
    name_codes("a.py", CODES);
    start(RECORDING_BYTES_MIN);
    Code twin = codes[0], elsewhere = codes[0], later = codes[0], renamed = codes[0];
    snprintf(elsewhere.file, sizeof elsewhere.file, "b.py");
    snprintf(renamed.name, sizeof renamed.name, "a.py");
    later.first_line = 2;
    RawStack raws[] = {
        stack_at(&codes[0], 1),
        stack_at(&codes[0], 2),
        stack_at(&codes[1], 1),
        stack_at(&elsewhere, 1),
        stack_at(&later, 0), /* another function on the same line */
        stack_at(&renamed, 1),
        {.frames = {{&codes[0], 1}, {&codes[1], 1}}, .count = 2},
        {.frames = {{&codes[1], 1}, {&codes[0], 1}}, .count = 2},
        {.frames = {{&codes[0], 1}, {&codes[1], 1}}, .count = 2, .cut = true},
        {.frames = {{&codes[0], 1}, {&codes[0], 1}}, .count = 2}, /* recursion */
    };
    enum { COUNT = sizeof raws / sizeof *raws };
    uint32_t numbers[COUNT];
    for (int i = 0; i < COUNT; i++) {
        numbers[i] = stacks_number_nopy(&raws[i]);
        for (int j = 0; j < i; j++) {
            CHECK(numbers[i] != numbers[j], "%d and %d", i, j);
        }
    }
    for (int i = 0; i < COUNT; i++) {
        check_stack(numbers[i], &raws[i]);
        CHECK(stacks_number_nopy(&raws[i]) == numbers[i], "%d again", i);
    }
    const RawStack same = stack_at(&twin, 1), empty = {.count = 0};
    CHECK(stacks_number_nopy(&same) == numbers[0], "the same from another code object");
    CHECK(stacks_number_nopy(&empty) == 0, "no frames");
}

static RawStack random_stack(uint64_t *random)
{
    RawStack raw = {.count = 1 + (int)random_below(random, STACK_FRAMES_MAX)};
    raw.cut = raw.count == STACK_FRAMES_MAX && random_below(random, 2);
    for (int i = 0; i < raw.count; i++) {
        raw.frames[i] = (RawFrame){&codes[random_below(random, 300)], (int32_t)random_below(random, 50)};
    }
    return raw;
}

static void random_stacks_are_what_they_were(void)
{
    enum { COUNT = 1500 };
    static RawStack raws[COUNT];
    static uint32_t numbers[COUNT];
    name_codes("app/jobs.py", 200); /* some share their name */
    start(RECORDING_BYTES_DEFAULT);
    uint64_t random = 1;
    for (int i = 0; i < COUNT; i++) {
        raws[i] = random_stack(&random);
        numbers[i] = stacks_number_nopy(&raws[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        check_stack(numbers[i], &raws[i]);
        CHECK(stacks_number_nopy(&raws[i]) == numbers[i], "stack %d", i);
    }
}

/* An address that is another code object's after a death never goes by the old name. */
static void the_dead_lend_no_names(void)
{
    name_codes("a.py", CODES);
    start(RECORDING_BYTES_MIN);
    static Code reused;
    RawStack raw = {.frames = {{&codes[0], 1}, {&reused, 1}, {&codes[1], 1}}, .count = 3};
    uint32_t numbers[100];
    for (int i = 0; i < 100; i++) {
        reused = codes[10 + i];
        numbers[i] = stacks_number_nopy(&raw);
        check_stack(numbers[i], &raw);
        CHECK(stacks_number_nopy(&raw) == numbers[i], "round %d", i);
        stacks_code_dies_nopy(&reused);
    }
    for (int i = 0; i < 100; i++) {
        reused = codes[10 + i];
        check_stack(numbers[i], &raw);
    }
    stacks_code_dies_nopy(&numbers); /* nobody ever saw it */
}

/* Far more stacks than there is room for come and go; some stay. */
static void renewal_keeps_what_lives(const char *what, int depth, int names)
{
    enum { KEPT = 100 };
    static RawStack raws[KEPT];
    uint32_t numbers[KEPT];
    name_codes(what, names);
    start(RECORDING_BYTES_MIN);
    double allocated = 0;
    for (uint32_t i = 0, kept = 0; i < 5 * recording->stacks_capacity; i++) {
        RawStack raw = {.count = depth, .cut = i % 2};
        for (int j = 0; j < depth; j++) {
            raw.frames[j] = (RawFrame){&codes[(i * 7 + (uint32_t)j * 11) % CODES], (int32_t)(i / 3)};
        }
        if (i % 97 == 0 && kept < KEPT) {
            raws[kept] = raw;
            numbers[kept] = keep(0x10000 + kept * 16, &raw);
            check_stack(numbers[kept++], &raw);
        } else {
            check_stack(keep(16, &raw), &raw);
        }
        allocated += 64;
        CHECK(recording->generation % 2 == 0, "%s: %u", what, recording->generation);
    }
    CHECK(recording->generation >= 4, "%s: renewed %u times", what, recording->generation / 2);
    CHECK(recording->half == recording->generation / 2 % 2, "%s: in turn", what);
    for (uint32_t i = 0; i < KEPT; i++) {
        check_stack(numbers[i], &raws[i]);
        CHECK(stacks_number_nopy(&raws[i]) == numbers[i], "%s: kept %u is found still", what, i);
    }
    const RecordedTotal *totals = recording_totals_nopy();
    double sum = recording->forgotten_bytes;
    for (uint64_t i = 0; i < recording->stacks_capacity; i++) {
        sum += totals[i].bytes;
    }
    CHECK(sum == allocated && recording->forgotten_blocks > 0, "%s: %f of %f", what, sum, allocated);
}

/* Number 0 while all are held, and room again soon after they are not. */
static void no_room_is_not_for_ever(int depth)
{
    name_codes("a.py", CODES);
    start(RECORDING_BYTES_MIN);
    enum { COUNT = 4000 };
    static uint32_t numbers[COUNT];
    static RawStack raws[COUNT];
    int held = 0;
    for (int i = 0; i < COUNT; i++) {
        raws[i] = (RawStack){.count = depth};
        for (int j = 0; j < depth; j++) {
            raws[i].frames[j] = (RawFrame){&codes[i / 4], i % 4 + j};
        }
        numbers[i] = keep(0x10000 + (uintptr_t)i * 16, &raws[i]);
        held += numbers[i] != 0;
    }
    CHECK(held > 100 && numbers[COUNT - 1] == 0, "%d held", held);
    for (int i = 0; i < held; i++) {
        check_stack(numbers[i], &raws[i]);
    }
    samples_take_nopy(0x10000); /* room for one */
    uint32_t capacity = (uint32_t)recording->stacks_capacity;
    for (uint32_t i = 0; i < 2 * capacity; i++) {
        RawStack raw = stack_at(&codes[5000 + i], 0);
        stacks_number_nopy(&raw);
    }
    for (int i = 1; i < held; i++) {
        check_stack(numbers[i], &raws[i]);
        samples_take_nopy(0x10000 + (uintptr_t)i * 16);
    }
    uint32_t tries = 0, number = 0;
    for (; number == 0 && tries < capacity; tries++) {
        RawStack raw = stack_at(&codes[20000 + tries], 0);
        number = stacks_number_nopy(&raw);
    }
    CHECK(number != 0, "no room after %u tries", tries);
}

/* Functions that find no room still bring texts, and memory to make room may be short. */
static void texts_of_the_refused_end_too(void)
{
    name_codes("a.py", CODES);
    start(RECORDING_BYTES_MIN);
    uint32_t capacity = (uint32_t)recording->functions_capacity;
    RawStack first = stack_at(&codes[0], 0);
    for (uint32_t i = 0; i < CODES; i++) {
        RawStack raw = stack_at(&codes[i], 0);
        if (i == capacity) {
            scarcity_begin(1, REFUSE_ALL_FROM);
        }
        CHECK((i < capacity ? keep(16 + (uintptr_t)i * 16, &raw) : !stacks_number_nopy(&raw)) != 0,
              "function %u", i);
    }
    CHECK(scarcity_met(), "nothing was refused");
    scarcity_begin(0, REFUSE_ONE);
    check_stack(stacks_number_nopy(&first), &first);
}

/* Others write to the file: each stack as long as may be, and more than there is room for. */
static void a_lying_file_is_not_believed(void)
{
    name_codes("a.py", 1);
    start(RECORDING_BYTES_MIN);
    const uint32_t end = (uint32_t)recording->stacks_capacity;
    for (uint32_t i = 1; i < end; i++) {
        const RawStack raw = stack_at(&codes[0], (int32_t)i);
        keep((uintptr_t)i * 16, &raw);
    }
    for (uint32_t i = 1; i < end; i++) {
        recording_half_nopy(recording->half).stacks[i] = (RecordedStack){0, STACK_FRAMES_MAX};
    }
    const RawStack one_more = stack_at(&codes[0], 0);
    const uint32_t half = recording->half;
    CHECK(stacks_number_nopy(&one_more) == 0 && recording->half != half, "a renewal, but no room");
    RecordingUsed used;
    stacks_extent(&used);
    CHECK(used.frames <= recording->frames_capacity, "%llu frames", (unsigned long long)used.frames);
}

/* More code objects than are known at a time, all of one text. */
static void many_code_objects_are_one_stack(void)
{
    enum { COUNT = 200000 };
    Code *twins = calloc(COUNT, sizeof *twins);
    CHECK(twins != NULL, "memory for the test");
    name_codes("a.py", 1);
    start(RECORDING_BYTES_MIN);
    for (int i = 0; i < COUNT; i++) {
        twins[i] = codes[0];
        RawStack raw = stack_at(&twins[i], 3);
        CHECK(stacks_number_nopy(&raw) == 1, "code object %d", i);
    }
    free(twins);
}

int main(void)
{
    one_number_for_equal_stacks();
    random_stacks_are_what_they_were();
    the_dead_lend_no_names();
    renewal_keeps_what_lives("too many stacks", 1, 20);
    renewal_keeps_what_lives("too many functions", 1, CODES);
    renewal_keeps_what_lives("too many frames", 60, 500);
    no_room_is_not_for_ever(1);
    no_room_is_not_for_ever(50);
    texts_of_the_refused_end_too();
    a_lying_file_is_not_believed();
    many_code_objects_are_one_stack();
    samples_stop();
    CHECK(scarcity_blocks() == 0 && scarcity_mappings() == 0, "%ld left", scarcity_blocks());
    return 0;
}
