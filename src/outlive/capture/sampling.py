"""Sampled allocation sites of this process."""

from __future__ import annotations

import os

from outlive.capture import imports
from outlive.capture.core import native
from outlive.errors import OutliveError
from outlive.model.size import parse_size

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from outlive.model.estimate import Site

_OWN_FILES = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")  # noqa: PTH118, PTH120 - pathlib is not light

_interval_bytes = 0


def adopt() -> None:
    """Watch the blocks that a newly loaded extension module reports (numpy's arrays)."""
    native.adopt_modules()


def start(interval: str | int) -> None:
    """See `outlive.start`."""
    global _interval_bytes  # noqa: PLW0603 - one sampler a process
    wanted = parse_size(interval)
    if _interval_bytes not in (0, wanted):
        raise OutliveError(
            f"sampling runs already with an interval of {_interval_bytes} bytes",
            hint="call outlive.stop() first",
        )
    native.start(native.MODE_SAMPLE, wanted, int.from_bytes(os.urandom(8)))
    _interval_bytes = wanted
    imports.on_extension(adopt)


def stop() -> None:
    """See `outlive.stop`."""
    global _interval_bytes  # noqa: PLW0603 - one sampler a process
    _interval_bytes = 0
    native.stop(native.MODE_SAMPLE)
    imports.forget(adopt)


def sites(limit: int | None) -> list[Site]:
    """See `outlive.sites`."""
    from outlive.model.estimate import Site, poisson_estimate

    if _interval_bytes == 0:
        raise OutliveError("nothing is being sampled", hint="call outlive.start() first")
    rows, _dropped = native.sites()
    rows.sort(key=lambda row: row[3], reverse=True)
    return [
        Site(file, line, function, poisson_estimate(size, variance), blocks)
        for file, function, line, size, variance, blocks, _samples in rows
        if not file.startswith(_OWN_FILES)
    ][:limit]
