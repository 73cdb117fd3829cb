"""What a process's first thread waits for, as the kernel tells, and whether calls may be made on it then.

A thread that waits in one of these system calls is inside neither malloc nor the dynamic loader: their locks
are waited for in another way (FUTEX_WAIT), and so briefly that two looks don't find the same.
"""

from __future__ import annotations

import platform
import stat
import time
from dataclasses import dataclass
from pathlib import Path

_LOOK_SECONDS = 0.02

# By machine: numbers of the system calls that do nothing but wait; those of read, clock_nanosleep, futex.
_WAITS = {
    # poll select pause accept recvfrom recvmsg wait4 sigtimedwait sigsuspend epoll_wait waitid pselect6 ppoll
    # epoll_pwait accept4 epoll_pwait2
    "x86_64": (
        frozenset({7, 23, 34, 43, 45, 47, 61, 128, 130, 232, 247, 270, 271, 281, 288, 441}),
        (0, 230, 202),
    ),
    # epoll_pwait pselect6 ppoll waitid sigsuspend sigtimedwait accept recvfrom recvmsg accept4 wait4
    # epoll_pwait2
    "aarch64": (frozenset({22, 72, 73, 95, 133, 137, 202, 207, 212, 242, 260, 441}), (63, 115, 98)),
}
_CLOCK_MONOTONIC, _TIMER_ABSTIME = 1, 1
_FUTEX_COMMAND, _FUTEX_WAIT_BITSET = 0x7F, 9


@dataclass(frozen=True, slots=True)
class Wait:
    """Where a waiting thread is: its stack pointer and program counter tell whether it still is there."""

    stack_pointer: int
    program_counter: int


def look(pid: int) -> Wait | None:
    """Return where the first thread of a process waits; None if it runs, or waits in another way."""
    before = _system_call(pid)
    time.sleep(_LOOK_SECONDS)
    if before is None or _system_call(pid) != before or _may_handle_signal(pid):
        return None
    waits, (read, sleep, futex) = _WAITS.get(platform.machine(), (frozenset(), (-1, -1, -1)))
    number, first, second = before[:3]
    fits = (
        number in waits
        or (number == read and not _is_file(pid, first))
        # time.sleep; allocators' locks sleep in other ways
        or (number == sleep and (first, second) == (_CLOCK_MONOTONIC, _TIMER_ABSTIME))
        # semaphores and conditions, Python's locks among them; not a mutex
        or (number == futex and second & _FUTEX_COMMAND == _FUTEX_WAIT_BITSET)
    )
    return Wait(before[-2], before[-1]) if fits else None


def _system_call(pid: int) -> tuple[int, ...] | None:
    """Return number, six arguments, stack pointer and program counter."""
    try:
        words = Path(f"/proc/{pid}/task/{pid}/syscall").read_text().split()
    except OSError:
        return None
    return tuple(int(word, 0) for word in words) if len(words) == 9 else None  # noqa: PLR2004


def _may_handle_signal(pid: int) -> bool:
    """Whether a signal that has a handler is blocked, as it is while that runs."""
    try:
        lines = Path(f"/proc/{pid}/task/{pid}/status").read_text(errors="replace").splitlines()
    except OSError:
        return True
    said = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return bool(int(said["SigBlk"], 16) & int(said["SigCgt"], 16))


def _is_file(pid: int, descriptor: int) -> bool:
    """Whether a descriptor is a file on a disk: reading one is short, and the dynamic loader does it too."""
    try:
        return stat.S_ISREG(Path(f"/proc/{pid}/fd/{descriptor}").stat().st_mode)
    except OSError:
        return True
