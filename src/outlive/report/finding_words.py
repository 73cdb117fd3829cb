"""Findings in figures and words, as every form of report has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.model.place import short_path
from outlive.model.printable import printable
from outlive.model.size import readable
from outlive.report.sparkline import bars

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from outlive.model.estimate import Estimate
    from outlive.model.finding import Finding, Verdict

LOOKED_AT = "the runs of every scope, and the process as a whole"
# What needs nobody, and what can't be said yet.
HARMLESS: tuple[Verdict, ...] = ("bounded growth", "steady")
OPEN: tuple[Verdict, ...] = ("not enough data",)
_KEEPS = {"leak": "per run outlives it", "cycle garbage": "per run waits for the collector"}


def in_order(findings: Sequence[Finding]) -> tuple[list[Finding], list[Finding], list[Finding]]:
    """Return what asks for something, what is harmless, and what is open; as given in each."""
    harmless = [one for one in findings if one.verdict in HARMLESS]
    unknown = [one for one in findings if one.verdict in OPEN]
    return [one for one in findings if one.verdict not in HARMLESS + OPEN], harmless, unknown


def subject(finding: Finding) -> str:
    """Return the scope, or what stands for the process as a whole."""
    return printable(finding.scope) or "(whole process)"


def figures(finding: Finding) -> str:
    """Return "27.3 MiB ± 1.9 per run outlives it · 100 runs · 2.7 GiB now · certain (…)"."""
    return " · ".join(_figures(finding))


def _figures(finding: Finding) -> Iterator[str]:
    if finding.per_run_bytes is not None:
        yield f"{spread(finding.per_run_bytes)} {_KEEPS.get(finding.verdict, 'per run')}"
    if finding.runs:
        yield f"{finding.runs:,} run{'' if finding.runs == 1 else 's'}"
    if finding.in_use_bytes:
        yield f"{readable(finding.in_use_bytes)} now"
    if finding.confidence == "certain" and finding.certain_bytes > 0:
        yield f"certain (slope ≥ {readable(finding.certain_bytes)}/run at 99 %)"
    elif finding.confidence != "unknown":
        yield finding.confidence


def spread(estimate: Estimate) -> str:
    """Return an estimate and half its interval in one unit: "27.3 MiB ± 1.9"; "at most 2 KiB" from 0 on."""
    if estimate.low <= 0 < estimate.high:
        return f"at most {readable(estimate.high)}"
    value, unit = readable(estimate.estimate).split(" ")
    half = (estimate.high - estimate.low) / 2
    if half <= 0:
        return f"{value} {unit}"
    in_unit = half / (estimate.estimate / float(value)) if float(value) else half
    return f"{value} {unit} ± {round(in_unit):,}" if unit == "B" else f"{value} {unit} ± {in_unit:.1f}"


def made(finding: Finding) -> tuple[str, str, str]:
    """Return where it was made, that line's text, and what: "UserActivity ×100,000/run"; "" if not known."""
    site = finding.site
    place = ""
    if site is not None and site.file:
        place = printable(f"{short_path(site.file)}:{site.line}" if site.line else short_path(site.file))
    what = printable(finding.type.rpartition(".")[2])
    if what and (count := finding.objects_per_run) > 0:
        what += f" ×{count:,.0f}/run" if count >= 1 else f" ×{count:.2g}/run"
    return place, printable(site.source.strip()) if site is not None else "", what


def by_run(finding: Finding) -> str:
    """Return a picture of which runs left what is alive; "" if none did."""
    if not any(finding.by_run_bytes):
        return ""
    return f"▕{bars(finding.by_run_bytes)}▏ what runs left, the first to the last"


def reasons(finding: Finding) -> list[str]:
    """Return why, a line each; the rule's number goes with the first."""
    lines = [printable(one) for one in finding.reasons]
    if finding.rule:
        lines[:1] = [f"{lines[0]} ({printable(finding.rule)})" if lines else printable(finding.rule)]
    return lines


def nothing(looked_at: str) -> str:
    """Return the sentence for no findings at all."""
    return f"No findings: outlive looked at {looked_at}, and has nothing to say of it."
