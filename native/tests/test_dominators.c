/* Dominators and retained sizes: against taking each object away in turn on random graphs, and long chains.
 */
#include "check.h"
#include "dominators.h"
#include "graphs.h"
#include "scarcity.h"

#include <string.h>

enum { FEW = 48, MANY = 1 << 20, GROUPS = 5 };

static uint32_t idom[MANY], order[MANY], groups[MANY];
static uint64_t sizes[MANY], retained[MANY], sums[GROUPS];

/* What the slow way knows of a small graph. */
static struct {
    bool member[FEW];         /* of what is looked at: what starts lead to, or the rest */
    bool dominates[FEW][FEW]; /* an object itself, too */
} known;

/* Which of the members `starts` lead to only by way of each. */
static void take_each_away(const Graph *graph, const uint32_t *starts, size_t start_count)
{
    bool met[FEW];
    for (uint32_t gone = 0; gone < graph->objects; gone++) {
        walk_without(graph, starts, start_count, known.member, gone, met);
        for (uint32_t i = 0; i < graph->objects; i++) {
            known.dominates[gone][i] = known.member[gone] && known.member[i] && !met[i];
        }
    }
}

static size_t dominators_of(uint32_t object)
{
    size_t count = 0;
    for (uint32_t i = 0; i < FEW; i++) {
        count += known.dominates[i][object];
    }
    return count;
}

/* The dominator of an object that all its other ones dominate. */
static uint32_t idom_of(uint32_t object)
{
    for (uint32_t i = 0; i < FEW; i++) {
        if (i != object && known.dominates[i][object] && dominators_of(i) == dominators_of(object) - 1) {
            return i;
        }
    }
    return GRAPH_NONE;
}

/* Of those left over, whatever is led to only by what it leads to itself must be led to by one of these; this
 * finds the one that was chosen and says how many ought to be. */
static size_t chosen_of_rest(const Graph *graph, uint32_t *chosen, size_t *expected)
{
    static bool leads[FEW][FEW];
    size_t count = 0;
    *expected = 0;
    for (uint32_t i = 0; i < graph->objects; i++) {
        walk_without(graph, &i, 1, known.member, GRAPH_NONE, leads[i]);
    }
    for (uint32_t i = 0; i < graph->objects; i++) {
        bool first = known.member[i], independent = known.member[i];
        for (uint32_t j = 0; j < graph->objects; j++) {
            independent = independent && (!leads[j][i] || leads[i][j]);
            first = first && (j >= i || !leads[j][i] || !leads[i][j]);
        }
        *expected += independent && first;
        if (independent && idom[i] == GRAPH_NONE) {
            chosen[count++] = i;
        }
    }
    return count;
}

static void check_idoms(const Graph *graph, const char *where)
{
    for (uint32_t i = 0; i < graph->objects; i++) {
        CHECK(!known.member[i] || idom[i] == idom_of(i), "%s: %u has %u, not %u", where, i, idom[i],
              idom_of(i));
    }
}

static void check_retained(const Graph *graph, const char *where)
{
    uint64_t expected[GROUPS] = {0};
    for (uint32_t i = 0; i < graph->objects; i++) {
        uint64_t bytes = 0;
        bool counted[GROUPS] = {false};
        for (uint32_t j = 0; j < graph->objects; j++) {
            bytes += known.dominates[i][j] ? sizes[j] : 0;
            if (known.dominates[j][i] && groups[j] != GRAPH_NONE) {
                counted[groups[j]] = true;
            }
        }
        CHECK(retained[i] == (known.member[i] ? bytes : sizes[i]), "%s: %u has %llu bytes", where, i,
              (unsigned long long)retained[i]);
        for (int group = 0; group < GROUPS; group++) {
            expected[group] += counted[group] ? sizes[i] : 0;
        }
    }
    CHECK(memcmp(sums, expected, sizeof expected) == 0, "%s: sums of groups", where);
}

/* A preorder of the tree has whatever dominates an object on the way down to the one before it. */
static void check_order(const Graph *graph, size_t ordered, const char *where)
{
    bool seen[FEW] = {false};
    for (size_t i = 0; i < ordered; i++) {
        CHECK(order[i] < graph->objects && !seen[order[i]], "%s: number %zu", where, i);
        seen[order[i]] = true;
        uint32_t above = i == 0 ? GRAPH_NONE : order[i - 1];
        while (above != idom[order[i]]) {
            CHECK(above != GRAPH_NONE, "%s: number %zu is in the wrong place", where, i);
            above = idom[above];
        }
    }
}

static void sum_up(const Graph *graph, size_t ordered)
{
    const DominatorTree tree = {graph->objects, ordered, idom, order};
    CHECK(dominators_retained(&tree, sizes, retained) == GRAPH_DONE, "sizes");
    CHECK(dominators_retained_by_group(&tree, retained, groups, GROUPS, sums) == GRAPH_DONE, "groups");
}

static void compare(const OwnGraph *own, const uint32_t *starts, size_t start_count, const char *where)
{
    const Graph *graph = &own->graph;
    OwnGraph turned = graph_turned(own);
    size_t reached = 0, members = 0;
    CHECK(dominators_find(graph, &turned.graph, starts, start_count, false, idom, order, &reached) ==
              GRAPH_DONE,
          "%s", where);
    memset(&known, 0, sizeof known);
    walk_without(graph, starts, start_count, NULL, GRAPH_NONE, known.member);
    for (uint32_t i = 0; i < graph->objects; i++) {
        members += known.member[i];
        CHECK(known.member[i] || idom[i] == GRAPH_NONE, "%s: %u is not led to", where, i);
    }
    CHECK(reached == members, "%s: %zu of %zu", where, reached, members);
    take_each_away(graph, starts, start_count);
    check_idoms(graph, where);
    check_order(graph, reached, where);
    sum_up(graph, reached);
    check_retained(graph, where);

    CHECK(dominators_find(graph, &turned.graph, starts, start_count, true, idom, order, &reached) ==
              GRAPH_DONE,
          "%s", where);
    CHECK(reached == members, "%s: %zu of %zu", where, reached, members);
    check_idoms(graph, where);
    check_order(graph, graph->objects, where);
    for (size_t i = 0; i < graph->objects; i++) {
        CHECK(known.member[order[i]] == (i < reached), "%s: the rest comes last", where);
    }
    for (uint32_t i = 0; i < graph->objects; i++) {
        known.member[i] = !known.member[i];
    }
    uint32_t chosen[FEW];
    size_t chosen_count = chosen_of_rest(graph, chosen, &members);
    CHECK(chosen_count == members, "%s: %zu begin the rest, not %zu", where, chosen_count, members);
    take_each_away(graph, chosen, chosen_count);
    check_idoms(graph, where);
    graph_drop(&turned);
}

static void random_graphs_are_as_the_slow_way_says(void)
{
    char where[64];
    for (int shape = 0; shape < SHAPES; shape++) {
        for (uint64_t seed = 0; seed < 60; seed++) {
            uint64_t state = seed_of(seed + 1000);
            const uint32_t objects = 1 + (uint32_t)random_below(&state, FEW);
            uint32_t starts[4];
            for (uint32_t i = 0; i < objects; i++) {
                sizes[i] = random_below(&state, UINT64_C(1) << 40);
                groups[i] =
                    random_below(&state, 6) == 0 ? GRAPH_NONE : (uint32_t)random_below(&state, GROUPS);
            }
            for (size_t i = 0; i < 4; i++) {
                starts[i] = (uint32_t)random_below(&state, objects);
            }
            OwnGraph own = graph_of_shape((Shape)shape, objects, seed);
            snprintf(where, sizeof where, "shape %d, seed %d", shape, (int)seed);
            compare(&own, starts, seed % 5, where);
            graph_drop(&own);
        }
    }
}

/* The graph of Lengauer and Tarjan's paper, whose dominators it gives: R A B ... L are 0 1 2 ... 12. */
static void the_known_graph_has_its_known_dominators(void)
{
    enum { R, A, B, C, D, E, F, G, H, I, J, K, L };
    const uint32_t from[] = {R, R, R, A, B, B, B, C, C, D, E, F, G, G, H, H, I, J, K, K, L};
    const uint32_t to[] = {A, B, C, D, A, D, E, F, G, L, H, I, I, J, E, K, K, I, I, R, H};
    const uint32_t expected[] = {GRAPH_NONE, R, R, R, R, R, C, C, R, R, G, R, D}, start[] = {R};
    OwnGraph own = graph_of(13, from, to, 21), turned = graph_turned(&own);
    size_t reached = 0;
    CHECK(dominators_find(&own.graph, &turned.graph, start, 1, false, idom, order, &reached) == GRAPH_DONE,
          "dominators");
    CHECK(reached == 13 && memcmp(idom, expected, sizeof expected) == 0, "%zu reached", reached);
    graph_drop(&own);
    graph_drop(&turned);
}

/* Links both ways, and back to the start from all: nothing but the one before dominates each, with no stack
 * that could overflow. */
static void a_long_list_is_no_problem(void)
{
    static uint32_t from[3 * MANY], to[3 * MANY];
    size_t count = 0;
    for (uint32_t i = 0; i + 1 < MANY; i++) {
        from[count] = i, to[count++] = i + 1;
        from[count] = i + 1, to[count++] = i;
        from[count] = i + 1, to[count++] = 0;
    }
    OwnGraph own = graph_of(MANY, from, to, count), turned = graph_turned(&own);
    const uint32_t start[] = {0};
    for (uint32_t i = 0; i < MANY; i++) {
        sizes[i] = 3;
        groups[i] = i % 2;
    }
    for (size_t starts = 0; starts < 2; starts++) { /* held, and not */
        size_t reached = 1;
        CHECK(dominators_find(&own.graph, &turned.graph, start, starts, true, idom, order, &reached) ==
                  GRAPH_DONE,
              "a list");
        CHECK(reached == starts * MANY && idom[0] == GRAPH_NONE, "%zu reached", reached);
        for (uint32_t i = 1; i < MANY; i++) {
            CHECK(idom[i] == i - 1 && order[i] == i, "%u", i);
        }
        sum_up(&own.graph, MANY);
        CHECK(retained[0] == UINT64_C(3) * MANY && retained[MANY - 1] == 3, "sums along the list");
        CHECK(sums[0] == retained[0] && sums[1] == retained[1], "each group is held by its first");
    }
    graph_drop(&own);
    graph_drop(&turned);
}

static void a_star_holds_all_its_rays(void)
{
    OwnGraph own = graph_of_shape(STAR, MANY, 1), turned = graph_turned(&own);
    const uint32_t start[] = {0};
    size_t reached = 0;
    CHECK(dominators_find(&own.graph, &turned.graph, start, 1, false, idom, order, &reached) == GRAPH_DONE,
          "a star");
    for (uint32_t i = 1; i < MANY; i++) {
        sizes[i] = i;
        groups[i] = 1;
        CHECK(idom[i] == 0, "%u", i);
    }
    sizes[0] = 0;
    sum_up(&own.graph, reached);
    CHECK(retained[0] == (uint64_t)MANY * (MANY - 1) / 2 && sums[1] == retained[0], "sums of a star");
    graph_drop(&own);
    graph_drop(&turned);
}

static void nothing_has_no_dominators(void)
{
    const uint32_t first[] = {0};
    const Graph empty = {0, 0, first, first};
    size_t reached = 1;
    CHECK(dominators_find(&empty, &empty, first, 0, true, idom, order, &reached) == GRAPH_DONE, "no objects");
    CHECK(reached == 0, "%zu", reached);
    sum_up(&empty, 0);
    CHECK(sums[0] == 0, "sums of nothing");
}

static void what_does_not_fit_is_refused(void)
{
    OwnGraph own = graph_of_shape(RING, 8, 1), other = graph_of_shape(RING, 9, 1),
             bad = graph_of_shape(RING, 8, 1);
    const uint32_t starts[] = {1, 8};
    size_t reached;
    bad.edges[3] = 8;
    memset(idom, 0xFF, sizeof idom);
    CHECK(dominators_find(&own.graph, &other.graph, starts, 1, true, idom, order, &reached) == GRAPH_REFUSED,
          "refused");
    CHECK(dominators_find(&own.graph, &bad.graph, starts, 1, true, idom, order, &reached) == GRAPH_REFUSED,
          "refused");
    CHECK(dominators_find(&bad.graph, &own.graph, starts, 1, true, idom, order, &reached) == GRAPH_REFUSED,
          "refused");
    CHECK(dominators_find(&own.graph, &own.graph, starts, 2, true, idom, order, &reached) == GRAPH_REFUSED,
          "refused");
    CHECK(idom[1] == GRAPH_NONE, "nothing was written");

    uint32_t held[] = {GRAPH_NONE, 0, 1}, ordered[] = {0, 1, 2}, grouped[] = {0, GRAPH_NONE, 1};
    const DominatorTree tree = {3, 3, held, ordered}, longer = {3, 4, held, ordered};
    CHECK(dominators_retained_by_group(&tree, retained, grouped, 2, sums) == GRAPH_DONE, "it fits");
    CHECK(dominators_retained_by_group(&tree, retained, grouped, 1, sums) == GRAPH_REFUSED, "no such group");
    CHECK(dominators_retained(&longer, sizes, retained) == GRAPH_REFUSED, "more in order than there are");
    ordered[1] = 3;
    CHECK(dominators_retained(&tree, sizes, retained) == GRAPH_REFUSED, "no such object");
    CHECK(dominators_retained_by_group(&tree, retained, grouped, 2, sums) == GRAPH_REFUSED, "no such object");
    ordered[1] = 1;
    held[2] = 3;
    CHECK(dominators_retained(&tree, sizes, retained) == GRAPH_REFUSED, "no such dominator");
    graph_drop(&own);
    graph_drop(&other);
    graph_drop(&bad);
}

/* A wrong graph turned round gives wrong dominators, in bounds and with an end. */
static void a_wrong_reverse_does_no_harm(void)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        OwnGraph own = graph_of_shape((Shape)(seed % SHAPES), FEW, seed);
        OwnGraph wrong = graph_of_shape(seed % 2 == 0 ? DENSE : SPARSE, FEW, seed + 1);
        const uint32_t start[] = {0};
        size_t reached;
        CHECK(dominators_find(&own.graph, &wrong.graph, start, 1, true, idom, order, &reached) == GRAPH_DONE,
              "%d", (int)seed);
        check_order(&own.graph, FEW, "wrong");
        graph_drop(&own);
        graph_drop(&wrong);
    }
}

static void without_memory_nothing_is_written(void)
{
    OwnGraph own = graph_of_shape(RING, 8, 1), turned = graph_turned(&own);
    const uint32_t start[] = {0};
    const Refusal refusals[] = {REFUSE_ONE, REFUSE_ALL_FROM};
    for (int how = 0; how < 2; how++) {
        long rounds = 0;
        do {
            size_t reached = 99;
            idom[1] = order[1] = 99;
            scarcity_begin(++rounds, refusals[how]);
            GraphOutcome outcome =
                dominators_find(&own.graph, &turned.graph, start, 1, true, idom, order, &reached);
            CHECK(outcome == (scarcity_met() ? GRAPH_NO_MEMORY : GRAPH_DONE), "round %ld", rounds);
            CHECK(!scarcity_met() || (reached == 99 && idom[1] == 99 && order[1] == 99), "round %ld", rounds);
            CHECK(scarcity_blocks() == 0, "round %ld: %ld blocks leaked", rounds, scarcity_blocks());
        } while (scarcity_met());
        CHECK(rounds > 1, "%ld rounds", rounds);
        const DominatorTree tree = {8, 8, idom, order};
        memset(groups, 0, sizeof groups);
        rounds = 0;
        do {
            sums[0] = 99;
            scarcity_begin(++rounds, refusals[how]);
            GraphOutcome outcome = dominators_retained_by_group(&tree, retained, groups, 1, sums);
            CHECK(outcome == (scarcity_met() ? GRAPH_NO_MEMORY : GRAPH_DONE), "round %ld", rounds);
            CHECK(!scarcity_met() || sums[0] == 99, "round %ld", rounds);
            CHECK(scarcity_blocks() == 0, "round %ld: %ld blocks leaked", rounds, scarcity_blocks());
        } while (scarcity_met());
        CHECK(rounds > 1, "%ld rounds", rounds);
    }
    scarcity_begin(0, REFUSE_ONE);
    graph_drop(&own);
    graph_drop(&turned);
}

int main(void)
{
    random_graphs_are_as_the_slow_way_says();
    the_known_graph_has_its_known_dominators();
    a_long_list_is_no_problem();
    a_star_holds_all_its_rays();
    nothing_has_no_dominators();
    what_does_not_fit_is_refused();
    a_wrong_reverse_does_no_harm();
    without_memory_nothing_is_written();
    return 0;
}
