"""How often a trigger may act: counted in a file that outlives the process, restarts included."""

from __future__ import annotations

import os
import stat
import time

_NAME = "outlive-triggers"
# It is as large from the beginning as it ever gets, so that a full disk does not stop the counting.
_BYTES = 16384
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Window:
    """The file in one folder: a line for each trigger that has acted, when and which, the last one first."""

    def __init__(self, folder: str) -> None:
        """Count in this folder."""
        self._path = f"{folder}/{_NAME}-{os.geteuid()}"

    def prepare(self) -> None:
        """Have the file, whole.

        Raises:
            OSError: it can't be had.

        """
        handle = self._open()
        os.close(handle)

    def claim(self, name: str, every_seconds: float) -> float:
        """Note that a trigger acts now, and return 0; or, if it did too lately, for how many seconds not to.

        Raises:
            OSError: that can't be noted.

        """
        import fcntl

        handle = self._open()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # closing it unlocks
            now = time.time()
            text = os.pread(handle, _BYTES, 0).replace(b"\0", b"").decode(errors="replace")
            lines = [line.strip() for line in text.split("\n") if line.strip()]
            key = " ".join(name.split())
            for line in lines:
                when, _, whose = line.partition(" ")
                if whose == key and when.isdecimal():
                    since = now - int(when)
                    # A clock that was set back must not silence it for long.
                    if abs(since) < every_seconds:
                        return max(1.0, every_seconds - max(since, 0))
            others = [line for line in lines if line.partition(" ")[2] != key]
            page = "\n".join((f"{int(now)} {key}", *others, "")).encode(errors="replace")
            os.pwrite(handle, page[: page.rfind(b"\n", 0, _BYTES) + 1].ljust(_BYTES), 0)
        except BlockingIOError:  # another process is at it
            return 1.0
        else:
            return 0.0
        finally:
            os.close(handle)

    def _open(self) -> int:
        handle = os.open(self._path, _FLAGS, 0o600)
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                raise PermissionError(1, f"{self._path} is not ours")  # noqa: TRY301 - it is closed below
            if found.st_size < _BYTES:
                os.posix_fallocate(handle, 0, _BYTES)
        except BaseException:
            os.close(handle)
            raise
        return handle
