"""The leaks that the demo plants, and whether outlive says of each what is true."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outlive.model.estimate import Estimate
from outlive.model.finding import Finding, Place
from outlive.report.breakdown import Subject
from outlive.report.comparison_json import comparison_json
from outlive.report.comparison_text import comparison_text
from outlive.report.finding_text import finding_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outlive.diagnose.comparison import Comparison
    from outlive.report.style import Style

EXPORTS = 100
ROWS = 250
"""Of one export. The 3 MB that outlive it make the sampler certain in so few runs, at its usual interval."""
LIMIT_BYTES = 32 << 10
"""What a cured export may leave: a sample or two by chance."""

SCOPE = "export"

_FILE = Path("examples/leaky_export/leaks.py")
_MADE = "await session.scalars("


@dataclass(frozen=True, slots=True)
class Planted:
    """A leak of examples/leaky_export: what it is, the rule that tells it, and how its holder path begins."""

    name: str
    what: str
    rule: str
    held: str


PLANTED = (
    Planted("cache", "a module's cache, by export ids that never come again", "L04", "FETCHED['export-"),
    Planted("session", "a session that a registry keeps, never closed", "L02", "RUNNING['export-"),
    Planted("task", "finished tasks in a list, each with its traceback", "L08", "TASKS → list["),
)


@dataclass(frozen=True, slots=True)
class LeakOutcome:
    """What was found of a planted leak, and what its cure came to.

    `document` is the worst finding's, as it was read; `wrong` what it says otherwise than it is.
    """

    planted: Planted
    findings: tuple[Finding, ...]
    document: dict[str, Any] | None
    wrong: tuple[str, ...]
    cure: Comparison

    @property
    def is_verified(self) -> bool:
        """Whether what leaked was measured to leak no more."""
        return self.cure.verdict == "fixed"


def outcome_of(planted: Planted, run: dict[str, Any], cure: Comparison, root: Path) -> LeakOutcome:
    """Judge what `outlive run --sample --json` says of a leak, of the example in `root`."""
    findings = tuple(map(read_finding, run["findings"]))
    first = run["findings"][0] if findings else None
    return LeakOutcome(planted, findings, first, tuple(wrong_with(findings, planted, root)), cure)


def tell_leak(leak: LeakOutcome, style: Style) -> str:
    """Return what was found, and what the cure came to."""
    name = leak.planted.name
    parts = [
        style.strong(f"The {name} leak: {leak.planted.what}; {EXPORTS} exports of {ROWS} rows"),
        finding_text(leak.findings, None, Subject(0, ""), style).rstrip("\n"),
    ]
    if leak.wrong:
        parts.append("\n".join(("Not found as it is.", *(f"  {each}" for each in leak.wrong))))
    parts += [style.strong("Cured"), comparison_text(leak.cure, _names(leak), 1, style)]
    return "\n\n".join(parts)


def leak_json(leak: LeakOutcome) -> dict[str, object]:
    """Return it as a document for `json.dumps`; `before` and `after` are figures of the exports."""
    cure: dict[str, Any] = comparison_json(leak.cure, _names(leak))
    scope = cure["scopes"][0]
    return {
        "name": leak.planted.name,
        "finding": leak.document,
        "wrong": list(leak.wrong),
        "before": cure["before"] | (scope["before"] or {}),
        "after": cure["after"] | (scope["after"] or {}),
        "verified": leak.is_verified,
    }


def failures(leaks: Sequence[LeakOutcome]) -> list[str]:
    """Return in words which leaks were not found as they are, and which cures are not verified."""
    found = [f"the {leak.planted.name} leak was not found as it is" for leak in leaks if leak.wrong]
    return found + [
        f"the cure of the {leak.planted.name} leak was not verified" for leak in leaks if not leak.is_verified
    ]


def _names(leak: LeakOutcome) -> tuple[str, str]:
    return f"{leak.planted.name}_leak in {_FILE}", f"{leak.planted.name}_cured beside it"


def wrong_with(findings: Sequence[Finding], planted: Planted, root: Path) -> list[str]:
    """Return what the first of the findings, the worst, says otherwise than it is."""
    if not findings:
        return ["nothing was found"]
    found, leaking = findings[0], root.resolve() / _FILE
    made = f"{found.site.file}:{found.site.line} {found.site.source}" if found.site else "no line"
    is_line = found.site and Path(found.site.file).resolve() == leaking and _MADE in found.site.source
    begin = f"module examples.leaky_export.leaks → {planted.held}"
    return [
        f"{what}: {said or 'nothing'}, not {true}"
        for is_right, what, said, true in (
            (found.verdict == "leak", "verdict", found.verdict, "leak"),
            (found.confidence == "certain", "confidence", found.confidence, "certain"),
            (found.scope == SCOPE, "scope", found.scope, SCOPE),
            (found.runs == EXPORTS, "runs", str(found.runs), str(EXPORTS)),
            (is_line, "made", made, f"{_FILE} … {_MADE}"),
            (found.holder.startswith(begin), "held", found.holder, f"{begin}…"),
            (found.rule == planted.rule, "rule", found.rule, planted.rule),
            (bool(found.cure), "cure", found.cure, "something"),
        )
        if not is_right
    ]


def read_finding(said: dict[str, Any]) -> Finding:
    """Return a finding from what `outlive run --sample --json` says of it."""
    per_run, site = said["per_run_bytes"], said["site"]
    return Finding(
        verdict=said["verdict"],
        confidence=said["confidence"],
        scope=said["scope"],
        runs=said["runs"],
        per_run_bytes=per_run and Estimate(**per_run),
        certain_bytes=said["certain_bytes"],
        in_use_bytes=said["in_use_bytes"],
        site=site and Place(**site),
        type=said["type"],
        objects_per_run=said["objects_per_run"],
        holder=said["holder"],
        rule=said["rule"],
        reasons=tuple(said["reasons"]),
        cure=said["cure"],
    )
