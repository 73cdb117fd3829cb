"""What outlive raises: each says what went wrong, why, and what to do next."""

from __future__ import annotations

import sys


class OutliveError(Exception):
    """Something outlive was asked to do cannot be done.

    Args:
        what: what went wrong, a sentence without its full stop.
        why: the reason, "" if `what` says it all.
        hint: what to type or do next, "" if there is nothing.

    """

    def __init__(self, what: str, why: str = "", hint: str = "") -> None:
        """Keep the three parts; `str()` joins them into one line."""
        self.what, self.why, self.hint = what, why, hint
        text = f"{what}: {why}" if why else what
        super().__init__(f"{text}; {hint}" if hint else text)


class UsageError(OutliveError):
    """What was asked for does not make sense; the command line ends with exit code 2."""


def not_built(error: ImportError) -> OutliveError:
    """Return what to raise where the native core can't be imported."""
    return OutliveError(
        "outlive's native core is not built for this Python",
        str(error),
        f"build it: {sys.executable} -m pip install --force-reinstall --no-deps outlive",
    )
