/* The graph functions on columns as they come from elsewhere: first, whether their lengths fit each other. */
#ifndef OUTLIVE_GRAPH_COLUMNS_H
#define OUTLIVE_GRAPH_COLUMNS_H

#include "graph.h"

enum { GRAPH_COLUMNS_MAX = 7 };

/* Rows of 4 bytes, but those of sizes and sums of 8. */
typedef struct {
    void *rows;
    size_t bytes;
} GraphColumn;

/* first, edges, into_first, into: as graph_reverse, which fills the last two. This and those below refuse
 * columns that are too short, too long or not aligned; `rest` and `count` are for those that name them. */
GraphOutcome columns_reverse(const GraphColumn *columns, bool rest, size_t *count);

/* first, edges, starts, parent: as graph_reach. `*count` gets how many were reached. */
GraphOutcome columns_reach(const GraphColumn *columns, bool rest, size_t *count);

/* first, edges, into_first, into, starts, idom, order: as dominators_find, with `rest` or without. `*count`
 * gets how many starts lead to. */
GraphOutcome columns_dominators(const GraphColumn *columns, bool rest, size_t *count);

/* idom, order, sizes, retained: as dominators_retained. `order` may have fewer rows than `idom`. */
GraphOutcome columns_retained(const GraphColumn *columns, bool rest, size_t *count);

/* idom, order, retained, groups, sums: as dominators_retained_by_group. */
GraphOutcome columns_retained_by_group(const GraphColumn *columns, bool rest, size_t *count);

#endif
