"""Living objects by the name of their type, tracked by the collector or not."""

from __future__ import annotations

import asyncio
import gc
import uuid
from typing import Any

import pytest

from outlive.capture.objects import by_type


class UserActivity:
    """What is looked for."""

    class Detail:
        """And within it."""


def same(found: list[object], *expected: object) -> bool:
    """Return whether these very objects were found, each once."""
    return sorted(map(id, found)) == sorted(map(id, expected))


def test_after_asyncio_kept_something_for_its_next_futures() -> None:
    async def waits() -> None:
        await asyncio.sleep(0.001)

    for _ in range(2):
        asyncio.run(waits())
        kept = UserActivity()
        assert same(by_type("UserActivity"), kept)


@pytest.mark.parametrize("name", ["UserActivity", f"{__name__}.UserActivity"])
def test_by_a_full_name_or_its_end(name: str) -> None:
    assert by_type(name) == []
    kept = [UserActivity() for _ in range(3)]
    assert same(by_type(name), *kept)


def test_a_nested_class() -> None:
    detail = UserActivity.Detail()
    assert same(by_type("UserActivity.Detail"), detail)
    assert same(by_type("Detail"), detail)
    assert by_type("etail") == []


def test_what_the_collector_does_not_know() -> None:
    text = f"text {uuid.uuid4()}"
    kept = [text, text, (text, 1.5)]
    found = by_type("str")
    assert sum(each is text for each in found) == 1
    assert len({id(each) for each in found}) == len(found)
    del kept


def test_a_tuple_in_an_untracked_tuple() -> None:
    number = 10**30 + len(__name__)
    kept = [((number,),)]
    gc.collect()  # untracks them
    assert any(each is number for each in by_type("int"))
    del kept


def test_nothing_is_called() -> None:
    class Meta(type):
        def __hash__(cls) -> int:
            raise AssertionError

        def __getattribute__(cls, name: str) -> Any:  # noqa: ANN401 - the language's
            raise AssertionError(name)

    class Hostile(metaclass=Meta):
        def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 - the language's
            raise AssertionError(name)

    obj = Hostile()
    assert same(by_type("Hostile"), obj)
