#include "site.h"

#include "below.h"
#include "pycompat.h"
#include "scopes.h"
#include "utf8.h"

/* Writes `text` (a str, borrowed) as UTF-8 into `out`, cut at `capacity` bytes with its final NUL, never
 * within a character. PyUnicode_AsUTF8 would allocate and keep the result on the object. */
static void copy_text_nopy(PyObject *text, char *out, size_t capacity)
{
    size_t used = 0;
    if (text != NULL && PyUnicode_Check(text)) {
        int kind = PyUnicode_KIND(text);
        const void *data = PyUnicode_DATA(text);
        Py_ssize_t length = PyUnicode_GET_LENGTH(text);
        for (Py_ssize_t i = 0; i < length; i++) {
            unsigned char bytes[UTF8_BYTES_MAX];
            size_t count = utf8_encode_nopy(bytes, PyUnicode_READ(kind, data, i));
            if (used + count >= capacity) {
                break;
            }
            memcpy(out + used, bytes, count);
            used += count;
        }
    }
    out[used] = '\0';
}

static void describe_nopy(const void *object, CodeText *text)
{
    const PyCodeObject *code = object;
    copy_text_nopy(code->co_filename, text->file, sizeof text->file);
    copy_text_nopy(code->co_qualname, text->name, sizeof text->name);
    text->first_line = (uint32_t)code->co_firstlineno;
}

static uint32_t line_nopy(const void *code, int32_t instruction)
{
    int line = PyCode_Addr2Line((PyCodeObject *)code, instruction);
    return line > 0 ? (uint32_t)line : 0; /* some instructions have none */
}

static bool deaths_told;

const CodeReader *site_reader(void)
{
    static const CodeReader reader = {describe_nopy, line_nopy};
    if (!deaths_told) {
        deaths_told = code_deaths_watch(stacks_code_dies_nopy);
    }
    return &reader;
}

/* A thread that gave the GIL up still has its frames to itself: it is in C code that they called. Not so when
 * the interpreter ends and takes every thread's state. */
void site_stack_nopy(RawStack *stack)
{
    stack->count = 0;
    stack->cut = false;
    PyThreadState *tstate = PyGILState_GetThisThreadState();
    if (tstate == NULL || (tstate != _PyThreadState_UncheckedGet() && is_finalizing_nopy())) {
        return;
    }
    if (tstate->interp != PyInterpreterState_Main()) {
        return; /* the deaths of another interpreter's code objects are not told */
    }
    const void *frame = current_frame_nopy(tstate);
    RawFrame *next = stack->frames;
    while ((frame = complete_frame_nopy(frame, &next->code, &next->instruction)) != NULL) {
        if (!deaths_told) {
            stacks_code_dies_nopy(next->code); /* what was known by this address may be dead */
        }
        if (++stack->count == STACK_FRAMES_MAX) {
            RawFrame more;
            frame = frame_below_nopy(frame);
            stack->cut = complete_frame_nopy(frame, &more.code, &more.instruction) != NULL;
            return;
        }
        next++;
        frame = frame_below_nopy(frame);
    }
    below_append_nopy(stack);
}

static PyObject *run_variable, *tasks;

void site_run_is_in(void *variable)
{
    Py_XSETREF(run_variable, Py_NewRef((PyObject *)variable));
}

static void say_run(PyObject *run)
{
    PyObject *token = PyContextVar_Set(run_variable, run);
    if (token == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(token);
}

void *site_run_enter(void *run)
{
    PyObject *around = NULL;
    if (run_variable != NULL && PyContextVar_Get(run_variable, NULL, &around) == 0) {
        say_run(run);
    } else {
        PyErr_Clear();
    }
    return around;
}

void site_run_leave(void *around)
{
    if (around != NULL) {
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        say_run(around);
        Py_DECREF((PyObject *)around);
        PyErr_Restore(type, value, traceback);
    }
}

void site_tasks_are_in(void *dict)
{
    Py_XSETREF(tasks, Py_NewRef((PyObject *)dict));
}

bool site_is_in_task(void)
{
    return tasks != NULL && PyDict_GET_SIZE(tasks) > 0;
}

uint64_t site_run_nopy(void)
{
    PyThreadState *tstate = PyGILState_GetThisThreadState();
    if (run_variable == NULL || tstate == NULL || tstate != _PyThreadState_UncheckedGet() ||
        tstate->interp != PyInterpreterState_Main()) {
        return 0;
    }
    PyObject *id = NULL;
    if (PyContextVar_Get(run_variable, NULL, &id) < 0 || id == NULL) {
        return 0;
    }
    uint64_t run = PyLong_CheckExact(id) ? PyLong_AsUnsignedLongLong(id) : 0;
    Py_DECREF(id);
    bool in_callback = tasks != NULL && PyDict_GET_SIZE(tasks) == 0;
    return run != 0 && in_callback ? run | RUN_IN_CALLBACK : run;
}
