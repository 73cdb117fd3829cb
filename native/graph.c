#include "graph.h"

#include <stdlib.h>

bool graph_has(const Graph *graph, const uint32_t *rows, size_t count, bool none_allowed)
{
    /* GRAPH_NONE + 1 is 0. Without a way out of the loop, compilers take many rows at a time. */
    const uint32_t end = (uint32_t)graph->objects, more = none_allowed;
    uint32_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        wrong |= rows[i] + more >= end + more;
    }
    return wrong == 0;
}

bool graph_is_valid(const Graph *graph)
{
    if (graph->objects > GRAPH_OBJECTS_MAX || graph->first[0] != 0 ||
        graph->first[graph->objects] != graph->references) {
        return false;
    }
    uint32_t wrong = 0;
    for (size_t i = 0; i < graph->objects; i++) {
        wrong |= graph->first[i] > graph->first[i + 1];
    }
    return wrong == 0 && graph_has(graph, graph->edges, graph->references, false);
}

GraphOutcome graph_reverse(const Graph *graph, uint32_t *into_first, uint32_t *into)
{
    if (!graph_is_valid(graph)) {
        return GRAPH_REFUSED;
    }
    const uint32_t *first = graph->first, *edges = graph->edges;
    for (size_t i = 0; i <= graph->objects; i++) {
        into_first[i] = 0;
    }
    for (size_t i = 0; i < graph->references; i++) {
        into_first[edges[i]]++;
    }
    uint32_t end = 0;
    for (size_t i = 0; i <= graph->objects; i++) {
        end += into_first[i];
        into_first[i] = end;
    }
    /* Filled from the back, what was the end of an object's rows becomes their beginning. */
    for (size_t i = graph->objects; i-- > 0;) {
        for (uint32_t at = first[i + 1]; at-- > first[i];) {
            into[--into_first[edges[at]]] = (uint32_t)i;
        }
    }
    return GRAPH_DONE;
}

GraphOutcome graph_reach(const Graph *graph, const uint32_t *starts, size_t start_count, uint32_t *parent,
                         size_t *reached)
{
    if (!graph_is_valid(graph) || !graph_has(graph, starts, start_count, false)) {
        return GRAPH_REFUSED;
    }
    uint32_t *queue = malloc((graph->objects + 1) * sizeof *queue);
    if (queue == NULL) {
        return GRAPH_NO_MEMORY;
    }
    size_t end = 0;
    for (size_t i = 0; i < start_count; i++) {
        if (parent[starts[i]] == GRAPH_NONE) {
            parent[starts[i]] = starts[i];
            queue[end++] = starts[i];
        }
    }
    for (size_t begin = 0; begin < end; begin++) {
        const uint32_t from = queue[begin];
        for (uint32_t at = graph->first[from]; at < graph->first[from + 1]; at++) {
            const uint32_t to = graph->edges[at];
            if (parent[to] == GRAPH_NONE) {
                parent[to] = from;
                queue[end++] = to;
            }
        }
    }
    free(queue);
    *reached = end;
    return GRAPH_DONE;
}
