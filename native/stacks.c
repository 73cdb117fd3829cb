#include "stacks.h"

#include <stdlib.h>
#include <string.h>

#include "recording.h"
#include "table.h"

enum { SEEN = 1 << 13, DECODED = 1 << 12, CODES_MAX = 1 << 16 };

/* An open-addressed set of numbers (kept + 1, 0 is empty) of things that lie in the recording. */
typedef struct {
    uint32_t *places;
    uint32_t mask;
} Index;

static const CodeReader *reader;
static Index stack_index, function_index, text_index;
static uint32_t numbers_used, functions_used, frames_used, texts, text_used;
static uint32_t *free_stacks; /* numbers that were given back */
static uint32_t free_count;
static uint32_t wanted_since_renewal; /* room for a stack, had or not */
static uint64_t written_by_renewal;   /* see written_nopy */

static Table codes; /* code object -> number of its function */
static _Atomic uint32_t codes_generation = 1;

/* While this thread holds all locks: code objects that die then are forgotten with all others afterwards. */
static _Thread_local bool holding;
static bool died_meanwhile;

/* Raw stacks seen lately, by hash; two that share all 64 bits would be taken for one. */
static struct {
    uint64_t hash;
    uint32_t stack, generation;
} seen[SEEN];

static uint64_t mix_nopy(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

static uint64_t hash_bytes_nopy(const void *bytes, size_t count)
{
    const unsigned char *byte = bytes;
    uint64_t hash = count;
    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ byte[i]) * UINT64_C(1099511628211); /* FNV-1a */
    }
    return mix_nopy(hash, 0);
}

static bool index_start(Index *index, uint64_t things)
{
    uint32_t capacity = 16;
    while (capacity < 2 * things) {
        capacity *= 2;
    }
    index->places = calloc(capacity, sizeof *index->places);
    index->mask = capacity - 1;
    return index->places != NULL;
}

static void index_empty_nopy(Index *index)
{
    memset(index->places, 0, ((size_t)index->mask + 1) * sizeof *index->places);
}

bool stacks_start(const CodeReader *wanted)
{
    stacks_clear();
    reader = wanted;
    numbers_used = 1; /* number 0 is nobody's */
    functions_used = frames_used = 0;
    texts = text_used = 0;
    free_count = 0;
    wanted_since_renewal = recording_own.stacks_capacity; /* the first may come as soon as it must */
    written_by_renewal = 0;
    table_init(&codes, CODES_MAX);
    free_stacks = calloc(recording_own.stacks_capacity, sizeof *free_stacks);
    bool done = index_start(&stack_index, recording_own.stacks_capacity) &&
                index_start(&function_index, recording_own.functions_capacity) &&
                index_start(&text_index, 2 * recording_own.functions_capacity) && free_stacks != NULL;
    if (!done) {
        stacks_clear();
    }
    return done;
}

void stacks_clear(void)
{
    Index *indexes[] = {&stack_index, &function_index, &text_index};
    for (size_t i = 0; i < sizeof indexes / sizeof *indexes; i++) {
        free(indexes[i]->places);
        indexes[i]->places = NULL;
    }
    free(free_stacks);
    free_stacks = NULL;
    table_clear_nopy(&codes);
    atomic_fetch_add(&codes_generation, 1);
}

/* The offset of a text in `half`, copied there if it is new; false without room. */
static bool text_intern_nopy(const RecordedHalf *half, const char *text, uint32_t *offset)
{
    size_t count = strlen(text) + 1;
    uint32_t i = (uint32_t)hash_bytes_nopy(text, count) & text_index.mask;
    for (; text_index.places[i] != 0; i = (i + 1) & text_index.mask) {
        *offset = text_index.places[i] - 1;
        if (count <= recording_own.text_bytes - *offset && memcmp(half->text + *offset, text, count) == 0) {
            return true;
        }
    }
    if (texts == 2 * recording_own.functions_capacity || count > recording_own.text_bytes - text_used) {
        return false;
    }
    *offset = text_used;
    memcpy(half->text + text_used, text, count);
    text_used += (uint32_t)count;
    texts++;
    text_index.places[i] = *offset + 1;
    return true;
}

/* The number of a function in `half`; false without room. */
static bool function_intern_nopy(const RecordedHalf *half, const char *file, const char *name,
                                 uint32_t first_line, uint32_t *number)
{
    RecordedFunction function = {.first_line = first_line};
    if (!text_intern_nopy(half, file, &function.file) || !text_intern_nopy(half, name, &function.name)) {
        return false;
    }
    uint32_t i = (uint32_t)hash_bytes_nopy(&function, sizeof function) & function_index.mask;
    for (; function_index.places[i] != 0; i = (i + 1) & function_index.mask) {
        *number = function_index.places[i] - 1;
        if (memcmp(&half->functions[*number], &function, sizeof function) == 0) {
            return true;
        }
    }
    if (functions_used == recording_own.functions_capacity) {
        return false;
    }
    *number = functions_used++;
    half->functions[*number] = function;
    function_index.places[i] = *number + 1;
    return true;
}

static void forget_codes_nopy(void)
{
    table_clear_nopy(&codes);
    atomic_fetch_add(&codes_generation, 1);
}

static bool function_of_nopy(const RecordedHalf *half, const void *code, uint32_t *number)
{
    uint64_t known;
    if (table_get_nopy(&codes, (uintptr_t)code, &known)) {
        *number = (uint32_t)known;
        return true;
    }
    CodeText text;
    reader->describe_nopy(code, &text);
    if (!function_intern_nopy(half, text.file, text.name, text.first_line, number)) {
        return false;
    }
    uint64_t old;
    bool had;
    /* Unless its death can be told from then on, a code object can't be known by its address. */
    if (!table_put_nopy(&codes, (uintptr_t)code, *number, &old, &had)) {
        forget_codes_nopy();
        return table_put_nopy(&codes, (uintptr_t)code, *number, &old, &had);
    }
    return true;
}

/* A stack's frames; NULL if what the file says can't be. */
static const RecordedFrame *frames_of_nopy(const RecordedHalf *half, RecordedStack stack)
{
    uint64_t length = stack.frames & ~STACK_CUT, first = stack.first_frame;
    bool may_be = length <= STACK_FRAMES_MAX && first + length <= recording_own.frames_capacity;
    return may_be ? half->frames + first : NULL;
}

/* A text; "" if what the file says can't be. */
static const char *text_of_nopy(const RecordedHalf *half, uint32_t offset)
{
    bool may_be = offset < recording_own.text_bytes &&
                  memchr(half->text + offset, 0, recording_own.text_bytes - offset) != NULL;
    return may_be ? half->text + offset : "";
}

const RecordedFrame *stacks_line(uint32_t number, const char **file, const char **function)
{
    RecordedHalf half = recording_half_nopy(recording_own.half);
    if (number >= recording_own.stacks_capacity || half.stacks[number].frames == 0) {
        return NULL;
    }
    const RecordedFrame *frame = frames_of_nopy(&half, half.stacks[number]);
    if (frame == NULL || frame->function >= recording_own.functions_capacity) {
        return NULL;
    }
    *file = text_of_nopy(&half, half.functions[frame->function].file);
    *function = text_of_nopy(&half, half.functions[frame->function].name);
    return frame;
}

/* Where a stack is in the index, or would go. */
static uint32_t *stack_place_nopy(const RecordedHalf *half, const RecordedFrame *frames, uint32_t count)
{
    uint32_t i = (uint32_t)hash_bytes_nopy(frames, (count & ~STACK_CUT) * sizeof *frames) & stack_index.mask;
    for (; stack_index.places[i] != 0; i = (i + 1) & stack_index.mask) {
        const RecordedStack *stack = &half->stacks[stack_index.places[i] - 1];
        const RecordedFrame *kept = stack->frames == count ? frames_of_nopy(half, *stack) : NULL;
        if (kept != NULL && memcmp(kept, frames, (count & ~STACK_CUT) * sizeof *frames) == 0) {
            break;
        }
    }
    return &stack_index.places[i];
}

static uint32_t frames_keep_nopy(const RecordedHalf *half, const RecordedFrame *frames, uint32_t count)
{
    uint32_t first = frames_used;
    memcpy(half->frames + first, frames, count * sizeof *frames);
    frames_used += count;
    return first;
}

/* Frames decoded lately: finding a line takes time in proportion to the function's length. */
static struct {
    const void *code;
    int32_t instruction;
    uint32_t generation;
    RecordedFrame frame;
} decoded[DECODED];

static bool decode_nopy(const RecordedHalf *half, const RawFrame *raw, RecordedFrame *frame)
{
    uint64_t hash = mix_nopy((uintptr_t)raw->code, (uint32_t)raw->instruction);
    uint32_t generation = atomic_load_explicit(&codes_generation, memory_order_relaxed);
    size_t place = hash % DECODED;
    if (decoded[place].code != raw->code || decoded[place].instruction != raw->instruction ||
        decoded[place].generation != generation) {
        if (!function_of_nopy(half, raw->code, &frame->function)) {
            return false;
        }
        frame->line = reader->line_nopy(raw->code, raw->instruction);
        generation = atomic_load(&codes_generation); /* it may have been the code object too many */
        decoded[place].code = raw->code;
        decoded[place].instruction = raw->instruction;
        decoded[place].generation = generation;
        decoded[place].frame = *frame;
    }
    *frame = decoded[place].frame;
    return true;
}

/* The number of a raw stack, kept if it is new; 0 without room. */
static uint32_t intern_nopy(const RawStack *raw)
{
    RecordedHalf half = recording_half_nopy(recording_own.half);
    RecordedFrame frames[STACK_FRAMES_MAX] = {0};
    uint32_t length = (uint32_t)raw->count, count = length | (raw->cut ? STACK_CUT : 0);
    for (uint32_t i = 0; i < length; i++) {
        if (!decode_nopy(&half, &raw->frames[i], &frames[i])) {
            return 0;
        }
    }
    uint32_t *place = stack_place_nopy(&half, frames, count);
    if (*place != 0) {
        return *place - 1;
    }
    bool fresh = free_count == 0;
    if (length > recording_own.frames_capacity - frames_used ||
        (fresh && numbers_used == recording_own.stacks_capacity)) {
        return 0;
    }
    uint32_t number = fresh ? numbers_used++ : free_stacks[--free_count];
    half.stacks[number] = (RecordedStack){frames_keep_nopy(&half, frames, length), count};
    *place = number + 1;
    wanted_since_renewal++;
    return number;
}

/* The bytes of a half that are taken. */
static uint64_t written_nopy(void)
{
    return frames_used * sizeof(RecordedFrame) + functions_used * sizeof(RecordedFunction) + text_used;
}

/* Whether enough stacks, or long enough ones, came since the last renewal to go through all of them again. */
static bool renewal_pays_nopy(void)
{
    return wanted_since_renewal > recording_own.stacks_capacity / 4 ||
           written_nopy() - written_by_renewal > recording_own.half_bytes / 8;
}

/* Copies one stack into the other half. It fits, as all did before, but where the file says otherwise. */
static void renew_stack_nopy(const RecordedHalf *from, const RecordedHalf *to, uint32_t number)
{
    RecordedStack stack = from->stacks[number];
    RecordedFrame frames[STACK_FRAMES_MAX] = {0};
    const RecordedFrame *old = frames_of_nopy(from, stack);
    uint32_t length = stack.frames & ~STACK_CUT;
    if (old == NULL || length > recording_own.frames_capacity - frames_used) {
        length = 0;
    }
    for (uint32_t i = 0; i < length; i++) {
        const RecordedFunction none = {0};
        bool may_be = old[i].function < recording_own.functions_capacity;
        const RecordedFunction *function = may_be ? &from->functions[old[i].function] : &none;
        frames[i].line = old[i].line;
        function_intern_nopy(to, text_of_nopy(from, function->file), text_of_nopy(from, function->name),
                             function->first_line, &frames[i].function);
    }
    stack.frames = length | (stack.frames & STACK_CUT);
    to->stacks[number] = (RecordedStack){frames_keep_nopy(to, frames, length), stack.frames};
    *stack_place_nopy(to, frames, stack.frames) = number + 1;
}

/* Forgets the stacks that hold no sample, and writes the others afresh into the other half; numbers stay. A
 * reader, or a kill in the middle, finds the old half whole. */
static void renew_nopy(void)
{
    char *holds = calloc(recording_own.stacks_capacity, 1);
    if (holds == NULL) {
        return;
    }
    const RecordedSample *slots = recording_slots_nopy();
    for (uint64_t i = 0; i < recording_own.slots_used; i++) {
        if (slots[i].stack < recording_own.stacks_capacity) {
            holds[slots[i].stack] |= slots[i].tag != 0;
        }
    }
    uint32_t other = !recording_own.half;
    RecordedHalf from = recording_half_nopy(recording_own.half), to = recording_half_nopy(other);
    RecordedTotal *totals = recording_totals_nopy();
    RECORDING_SET(generation, recording_own.generation + 1);
    index_empty_nopy(&stack_index);
    index_empty_nopy(&function_index);
    index_empty_nopy(&text_index);
    functions_used = frames_used = texts = text_used = free_count = 0;
    memset(to.stacks, 0, recording_own.stacks_capacity * sizeof *to.stacks);
    for (uint32_t number = numbers_used - 1; number > 0; number--) {
        if (holds[number]) {
            renew_stack_nopy(&from, &to, number);
        } else {
            RECORDING_SET(forgotten_bytes, recording_own.forgotten_bytes + totals[number].bytes);
            RECORDING_SET(forgotten_blocks, recording_own.forgotten_blocks + totals[number].blocks);
            totals[number] = (RecordedTotal){0};
            free_stacks[free_count++] = number;
        }
    }
    RECORDING_SET(half, other);
    RECORDING_SET(generation, recording_own.generation + 1);
    free(holds);
    forget_codes_nopy(); /* functions have other numbers now */
    wanted_since_renewal = 0;
    written_by_renewal = written_nopy();
}

uint32_t stacks_number_nopy(const RawStack *stack)
{
    if (stack->count == 0) {
        return 0;
    }
    uint64_t hash = (uint64_t)stack->cut;
    for (int i = 0; i < stack->count; i++) {
        const RawFrame *frame = &stack->frames[i];
        hash = mix_nopy(hash, (uintptr_t)frame->code ^ (uint64_t)(uint32_t)frame->instruction << 40);
    }
    uint32_t generation = atomic_load_explicit(&codes_generation, memory_order_relaxed);
    size_t place = hash % SEEN;
    if (seen[place].hash == hash && seen[place].generation == generation) {
        return seen[place].stack;
    }
    uint32_t number = intern_nopy(stack);
    if (number == 0) {
        wanted_since_renewal++;
        if (renewal_pays_nopy()) {
            renew_nopy();
            generation = atomic_load(&codes_generation);
            number = intern_nopy(stack);
        }
    }
    if (number != 0) {
        seen[place].hash = hash;
        seen[place].stack = number;
        seen[place].generation = generation;
    }
    return number;
}

void stacks_extent(RecordingUsed *used)
{
    *used = (RecordingUsed){numbers_used, functions_used, frames_used, text_used};
}

void stacks_code_dies_nopy(const void *code)
{
    uint64_t function;
    if (holding) {
        died_meanwhile = true;
        return;
    }
    if (table_take_nopy(&codes, (uintptr_t)code, &function)) {
        atomic_fetch_add(&codes_generation, 1);
    }
}

bool stacks_are_held_nopy(void)
{
    return holding;
}

void stacks_lock_all(void)
{
    table_lock_all(&codes);
    holding = true;
}

void stacks_unlock_all(void)
{
    holding = false;
    table_unlock_all(&codes);
    if (died_meanwhile) {
        died_meanwhile = false;
        forget_codes_nopy();
    }
}
