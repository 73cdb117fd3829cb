"""Before and after as text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from outlive.model.printable import printable
from outlive.model.size import KIB, MIB, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outlive.diagnose.comparison import Comparison, ScopeChange, ScopeOutcome, Spread
    from outlive.model.estimate import Estimate
    from outlive.report.style import Style

_NAME_WIDTH = 12
_SAME_SHARE = 0.005  # a smaller difference shows as 0 %
_SCOPE_LACKS = (
    'Nothing in it is a scope. Say what a unit of work is: with outlive.scope("export"): … around it, before',
    "and after.",
)


def comparison_text(comparison: Comparison, names: tuple[str, str], rounds: int, style: Style) -> str:
    """Return what is to be read; `names` are of before and after."""
    return "\n".join((*_lines(comparison, names, rounds, style), ""))


def _lines(comparison: Comparison, names: tuple[str, str], rounds: int, style: Style) -> Iterator[str]:
    each = f", {rounds} rounds each" if rounds > 1 else ""
    yield _row("Before", names[0], style)
    yield _row("After", names[1] + each, style)
    yield ""
    for change in comparison.scopes:
        yield _row("Survivors", _survivors(change), style)
    before, after = comparison.before, comparison.after
    yield _row("Peak RSS", _figure(before.peak_rss_bytes, after.peak_rss_bytes, MIB, "MiB"), style)
    yield _row("Peak Python", _figure(before.peak_python_bytes, after.peak_python_bytes, MIB, "MiB"), style)
    yield _row("Time", _time(before.seconds, after.seconds, rounds), style)
    yield ""
    yield style.strong(f"{'Verdict':<{_NAME_WIDTH}}{comparison.verdict}")
    if not comparison.scopes:
        yield from _SCOPE_LACKS
    for change in comparison.scopes:
        other = f"{change.verdict}: " if change.verdict != comparison.verdict else ""
        yield f"{'':<{_NAME_WIDTH}}{printable(change.name)}: {other}{printable(change.reason)}"
        if change.more_runs:
            yield f"{'':<{_NAME_WIDTH}}{_more(change)}"


def _row(name: str, text: str, style: Style) -> str:
    return f"{style.faint(f'{name:<{_NAME_WIDTH}}')}{text}"


def _survivors(change: ScopeChange) -> str:
    sides = (change.before, change.after)
    before, after = map(_per_run, sides)
    runs = " → ".join("0" if side is None else f"{side.runs:,}" for side in sides)
    return f"{before} → {after} per run of {printable(change.name)} ({runs} runs)"


def _per_run(side: ScopeOutcome | None) -> str:
    if side is None:
        return "none"
    return "?" if math.isinf(side.per_run.high) else _plus_minus(side.per_run)


def _plus_minus(estimate: Estimate) -> str:
    """Return "27.3 ± 1.9 MiB", by the bound that is farther away."""
    beside = max(estimate.high - estimate.estimate, estimate.estimate - estimate.low)
    unit = readable(max(estimate.estimate, beside)).split()[1]
    size = {"B": 1, "KiB": KIB, "MiB": MIB, "GiB": KIB * MIB}[unit]
    digits = 0 if unit == "B" else 1
    return f"{estimate.estimate / size:,.{digits}f} ± {beside / size:,.{digits}f} {unit}"


def _figure(before: Spread | None, after: Spread | None, unit: int, name: str, digits: int = 1) -> str:
    if before is None or after is None:
        return "not known"
    shown = f"{_spread(before, unit, digits)} → {_spread(after, unit, digits)} {name}"
    return f"{shown} ({_saved(before.middle, after.middle)})" if before.middle > 0 else shown


def _time(before: Spread | None, after: Spread | None, rounds: int) -> str:
    if before is None or after is None or rounds > 1:
        return _figure(before, after, 1, "s", digits=2)
    # Of one round, a share would look like more than chance.
    return f"{before.middle:,.2f} → {after.middle:,.2f} s"


def _spread(spread: Spread, unit: int, digits: int) -> str:
    figures = (spread.middle, spread.least, spread.most)
    middle, least, most = (f"{each / unit:,.{digits}f}" for each in figures)
    return middle if least == most else f"{middle} ({least} to {most})"


def _saved(before: float, after: float) -> str:
    share = after / before - 1
    sign = "±" if abs(share) < _SAME_SHARE else "\N{MINUS SIGN}" if share < 0 else "+"
    return f"{sign}{abs(share):.0%}".replace("%", " %")


def _more(change: ScopeChange) -> str:
    return f"about {change.more_runs:,} more runs of {printable(change.name)} would tell: have it do more"
