"""Which of the processes that record a command is about, where it is not told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.cli import source
from outlive.errors import OutliveError, UsageError
from outlive.model.printable import printable
from outlive.model.size import mib
from outlive.recording import folder
from outlive.report.program_text import duration, program

if TYPE_CHECKING:
    from outlive.recording.folder import Listed

_LISTED_MAX = 8
_ROW = "{:>7}  {:>11}  {:>12}  {}"


def offered(target: str | None) -> list[Listed]:
    """Return the recordings that may be meant; one at least.

    Raises:
        OutliveError: there is none.

    """
    if target is not None:
        return [folder.look(source.find(target))]
    listed = folder.listing()
    live = [one for one in listed.recordings if one.live]
    if live:
        return live
    if listed.recordings:
        last = listed.recordings[0]
        why = f"the last one that did, {title(last)}, has ended"
        raise OutliveError("no process of yours records now", why, f"outlive postmortem {last.file}")
    if listed.unreadable:
        raise listed.unreadable[0]
    raise OutliveError(
        "no process of yours records",
        hint="start one with: outlive run --sample PROGRAM, or call outlive.start() in it",
    )


def title(offer: Listed) -> str:
    """Return the process's number and its program."""
    name = offer.process.notes.get("program")
    return f"{offer.process.pid} {printable(name) if isinstance(name, str) else ''}".rstrip()


def several(offers: list[Listed], command: str) -> UsageError:
    """Return what to say where one process is to be named, and several record."""
    rows = [_ROW.format("PID", "RSS", "Uptime", "Program"), *map(_row, offers[:_LISTED_MAX])]
    if len(offers) > _LISTED_MAX:
        rows.append(f"and {len(offers) - _LISTED_MAX} more")
    hint = f"name one: outlive {command} {offers[0].process.pid}"
    return UsageError(f"{len(offers)} processes record", hint="\n  ".join((hint, *rows)))


def _row(offer: Listed) -> str:
    last = offer.outline.timeline[-1] if offer.outline.timeline else None
    rss = mib(last.rss) if last is not None and last.rss is not None else ""
    return _ROW.format(offer.process.pid, rss, duration(last.uptime) if last else "", program(offer.outline))
