/* Directed graphs of up to 2^32 - 3 objects in flat arrays, and how far one gets in them.
 *
 * Arrays are the caller's and don't overlap. Nothing here recurses: a chain may be as long as there are
 * objects.
 */
#ifndef OUTLIVE_GRAPH_H
#define OUTLIVE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No object. */
#define GRAPH_NONE UINT32_MAX
#define GRAPH_OBJECTS_MAX (UINT32_MAX - 2)

/* References in CSR form: those of object i are edges[first[i]] up to before edges[first[i + 1]]. */
typedef struct {
    size_t objects; /* `first` has one row more */
    size_t references;
    const uint32_t *first, *edges;
} Graph;

typedef enum { GRAPH_DONE, GRAPH_REFUSED, GRAPH_NO_MEMORY } GraphOutcome;

/* Whether the rows of `first` ascend from 0 to `references` and every edge leads to an object. Whoever reads
 * graphs from elsewhere asks first: the functions below that return an outcome do, and refuse. */
bool graph_is_valid(const Graph *graph);

/* Whether all `count` rows are objects of the graph, or GRAPH_NONE where that is allowed. */
bool graph_has(const Graph *graph, const uint32_t *rows, size_t count, bool none_allowed);

/* Turns every reference round: `into_first` (objects + 1 rows) and `into` (one a reference) get who refers to
 * each object, in ascending order, as often as it does. Takes no memory. */
GraphOutcome graph_reverse(const Graph *graph, uint32_t *into_first, uint32_t *into);

/* Breadth first from those of `starts` that have no parent yet, all at once: an object reached gets as its
 * parent the object that it was reached from, a start itself. What has a parent before keeps it and is not
 * gone through again. `*reached` gets how many were reached by this call. Takes 4 bytes for each of them;
 * without memory, or if refused, `parent` stays as it was. */
GraphOutcome graph_reach(const Graph *graph, const uint32_t *starts, size_t start_count, uint32_t *parent,
                         size_t *reached);

#endif
