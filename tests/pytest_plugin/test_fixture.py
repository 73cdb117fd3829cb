"""The fixture: what must be dead, what must not grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pytest_plugin.session import session

if TYPE_CHECKING:
    from pathlib import Path


def test_who_should_be_dead(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import weakref
        import pytest
        REGISTRY = {}

        class Session: ...

        def test_held_by_the_test_alone(outlive):
            session = Session()
            alias = session
            outlive.assert_dead(session)

            def inner(argument):
                outlive.assert_dead(argument)
            inner(session)

        def test_garbage(outlive):
            session = Session()
            session.cycle = session
            reference = weakref.ref(session)
            del session
            outlive.assert_dead(reference)

        def test_held(outlive):
            session = Session()
            REGISTRY["u42"] = session
            outlive.assert_dead(session)

        def test_held_though_only_a_reference_is_here(outlive):
            outlive.assert_dead(weakref.ref(REGISTRY["u42"]))

        def test_held_by_a_list(outlive):
            sessions = [Session()]
            outlive.assert_dead(sessions[0])

        def test_held_by_a_generator(outlive):
            def rows(session):
                yield session
            session = Session()
            REGISTRY["rows"] = rows(session)
            next(REGISTRY["rows"])
            outlive.assert_dead(session)

        @pytest.fixture
        def app():
            class App: ...
            return App()

        def test_a_fixture(outlive, app):
            outlive.assert_dead(app)

        def test_held_by_a_fixture(outlive, app):
            app.session = Session()
            outlive.assert_dead(app.session)
        """,
    )
    assert found.outcomes == {
        "test_held_by_the_test_alone": ["passed"],
        "test_garbage": ["passed"],
        "test_held": ["failed"],
        "test_held_though_only_a_reference_is_here": ["failed"],
        "test_held_by_a_list": ["failed"],
        "test_held_by_a_generator": ["failed"],
        "test_a_fixture": ["passed"],
        "test_held_by_a_fixture": ["failed"],
    }, found.output
    assert "ALIVE   Session should be dead, and is held:" in found.failure("test_held")
    assert "held    module test_it → REGISTRY['u42'] → Session" in found.failure("test_held")
    assert "local sessions → list[0 of 1] → Session" in found.failure("test_held_by_a_list")
    assert "rows() at " in found.failure("test_held_by_a_generator")
    assert "local session" in found.failure("test_held_by_a_generator")
    assert "App.session → Session" in found.failure("test_held_by_a_fixture")


def test_what_must_not_grow(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import functools
        import random
        import pytest
        KEPT = []

        def test_one_object_a_call(outlive):
            outlive.assert_no_growth(lambda: KEPT.append(object()))

        def test_nothing(outlive):
            outlive.assert_no_growth(lambda: [object() for _ in range(100)])

        def test_blocks_of_many_sizes(outlive):
            chance, held = random.Random(1), [b""]
            def call():
                held[0] = bytes(chance.randrange(4097))
            outlive.assert_no_growth(call)

        def test_may(outlive):
            outlive.assert_no_growth(lambda: KEPT.append(bytearray(1000)), size="2 KiB")

        def test_its_own_error(outlive):
            with pytest.raises(ZeroDivisionError):
                outlive.assert_no_growth(lambda: 1 / 0)

        def test_cache_with_a_limit(outlive):
            @functools.lru_cache(maxsize=10_000)
            def cached(n):
                return bytearray(5_000)
            numbers = iter(range(10_000))
            outlive.assert_no_growth(lambda: cached(next(numbers)), size="1 KiB", runs=20)

        async def coroutine(): ...

        def test_coroutine(outlive):
            outlive.assert_no_growth(coroutine)

        def test_hidden_coroutine(outlive):
            outlive.assert_no_growth(lambda: coroutine())

        def test_too_few(outlive):
            outlive.assert_no_growth(lambda: KEPT.append(bytearray(1000)), runs=3)
        """,
    )
    assert found.outcomes == {
        "test_one_object_a_call": ["failed"],
        "test_nothing": ["passed"],
        "test_blocks_of_many_sizes": ["passed"],
        "test_may": ["passed"],
        "test_its_own_error": ["passed"],
        "test_cache_with_a_limit": ["passed"],
        "test_coroutine": ["failed"],
        "test_hidden_coroutine": ["failed"],
        "test_too_few": ["skipped"],
    }, found.output
    assert "KEPT.append(object())" in found.failure("test_one_object_a_call")
    assert "object ×1/run" in found.failure("test_one_object_a_call")
    assert "mark the test: limit_growth" in found.failure("test_coroutine")
