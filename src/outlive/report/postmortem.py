"""What a process died of, as text: the cause, its last figures, and what was alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.model.printable import printable
from outlive.model.size import mib
from outlive.report import program_text
from outlive.report.recording_table import recording_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from outlive.model.recording import Point, Recording
    from outlive.recording.death import Death
    from outlive.report.style import Style

_SITES = 10
_SIZES = (
    ("USS", "uss"),
    ("Python in use", "python_in_use"),
    ("Python free", "python_free"),
    ("malloc in use", "malloc_in_use"),
    ("malloc free", "malloc_free"),
)


def postmortem_text(recording: Recording, death: Death, style: Style, heaps: Sequence[Path] = ()) -> str:
    """Return the report. `heaps`: snapshots that the process left, the last one first."""
    lines = [
        *_cause(death, style),
        *_last(recording, style),
        *_triggers(recording, style),
        *_heaps(heaps, style),
    ]
    return "\n".join((*lines, recording_table(recording, "line", _SITES, style)))


def other_text(file: Path, recording: Recording, death: Death) -> str:
    """Return a line on one more recording of a folder."""
    when = program_text.clock(program_text.last_seen(recording))
    who = program_text.identity(recording)
    return f"  {when}  {who}: {death.text}\n    outlive postmortem {printable(str(file))}"


def _cause(death: Death, style: Style) -> Iterator[str]:
    doubt = "" if death.confidence == "certain" else f" ({death.confidence})"
    yield f"{style.faint('Cause   ')}  {style.strong(death.text + doubt)}"
    yield from (f"{'':8}  - {reason}" for reason in death.reasons)


def _last(recording: Recording, style: Style) -> Iterator[str]:
    if not recording.timeline:
        return
    point = recording.timeline[-1]
    when = program_text.clock(point.time)
    yield f"{style.faint('Last    ')}  {when}: {', '.join(_figures(point)) or 'nothing was known'}"


def _triggers(recording: Recording, style: Style) -> Iterator[str]:
    said = recording.process.notes.get("triggers")
    if not isinstance(said, dict):
        return
    last, error = said.get("last"), said.get("last_error")
    words = [f"fired {said.get('fired')}, failed {said.get('failed')}"]
    if isinstance(last, dict) and last.get("rule"):
        words.append(f"the last: {last['rule']}")
    if error:
        words.append(f"what failed: {error}")
    yield f"{style.faint('Triggers')}  {printable('; '.join(words))}"


def _heaps(heaps: Sequence[Path], style: Style) -> Iterator[str]:
    if heaps:
        more = f" ({len(heaps) - 1} older beside it)" if len(heaps) > 1 else ""
        yield f"{style.faint('Heap    ')}  outlive census {printable(str(heaps[0]))}{more}"


def _figures(point: Point) -> Iterator[str]:
    if point.rss is not None:
        yield f"RSS {mib(point.rss)}"
    for name, field in _SIZES:
        if (size := getattr(point, field)) is not None:
            yield f"{name} {mib(size)}"
    for name, count in (("threads", point.threads), ("tasks", point.tasks)):
        if count is not None:
            yield f"{count:,} {name}"
