"""outlive inside the service: which lines hold the memory that was allocated since start-up."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from outlive import Site

_logger = logging.getLogger(__name__)


class Sites(Protocol):
    """Answers which lines hold most, as `outlive.sites` does."""

    def __call__(self, limit: int) -> "list[Site]":
        """Return the largest sites, at most `limit`."""


@contextmanager
def watched_memory() -> Iterator[Sites | str]:
    """Sample this process for the length of the block.

    Gives the call that answers with the largest sites or, where outlive cannot run, the reason why: a service
    does not stay down for want of its profiler.
    """
    sites = _start()
    try:
        yield sites
    finally:
        if not isinstance(sites, str):
            import outlive  # noqa: PLC0415 -- as below

            outlive.stop()


def _start() -> Sites | str:
    try:
        import outlive  # noqa: PLC0415 -- where it cannot be imported, the rest of the service still runs

        outlive.start()
    except Exception as error:
        _logger.warning("memory statistics are off", exc_info=True)
        return str(error) or type(error).__name__
    return outlive.sites
