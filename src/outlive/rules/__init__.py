"""Leak patterns, one a file: the sign that shows it, and the cure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules import (
    b01_limited_lru_cache,
    b02_limited_queue,
    b03_pool,
    b04_cachetools,
    l01_everything_at_once,
    l02_never_closed,
    l03_session_in_task,
    l04_no_eviction,
    l05_lru_cache,
    l06_cycles,
    l07_exception_kept,
    l08_done_tasks,
    l09_never_ends,
    l10_suspended,
    l11_unbounded_queue,
    l12_made_per_call,
    l13_logging,
    l14_metric_labels,
    l15_listeners,
    l16_never_reset,
    l17_weak_keys,
    l18_exit_functions,
    l19_class_state,
    l20_figures,
    l21_native_reference,
    l22_last_error,
    l23_views,
    l24_allocator_retention,
    l25_native_growth,
)
from outlive.rules.rule import Evidence, Match, Rule

if TYPE_CHECKING:
    from outlive.model.finding import Verdict

__all__ = ["ALL", "BY_NUMBER", "Evidence", "Match", "Rule", "match"]

# The most specific first: what a path passes that few paths do. A path that shows two patterns shows the
# cause in the one nearer to the root.
ALL = tuple(
    module.RULE
    for module in (
        l22_last_error,
        l20_figures,
        l13_logging,
        l14_metric_labels,
        b01_limited_lru_cache,
        l05_lru_cache,
        l18_exit_functions,
        l03_session_in_task,
        l12_made_per_call,
        b03_pool,
        l02_never_closed,
        b04_cachetools,
        l17_weak_keys,
        l08_done_tasks,
        l07_exception_kept,
        l09_never_ends,
        l10_suspended,
        l16_never_reset,
        b02_limited_queue,
        l11_unbounded_queue,
        l23_views,
        l15_listeners,
        l19_class_state,
        l21_native_reference,
        l04_no_eviction,
        l01_everything_at_once,
        l06_cycles,
        l24_allocator_retention,
        l25_native_growth,
    )
)
BY_NUMBER = {rule.number: rule for rule in sorted(ALL, key=lambda one: (one.bounded, one.number))}
_BY_HOLDERS: tuple[Verdict, ...] = ("leak", "bounded growth")


def match(evidence: Evidence, verdict: Verdict = "leak") -> Match | None:
    """Return the pattern that evidence shows, with the reason; None if it shows none.

    Args:
        evidence: of one site.
        verdict: what figures say. Evidence of a leak may show a limit: then the rule is `bounded`.

    """
    wanted = _BY_HOLDERS if verdict in _BY_HOLDERS else (verdict,)
    for rule in ALL:
        if rule.verdict in wanted and (reason := rule.sign(evidence)):
            return Match(rule, reason)
    return None
