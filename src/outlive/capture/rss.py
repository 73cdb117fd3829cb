"""Resident set size, and what holds it, from the kernel's own account of a process."""

from __future__ import annotations

from outlive.capture import mappings
from outlive.model.size import KIB, MIB

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from outlive.capture.mappings import Mapping

# glibc reserves each heap of a thread's arena whole, at a multiple of its size, and opens it bit by bit.
_HEAP_BYTES = 64 * MIB
_GUARD_MAX_BYTES = MIB
_DEFAULT_STACK_BYTES = 8 * MIB


def peak_rss_bytes() -> int:
    """Return this process's peak resident set: VmHWM, which unlike getrusage's is not inherited over exec."""
    return status("self", "VmHWM")[0]


def rss_bytes(pid: int) -> int:
    """Return the resident set of a process now.

    Raises:
        OSError: there is no such process.

    """
    return status(pid, "VmRSS")[0]


def status(pid: int | str, *names: str) -> list[int]:
    """Return the bytes that the kernel's account of a process gives for these names.

    0 for what it does not name: a zombie has no memory any more.

    Raises:
        OSError: there is no such process.

    """
    with open(f"/proc/{pid}/status", "rb") as file:  # noqa: PTH123 - light
        text = file.read()
    return [_figure(text, b"\n%s:" % name.encode()) for name in names]


def _figure(text: bytes, name: bytes) -> int:
    at = text.find(name)
    return 0 if at < 0 else int(text[at + len(name) :].split(None, 1)[0]) * KIB


def areas(pid: int | str) -> dict[str, int]:
    """Return where a process's resident bytes lie.

    "heap": malloc's heaps ("heap_mapped": their size, resident or not); "stacks"; "file": pages of files and
    of shared memory; "anonymous": all else that is the process's own. They sum to "rss". And "uss", what
    would be free if it ended, and "swapped".

    The kernel takes time in proportion to the resident pages: tens of milliseconds at gigabytes.

    Raises:
        OSError: there is no such process, it has ended, or it is another user's.

    """
    return sum_areas(mappings.mappings(pid), pid)


def sum_areas(found: list[Mapping], pid: int | str) -> dict[str, int]:
    """Return `areas` of the mappings of a process."""
    total = dict.fromkeys(("rss", "heap", "heap_mapped", "stacks", "file", "anonymous", "uss", "swapped"), 0)
    before = None
    stack_bytes = 0
    for index, mapping in enumerate(found):
        after = found[index + 1] if index + 1 < len(found) else None
        total["rss"] += mapping.rss
        total["uss"] += mapping.private
        total["swapped"] += mapping.swapped
        total["file"] += mapping.rss - mapping.anonymous
        total["anonymous"] += mapping.anonymous
        area, start, end = "", mapping.start, mapping.end
        if heap := _heap_bytes(mapping, after):
            area, start = "heap", end - heap
            total["heap_mapped"] += heap
        elif _is_stack(mapping, before):
            area = "stacks"
            if not mapping.no_huge_pages and not mapping.name:
                stack_bytes = stack_bytes or _stack_bytes(pid)
                end = min(end, start + stack_bytes)
        if area:
            part = _anonymous_bytes(mapping, pid, start, end)
            total[area] += part
            total["anonymous"] -= part
        before = mapping
    return total


def _anonymous_bytes(mapping: Mapping, pid: int | str, start: int, end: int) -> int:
    """Return the anonymous bytes of a mapping between two addresses."""
    if (start, end) == (mapping.start, mapping.end):
        return mapping.anonymous
    return min(mapping.anonymous, mappings.resident_bytes(pid, start, end))


def _heap_bytes(mapping: Mapping, after: Mapping | None) -> int:
    """Return how much of a mapping, at its end, is a heap of malloc's."""
    if mapping.name == b"[heap]" or mapping.name.startswith(b"[anon: glibc: malloc"):
        return mapping.end - mapping.start
    if not _is_own(mapping) or after is None or after.start != mapping.end or not _is_reserved(after):
        return 0
    start = (mapping.end - 1) // _HEAP_BYTES * _HEAP_BYTES
    if mapping.start > start or after.end < start + _HEAP_BYTES:
        return 0
    # The kernel makes one mapping of neighbours: full heaps in front of this one, or others' memory.
    return mapping.end - (start if mapping.start % _HEAP_BYTES else mapping.start)


def _is_stack(mapping: Mapping, before: Mapping | None) -> bool:
    """Whether a mapping is, or begins with, a thread's stack: above a guard that nobody may touch."""
    if mapping.name.startswith((b"[stack", b"[anon: glibc: pthread stack")):
        return True
    if not _is_own(mapping):
        return False
    guarded = (
        before is not None
        and before.end == mapping.start
        and before.end - before.start <= _GUARD_MAX_BYTES
        and _is_reserved(before)
        and mapping.start % _HEAP_BYTES != 0  # the rest of a heap ends there
    )
    return guarded or mapping.no_huge_pages


def _is_own(mapping: Mapping) -> bool:
    return mapping.permissions == b"rw-p" and mapping.name in (b"", b"[anon]")


def _is_reserved(mapping: Mapping) -> bool:
    return mapping.permissions == b"---p" and not mapping.name


def _stack_bytes(pid: int | str) -> int:
    """Return the size of a thread's stack unless it was asked for otherwise.

    Older kernels make one mapping of a stack and what lies above it.
    """
    with open(f"/proc/{pid}/limits", encoding="ascii") as limits:  # noqa: PTH123 - light
        for line in limits:
            if line.startswith("Max stack size"):
                soft = line.split()[3]
                return int(soft) if soft.isdecimal() else _DEFAULT_STACK_BYTES
    return _DEFAULT_STACK_BYTES
