"""Watched objects: found while they live, forgotten when they die, never kept, and none of their code run."""

from __future__ import annotations

import gc
from time import monotonic
from typing import Any

import pytest

from outlive.capture import watching


class Session:
    """What is to be closed."""


def watched(*objs: object) -> list[int]:
    """Return which of these are reported, by their places."""
    addresses = [address for address, _, _ in watching.alive(monotonic())]
    return [place for place, obj in enumerate(objs) if addresses.count(id(obj)) == 1]


def test_what_lives_is_reported_and_what_died_is_not() -> None:
    stays, goes = Session(), Session()
    watching.watch(stays)
    watching.watch(goes)
    watching.watch(stays)
    assert watched(stays, goes) == [0, 1]
    address = id(goes)
    del goes
    assert address not in watching._watched
    assert watched(stays) == [0]


def test_a_cycle_dies_with_the_collection() -> None:
    session: Any = Session()
    session.itself = session
    watching.watch(session)
    address = id(session)
    del session
    assert address in watching._watched
    gc.collect()
    assert address not in watching._watched


def test_only_those_watched_long_enough_ago() -> None:
    session = Session()
    before = monotonic()
    watching.watch(session)
    assert id(session) not in [address for address, _, _ in watching.alive(before)]
    ((name, since),) = [
        (name, since) for address, name, since in watching.alive(monotonic()) if address == id(session)
    ]
    assert name == f"{__name__}.Session"
    assert before <= since <= monotonic()


def test_watched_again_counts_from_the_first_time() -> None:
    session = Session()
    watching.watch(session)
    between = monotonic()
    watching.watch(session)
    assert id(session) in [address for address, _, _ in watching.alive(between)]


@pytest.mark.parametrize("obj", [1, "text", [], {}, (), None], ids=lambda obj: type(obj).__name__)
def test_what_takes_no_weak_reference_is_refused(obj: object) -> None:
    with pytest.raises(TypeError, match=f"can't watch a {type(obj).__name__}: it takes no weak reference"):
        watching.watch(obj)


def test_no_code_of_the_object_runs() -> None:
    class Meta(type):
        def __getattribute__(cls, name: str) -> Any:  # noqa: ANN401 - the language's
            raise AssertionError(name)

        def __hash__(cls) -> int:
            raise AssertionError

    class Hostile(metaclass=Meta):
        def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 - the language's
            raise AssertionError(name)

        def __eq__(self, other: object) -> bool:
            raise AssertionError

        def __hash__(self) -> int:
            raise AssertionError

    obj = Hostile()
    watching.watch(obj)
    ((name),) = [name for address, name, _ in watching.alive(monotonic()) if address == id(obj)]
    assert name.endswith(".Hostile")
