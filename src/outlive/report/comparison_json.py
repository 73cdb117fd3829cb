"""Before and after as JSON, schema 1. Sizes are bytes, times seconds; a bound that there is not is null."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from outlive.report.recording_json import estimate_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outlive.diagnose.comparison import Comparison, ScopeChange, ScopeOutcome, Side, Spread


def comparison_json(comparison: Comparison, names: tuple[str, str], rounds: int = 1) -> dict[str, object]:
    """Return the document for `json.dumps`; `names` are of before and after."""
    sides = {"before": comparison.before, "after": comparison.after}
    return {
        "schema": 1,
        "verdict": comparison.verdict,
        "limit_bytes": round(comparison.limit_bytes),
        "rounds": rounds,
        **{side: _side(name, of) for (side, of), name in zip(sides.items(), names, strict=True)},
        "scopes": [_change(change) for change in comparison.scopes],
    }


def scopes_json(scopes: Iterable[ScopeOutcome]) -> list[dict[str, object]]:
    """Return what became of the runs of scopes."""
    return [{"scope": scope.name, **_scope(scope)} for scope in scopes]


def _side(name: str, side: Side) -> dict[str, object]:
    return {
        "name": name,
        "peak_rss_bytes": _spread(side.peak_rss_bytes),
        "peak_python_bytes": _spread(side.peak_python_bytes),
        "seconds": _spread(side.seconds),
    }


def _spread(spread: Spread | None) -> dict[str, float] | None:
    if spread is None:
        return None
    return {"estimate": spread.middle, "low": spread.least, "high": spread.most}


def _change(change: ScopeChange) -> dict[str, object]:
    return {
        "scope": change.name,
        "verdict": change.verdict,
        "reason": change.reason,
        "more_runs": change.more_runs,
        "before": change.before and _scope(change.before),
        "after": change.after and _scope(change.after),
    }


def _scope(scope: ScopeOutcome) -> dict[str, object]:
    per_run = scope.per_run
    if math.isinf(per_run.high):
        bytes_json: dict[str, int | None] = {
            "estimate": round(per_run.estimate),
            "low": round(per_run.low),
            "high": None,
        }
    else:
        bytes_json = {**estimate_json(per_run)}
    return {
        "runs": scope.runs,
        "verdict": scope.kind,
        "per_run_bytes": bytes_json,
        "reasons": list(scope.reasons),
        "more_runs": scope.more_runs,
    }
