"""What another process may ask of this one, by a file beside its recording: to measure, to trim, a snapshot.

The file holds a few words. It counts if it belongs to this process's user or to root; it is gone before the
answer, which goes into the recording's notes.
"""

from __future__ import annotations

import os
import stat

from outlive.capture import breakdown, proc

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    Request = tuple[int, list[str]]  # its number, and its words

# How many words follow: for a snapshot, the file to write ("": one in the folder of temporary files), and
# "contents" or "". To cancel is to ask that a snapshot under way be given up.
_WORDS = {"measure": 0, "trim": 0, "snapshot": 2, "cancel": 0}
_BYTES_MAX = 4200
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def ask(recording: str, *words: str) -> int:
    """Ask the process that writes a recording; return the request's number.

    Raises:
        OSError: the request can't be put there, or there is one already.

    """
    handle = os.open(_place(recording), _NEW, 0o600)
    try:
        if os.geteuid() == 0 and os.path.exists(recording):  # noqa: PTH110 - as above
            # Else the process, if it is another user's, could not read it.
            os.fchown(handle, os.stat(recording).st_uid, -1)  # noqa: PTH116
        os.write(handle, os.fsencode("\0".join(words)))
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


def pending(recording: str, only: str = "") -> Request | None:
    """Return the request there is, and take it up; None without one. Costs one stat a call.

    Args:
        recording: whose request.
        only: the first word of those that can be taken up now; others stay. "" for all.

    """
    place = _place(recording)
    try:
        found = os.lstat(place)
        is_ours = stat.S_ISREG(found.st_mode) and found.st_uid in (0, os.geteuid())
        words = os.fsdecode(proc.read(place, _BYTES_MAX)).split("\0") if is_ours else []
        if not words or _WORDS.get(words[0]) != len(words) - 1 or only not in ("", words[0]):
            return None
        # First of all: one that stays would be taken up again and again.
        os.unlink(place)  # noqa: PTH108 - pathlib is not light
    except OSError:
        return None
    return found.st_mtime_ns, words


def answer(recording: str, request: Request, python_large_bytes: int | None) -> dict[str, object]:
    """Do what is asked, and return what the notes are to say of it."""
    number, (word, *rest) = request
    if word == "measure":
        return _measure(number, python_large_bytes)
    if word == "trim":
        return _trim(number, python_large_bytes)
    if word == "snapshot":
        return _snapshot(recording, number, *rest)
    return {}  # to cancel what is over


def _measure(number: int, python_large_bytes: int | None) -> dict[str, object]:
    """Say "measure": whether there is a new "breakdown", and that."""
    said: dict[str, object] = {"request": number, "able": False}
    try:
        found = breakdown.measure(python_large_bytes)
    except Exception:  # noqa: BLE001 - whoever asked waits for a word
        return {"measure": said}
    said["able"] = True
    return {"measure": said, "breakdown": found}


def _trim(number: int, python_large_bytes: int | None) -> dict[str, object]:
    """Give free memory back; say "trim", and a new "breakdown".

    Threads that allocate meanwhile wait for malloc's locks: milliseconds, at gigabytes of free memory more.
    """
    from outlive.capture.core import native

    before = proc.rss_bytes()
    able = native.trim()
    after = proc.rss_bytes()
    return {
        "trim": {"request": number, "able": able, "rss_before": before, "rss_after": after},
        "breakdown": breakdown.measure(python_large_bytes),
    }


def _snapshot(recording: str, number: int, path: str, contents: str) -> dict[str, object]:
    """Write a snapshot; say "snapshot": where it is, or why there is none."""
    from outlive.capture import snapshot
    from outlive.errors import OutliveError

    def go_on(_objects: int) -> None:
        if pending(recording, "cancel") is not None:  # others wait until this is answered
            raise OutliveError("the snapshot was cancelled")

    said: dict[str, object] = {"request": number, "path": "", "what": "", "why": "", "hint": ""}
    folder = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - its name can't be guessed
    path = path or f"{folder.rstrip('/')}/outlive-{os.getpid()}-{os.urandom(8).hex()}.heap"
    try:
        snapshot.take(path, contents=contents == "contents", progress=go_on)
        said["path"] = path
    except OutliveError as error:
        said.update(what=error.what, why=error.why, hint=error.hint)
    except Exception as error:  # noqa: BLE001 - whoever asked waits for a word
        said.update(what="the snapshot failed", why=f"{type(error).__name__}: {error}")
    return {"snapshot": said}


def _place(recording: str) -> str:
    return recording + ".request"
