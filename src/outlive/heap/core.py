"""The native core's graph functions, or a clear word on why they are missing. One file imports them."""

from __future__ import annotations

try:
    from outlive import _native as native
except ImportError as error:
    from outlive.errors import not_built

    raise not_built(error) from error

__all__ = ["native"]
