/* Who alone keeps what alive: dominators and retained sizes of every object of a graph.
 *
 * An object's dominators lie on every path to it from any start; the last of them is its immediate one. The
 * method is semi-NCA (Georgiadis, Tarjan & Werneck, "Finding dominators in practice", J. Graph Algorithms
 * Appl. 10, 2006).
 */
#ifndef OUTLIVE_DOMINATORS_H
#define OUTLIVE_DOMINATORS_H

#include "graph.h"

/* The dominator tree. */
typedef struct {
    size_t objects;
    size_t ordered;        /* of them are in it */
    const uint32_t *idom;  /* by object: its immediate dominator; GRAPH_NONE: none, or not in the tree */
    const uint32_t *order; /* a preorder: each object with all that it dominates right behind it */
} DominatorTree;

/* Finds the dominators of what `starts` lead to. `reverse` is `graph` turned round; `idom` and `order` have
 * a row an object and get what DominatorTree says. With `rest`, what no start leads to follows in `order`,
 * below as few objects of its own as lead to all of it; its references to what starts lead to don't count.
 * `*reached` gets how many objects starts lead to, those that come first in `order`. Takes 16 bytes an object
 * meanwhile; without memory, or if refused, nothing is written. */
GraphOutcome dominators_find(const Graph *graph, const Graph *reverse, const uint32_t *starts,
                             size_t start_count, bool rest, uint32_t *idom, uint32_t *order, size_t *reached);

/* `retained` gets by object the bytes of it and of all that it dominates. Takes no memory. */
GraphOutcome dominators_retained(const DominatorTree *tree, const uint64_t *sizes, uint64_t *retained);

/* `sums` gets by group the bytes that any of its members dominates: those retained by each that no other
 * member dominates. `groups` has each object's group, below `group_count`, or GRAPH_NONE. Objects that are
 * not in the tree don't count. Takes 4 bytes an object and a group meanwhile. */
GraphOutcome dominators_retained_by_group(const DominatorTree *tree, const uint64_t *retained,
                                          const uint32_t *groups, size_t group_count, uint64_t *sums);

#endif
