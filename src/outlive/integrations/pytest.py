"""pytest: each test is a run of a scope of its name, whatever its parameters.

`pytest -p outlive.integrations.pytest`, with outlive started: `outlive run --sample -m pytest -p …`.
"""

from __future__ import annotations

import pytest

from outlive.capture import scopes

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test, without its fixtures."""
    parameters = getattr(item, "callspec", None)
    name = item.nodeid if parameters is None else item.nodeid.removesuffix(f"[{parameters.id}]")
    run, around = scopes.enter(name)
    try:
        return (yield)
    finally:
        scopes.leave(run, around)
