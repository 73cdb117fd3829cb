"""The pytest plugin: tests that fail when memory leaks or peaks, and only then.

Loaded by itself where outlive is installed; docs/how-to/test-memory.md shows it at work. Until a test asks
for it, nothing of outlive but this is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from outlive.pytest_plugin import marks, options

if TYPE_CHECKING:
    from collections.abc import Generator

    from outlive.pytest_plugin.fixture import Memory


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `pytest --help` shows under "outlive"."""
    options.add(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marks; look at the whole suite if that is asked for."""
    for line in (marks.GROWTH, marks.PEAK):
        config.addinivalue_line("markers", line)
    options.check(config)
    if options.looks_at_suite(config):
        from outlive.pytest_plugin.suite import Suite

        config.pluginmanager.register(Suite(config), "outlive-suite")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a test again and again whose growth is limited."""
    limit = marks.growth_limit(item)
    if limit is None or item.config.getoption("setuponly", default=False):
        return None
    from outlive.pytest_plugin import repeat

    repeat.protocol(item, nextitem, limit)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail where a mark does not make sense."""
    marks.check(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test whose peak may be limited."""
    limit_bytes = marks.peak_limit(item)
    if limit_bytes is None or item.stash.get(marks.IS_REPEATED, False):
        return (yield)
    from outlive.pytest_plugin import peak

    with peak.limited(item.nodeid, limit_bytes):
        return (yield)


@pytest.fixture(name="outlive")
def _outlive(request: pytest.FixtureRequest) -> Memory:
    """Limit the memory of parts of a test: limit_peak(size), assert_no_growth(fn), assert_dead(obj)."""
    from outlive.pytest_plugin.fixture import Memory

    return Memory(request)
