/* References turned round and followed: against the slow way on random graphs, and whatever is odd. */
#include "check.h"
#include "graph.h"
#include "graphs.h"
#include "scarcity.h"

#include <string.h>

static uint32_t rows[1 << 20], more[1 << 20]; /* for what a function is to fill */

static size_t count_of(const Graph *graph, uint32_t from, uint32_t to)
{
    size_t count = 0;
    for (uint32_t at = graph->first[from]; at < graph->first[from + 1]; at++) {
        count += graph->edges[at] == to;
    }
    return count;
}

static void every_reference_is_turned(void)
{
    for (int shape = 0; shape < SHAPES; shape++) {
        for (uint64_t seed = 0; seed < 20; seed++) {
            OwnGraph forth = graph_of_shape((Shape)shape, 1 + (uint32_t)seed * 3, seed),
                     back = graph_turned(&forth);
            CHECK(graph_is_valid(&back.graph), "shape %d, seed %d", shape, (int)seed);
            for (uint32_t i = 0; i < forth.graph.objects; i++) {
                for (uint32_t j = 0; j < forth.graph.objects; j++) {
                    CHECK(count_of(&forth.graph, i, j) == count_of(&back.graph, j, i),
                          "shape %d, seed %d: %u -> %u", shape, (int)seed, i, j);
                }
                for (uint32_t at = back.first[i]; at + 1 < back.first[i + 1]; at++) {
                    CHECK(back.edges[at] <= back.edges[at + 1], "shape %d, seed %d: order", shape, (int)seed);
                }
            }
            graph_drop(&forth);
            graph_drop(&back);
        }
    }
}

/* How many references a parent's way is from its start. */
static uint32_t depth_of(const uint32_t *parent, uint32_t object)
{
    uint32_t depth = 0;
    for (; parent[object] != object; object = parent[object]) {
        depth++;
    }
    return depth;
}

static void all_is_reached_on_shortest_ways(void)
{
    for (int shape = 0; shape < SHAPES; shape++) {
        for (uint64_t seed = 0; seed < 20; seed++) {
            const uint32_t objects = 2 + (uint32_t)seed * 5, starts[] = {objects / 2, 0, objects / 2};
            OwnGraph own = graph_of_shape((Shape)shape, objects, seed);
            bool met[128];
            size_t reached = 0, expected = 0;
            memset(rows, 0xFF, sizeof rows);
            CHECK(graph_reach(&own.graph, starts, 3, rows, &reached) == GRAPH_DONE, "shape %d", shape);
            walk_without(&own.graph, starts, 3, NULL, GRAPH_NONE, met);
            for (uint32_t i = 0; i < objects; i++) {
                expected += met[i];
                CHECK(met[i] == (rows[i] != GRAPH_NONE), "shape %d, seed %d: %u", shape, (int)seed, i);
                CHECK(!met[i] || rows[i] == i || count_of(&own.graph, rows[i], i) > 0,
                      "shape %d, seed %d: %u has no such reference", shape, (int)seed, i);
            }
            CHECK(rows[0] == 0 && rows[objects / 2] == objects / 2, "shape %d, seed %d", shape, (int)seed);
            CHECK(reached == expected, "shape %d, seed %d: %zu", shape, (int)seed, reached);
            for (uint32_t i = 0; i < objects; i++) {
                for (uint32_t at = own.first[i]; met[i] && at < own.first[i + 1]; at++) {
                    CHECK(depth_of(rows, own.edges[at]) <= depth_of(rows, i) + 1,
                          "shape %d, seed %d: there is a shorter way to %u", shape, (int)seed, own.edges[at]);
                }
            }
            graph_drop(&own);
        }
    }
}

static void a_second_call_goes_on(void)
{
    const uint32_t from[] = {0, 1, 2, 3}, to[] = {1, 2, 3, 4}, first_start[] = {2}, then[] = {3, 0};
    OwnGraph own = graph_of(6, from, to, 4);
    size_t reached = 0;
    memset(rows, 0xFF, sizeof rows);
    CHECK(graph_reach(&own.graph, first_start, 1, rows, &reached) == GRAPH_DONE && reached == 3, "%zu",
          reached);
    CHECK(graph_reach(&own.graph, then, 2, rows, &reached) == GRAPH_DONE && reached == 2, "%zu", reached);
    const uint32_t expected[] = {0, 0, 2, 2, 3, GRAPH_NONE};
    CHECK(memcmp(rows, expected, sizeof expected) == 0, "what was reached before stays");
    CHECK(graph_reach(&own.graph, NULL, 0, rows, &reached) == GRAPH_DONE && reached == 0, "no starts");
    graph_drop(&own);
}

static void nothing_is_a_graph(void)
{
    const uint32_t first[] = {0};
    const Graph empty = {0, 0, first, first};
    size_t reached = 1;
    CHECK(graph_is_valid(&empty), "no objects");
    CHECK(graph_reverse(&empty, rows, more) == GRAPH_DONE && rows[0] == 0, "no objects");
    CHECK(graph_reach(&empty, first, 0, rows, &reached) == GRAPH_DONE && reached == 0, "no objects");
    CHECK(graph_reach(&empty, first, 1, rows, &reached) == GRAPH_REFUSED, "a start that is no object");
}

/* Each is refused by both, which write nothing. */
static void what_is_no_graph_is_refused(void)
{
    static const struct {
        size_t objects, references;
        uint32_t first[5], edges[4];
    } wrong[] = {
        {3, 3, {0, 1, 2, 3}, {0, 3, 1}},          /* no such object */
        {3, 3, {0, 1, 2, 3}, {0, GRAPH_NONE, 1}}, /* nor is none one */
        {3, 3, {0, 2, 1, 3}, {0, 1, 2}},          /* descends */
        {3, 3, {1, 1, 2, 3}, {0, 1, 2}},          /* begins late */
        {3, 3, {0, 1, 2, 2}, {0, 1, 2}},          /* ends early */
        {3, 3, {0, 1, 2, 4}, {0, 1, 2}},          /* ends late */
        {3, 3, {0, GRAPH_NONE, 2, 3}, {0, 1, 2}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const Graph graph = {wrong[i].objects, wrong[i].references, wrong[i].first, wrong[i].edges};
        const uint32_t start[] = {0};
        size_t reached;
        memset(rows, 0xFF, sizeof rows);
        CHECK(!graph_is_valid(&graph), "number %zu", i);
        CHECK(graph_reverse(&graph, rows, rows + 8) == GRAPH_REFUSED, "number %zu", i);
        CHECK(graph_reach(&graph, start, 1, rows, &reached) == GRAPH_REFUSED, "number %zu", i);
        for (size_t at = 0; at < 16; at++) {
            CHECK(rows[at] == GRAPH_NONE, "number %zu: something was written", i);
        }
    }
    const Graph large = {(size_t)GRAPH_OBJECTS_MAX + 1, 0, wrong[0].first, wrong[0].edges};
    CHECK(!graph_is_valid(&large), "more objects than can be numbered");
    OwnGraph own = graph_of_shape(RING, 4, 1);
    const uint32_t starts[] = {1, 4};
    size_t reached;
    CHECK(graph_reach(&own.graph, starts, 2, rows, &reached) == GRAPH_REFUSED, "a start that is no object");
    CHECK(rows[1] == GRAPH_NONE, "nothing was reached");
    graph_drop(&own);
}

static void a_long_chain_is_followed(void)
{
    enum { LINKS = 1 << 20 };
    OwnGraph ring = graph_of_shape(RING, LINKS, 1);
    const uint32_t start[] = {5};
    size_t reached = 0;
    memset(rows, 0xFF, sizeof rows);
    CHECK(graph_reach(&ring.graph, start, 1, rows, &reached) == GRAPH_DONE && reached == LINKS, "%zu",
          reached);
    CHECK(rows[4] == 3 && rows[0] == LINKS - 1, "%u, %u", rows[4], rows[0]);
    graph_drop(&ring);
}

static void without_memory_nothing_is_reached(void)
{
    OwnGraph own = graph_of_shape(RING, 4, 1);
    const uint32_t start[] = {0};
    size_t reached;
    memset(rows, 0xFF, sizeof rows);
    scarcity_begin(1, REFUSE_ONE);
    CHECK(graph_reach(&own.graph, start, 1, rows, &reached) == GRAPH_NO_MEMORY, "refused");
    CHECK(scarcity_met() && rows[0] == GRAPH_NONE, "nothing was written");
    CHECK(graph_reach(&own.graph, start, 1, rows, &reached) == GRAPH_DONE && reached == 4, "%zu", reached);
    CHECK(scarcity_blocks() == 0, "%ld blocks leaked", scarcity_blocks());
    graph_drop(&own);
}

int main(void)
{
    every_reference_is_turned();
    all_is_reached_on_shortest_ways();
    a_second_call_goes_on();
    nothing_is_a_graph();
    what_is_no_graph_is_refused();
    a_long_chain_is_followed();
    without_memory_nothing_is_reached();
    return 0;
}
