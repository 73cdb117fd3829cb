"""Attaching from beginning to end: look, visit, wait for the answer."""

from __future__ import annotations

import json
import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from outlive.attach import gdb, inside, remote, staging, target, waiting
from outlive.errors import OutliveError
from outlive.recording.folder import of_process

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outlive.attach.target import Target

_PATIENCE_SECONDS = 10.0
# When to look whether the first thread waits, without having come to what was queued.
_AGAIN_SECONDS = (0.5, 3.0)
_WORK_SECONDS = 60.0  # once it has begun: it may have to read from a slow disk, and other threads are at work
_POLL_SECONDS = 0.02
_ANSWER_BYTES = 1 << 16


class _UnfinishedError(OutliveError):
    """The process is at work, and may be done later."""


@dataclass(frozen=True, slots=True)
class Attached:
    """What came of it.

    `state`: "started", "already" (outlive ran there before), "stopped", "absent" (it did not run).
    `still_seconds`: how long the process stood still, at most.
    """

    pid: int
    state: str
    recording: str = ""
    still_seconds: float = 0.0


def attach(pid: int, interval: int, *, native: bool) -> Attached:
    """Start outlive in a process.

    Raises:
        OutliveError: it can't be done, and why.

    """
    recording = _recording(pid)
    if recording:
        return Attached(pid, "already", recording)
    found = target.look(pid)
    debugger = "" if target.has_remote_exec() else target.find_gdb()
    packages = staging.folders()
    provided = staging.provide(found, packages)
    is_needed = False
    try:
        order = {"do": "start", "packages": provided, "interval": interval, "native": native}
        answer, still_seconds = _ask(debugger, found, order)
        state = str(answer.get("state"))
        if state not in ("started", "already"):
            raise OutliveError(f"outlive did not start in process {pid}", str(answer.get("why")))
        is_needed = state == "started"
    except _UnfinishedError:
        is_needed = True
        raise
    finally:
        if provided != packages and not is_needed:
            staging.remove(found, provided)
    return Attached(pid, state, _recording(pid) or str(answer.get("recording", "")), still_seconds)


def detach(pid: int) -> Attached:
    """Stop what `attach` started in a process, and take it out again; the recording stays.

    Raises:
        OutliveError: it can't be done, and why.

    """
    recording = _recording(pid)
    found = target.look(pid)
    if not recording and not found.has_outlive:
        return Attached(pid, "absent")
    debugger = "" if target.has_remote_exec() else target.find_gdb()
    answer, still_seconds = _ask(debugger, found, {"do": "stop"})
    state = str(answer.get("state"))
    if state == "not ours":
        why = "the program started it itself"
        raise OutliveError(f"outlive stays in process {pid}", why, "outlive.stop() there ends it")
    if state not in ("stopped", "absent"):
        raise OutliveError(f"outlive did not stop in process {pid}", str(answer.get("why")))
    folders = answer.get("folders")
    staging.remove(found, [str(folder) for folder in folders] if isinstance(folders, list) else [])
    return Attached(pid, state, recording, still_seconds)


def _recording(pid: int) -> str:
    """Return the recording that a process writes; "" if it does not."""
    with suppress(OutliveError):
        return str(of_process(pid))
    return ""


def _ask(debugger: str, found: Target, order: dict[str, object]) -> tuple[Mapping[str, object], float]:
    """Have a process carry out an order; return its answer, and how long it stood still."""
    token = f"outlive-{secrets.token_hex(8)}"
    source = Path(inside.__file__).read_text(encoding="utf-8")
    program = f"{source}\nrun({ {**order, 'pid': found.own_pid, 'token': token}!r})\n"
    # Both run as the program's __main__: they leave no name there, and no exception.
    called = f"__import__('builtins').exec, ({program!r}, {{'__name__': 'outlive_attach'}})"
    queued = f"try: __import__('_thread').start_new_thread({called})\nexcept BaseException: pass\n"
    if not debugger:
        with remote.asked(found, queued):
            answer = _wait(found, token, time.monotonic() + _PATIENCE_SECONDS)
            if answer is None:
                raise _silent(found.pid, order)
            return answer, 0.0
    threaded = f"try: (lambda do, with_: do(*with_))({called})\nexcept BaseException: pass\n"
    answer, still_seconds = _visit(debugger, found, token, threaded, queued)
    if answer is None:
        raise _silent(found.pid, order)
    return answer, still_seconds


def _visit(
    debugger: str, found: Target, token: str, threaded: str, queued: str
) -> tuple[Mapping[str, object] | None, float]:
    """Visit a process until it answers; when it does not, see to it that nothing will run there any more."""
    began, still_seconds = time.monotonic(), 0.0
    answer, last = None, None
    try:
        for patience in (*_AGAIN_SECONDS, _PATIENCE_SECONDS):
            wait = waiting.look(found.pid) if last is None or last.queued else None
            if last is not None and wait is not None:
                gdb.cancel(found.pid, last)
            if last is None or wait is not None:
                last = gdb.visit(debugger, found, wait, threaded, queued)
                still_seconds += last.still_seconds
            answer = _wait(found, token, began + patience)
            if answer is not None:
                return answer, still_seconds
    finally:
        if answer is None and last is not None:
            gdb.cancel(found.pid, last)
    return None, still_seconds


def _wait(found: Target, token: str, deadline: float) -> Mapping[str, object] | None:
    """Wait for the answer; None if nothing has begun by then.

    Raises:
        _UnfinishedError: it has begun, and takes long.
        OutliveError: the process has ended.

    """
    begun = False
    while True:
        said = _said(found.pid, token)
        if said:
            return _parsed(said)
        if said is not None and not begun:
            begun, deadline = True, time.monotonic() + _WORK_SECONDS
        if not Path(f"/proc/{found.pid}/exe").exists():
            raise OutliveError(f"process {found.pid} has ended meanwhile")
        if time.monotonic() > deadline:
            if begun:
                why = f"it began {_WORK_SECONDS:.0f} s ago"
                hint = f"look again: outlive top {found.pid}"
                raise _UnfinishedError(f"process {found.pid} is not done yet", why, hint)
            return None
        time.sleep(_POLL_SECONDS)


def _said(pid: int, token: str) -> bytes | None:
    """Return the answer that a process holds ready, and let it know.

    b"" if it is at work, None if it has not begun.
    """
    with suppress(OSError):
        for file in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):  # closed meanwhile
                if not os.readlink(file).startswith(f"/memfd:{token}"):  # noqa: PTH115 - no path
                    continue
                handle = os.open(file, os.O_RDWR | os.O_CLOEXEC)
                try:
                    said = os.read(handle, _ANSWER_BYTES)
                    if not said.endswith(b"\n"):
                        return b""
                    os.ftruncate(handle, 0)
                    return said
                finally:
                    os.close(handle)
    return None


def _parsed(said: bytes) -> Mapping[str, object]:
    try:
        answer = json.loads(said)
    except ValueError:
        answer = None
    return answer if isinstance(answer, dict) else {"state": "failed", "why": "its answer makes no sense"}


def _silent(pid: int, order: Mapping[str, object]) -> OutliveError:
    why = f"its main thread, in C code, came to no safe point within {_PATIENCE_SECONDS:.0f} s"
    what = f"outlive did not {order['do']} in process {pid}"
    return OutliveError(what, why, "nothing was changed; try again later")
