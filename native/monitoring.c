/* Line events on 3.12 and later: PEP 669 local events, set on the chosen code objects only. PY_UNWIND
 * and PY_THROW exist as global events only, so these two callbacks also see frames of other code. */
#include "events.h"
#include "lines.h"

#if HAVE_MONITORING

/* An event on `code` with the number `number` (a line or an instruction). While it is handled, the thread's
 * counter leaves out the int object that carries the number: it is ours, not the program's. */
typedef struct {
    ChosenCode *chosen; /* NULL: not ours */
    int number;
    const void *frame;
} Event;

static Event begin(PyObject *const *args, Py_ssize_t count)
{
    Event event = {.chosen = count >= 2 ? lines_find((PyCodeObject *)args[0]) : NULL};
    if (event.chosen != NULL) {
        int overflow;
        event.number = (int)PyLong_AsLongAndOverflow(args[1], &overflow);
        event.frame = current_frame_nopy(PyThreadState_Get());
        thread_counters.in_use -= event_number_bytes(event.number);
    }
    return event;
}

static PyObject *end(const Event *event)
{
    if (event->chosen != NULL) {
        thread_counters.in_use += event_number_bytes(event->number);
    }
    Py_RETURN_NONE;
}

PyObject *on_call(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    Event event = begin(args, count);
    if (event.chosen != NULL) {
        lines_enter(event.chosen, event.frame, event.number, true);
    }
    return end(&event);
}

PyObject *on_resume(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    Event event = begin(args, count);
    if (event.chosen != NULL) {
        lines_enter(event.chosen, event.frame, event.number, false);
    }
    return end(&event);
}

PyObject *on_line(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    Event event = begin(args, count);
    if (event.chosen != NULL) {
        lines_line(event.chosen, event.frame, event.number);
    }
    return end(&event);
}

PyObject *on_leave(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (lines_depth() == 0) {
        Py_RETURN_NONE;
    }
    Event event = begin(args, count);
    if (event.chosen != NULL) {
        lines_leave(event.frame);
    }
    return end(&event);
}

#endif
