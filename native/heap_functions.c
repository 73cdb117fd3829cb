#include "heap_functions.h"

#include "graph_columns.h"
#include "heap_snapshot.h"

PyDoc_STRVAR(
    snapshot_doc,
    "snapshot(fd, limit, seconds, contents, key, rss, threads)\n--\n\n"
    "Fork a child that writes the heap to the file; returns its pid and for how many ns this process stood\n"
    "still. `threads` are pairs of ident and name (bytes). Await the child with os.waitpid and __WALL.");

static PyObject *snapshot(PyObject *module, PyObject *args)
{
    HeapOrder order = {.fd = -1};
    unsigned long long limit, key, rss;
    int contents;
    PyObject *threads;
    if (!PyArg_ParseTuple(args, "iKIpKKO!", &order.fd, &limit, &order.seconds, &contents, &key, &rss,
                          &PyTuple_Type, &threads)) {
        return NULL;
    }
    order.limit_bytes = limit;
    order.contents = contents;
    order.key = key;
    order.rss_bytes = rss;
    order.name_count = (size_t)PyTuple_GET_SIZE(threads);
    ThreadName *names = PyMem_New(ThreadName, order.name_count + 1);
    if (names == NULL) {
        return PyErr_NoMemory();
    }
    order.names = names;
    for (size_t i = 0; i < order.name_count; i++) {
        unsigned long long ident;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(threads, i), "Ky", &ident, &names[i].name)) {
            PyMem_Free(names);
            return NULL;
        }
        names[i].ident = ident;
    }
    uint64_t paused_ns = 0;
    int pid = heap_snapshot(&order, &paused_ns);
    PyMem_Free(names);
    return pid < 0 ? PyErr_SetFromErrno(PyExc_OSError)
                   : Py_BuildValue("iK", pid, (unsigned long long)paused_ns);
}

PyDoc_STRVAR(collecting_doc, "collecting()\n--\n\nWhether a garbage collection is under way.");

static PyObject *collecting(PyObject *module, PyObject *unused)
{
    return PyBool_FromLong(heap_is_collected());
}

/* A graph_ function: `format` takes its columns, `work` does it without the GIL. */
static PyObject *call_graph(PyObject *args, const char *format,
                            GraphOutcome (*work)(const GraphColumn *columns, bool rest, size_t *count))
{
    Py_buffer b[GRAPH_COLUMNS_MAX] = {0};
    GraphColumn columns[GRAPH_COLUMNS_MAX];
    int rest = 0;
    if (!PyArg_ParseTuple(args, format, &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &b[6], &rest)) {
        return NULL;
    }
    for (int i = 0; i < GRAPH_COLUMNS_MAX; i++) {
        columns[i] = (GraphColumn){b[i].buf, (size_t)b[i].len};
    }
    size_t count = SIZE_MAX;
    GraphOutcome outcome;
    Py_BEGIN_ALLOW_THREADS
    outcome = work(columns, rest, &count);
    Py_END_ALLOW_THREADS
    for (int i = 0; i < GRAPH_COLUMNS_MAX; i++) {
        PyBuffer_Release(&b[i]);
    }
    if (outcome != GRAPH_DONE) {
        return outcome == GRAPH_NO_MEMORY
                   ? PyErr_NoMemory()
                   : PyErr_Format(PyExc_ValueError, "the columns don't fit each other");
    }
    return count == SIZE_MAX ? Py_NewRef(Py_None) : PyLong_FromSize_t(count);
}

#define GRAPH_FUNCTION(name, format)                                                                         \
    static PyObject *call_##name(PyObject *module, PyObject *args)                                           \
    {                                                                                                        \
        return call_graph(args, format ":graph_" #name, columns_##name);                                     \
    }

PyDoc_STRVAR(graph_reverse_doc, "graph_reverse(first, edges, into_first, into)\n--\n\n"
                                "Turn references round: fill the last two.");
PyDoc_STRVAR(graph_reach_doc, "graph_reach(first, edges, starts, parent)\n--\n\n"
                              "Breadth first: fill parent where it is NONE; returns how many were reached.");
PyDoc_STRVAR(graph_dominators_doc,
             "graph_dominators(first, edges, into_first, into, starts, idom, order, rest=False)\n--\n\n"
             "Fill idom and order; returns how many starts lead to. With `rest`, the others' trees follow.");
PyDoc_STRVAR(graph_retained_doc, "graph_retained(idom, order, sizes, retained)\n--\n\nFill the last one.");
PyDoc_STRVAR(graph_retained_by_group_doc,
             "graph_retained_by_group(idom, order, retained, groups, sums)\n--\n\nFill the last one.");
GRAPH_FUNCTION(reverse, "y*y*w*w*")
GRAPH_FUNCTION(reach, "y*y*y*w*")
GRAPH_FUNCTION(dominators, "y*y*y*y*y*w*w*|p")
GRAPH_FUNCTION(retained, "y*y*y*w*")
GRAPH_FUNCTION(retained_by_group, "y*y*y*y*w*")

PyMethodDef heap_functions[] = {
    {"snapshot", snapshot, METH_VARARGS, snapshot_doc},
    {"collecting", collecting, METH_NOARGS, collecting_doc},
    {"graph_reverse", call_reverse, METH_VARARGS, graph_reverse_doc},
    {"graph_reach", call_reach, METH_VARARGS, graph_reach_doc},
    {"graph_dominators", call_dominators, METH_VARARGS, graph_dominators_doc},
    {"graph_retained", call_retained, METH_VARARGS, graph_retained_doc},
    {"graph_retained_by_group", call_retained_by_group, METH_VARARGS, graph_retained_by_group_doc},
    {NULL, NULL, 0, NULL},
};
