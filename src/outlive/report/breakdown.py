"""Where RSS goes, in a table and in words: what can be given back, and what can't."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from outlive.model.size import mib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outlive.model.breakdown import Breakdown, Trimmed

_BAR_WIDTH = 30
_ROW = "  {:<33} {:>12} {:>6}  {}"
# Worth a sentence.
_NOTABLE_BYTES = 1 << 20
_NOTABLE_SHARE = 0.05
_NEAR_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Subject:
    """The process that a breakdown is of: `name` for the heading.

    `age_seconds`: how much older its allocators' own figures are than the others, None without any; `silent`:
    why it did not answer with new ones; `unknown`: why parts are not known and what to do to know them, "" if
    all are.
    """

    pid: int
    name: str
    age_seconds: float | None = None
    silent: str = ""
    unknown: str = ""
    trimmed: Trimmed | None = None

    @property
    def age(self) -> str:
        """In words, if the figures are not all of one moment; else ""."""
        return f"{max(1.0, self.age_seconds):.0f} s" if self.age_seconds else ""


def breakdown_text(found: Breakdown, subject: Subject) -> str:
    """Return the table, and in words what it means."""
    blocks = [
        [f"{subject.name} · RSS {mib(found.rss)}"],
        [_row(name, size, found.rss) for name, size in _parts(found, subject)],
        list(_trimmed(subject)),
        _listed("Can be given back:", _can(found, subject)),
        _listed("Can't:", _cant(found, subject)),
        list(_limit(found)),
        list(_unknown(found, subject)),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def breakdown_json(found: Breakdown, subject: Subject) -> str:
    """Return it as a JSON document, schema 1. `findings` is for verdicts."""
    return json.dumps(breakdown_document(found, subject), indent=2) + "\n"


def breakdown_document(found: Breakdown | None, subject: Subject) -> dict[str, object]:
    """Return it as a document for `json.dumps`."""
    document: dict[str, object] = {
        "schema": 1,
        "pid": subject.pid,
        "findings": [],
        "breakdown": asdict(found) if found is not None else None,
        "age_seconds": subject.age_seconds,
        "figures_age_seconds": subject.age_seconds,
        "unknown": subject.unknown,
    }
    if subject.trimmed is not None:
        document["trimmed"] = asdict(subject.trimmed)
    return document


def _parts(found: Breakdown, subject: Subject) -> Iterator[tuple[str, int | None]]:
    small_only = found.python_large is None and found.python_in_use is not None
    yield "Python in use" + (", small objects" if small_only else ""), found.python_in_use
    yield "Python free (pymalloc)", found.python_free
    if found.heap is None:
        yield "malloc in use" + (", Python's large too" if small_only else ""), found.malloc_in_use
        yield "malloc free", found.malloc_free
    else:
        yield "malloc's heaps, in use and free", found.heap
    if found.python_in_use is None:
        yield "anonymous mappings", found.anonymous
    elif subject.age:
        yield f"other anonymous, growth of {subject.age}", found.anonymous
    else:
        yield "other anonymous mappings", found.anonymous
    yield "files and shared memory", found.file
    yield "stacks", found.stacks
    yield "unexplained", found.unexplained


def _row(name: str, size: int | None, rss: int) -> str:
    if size is None:
        return _ROW.format(name, "unknown", "", "").rstrip()
    share = size / rss if rss else 0.0
    return _ROW.format(name, mib(size), f"{share:.0%}", "█" * round(max(0.0, share) * _BAR_WIDTH)).rstrip()


def _listed(heading: str, sentences: Iterator[str]) -> list[str]:
    items = [f"  - {sentence}" for sentence in sentences]
    return [heading, *items] if items else []


def _can(found: Breakdown, subject: Subject) -> Iterator[str]:
    if _is_notable(found.malloc_free, found):
        what = f"malloc free, {mib(found.malloc_free or 0)}"
        if subject.trimmed is not None:
            yield f"{what}: not by trimming, for blocks in use share its pages; new blocks come from it"
        else:
            yield f"{what}: by trimming, whole pages of it: outlive diagnose --trim {subject.pid}"
    if _is_notable(found.python_free, found):
        yield (
            f"Python free, {mib(found.python_free or 0)}: an arena of 1 MiB when the last object in it dies, "
            "and not before; until then new objects use it"
        )
    if _is_notable(found.file, found):
        yield (
            f"files, {mib(found.file)}: the kernel takes unchanged pages back by itself when memory is "
            "short; shared memory stays until it is removed"
        )


def _cant(found: Breakdown, subject: Subject) -> Iterator[str]:
    if _is_notable(found.python_in_use, found):
        yield "Python in use: objects that are alive; outlive report shows the lines that made them"
    if _is_notable(found.malloc_in_use, found):
        whose = "C extensions and libraries"
        if found.python_large is None:
            whose += ", and Python's blocks of more than 512 bytes"
        yield f"malloc in use: blocks of {whose}, until their owners free them"
    if _is_notable(found.anonymous, found) and found.python_in_use is not None:
        yield _anonymous(subject)
    if _is_notable(found.stacks, found):
        yield "stacks: what a thread once touched stays until the thread ends"


def _anonymous(subject: Subject) -> str:
    taken = "memory that code took with mmap, and variables of loaded libraries"
    if not subject.age:
        return f"other anonymous mappings: {taken}"
    return (
        f"other anonymous, growth of {subject.age}: the allocators' figures are {subject.age} old, and what "
        f"Python and malloc have taken since is in this part, next to {taken}"
    )


def _is_notable(size: int | None, found: Breakdown) -> bool:
    return size is not None and size >= min(_NOTABLE_BYTES, found.rss * _NOTABLE_SHARE)


def _trimmed(subject: Subject) -> Iterator[str]:
    if subject.trimmed is not None:
        before, after = subject.trimmed.rss_before, subject.trimmed.rss_after
        yield f"Trimming gave back {mib(max(0, before - after))}: RSS was {mib(before)}, then {mib(after)}."


def _limit(found: Breakdown) -> Iterator[str]:
    if found.limit is None or found.limit_usage is None:
        yield "Memory limit (cgroup): none in sight."
        return
    usage, limit = found.limit_usage, found.limit
    left = f"{mib(max(0, limit - usage))} left"
    yield f"Memory limit (cgroup): {mib(limit)}, {mib(usage)} charged by all in the group, {left}."
    if usage >= limit * _NEAR_SHARE:
        yield "That is close: cached file pages count and go first, then the kernel kills."


def _unknown(found: Breakdown, subject: Subject) -> Iterator[str]:
    if found.unexplained < 0:
        yield (
            "Unexplained is below zero: memory was freed while it was counted, "
            "or part of what is counted is swapped out or was never touched."
        )
    if found.swapped:
        yield f"Swapped out, and not part of RSS: {mib(found.swapped)}."
    if subject.age:
        yield f"What the allocators have in use and free is {subject.age} old, all else of now."
        if subject.silent:
            yield f"{subject.silent[:1].upper()}{subject.silent[1:]}."
    if subject.unknown:
        yield subject.unknown
