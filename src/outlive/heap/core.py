"""The native core's graph functions, or a clear word on why they are missing. One file imports them."""

from __future__ import annotations

try:
    from outlive import _native as native
except ImportError as error:
    import sys

    from outlive.errors import OutliveError

    raise OutliveError(
        "outlive's native core is not built for this Python",
        str(error),
        f"build it: {sys.executable} -m pip install --force-reinstall --no-deps outlive",
    ) from error

__all__ = ["native"]
