"""The fixture `outlive`: limits for parts of a test."""

from __future__ import annotations

import inspect
import logging
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from _pytest.logging import LogCaptureHandler

from outlive.errors import OutliveError, UsageError
from outlive.model.size import parse_size
from outlive.pytest_plugin import marks, options, outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager


class Memory:
    """What memory a part of a test may take, and what must be gone after it."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request

    def limit_peak(self, size: str | int) -> AbstractContextManager[None]:
        """Return a block that fails if it has more than `size` ("20 MB") in use at any moment.

        Counted is what is in use over what was when the block began, Python's memory and native.

        Raises:
            UsageError: it is no size.

        """
        from outlive.pytest_plugin import peak

        return peak.limited(self._request.node.nodeid, parse_size(size))

    def assert_no_growth(
        self, fn: Callable[[], object], runs: int = 100, size: str | int = 0, warmup: int | None = None
    ) -> None:
        """Call `fn` again and again; fail if each call leaves more than `size` behind: by default, anything.

        Args:
            fn: what is called, without arguments.
            runs: as often; three times as often again if it looks like a leak. 20 at least.
            size: that a call may leave behind: "10 KiB".
            warmup: calls before, half of `runs` if it is not given.

        Raises:
            UsageError: an argument makes no sense.

        """
        from outlive.diagnose import repeated

        config = self._request.config
        name = f"{self._request.node.nodeid} {getattr(fn, '__qualname__', type(fn).__qualname__)}"

        calling = False

        def once() -> bool:
            nonlocal calling
            calling = True
            with _unlogged():
                made = fn()
            if inspect.isawaitable(made):
                if inspect.iscoroutine(made):
                    made.close()
                raise _asynchronous(fn)
            calling = False
            return True

        limit = marks.growth(size, runs, warmup)
        try:
            growth = repeated.growth(once, limit, name, options.ignores(config))
        except OutliveError as error:
            if calling:
                raise
            outcome.unknown(config, f"memory can't be counted here: {error}")
            return
        if growth is not None:
            outcome.of_growth(config, growth, name)

    def assert_dead(self, obj: object) -> None:
        """Fail if anything but the running test holds `obj`, or what a weak reference refers to.

        Garbage is collected before. Variables of the test that refer to it do not count; a list or a
        fixture of the test's that holds it does. The failure says who holds it.

        Raises:
            OutliveError: there is no room for a snapshot of the heap.

        """
        import gc

        from outlive.capture.peaks import Unseen

        if isinstance(obj, weakref.ref):
            obj = obj()
            if obj is None:
                return
        gc.collect()
        with Unseen():
            from outlive.pytest_plugin import death

            found = death.holders(obj)
        if found:
            pytest.fail(found, pytrace=False)


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep pytest from keeping what is logged meanwhile, for it does to the end of the test."""
    captures = [each for each in logging.getLogger().handlers if isinstance(each, LogCaptureHandler)]
    marks = [(each, len(each.records), each.stream.tell()) for each in captures]
    try:
        yield
    finally:
        for capture, count, end in marks:
            del capture.records[count:]
            capture.stream.seek(end)
            capture.stream.truncate()


def _asynchronous(fn: Callable[[], object]) -> UsageError:
    name = getattr(fn, "__qualname__", type(fn).__qualname__)
    why = "what it returns has to be awaited, and would never run"
    return UsageError(f"can't repeat {name}", why, "mark the test: limit_growth")
