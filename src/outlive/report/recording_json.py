"""A recording as JSON, schema 1: `report`, `top --once` and `postmortem`. Sizes are bytes, times seconds."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from outlive.model.recording import Frame, Point
from outlive.recording.totals import Grouping, grouped, in_use
from outlive.report.program_text import program
from outlive.report.stack_text import SourceLines

if TYPE_CHECKING:
    from outlive.model.estimate import Estimate
    from outlive.model.recording import Recording, SiteTotal
    from outlive.recording.death import Death

_POINT_KEYS = [field.name for field in fields(Point)]


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
    frames = _Frames(SourceLines(recording))
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
        "sites": [_site(site, frames) for site in sites[:limit]],
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
    return {name: round(getattr(estimate, name)) for name in ("estimate", "low", "high")}


class _Frames(dict[Frame, dict[str, object]]):
    """Each frame as a document, made once: thousands of stacks share theirs."""

    def __init__(self, source: SourceLines) -> None:
        super().__init__()
        self._source = source

    def __missing__(self, frame: Frame) -> dict[str, object]:
        self[frame] = document = {
            "function": frame.function,
            "file": frame.file,
            "line": frame.line,
            "source": self._source.line(frame) if frame.line else "",
        }
        return document


def _site(site: SiteTotal, frames: _Frames) -> dict[str, object]:
    return {
        "in_use_bytes": estimate_json(site.in_use),
        "blocks": round(site.blocks, 1),
        "samples": site.samples,
        "allocated_bytes": round(site.stack.allocated_bytes),
        "scope": site.scope,
        "stack": [frames[frame] for frame in site.stack.frames],
        "cut": site.stack.cut,
    }


def _point(point: Point) -> dict[str, object]:
    return {name: getattr(point, name) for name in _POINT_KEYS}


def _text(said: object) -> str:
    return said if isinstance(said, str) else ""
