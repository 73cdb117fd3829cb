/* Graphs for tests: seeded random ones of many shapes, and what the slow way says about them. */
#ifndef OUTLIVE_TESTS_GRAPHS_H
#define OUTLIVE_TESTS_GRAPHS_H

#include "graph.h"

/* Shapes of random graphs, and some that are the same for every seed. */
typedef enum { SPARSE, DENSE, TREE, CHAINS, LAYERS, HUBS, LOOPS, RING, STAR, NO_EDGES, SHAPES } Shape;

/* A graph in memory of its own. */
typedef struct {
    Graph graph;
    uint32_t *first, *edges;
} OwnGraph;

/* A graph of that many objects; the test ends without memory. Free it with graph_drop. */
OwnGraph graph_of_shape(Shape shape, uint32_t objects, uint64_t seed);

/* The graph whose references are from[i] -> to[i]. */
OwnGraph graph_of(uint32_t objects, const uint32_t *from, const uint32_t *to, size_t references);

/* The same, each reference turned round, by graph_reverse. */
OwnGraph graph_turned(const OwnGraph *of);

/* Gives its memory back. */
void graph_drop(OwnGraph *of);

/* Marks in `met`, by object, what `starts` lead to over objects of `within` (NULL: over all) that are not
 * `without` (GRAPH_NONE: over all). */
void walk_without(const Graph *graph, const uint32_t *starts, size_t start_count, const bool *within,
                  uint32_t without, bool *met);

#endif
