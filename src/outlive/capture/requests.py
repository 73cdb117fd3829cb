"""What another process may ask of this one, by a file beside its recording: to trim, and nothing else.

The file holds one word. It counts if it belongs to this process's user or to root; it is gone before the
answer, which goes into the recording's notes.
"""

from __future__ import annotations

import os
import stat

from outlive.capture import breakdown, proc

_WORD = b"trim"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def ask(recording: str) -> int:
    """Ask the process that writes a recording to trim; return the request's number.

    Raises:
        OSError: the request can't be put there, or there is one already.

    """
    handle = os.open(_place(recording), _NEW, 0o600)
    try:
        os.write(handle, _WORD)
        return os.fstat(handle).st_mtime_ns
    finally:
        os.close(handle)


def is_open(recording: str) -> bool:
    """Tell whether there is a request that nobody has taken up."""
    return os.path.lexists(_place(recording))


def withdraw(recording: str) -> None:
    """Take the request back if it is still open."""
    try:
        os.unlink(_place(recording))  # noqa: PTH108 - pathlib is not light
    except OSError:  # taken up, or the folder is gone
        return


def pending(recording: str) -> int | None:
    """Return the number of the request there is, and take it up; None without one. Costs one stat a call."""
    place = _place(recording)
    try:
        found = os.lstat(place)
        is_ours = stat.S_ISREG(found.st_mode) and found.st_uid in (0, os.geteuid())
        if not is_ours or proc.read(place, len(_WORD) + 1) != _WORD:
            return None
        # First of all: one that stays would be taken up again and again.
        os.unlink(place)  # noqa: PTH108 - pathlib is not light
    except OSError:
        return None
    return found.st_mtime_ns


def answer(request: int, python_large_bytes: int | None) -> dict[str, object]:
    """Give free memory back, and return what the notes are to say of it: "trim", and a new "breakdown".

    Threads that allocate meanwhile wait for malloc's locks: milliseconds, at gigabytes of free memory more.
    """
    from outlive.capture.core import native

    before = proc.rss_bytes()
    able = native.trim()
    after = proc.rss_bytes()
    return {
        "trim": {"request": request, "able": able, "rss_before": before, "rss_after": after},
        "breakdown": breakdown.measure(python_large_bytes),
    }


def _place(recording: str) -> str:
    return recording + ".request"
