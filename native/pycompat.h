/* All that differs between CPython versions. The only file that reads PY_VERSION_HEX, and the only
 * one that looks inside an interpreter frame. Tested on 3.11, 3.12, 3.13; 3.14 is written from its
 * headers and untested. */
#ifndef OUTLIVE_PYCOMPAT_H
#define OUTLIVE_PYCOMPAT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

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

/* The code of the innermost complete Python frame of `tstate` (borrowed, valid while the GIL is held), and
 * the byte offset of the instruction it runs. NULL if no Python frame runs. Reads memory only. */
static inline PyCodeObject *innermost_code_nopy(PyThreadState *tstate, int *instruction)
{
    _PyInterpreterFrame *frame = (_PyInterpreterFrame *)current_frame_nopy(tstate);
    while (frame != NULL) {
#if PY_VERSION_HEX >= 0x030C0000
        bool complete = frame->owner != FRAME_OWNED_BY_CSTACK && !_PyFrame_IsIncomplete(frame);
#else
        bool complete = !_PyFrame_IsIncomplete(frame);
#endif
        if (complete) {
            *instruction = _PyInterpreterFrame_LASTI(frame) * (int)sizeof(_Py_CODEUNIT);
#if PY_VERSION_HEX >= 0x030D0000
            return (PyCodeObject *)frame->f_executable;
#else
            return frame->f_code;
#endif
        }
        frame = frame->previous;
    }
    return NULL;
}

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

/* The thread state of this thread if it holds the GIL, else NULL. Allocates nothing. */
static inline PyThreadState *thread_state_nopy(void)
{
    PyThreadState *own = PyGILState_GetThisThreadState();
    return own != NULL && own == _PyThreadState_UncheckedGet() ? own : NULL;
}

#endif
