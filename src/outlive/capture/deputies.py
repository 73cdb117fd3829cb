"""Sends off a process of its own (deputy.py) to do what may take long, and hears how it went."""

from __future__ import annotations

import os
import signal
import sys
import time

from outlive.capture import notes

_DEPUTY = os.path.join(os.path.dirname(__file__), "deputy.py")  # noqa: PTH118, PTH120 - pathlib is not light
_DEPUTY_SECONDS = 1.0  # for it to have gone its own way
_ANSWER_SECONDS = 120.0
_ANSWER_MAX = 4096


class Deputy:
    """A process that does one thing, on its own, and then says how it went."""

    def __init__(self, kind: str, argument: tuple[str, ...], payload: dict[str, object]) -> None:
        """Send it off.

        Raises:
            OSError: there can be none.

        """
        self.kind = kind
        self._until = time.monotonic() + _ANSWER_SECONDS
        order = os.fsencode("\0".join((kind, notes.to_json(payload), *argument)))
        # Files, not pipes: nobody waits for anybody, and no signal comes of one that was closed.
        handle = os.memfd_create("outlive-order")
        self._answer, self._pid = -1, 0
        try:
            self._answer = os.memfd_create("outlive-answer")
            self._identity = os.fstat(self._answer)
            os.write(handle, order)
            os.lseek(handle, 0, os.SEEK_SET)
            self._spawn(handle, self._answer)
        except BaseException:
            if self._answer >= 0:
                os.close(self._answer)
            raise
        finally:
            os.close(handle)

    def _spawn(self, order: int, answer: int) -> None:
        environment = {**os.environ, "OUTLIVE": "0"}
        environment.pop("OUTLIVE_TRIGGERS", None)  # what it runs is not to set off another one
        # Above the standard streams: the program may have closed those, and ours have their numbers.
        import fcntl

        first = fcntl.fcntl(order, fcntl.F_DUPFD_CLOEXEC, 10)
        second = fcntl.fcntl(answer, fcntl.F_DUPFD_CLOEXEC, 10)
        try:
            pid = os.posix_spawn(
                _python(),
                ["python", "-I", "-S", _DEPUTY],
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, first, 0),
                    (os.POSIX_SPAWN_DUP2, second, 1),
                    (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
                ],
                setsigmask=(),  # this thread's blocks all
                setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
            )
        finally:
            os.close(first)
            os.close(second)
        self._pid = pid
        until = time.monotonic() + _DEPUTY_SECONDS
        while not self._reaped() and time.monotonic() < until:
            time.sleep(0.002)

    def _reaped(self) -> bool:
        """Whether the process that we made has left its own child behind, and is gone."""
        if self._pid:
            try:
                if os.waitpid(self._pid, os.WNOHANG)[0] != self._pid:
                    return False
            except ChildProcessError:  # the program waits for all children there are
                pass
            self._pid = 0
        return True

    def answer(self) -> str | None:
        """Return why it failed, "" if it did not; None while that is not known."""
        if not self._reaped():
            return None
        if not self._is_ours():
            return ""
        said = os.pread(self._answer, _ANSWER_MAX, 0)
        if not said.endswith(b"\n"):
            if time.monotonic() < self._until:
                return None
            said = b"no word from it\n"
        self.forget()
        return said.decode(errors="replace").strip().removeprefix("done")

    def forget(self) -> None:
        """Ask it no more."""
        if self._is_ours():
            os.close(self._answer)

    def _is_ours(self) -> bool:
        """Whether the file is open still: a program may close all, and others have the number then."""
        try:
            return os.path.samestat(os.fstat(self._answer), self._identity)
        except OSError:
            return False


def _python() -> str:
    """Return an interpreter: in a server that embeds Python, sys.executable may be that server."""
    base = getattr(sys, "_base_executable", "")
    for path in (sys.executable, base, f"{sys.base_exec_prefix}/bin/python3"):
        if path and os.path.basename(path).startswith("python") and os.access(path, os.X_OK):  # noqa: PTH119 - light
            return str(path)
    raise OSError(2, "there is no python beside this program to do it with")
