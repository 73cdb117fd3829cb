#include "dominators.h"

#include <stdlib.h>

#define SEEN (GRAPH_NONE - 1)

/* Where the next lookups will be is known early; asking memory for so many at a time halves the time that a
 * graph without locality takes. */
enum { SOON = 12 };

/* A node's place in the forest of those that the search has dealt with. */
typedef struct {
    uint32_t ancestor; /* its parent, or farther up once paths were compressed */
    uint32_t least;    /* semidominator on the path up to before that ancestor */
} Link;

/* Objects in the order of a depth-first search have the numbers 1, 2, ...; 0 leads to all starts. */
typedef struct {
    const Graph *graph;
    uint32_t *number; /* by object; GRAPH_NONE: not reached */
    uint32_t *object; /* by number, less 1 */
    uint32_t *idom;   /* by number, as are semi and links; at first the parent in the search */
    uint32_t *semi;   /* while searching, the next edge to follow */
    Link *links;
    uint32_t count;
} Search;

static void enter(Search *search, uint32_t object, uint32_t parent)
{
    search->object[search->count++] = object;
    search->number[object] = search->count;
    search->idom[search->count] = parent;
    search->semi[search->count] = search->graph->first[object];
    const uint32_t *first = search->graph->first, *edges = search->graph->edges;
    const uint32_t end = first[object + 1] - first[object] < SOON ? first[object + 1] : first[object] + SOON;
    for (uint32_t at = first[object]; at < end; at++) {
        __builtin_prefetch(&search->number[edges[at]]);
        __builtin_prefetch(&first[edges[at]]);
    }
}

/* Depth first from an object, to all that has no number. The way back is that of the parents. */
static void search_from(Search *search, uint32_t start)
{
    const uint32_t *first = search->graph->first, *edges = search->graph->edges;
    if (search->number[start] != GRAPH_NONE) {
        return;
    }
    enter(search, start, 0);
    for (uint32_t at = search->count; at != 0;) {
        const uint32_t end = first[search->object[at - 1] + 1];
        uint32_t edge = search->semi[at];
        while (edge < end && search->number[edges[edge]] != GRAPH_NONE) {
            edge++;
        }
        if (edge == end) {
            at = search->idom[at];
        } else {
            search->semi[at] = edge + 1;
            enter(search, edges[edge], at);
            at = search->count;
        }
    }
}

/* Goes through what has no number, from as few objects as lead to all of it. Searches in index order begin at
 * some that a later one leads to; taken from the last back, each leads to all it can. */
static void search_rest(Search *search)
{
    const uint32_t objects = (uint32_t)search->graph->objects;
    const uint32_t *first = search->graph->first, *edges = search->graph->edges;
    uint32_t *begun = (uint32_t *)search->links, *queue = begun + objects, begun_count = 0, end = 0;
    for (uint32_t i = 0, at = 0; i < objects; i++) {
        if (search->number[i] != GRAPH_NONE) {
            continue;
        }
        begun[begun_count++] = i;
        search->number[i] = SEEN;
        for (queue[end++] = i; at < end; at++) {
            for (uint32_t edge = first[queue[at]]; edge < first[queue[at] + 1]; edge++) {
                if (search->number[edges[edge]] == GRAPH_NONE) {
                    search->number[edges[edge]] = SEEN;
                    queue[end++] = edges[edge];
                }
            }
        }
    }
    while (end > 0) {
        search->number[queue[--end]] = GRAPH_NONE;
    }
    while (begun_count > 0) {
        search_from(search, begun[--begun_count]);
    }
}

/* The least semidominator on the path from a node up to the root of its tree, which is not above `last`. The
 * path is compressed: its links are turned round on the way up, and on the way down lead to the root. */
static uint32_t least_above(Link *links, uint32_t node, uint32_t last)
{
    uint32_t below = 0, at = node;
    while (links[at].ancestor > last) {
        const uint32_t up = links[at].ancestor;
        links[at].ancestor = below;
        below = at;
        at = up;
    }
    const uint32_t root = links[at].ancestor;
    uint32_t least = links[at].least;
    while (below != 0) {
        Link *link = &links[below];
        const uint32_t down = link->ancestor;
        link->ancestor = root;
        least = link->least = link->least < least ? link->least : least;
        below = down;
    }
    return least;
}

/* Asks for what find_idoms will read of the nodes before this one: the nearest ones' holders' numbers, where
 * those of farther ones are, and where it says so. */
static void prefetch(const Search *search, const Graph *reverse, uint32_t node)
{
    if (node <= 3 * SOON) {
        return;
    }
    __builtin_prefetch(&reverse->first[search->object[node - 1 - 3 * SOON]]);
    __builtin_prefetch(&reverse->edges[reverse->first[search->object[node - 1 - 2 * SOON]]]);
    const uint32_t object = search->object[node - 1 - SOON], first = reverse->first[object];
    const uint32_t end = reverse->first[object + 1];
    for (uint32_t at = first; at < end && at < first + 4 && end - first > 1; at++) {
        __builtin_prefetch(&search->number[reverse->edges[at]]);
    }
}

/* Semidominators from the last number back, then dominators from the first on. What has a number above
 * `reached` has nothing to say to what has not. */
static void find_idoms(Search *search, const Graph *reverse, uint32_t reached)
{
    for (uint32_t node = search->count; node > 0; node--) {
        const uint32_t object = search->object[node - 1], end = node > reached ? search->count : reached;
        uint32_t semi = search->semi[node], at = reverse->first[object];
        if (reverse->first[object + 1] - at == 1) {
            at++; /* its only holder is its parent in the search */
        }
        prefetch(search, reverse, node);
        for (; at < reverse->first[object + 1] && semi > 0; at++) {
            const uint32_t from = search->number[reverse->edges[at]];
            if (from <= end) { /* GRAPH_NONE is not */
                const uint32_t least = from <= node ? from : least_above(search->links, from, node);
                semi = least < semi ? least : semi;
            }
        }
        search->semi[node] = search->links[node].least = semi;
    }
    for (uint32_t node = 1; node <= search->count; node++) {
        uint32_t above = search->idom[node];
        while (above > search->semi[node]) {
            above = search->idom[above];
        }
        search->idom[node] = above;
    }
}

/* From numbers to objects; the order of the search becomes that of the dominator tree. */
static void number_objects(Search *search)
{
    uint32_t *below = search->semi, *object = search->object, *idom = search->idom;
    Link *places = search->links; /* a node's, and the next one free below it */
    for (uint32_t node = 1; node <= search->count; node++) {
        below[node] = 1;
    }
    for (uint32_t node = search->count; node > 0; node--) {
        if (idom[node] != 0) {
            below[idom[node]] += below[node];
        }
    }
    places[0].least = 0;
    for (uint32_t node = 1; node <= search->count; node++) {
        const uint32_t place = places[idom[node]].least;
        places[idom[node]].least += below[node];
        places[node] = (Link){.ancestor = place, .least = place + 1};
        search->number[object[node - 1]] = idom[node] == 0 ? GRAPH_NONE : object[idom[node] - 1];
    }
    uint32_t *order = search->semi;
    for (uint32_t node = 1; node <= search->count; node++) {
        order[places[node].ancestor] = object[node - 1];
    }
    for (uint32_t i = 0; i < search->count; i++) {
        object[i] = order[i];
    }
}

GraphOutcome dominators_find(const Graph *graph, const Graph *reverse, const uint32_t *starts,
                             size_t start_count, bool rest, uint32_t *idom, uint32_t *order, size_t *reached)
{
    if (graph->objects != reverse->objects || !graph_is_valid(graph) || !graph_is_valid(reverse) ||
        !graph_has(graph, starts, start_count, false)) {
        return GRAPH_REFUSED;
    }
    const size_t nodes = graph->objects + 1;
    Search search = {.graph = graph, .number = idom, .object = order};
    search.idom = malloc(nodes * sizeof *search.idom);
    search.semi = malloc(nodes * sizeof *search.semi);
    search.links = malloc(nodes * sizeof *search.links);
    const bool able = search.idom != NULL && search.semi != NULL && search.links != NULL;
    if (able) {
        for (size_t i = 0; i < graph->objects; i++) {
            search.number[i] = GRAPH_NONE;
        }
        for (size_t i = 0; i < start_count; i++) {
            search_from(&search, starts[i]);
        }
        *reached = search.count;
        if (rest) {
            search_rest(&search);
        }
        for (uint32_t node = 1; node <= search.count; node++) {
            search.semi[node] = search.links[node].ancestor = search.idom[node];
        }
        for (size_t i = 0; i < start_count; i++) {
            search.semi[search.number[starts[i]]] = 0;
        }
        find_idoms(&search, reverse, (uint32_t)*reached);
        number_objects(&search);
    }
    free(search.idom);
    free(search.semi);
    free(search.links);
    return able ? GRAPH_DONE : GRAPH_NO_MEMORY;
}

/* Whether the tree's rows are objects. */
static bool is_valid(const DominatorTree *tree)
{
    const Graph graph = {.objects = tree->objects};
    return tree->objects <= GRAPH_OBJECTS_MAX && tree->ordered <= tree->objects &&
           graph_has(&graph, tree->idom, tree->objects, true) &&
           graph_has(&graph, tree->order, tree->ordered, false);
}

GraphOutcome dominators_retained(const DominatorTree *tree, const uint64_t *sizes, uint64_t *retained)
{
    if (!is_valid(tree)) {
        return GRAPH_REFUSED;
    }
    for (size_t i = 0; i < tree->objects; i++) {
        retained[i] = sizes[i];
    }
    for (size_t i = tree->ordered; i-- > 0;) {
        const uint32_t object = tree->order[i], above = tree->idom[object];
        if (above != GRAPH_NONE) {
            retained[above] += retained[object];
        }
    }
    return GRAPH_DONE;
}

GraphOutcome dominators_retained_by_group(const DominatorTree *tree, const uint64_t *retained,
                                          const uint32_t *groups, size_t group_count, uint64_t *sums)
{
    const Graph names = {.objects = group_count};
    if (!is_valid(tree) || group_count > GRAPH_OBJECTS_MAX ||
        !graph_has(&names, groups, tree->objects, true)) {
        return GRAPH_REFUSED;
    }
    /* Where in the order what a group's last counted member dominates has its end. */
    uint32_t *ends = calloc(group_count + 1, sizeof *ends);
    uint32_t *below = calloc(tree->objects + 1, sizeof *below);
    const bool able = ends != NULL && below != NULL;
    if (able) {
        for (size_t i = 0; i < group_count; i++) {
            sums[i] = 0;
        }
        for (size_t i = tree->ordered; i-- > 0;) {
            const uint32_t object = tree->order[i], above = tree->idom[object];
            below[object]++;
            if (above != GRAPH_NONE) {
                below[above] += below[object];
            }
        }
        for (size_t i = 0; i < tree->ordered; i++) {
            const uint32_t object = tree->order[i], group = groups[object];
            if (group != GRAPH_NONE && i >= ends[group]) {
                sums[group] += retained[object];
                ends[group] = (uint32_t)i + below[object];
            }
        }
    }
    free(ends);
    free(below);
    return able ? GRAPH_DONE : GRAPH_NO_MEMORY;
}
