/* Frames, and generators and coroutines with the frame in them. */
#ifndef OUTLIVE_HEAP_FRAMES_H
#define OUTLIVE_HEAP_FRAMES_H

#include "heap_types.h"

/* As visit_object of heap_visit.h, for those kinds. */
void visit_generator(PyObject *object, TypeInfo *info);
void visit_frame(PyObject *object, TypeInfo *info);

/* Adds a row for a frame that runs in a thread. */
void visit_running_frame(const struct _PyInterpreterFrame *frame, uint32_t type);

/* What may be on the evaluation stack of a running frame, or be left of what was; returns how many slots
 * there are, from `*slots` on; 0 if the frame's row has them. */
Py_ssize_t running_stack(const struct _PyInterpreterFrame *frame, PyObject *const **slots);

#endif
