#include "pycompat_heap.h" /* before any other header */

#include "heap_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heap_frames.h"
#include "heap_found.h"
#include "heap_refer.h"
#include "heap_sites.h"
#include "heap_values.h"
#include "heap_visit.h"

enum {
    PROGRESS_EVERY = 1 << 18,
    SOON = 16, /* rows */
    FRAMES_MAX = 1 << 16,
    THREADS_MAX = 1 << 12,
    TEMPORARIES_MAX = 1 << 14,
    TEXTS_MAX = 1 << 22,
    TEXT_CHARACTERS_MAX = 80,
};

static void (*tell)(uint64_t, uint64_t);

/* ---- what the collector knows ---- */

static void list_tracked(PyInterpreterState *interpreter)
{
    for (int i = 0; i < GC_LISTS; i++) {
        PyGC_Head *head = gc_list(interpreter, i);
        for (PyGC_Head *link = gc_next(head); link != NULL && link != head && !columns_failed;
             link = gc_next(link)) {
            found_row((const char *)link + sizeof(PyGC_Head));
        }
    }
}

/* ---- where it begins ---- */

static void hold_root(PyObject *object, const char *name)
{
    if (object != NULL) {
        found_root(found_row(object), ROOT_INTERPRETER, found_string(name));
    }
}

/* ---- threads ---- */

typedef struct {
    const struct _PyInterpreterFrame *frame;
    uint32_t row;
} Running;

typedef struct {
    uint32_t row, text;
} ThreadRow;

static Running running[FRAMES_MAX]; /* by row */
static size_t running_count, running_walked;
static ThreadRow threads[THREADS_MAX]; /* by row */
static size_t thread_count;

static uint32_t thread_text(PyThreadState *thread, const ThreadName *names, size_t count)
{
    char text[64];
    for (size_t i = 0; i < count; i++) {
        if (names[i].ident == thread->thread_id) {
            return found_string(names[i].name);
        }
    }
    if (thread->native_thread_id == (unsigned long)getppid()) {
        return found_string("MainThread"); /* of the parent; it has not imported threading */
    }
    snprintf(text, sizeof text, "%lu", thread->thread_id);
    return found_string(text);
}

static const struct _PyInterpreterFrame *complete(const struct _PyInterpreterFrame *frame)
{
    while (frame != NULL && (iframe_is_entry(frame) || iframe_code(frame) == NULL)) {
        frame = frame->previous;
    }
    return frame;
}

/* A thread's row, which refers to its frames: rows of theirs, or generators. Call when all before is walked.
 */
static void visit_thread(PyThreadState *thread, uint32_t text, uint32_t type)
{
    const struct {
        const char *name;
        PyObject *to;
    } all[] = {
        {"dict", thread->dict},
        {"context", thread->context},
        {"raised", raised(thread)},
        {"handled", thread->exc_info == NULL ? NULL : thread->exc_info->exc_value},
        {"async_exc", thread->async_exc},
        {"profile", thread->c_profileobj},
        {"trace", thread->c_traceobj},
        {"firstiter", thread->async_gen_firstiter},
        {"finalizer", thread->async_gen_finalizer},
    };
    uint32_t names[sizeof all / sizeof *all], named = 0;
    threads[thread_count++] = (ThreadRow){found_nobody(), text};
    size_t first = running_count;
    const struct _PyInterpreterFrame *top = complete(current_frame_nopy(thread));
    for (const struct _PyInterpreterFrame *frame = top; frame != NULL; frame = complete(frame->previous)) {
        if (frame->owner != FRAME_OWNED_BY_GENERATOR && running_count < FRAMES_MAX) {
            running[running_count++] = (Running){frame, found_nobody()};
        }
    }
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i].to != NULL && all[i].to != Py_None) {
            refer(all[i].to);
            names[named++] = found_string(all[i].name);
        }
    }
    for (size_t i = first; i < running_count; i++) {
        column_push32(&found.edges, running[i].row);
    }
    for (const struct _PyInterpreterFrame *frame = top; frame != NULL; frame = complete(frame->previous)) {
        if (frame->owner == FRAME_OWNED_BY_GENERATOR) {
            refer(iframe_generator(frame));
        }
    }
    found_wants_text((uint32_t)found.walked);
    found_root((uint32_t)found.walked, ROOT_THREAD, text);
    found_walked(found_shape(type, REST_OTHER, names, named), 0, 0);
}

/* ---- the walk ---- */

/* Until nothing new is found. The processor is told of objects some rows ahead: most are not in its caches.
 */
static void walk_all(uint32_t frame_type)
{
    while (found.walked < found.objects && !columns_failed) {
        PyObject *object = found_object(found.walked);
        if (found.walked + SOON < found.objects) {
            __builtin_prefetch(found_object(found.walked + SOON));
        }
        if (object == NULL) {
            visit_running_frame(running[running_walked++].frame, frame_type);
        } else {
            visit_object(object);
        }
        if (found.walked % PROGRESS_EVERY == 0) {
            tell(found.walked, column_count(&found.edges));
        }
    }
}

/* ---- what may lie on the evaluation stacks of running frames ---- */

typedef struct {
    uint32_t row, references; /* found elsewhere */
    const struct _PyInterpreterFrame *frame;
} Temporary;

static Temporary temporaries[TEMPORARIES_MAX];

static int by_row(const void *one, const void *other)
{
    uint32_t a = ((const Temporary *)one)->row, b = ((const Temporary *)other)->row;
    return a < b ? -1 : a > b;
}

/* Shell's, with Ciura's gaps: qsort() may call malloc. */
static void sort_by_row(Temporary *all, size_t count)
{
    static const size_t gaps[] = {3548, 1577, 701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++) {
        for (size_t i = gaps[g]; i < count; i++) {
            Temporary moving = all[i];
            size_t at = i;
            for (; at >= gaps[g] && all[at - gaps[g]].row > moving.row; at -= gaps[g]) {
                all[at] = all[at - gaps[g]];
            }
            all[at] = moving;
        }
    }
}

static size_t list_temporaries(void)
{
    size_t count = 0;
    for (size_t i = 0; i < running_count; i++) {
        PyObject *const *slots;
        Py_ssize_t height = running_stack(running[i].frame, &slots);
        for (Py_ssize_t at = 0; at < height && count < TEMPORARIES_MAX; at++) {
            /* Whatever is there, it is only compared with addresses of objects. */
            uint32_t row = address_row((uintptr_t)slots[at]);
            if (row != NO_ROW && found_object(row) == slots[at]) {
                temporaries[count++] = (Temporary){row, 0, running[i].frame};
            }
        }
    }
    sort_by_row(temporaries, count);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || temporaries[kept - 1].row != temporaries[i].row) {
            temporaries[kept++] = temporaries[i];
        }
    }
    return kept;
}

/* The slots may hold what was there before. Only where references are missing are they believed. */
static void root_temporaries(void)
{
    size_t count = list_temporaries();
    const uint32_t *edges = column_rows(&found.edges);
    uint32_t least = count == 0 ? 0 : temporaries[0].row, most = count == 0 ? 0 : temporaries[count - 1].row;
    for (size_t i = 0; count > 0 && i < column_count(&found.edges); i++) {
        if (edges[i] >= least && edges[i] <= most) {
            Temporary *at =
                bsearch(&(Temporary){.row = edges[i]}, temporaries, count, sizeof *temporaries, by_row);
            if (at != NULL) {
                at->references++;
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t refcount = column_rows(&found.refcount)[temporaries[i].row];
        if (refcount != IMMORTAL && refcount > temporaries[i].references) {
            found_root(temporaries[i].row, ROOT_STACK,
                       text_number(iframe_code(temporaries[i].frame)->co_qualname, 200));
        }
    }
}

/* ---- texts ---- */

/* A task's name: among the references of its own the first that can be one. CPython keeps it as a number
 * until somebody asks. */
static uint32_t task_text(uint32_t row)
{
    const uint32_t *first = column_rows(&found.first), *edges = column_rows(&found.edges);
    for (uint32_t i = first[row]; i < first[row + 1]; i++) {
        PyObject *object = found_object(edges[i]);
        if (object != NULL && PyUnicode_CheckExact(object)) {
            return text_number(object, TEXT_CHARACTERS_MAX);
        }
        if (object != NULL && PyLong_CheckExact(object)) {
            char text[64];
            int overflow;
            snprintf(text, sizeof text, "Task-%lld", PyLong_AsLongLongAndOverflow(object, &overflow));
            return found_string(text);
        }
    }
    return found_string("");
}

static uint32_t number_text(PyObject *integer)
{
    char text[64];
    int overflow = 0;
    long long value = PyLong_AsLongLongAndOverflow(integer, &overflow);
    snprintf(text, sizeof text, "%lld", value);
    return found_string(overflow != 0 ? "(a large number)" : text);
}

static uint32_t bytes_text(PyObject *bytes)
{
    char text[2 * TEXT_CHARACTERS_MAX];
    size_t used = 0;
    Py_ssize_t size = PyBytes_GET_SIZE(bytes), shown = size < 40 ? size : 40;
    for (Py_ssize_t i = 0; i < shown; i++) {
        char c = PyBytes_AS_STRING(bytes)[i];
        text[used++] = c >= 0x20 && c < 0x7F ? c : '.';
    }
    return interner_number(&found.strings, text, used);
}

static uint32_t text_of_row(uint32_t row)
{
    PyObject *object = found_object(row);
    if (object == NULL) {
        size_t i = 0;
        while (i + 1 < thread_count && threads[i].row != row) {
            i++;
        }
        return threads[i].text;
    }
    if (PyUnicode_Check(object)) {
        return text_number_of_its_own(object, TEXT_CHARACTERS_MAX);
    }
    if (PyLong_Check(object)) {
        return number_text(object);
    }
    if (PyBytes_Check(object)) {
        return bytes_text(object);
    }
    if (PyModule_Check(object)) {
        return text_number(((PyModuleObject *)object)->md_name, TEXT_CHARACTERS_MAX);
    }
    if (PyContextVar_CheckExact(object)) {
        return text_number(((PyContextVar *)object)->var_name, TEXT_CHARACTERS_MAX);
    }
    if (PyCFunction_Check(object)) {
        return found_string(((PyCFunctionObject *)object)->m_ml->ml_name);
    }
    return task_text(row);
}

static void write_texts(void)
{
    size_t count = 0;
    for (size_t byte = 0; byte < found.told.used && !columns_failed && count < TEXTS_MAX; byte++) {
        for (uint32_t bit = 0; found.told.bytes[byte] >> bit != 0; bit++) {
            if (found.told.bytes[byte] >> bit & 1) {
                uint32_t row = (uint32_t)(byte * 8 + bit);
                found_text(row, text_of_row(row));
                count++;
            }
        }
    }
}

/* ---- equal values ---- */

static void write_contents(uint64_t key)
{
    for (uint64_t row = 0; row < found.walked && !columns_failed; row++) {
        PyObject *object = found_object(row);
        uint64_t hash = object == NULL ? 0 : value_hash(object, key);
        if (hash != 0) {
            const uint32_t words[] = {(uint32_t)row, 0, (uint32_t)hash, (uint32_t)(hash >> 32)};
            column_push(&found.contents, words, sizeof words);
        }
    }
}

bool heap_walk(PyInterpreterState *interpreter, const ThreadName *names, size_t name_count, bool contents,
               uint64_t key, void (*progress)(uint64_t objects, uint64_t edges))
{
    tell = progress;
    column_push32(&found.first, 0);
    found_string("");
    uint32_t thread_type = types_pseudo("thread", CATEGORY_THREAD);
    uint32_t frame_type = types_pseudo("frame", CATEGORY_FRAME);
    list_tracked(interpreter);
    interpreter_roots(interpreter, hold_root);
    walk_all(frame_type);
    for (PyThreadState *thread = PyInterpreterState_ThreadHead(interpreter);
         thread != NULL && thread_count < THREADS_MAX; thread = PyThreadState_Next(thread)) {
        visit_thread(thread, thread_text(thread, names, name_count), thread_type);
        walk_all(frame_type);
    }
    if (!columns_failed) {
        root_temporaries();
        write_texts();
        heap_sites();
    }
    if (contents) {
        write_contents(key);
    }
    tell(found.walked, column_count(&found.edges));
    return !columns_failed;
}
