#include "graphs.h"

#include "check.h"

static void *memory_for(size_t count, size_t each)
{
    void *memory = calloc(count + 1, each);
    CHECK(memory != NULL, "memory for the test");
    return memory;
}

OwnGraph graph_of(uint32_t objects, const uint32_t *from, const uint32_t *to, size_t references)
{
    OwnGraph own = {.first = memory_for((size_t)objects + 1, 4), .edges = memory_for(references, 4)};
    for (size_t i = 0; i < references; i++) {
        own.first[from[i] + 1]++;
    }
    for (uint32_t i = 0; i < objects; i++) {
        own.first[i + 1] += own.first[i];
    }
    uint32_t *next = memory_for(objects, 4);
    for (size_t i = 0; i < references; i++) {
        own.edges[own.first[from[i]] + next[from[i]]++] = to[i];
    }
    free(next);
    own.graph = (Graph){objects, references, own.first, own.edges};
    return own;
}

OwnGraph graph_of_shape(Shape shape, uint32_t objects, uint64_t seed)
{
    uint64_t state = seed_of(seed);
    const size_t most = (size_t)objects * 6;
    uint32_t *from = memory_for(most, 4), *to = memory_for(most, 4);
    size_t count = 0;
    for (uint32_t i = 0; i < objects; i++) {
        uint32_t any = (uint32_t)random_below(&state, objects),
                 other = (uint32_t)random_below(&state, objects);
        uint32_t degree = shape == DENSE ? 6 : shape == SPARSE || shape == LOOPS || shape == LAYERS ? 2 : 1;
        if (shape == NO_EDGES || (shape == STAR && i == 0)) {
            degree = 0;
        }
        for (uint32_t n = 0; n < degree; n++, any = (uint32_t)random_below(&state, objects)) {
            switch (shape) {
            case TREE: /* its root is the last: the order of indices says nothing */
                from[count] = i + (uint32_t)random_below(&state, objects - i), to[count] = i;
                break;
            case CHAINS:
                from[count] = i, to[count] = random_below(&state, 8) == 0 ? any : (i + 1) % objects;
                break;
            case LAYERS: /* mostly onward, seldom back */
                from[count] = i;
                to[count] = random_below(&state, 10) == 0 ? any : (i + 1 + any % 5) % objects;
                break;
            case HUBS: from[count] = i, to[count] = any % 3 == 0 ? other % 4 % objects : any; break;
            case LOOPS: /* to itself, and the same reference twice */
                from[count] = i, to[count] = n == 0 ? i : any;
                from[count + 1] = i, to[count + 1] = to[count];
                count++;
                break;
            case RING: from[count] = i, to[count] = (i + 1) % objects; break;
            case STAR: from[count] = 0, to[count] = i; break;
            default: from[count] = i, to[count] = any;
            }
            count++;
        }
    }
    OwnGraph own = graph_of(objects, from, to, count);
    free(from);
    free(to);
    return own;
}

OwnGraph graph_turned(const OwnGraph *of)
{
    OwnGraph own = {.first = memory_for(of->graph.objects + 1, 4),
                    .edges = memory_for(of->graph.references, 4)};
    CHECK(graph_reverse(&of->graph, own.first, own.edges) == GRAPH_DONE, "a graph");
    own.graph = (Graph){of->graph.objects, of->graph.references, own.first, own.edges};
    return own;
}

void graph_drop(OwnGraph *of)
{
    free(of->first);
    free(of->edges);
}

void walk_without(const Graph *graph, const uint32_t *starts, size_t start_count, const bool *within,
                  uint32_t without, bool *met)
{
    uint32_t *open = memory_for(graph->objects + start_count, 4);
    size_t count = 0;
    for (size_t i = 0; i < graph->objects; i++) {
        met[i] = false;
    }
    for (size_t i = 0; i < start_count; i++) {
        if (starts[i] != without && !met[starts[i]] && (within == NULL || within[starts[i]])) {
            met[starts[i]] = true;
            open[count++] = starts[i];
        }
    }
    while (count > 0) {
        const uint32_t from = open[--count];
        for (uint32_t at = graph->first[from]; at < graph->first[from + 1]; at++) {
            const uint32_t to = graph->edges[at];
            if (!met[to] && to != without && (within == NULL || within[to])) {
                met[to] = true;
                open[count++] = to;
            }
        }
    }
    free(open);
}
