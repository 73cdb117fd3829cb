"""A recording as JSON, schema 1: `report`, `top --once` and `postmortem`. Sizes are bytes, times seconds."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from outlive.recording.totals import Grouping, grouped, in_use
from outlive.report.program_text import program
from outlive.report.stack_text import SourceLines

if TYPE_CHECKING:
    from outlive.model.estimate import Estimate
    from outlive.model.recording import Frame, Point, Recording, SiteTotal
    from outlive.recording.death import Death


def recording_json(
    recording: Recording,
    *,
    by: Grouping = "stack",
    limit: int | None = None,
    points: int | None = None,
    death: Death | None = None,
) -> dict[str, object]:
    """Return the recording as a document for `json.dumps`.

    Args:
        recording: what was read.
        by: what counts as one site; but for "stack", each has one frame.
        limit: how many sites at most, the largest; None for all, those that hold nothing any more too.
        points: how many points of the timeline at most, the newest; None for all.
        death: what the process died of; the document has "death" with it.

    """
    source = SourceLines(recording)
    process = recording.process
    sites = grouped(recording, by)
    document: dict[str, object] = {
        "schema": 1,
        "pid": process.pid,
        "process": {
            "program": program(recording),
            "parent_pid": process.parent_pid,
            "began": process.began,
            "state": process.state,
            "status": process.status,
            "ended": process.ended,
            "python": _text(process.notes.get("python")),
        },
        "interval_bytes": recording.interval_bytes,
        "current_interval_bytes": recording.current_interval_bytes,
        "in_use_bytes": estimate_json(in_use(recording)),
        "sites": [_site(site, source) for site in sites[:limit]],
        "sites_left_out": len(sites) - len(sites[:limit]),
        "sampled": recording.sampled,
        "dropped": recording.dropped,
        "torn": recording.torn,
        "forgotten_bytes": recording.forgotten_bytes,
        "timeline": [_point(point) for point in recording.timeline[-points if points else 0 :]],
        "breakdown": asdict(recording.breakdown) if recording.breakdown is not None else None,
    }
    if death is not None:
        document["death"] = asdict(death)
    return document


def estimate_json(estimate: Estimate) -> dict[str, int]:
    """Return an estimate in whole bytes."""
    return {name: round(figure) for name, figure in asdict(estimate).items()}


def _site(site: SiteTotal, source: SourceLines) -> dict[str, object]:
    return {
        "in_use_bytes": estimate_json(site.in_use),
        "blocks": round(site.blocks, 1),
        "samples": site.samples,
        "allocated_bytes": round(site.stack.allocated_bytes),
        "scope": site.scope,
        "stack": [_frame(frame, source) for frame in site.stack.frames],
        "cut": site.stack.cut,
    }


def _frame(frame: Frame, source: SourceLines) -> dict[str, object]:
    return {
        "function": frame.function,
        "file": frame.file,
        "line": frame.line,
        "source": source.line(frame) if frame.line else "",
    }


def _point(point: Point) -> dict[str, object]:
    return asdict(point) | {"gc_counts": list(point.gc_counts)}


def _text(said: object) -> str:
    return said if isinstance(said, str) else ""
