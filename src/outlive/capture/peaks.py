"""High-water marks over stretches of a program, exact: of Python's blocks and of extensions'."""

from __future__ import annotations

from outlive.capture import imports
from outlive.capture.core import native
from outlive.errors import OutliveError

_open: list[Peak] = []
_started = 0  # modes that run for these stretches alone
_follows = False  # whether somebody else followed Python's peak when they began
_was_coarse = False
_gone = _highest = 0  # for them: what was in use when counting began anew, and the highest mark


class Peak:
    """A stretch of the program: `with Peak() as peak: ...`, then `peak.size_bytes`. They nest.

    `size_bytes`: the most in use at any moment since it began, over what was in use then. `left_bytes`: what
    is in use over that. Both as of the last `look`, or the end. A thread's last 4 KiB may be missing.

    Raises:
        OutliveError: on entering, there is no counting here.

    """

    def __init__(self) -> None:
        self.size_bytes = self.left_bytes = 0
        self._base = self._high = 0

    def __enter__(self) -> Peak:  # noqa: PYI034 - light: no typing
        global _started, _follows, _was_coarse  # noqa: PLW0603 - one counter a process
        if not _open:
            wanted, now = native.MODE_EXACT | native.MODE_NATIVE, native.mode()
            _started, _was_coarse = wanted & ~now, bool(now & native.MODE_COARSE)
            _follows = bool(now & (native.MODE_COARSE | native.MODE_EXACT))
            if _was_coarse:
                begin_anew()
            try:
                native.start(_started, 1, 0)
            except RuntimeError as error:
                raise OutliveError("can't count memory here", str(error)) from error
            imports.on_extension(adopt)
        self._base = _seen()
        _open.append(self)
        self._high = self._base
        return self

    def __exit__(self, *raised: object) -> None:
        global _started  # noqa: PLW0603 - one counter a process
        self.look()
        _open.remove(self)
        if not _open:
            imports.forget(adopt)
            if _was_coarse and _started & native.MODE_EXACT:
                begin_anew()
            for mode in (native.MODE_NATIVE, native.MODE_EXACT):
                if _started & mode:
                    native.stop(mode)
            if _was_coarse and _started & native.MODE_EXACT:
                native.start(native.MODE_COARSE, 1, 0)
            _started = 0

    def look(self) -> None:
        """Bring the figures up to date."""
        now = _seen()
        self.size_bytes = max(0, self._high - self._base)
        self.left_bytes = now - self._base


def begin_anew() -> None:
    """Remember for whoever follows Python's peak what was in use: counters are about to begin at zero."""
    global _gone, _highest  # noqa: PLW0603 - one counter a process
    in_use, high, _dropped = native.counters()
    _highest = max(_highest, _gone + high)
    _gone += in_use


def adopt() -> None:
    """Watch what a newly loaded extension module takes from malloc."""
    native.adopt_modules()


def _seen() -> int:
    """Return the bytes in use, having told all open stretches the high-water mark, which begins anew."""
    global _highest  # noqa: PLW0603 - one counter a process
    in_use, high, _dropped = native.counters()
    for peak in _open:
        peak._high = max(peak._high, high)  # noqa: SLF001 - of this very class
    if _follows:
        _highest = max(_highest, _gone + high)
    native.restart_peak()
    return in_use


class Unseen:
    """What happens within counts in no stretch: `with Unseen(): ...`, for what outlive does itself."""

    def __enter__(self) -> None:
        self._before = _seen() if _open else 0
        self._marks = [(peak, peak._high) for peak in _open]  # noqa: SLF001 - of this very module

    def __exit__(self, *raised: object) -> None:
        if self._marks:
            kept = _seen() - self._before
            for peak, high in self._marks:
                peak._high, peak._base = high + kept, peak._base + kept  # noqa: SLF001


def leave_counting() -> None:
    """Let exact counting go on when the last stretch ends: somebody else counts too."""
    global _started, _follows  # noqa: PLW0603 - one counter a process
    _started &= ~native.MODE_EXACT
    _follows = True


def highest() -> int:
    """Return the high-water mark for whoever followed it before the first stretch, and since."""
    return max(_highest, _gone + native.counters()[1])
