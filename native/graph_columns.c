#include "graph_columns.h"

#include "dominators.h"

static size_t u32_rows(const GraphColumn *column)
{
    return column->bytes / sizeof(uint32_t);
}

/* Whether a column has `count` rows of `each` bytes, and each may be read as one number. Where no rows are
 * doesn't matter. */
static bool has_rows(const GraphColumn *column, size_t count, size_t each)
{
    const bool aligned = count == 0 || (uintptr_t)column->rows % each == 0;
    return aligned && column->bytes % each == 0 && column->bytes / each == count;
}

/* Whether a column has any number of rows of 4 bytes. */
static bool has_u32_rows(const GraphColumn *column)
{
    return has_rows(column, u32_rows(column), sizeof(uint32_t));
}

/* The graph in two columns; false if they make none. */
static bool take_graph(const GraphColumn *columns, Graph *graph)
{
    *graph = (Graph){u32_rows(&columns[0]) - 1, u32_rows(&columns[1]), columns[0].rows, columns[1].rows};
    return columns[0].bytes > 0 && has_u32_rows(&columns[0]) && has_u32_rows(&columns[1]);
}

/* The dominator tree in two columns; false if they make none. */
static bool take_tree(const GraphColumn *columns, DominatorTree *tree)
{
    *tree = (DominatorTree){u32_rows(&columns[0]), u32_rows(&columns[1]), columns[0].rows, columns[1].rows};
    return has_u32_rows(&columns[0]) && has_u32_rows(&columns[1]);
}

GraphOutcome columns_reverse(const GraphColumn *columns, bool rest, size_t *count)
{
    Graph graph;
    const GraphColumn *into_first = &columns[2], *into = &columns[3];
    if (!take_graph(columns, &graph) || !has_rows(into_first, graph.objects + 1, sizeof(uint32_t)) ||
        !has_rows(into, graph.references, sizeof(uint32_t))) {
        return GRAPH_REFUSED;
    }
    return graph_reverse(&graph, into_first->rows, into->rows);
}

GraphOutcome columns_reach(const GraphColumn *columns, bool rest, size_t *count)
{
    Graph graph;
    const GraphColumn *starts = &columns[2], *parent = &columns[3];
    if (!take_graph(columns, &graph) || !has_u32_rows(starts) ||
        !has_rows(parent, graph.objects, sizeof(uint32_t))) {
        return GRAPH_REFUSED;
    }
    return graph_reach(&graph, starts->rows, u32_rows(starts), parent->rows, count);
}

GraphOutcome columns_dominators(const GraphColumn *columns, bool rest, size_t *count)
{
    Graph graph, reverse;
    const GraphColumn *starts = &columns[4], *idom = &columns[5], *order = &columns[6];
    if (!take_graph(columns, &graph) || !take_graph(&columns[2], &reverse) || !has_u32_rows(starts) ||
        !has_rows(idom, graph.objects, sizeof(uint32_t)) ||
        !has_rows(order, graph.objects, sizeof(uint32_t))) {
        return GRAPH_REFUSED;
    }
    return dominators_find(&graph, &reverse, starts->rows, u32_rows(starts), rest, idom->rows, order->rows,
                           count);
}

GraphOutcome columns_retained(const GraphColumn *columns, bool rest, size_t *count)
{
    DominatorTree tree;
    const GraphColumn *sizes = &columns[2], *retained = &columns[3];
    if (!take_tree(columns, &tree) || !has_rows(sizes, tree.objects, sizeof(uint64_t)) ||
        !has_rows(retained, tree.objects, sizeof(uint64_t))) {
        return GRAPH_REFUSED;
    }
    return dominators_retained(&tree, sizes->rows, retained->rows);
}

GraphOutcome columns_retained_by_group(const GraphColumn *columns, bool rest, size_t *count)
{
    DominatorTree tree;
    const GraphColumn *retained = &columns[2], *groups = &columns[3], *sums = &columns[4];
    const size_t group_count = sums->bytes / sizeof(uint64_t);
    if (!take_tree(columns, &tree) || !has_rows(retained, tree.objects, sizeof(uint64_t)) ||
        !has_rows(groups, tree.objects, sizeof(uint32_t)) || !has_rows(sums, group_count, sizeof(uint64_t))) {
        return GRAPH_REFUSED;
    }
    return dominators_retained_by_group(&tree, retained->rows, groups->rows, group_count, sums->rows);
}
