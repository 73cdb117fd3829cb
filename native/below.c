#include "below.h"

#include "pycompat.h"
#include "samples.h"

enum { BELOW_MAX = 24 };

/* Code objects are held: the program may take our trace function away, and then no switch is told. */
static _Thread_local RawFrame below[BELOW_MAX];
static _Thread_local int below_count;
static _Thread_local bool followed;

void below_append_nopy(RawStack *stack)
{
    for (int i = 0; i < below_count; i++) {
        if (stack->count == STACK_FRAMES_MAX) {
            stack->cut = true;
            return;
        }
        stack->frames[stack->count++] = below[i];
    }
}

static void forget(void)
{
    int count = below_count;
    below_count = 0;
    for (int i = 0; i < count; i++) {
        Py_DECREF((PyObject *)below[i].code);
    }
}

/* Keeps the frames of a greenlet that does not run. */
static void remember(PyObject *parent)
{
    PyObject *top = PyObject_GetAttrString(parent, "gr_frame"); /* makes its frames fit to be followed */
    if (top != NULL && PyFrame_Check(top)) {
        const void *frame = frame_of_object((PyFrameObject *)top);
        RawFrame found;
        int count = 0;
        while (count < BELOW_MAX &&
               (frame = complete_frame_nopy(frame, &found.code, &found.instruction)) != NULL) {
            Py_INCREF((PyObject *)found.code);
            below[count++] = found;
            frame = frame_below_nopy(frame);
        }
        below_count = count;
    }
    Py_XDECREF(top);
}

/* Calls a function of the greenlet module with an argument, or none; NULL without the module, or if that
 * fails. */
static PyObject *trace(const char *call, PyObject *argument)
{
    static PyObject *name; /* every run begins here */
    if (name == NULL) {
        name = PyUnicode_InternFromString("greenlet");
    }
    PyObject *module = name == NULL ? NULL : PyDict_GetItemWithError(PyImport_GetModuleDict(), name);
    PyObject *said =
        module == NULL ? NULL : PyObject_CallMethod(module, call, argument == NULL ? NULL : "O", argument);
    PyErr_Clear(); /* it would end up in the program */
    return said;
}

static PyObject *switched(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    forget();
    if (!samples_are_recorded()) {
        followed = false;
        Py_XDECREF(trace("settrace", Py_None));
        Py_RETURN_NONE;
    }
    if (count == 2 && PyTuple_Check(args[1]) && PyTuple_GET_SIZE(args[1]) == 2) {
        PyObject *parent = PyObject_GetAttrString(PyTuple_GET_ITEM(args[1], 1), "parent");
        if (parent != NULL && parent != Py_None) {
            remember(parent);
        }
        Py_XDECREF(parent);
    }
    PyErr_Clear();
    Py_RETURN_NONE;
}

static PyMethodDef switched_def = {"switched", (PyCFunction)(void (*)(void))switched, METH_FASTCALL, NULL};

void below_follow(void)
{
    static PyObject *ours; /* one for all threads */
    PyObject *theirs = trace("gettrace", NULL);
    if (theirs == NULL) {
        return; /* there are no greenlets */
    }
    if (followed && theirs != ours) { /* taken away: what we know of callers is old */
        forget();
    }
    if (!followed && theirs == Py_None) {
        if (ours == NULL) {
            ours = PyCFunction_New(&switched_def, NULL);
        }
        Py_XDECREF(ours == NULL ? NULL : trace("settrace", ours));
        PyErr_Clear();
    }
    followed = true;
    Py_DECREF(theirs);
}
