"""The native core, or a clear word on why it is missing. No other file imports it."""

from __future__ import annotations

import sys

try:
    from outlive import _native as native
except ImportError as error:
    from outlive.errors import OutliveError, not_built

    if sys.platform != "linux" or sys.implementation.name != "cpython":
        raise OutliveError(
            "outlive can't measure this process",
            f"its native core runs on CPython on Linux, this is {sys.implementation.name} on {sys.platform}",
        ) from error
    if "subinterpreters" in str(error):
        raise OutliveError("outlive works in the main interpreter only", "this is another one") from error
    raise not_built(error) from error

__all__ = ["native"]
