#include "scope_functions.h"

#include "below.h"
#include "scopes.h"
#include "site.h"

PyDoc_STRVAR(run_variable_doc,
             "run_variable(variable, /)\n--\n\n"
             "Have this ContextVar say which run a thread is in, as run_begin's ints; 0 for none. "
             "It must only ever be set.");

static PyObject *run_variable(PyObject *module, PyObject *variable)
{
    if (!PyContextVar_CheckExact(variable)) {
        return PyErr_Format(PyExc_TypeError, "run_variable() takes a ContextVar");
    }
    site_run_is_in(variable);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(tasks_are_in_doc, "tasks_are_in(tasks, /)\n--\n\n"
                               "Have asyncio's dict of the tasks that run now tell a callback from a task.");

static PyObject *tasks_are_in(PyObject *module, PyObject *tasks)
{
    if (!PyDict_CheckExact(tasks)) {
        return PyErr_Format(PyExc_TypeError, "tasks_are_in() takes a dict");
    }
    site_tasks_are_in(tasks);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(scope_add_doc,
             "scope_add(name, base=0)\n--\n\n"
             "The row of another scope, `name` in UTF-8; with labels, `base` is the row without. The row of "
             "others, or the base, if there is no room; 0 while nothing is recorded.");

static PyObject *scope_add(PyObject *module, PyObject *args)
{
    const char *name;
    unsigned base = 0;
    if (!PyArg_ParseTuple(args, "y|I:scope_add", &name, &base)) {
        return NULL;
    }
    return PyLong_FromUnsignedLong(scopes_add(name, base));
}

PyDoc_STRVAR(run_begin_doc, "run_begin(scope, /)\n--\n\n"
                            "Begin a run in a row; an int that stands for it, 0 while nothing is recorded.");

static PyObject *run_begin(PyObject *module, PyObject *row)
{
    unsigned long scope = PyLong_AsUnsignedLong(row);
    if (scope == (unsigned long)-1 && PyErr_Occurred()) {
        return NULL;
    }
    uint64_t run = scope <= UINT32_MAX ? scopes_begin((uint32_t)scope) : 0;
    if (run != 0) {
        below_follow();
        if (site_is_in_task()) {
            scopes_begun_in_task(run);
        }
    }
    return PyLong_FromUnsignedLongLong(run);
}

PyDoc_STRVAR(run_end_doc, "run_end(run, scope=0, /)\n--\n\n"
                          "End a run, if it is open; `scope`: the row that it turned out to be of.");

static PyObject *run_end(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count < 1 || count > 2) {
        return PyErr_Format(PyExc_TypeError, "run_end() takes a run and a row");
    }
    unsigned long long run = PyLong_AsUnsignedLongLong(args[0]);
    unsigned long scope = count > 1 ? PyLong_AsUnsignedLong(args[1]) : SCOPE_NONE;
    if (PyErr_Occurred()) {
        return NULL;
    }
    scopes_end(run, scope <= UINT32_MAX ? (uint32_t)scope : SCOPE_NONE);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(run_call_doc,
             "run_call(run, function, /, *args, **kwargs)\n--\n\n"
             "What the function returns, called in a run. No frame of Python's steps in between.");

static PyObject *run_call(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    if (count < 2) {
        return PyErr_Format(PyExc_TypeError, "run_call() takes a run and a function");
    }
    void *around = site_run_enter(args[0]);
    PyObject *result = PyObject_Vectorcall(args[1], args + 2, (size_t)count - 2, names);
    site_run_leave(around);
    return result;
}

PyMethodDef scope_functions[] = {
    {"run_variable", run_variable, METH_O, run_variable_doc},
    {"tasks_are_in", tasks_are_in, METH_O, tasks_are_in_doc},
    {"scope_add", scope_add, METH_VARARGS, scope_add_doc},
    {"run_begin", run_begin, METH_O, run_begin_doc},
    {"run_end", (PyCFunction)(void (*)(void))run_end, METH_FASTCALL, run_end_doc},
    {"run_call", (PyCFunction)(void (*)(void))run_call, METH_FASTCALL | METH_KEYWORDS, run_call_doc},
    {NULL, NULL, 0, NULL},
};
