/* All that differs between CPython versions, but for what only the walk of the heap must know
 * (pycompat_heap.h): no other file reads PY_VERSION_HEX. Tested on 3.11, 3.12, 3.13; 3.14 is written from its
 * headers and untested. */
#ifndef OUTLIVE_PYCOMPAT_H
#define OUTLIVE_PYCOMPAT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

#if PY_VERSION_HEX < 0x030B0000
#error "outlive needs CPython 3.11 or later"
#endif
#ifdef Py_GIL_DISABLED
#error "outlive does not support free-threaded builds: its hooks rely on the GIL; use a regular build"
#endif

#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE
#define OUTLIVE_DEFINED_BUILD_CORE
#endif
#include <internal/pycore_frame.h>
#ifdef OUTLIVE_DEFINED_BUILD_CORE
#undef Py_BUILD_CORE
#undef OUTLIVE_DEFINED_BUILD_CORE
#endif

#if PY_VERSION_HEX >= 0x030C0000
#define HAVE_MONITORING 1
#else
#define HAVE_MONITORING 0
#endif

/* Whether os.fork() counts threads, to warn of them, after the hooks that may begin some. */
#define FORK_COUNTS_THREADS_LATE (PY_VERSION_HEX >= 0x030D0000)

/* "pymalloc", "malloc", "pymalloc_debug", "malloc_debug", or NULL if another tool has wrapped the allocators.
 * Exported by every version, declared publicly by some. */
PyAPI_FUNC(const char *) _PyMem_GetCurrentAllocatorName(void);

/* The Python frame that runs in this thread, to be compared, not followed; NULL if none. */
static inline const void *current_frame_nopy(PyThreadState *tstate)
{
#if PY_VERSION_HEX >= 0x030D0000
    return tstate->current_frame;
#else
    return tstate->cframe->current_frame;
#endif
}

/* The frame itself, or the first one below it, that is complete: its code (borrowed, valid while the frame
 * is) and the byte offset of the instruction it runs. NULL if there is none. Reads memory only. */
static inline const void *complete_frame_nopy(const void *from, const void **code, int32_t *instruction)
{
    for (_PyInterpreterFrame *frame = (_PyInterpreterFrame *)from; frame != NULL; frame = frame->previous) {
#if PY_VERSION_HEX >= 0x030C0000
        bool complete = frame->owner != FRAME_OWNED_BY_CSTACK && !_PyFrame_IsIncomplete(frame);
#else
        bool complete = !_PyFrame_IsIncomplete(frame);
#endif
        if (complete) {
            *instruction = _PyInterpreterFrame_LASTI(frame) * (int)sizeof(_Py_CODEUNIT);
#if PY_VERSION_HEX >= 0x030D0000
            *code = frame->f_executable;
#else
            *code = frame->f_code;
#endif
            return frame;
        }
    }
    return NULL;
}

/* The frame that called this one. */
static inline const void *frame_below_nopy(const void *frame)
{
    return ((const _PyInterpreterFrame *)frame)->previous;
}

/* The frame that a frame object stands for. */
static inline const void *frame_of_object(PyFrameObject *object)
{
    return object->f_frame;
}

/* Whether the interpreter is ending. */
static inline bool is_finalizing_nopy(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    return Py_IsFinalizing();
#else
    return _Py_IsFinalizing();
#endif
}

/* Has the death of each code object told from now on, before its memory is freed. False if that can't be had:
 * then call again. One caller, once. Needs the GIL. */
__attribute__((unused)) static bool code_deaths_watch(void (*dies_nopy)(const void *code));

static void (*code_dies_nopy)(const void *code);

#if PY_VERSION_HEX >= 0x030C0000
static int code_event_nopy(PyCodeEvent event, PyCodeObject *code)
{
    if (event == PY_CODE_EVENT_DESTROY) {
        code_dies_nopy(code);
    }
    return 0;
}

static bool code_deaths_watch(void (*dies_nopy)(const void *code))
{
    code_dies_nopy = dies_nopy;
    bool watches = PyCode_AddWatcher(code_event_nopy) >= 0;
    PyErr_Clear(); /* all places for watchers may be taken */
    return watches;
}
#else
static destructor code_dealloc;

static void code_dealloc_nopy(PyObject *code)
{
    code_dies_nopy(code);
    code_dealloc(code);
}

static bool code_deaths_watch(void (*dies_nopy)(const void *code))
{
    code_dies_nopy = dies_nopy;
    code_dealloc = PyCode_Type.tp_dealloc;
    PyCode_Type.tp_dealloc = code_dealloc_nopy;
    return true;
}
#endif

#if HAVE_MONITORING
/* What the interpreter asked OBJ for to hand us an event's number, to be freed when the callback returns. */
static inline int64_t event_number_bytes(int number)
{
    return number > 256 ? (int64_t)(offsetof(PyLongObject, long_value.ob_digit) + sizeof(digit)) : 0;
}
#else
/* The code that a frame is about to run; borrowed from the frame. */
static inline PyCodeObject *frame_code(struct _PyInterpreterFrame *frame)
{
    return frame->f_code;
}

/* The byte offset of the instruction it ran last; negative before its first. */
static inline int frame_instruction(struct _PyInterpreterFrame *frame)
{
    return _PyInterpreterFrame_LASTI(frame) * (int)sizeof(_Py_CODEUNIT);
}
#endif

#endif
