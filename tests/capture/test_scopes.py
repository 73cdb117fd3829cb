"""Each sampled block is in the run that made it, wherever the run's work went. Told by reading it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.capture.recorded import Place
from tests.capture.scoped import run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_with_and_nesting(place: Place) -> None:
    run(
        place,
        """
        make(1)
        with scope("outer"):
            make(2)
            with scope("inner"):
                make(3)
            make(4)
        with scope("outer"):
            make(5)
        make(6)
        assert places() == {
            1: None, 2: ("outer", 1), 3: ("inner", 1), 4: ("outer", 1), 5: ("outer", 2), 6: None
        }
        assert counts() == {"outer": (2, 2), "inner": (1, 1)}
    """,
    )


def test_labels_are_rows_of_their_own_with_runs_numbered_in_common(place: Place) -> None:
    run(
        place,
        """
        class Rude:
            def __str__(self): raise RuntimeError
        for mark, tenant in enumerate("aba"):
            with scope("export", tenant=tenant):
                make(mark)
        with scope("export", tenant=Rude(), of=3):
            make(3)
        assert places() == {
            0: ("export {tenant=a}", 1), 1: ("export {tenant=b}", 2), 2: ("export {tenant=a}", 3),
            3: ("export {tenant=Rude, of=3}", 4),
        }
        assert counts()["export"] == (4, 4)
    """,
    )


@pytest.mark.parametrize("how", ["with", "async with", "decorator"])
def test_coroutines_that_take_turns(place: Place, how: str) -> None:
    ways = {
        "with": """
            async def work(n):
                with scope("job"):
                    for mark in (n, n + 10):
                        await make_soon(mark)
        """,
        "async with": """
            async def work(n):
                async with scope("job"):
                    for mark in (n, n + 10):
                        await make_soon(mark)
        """,
        "decorator": """
            @scope("job")
            async def work(n):
                for mark in (n, n + 10):
                    await make_soon(mark)
        """,
    }
    run(
        place,
        ways[how]
        + """
            async def main():
                await asyncio.gather(*(work(n) for n in range(5)))
                make(20)
            asyncio.run(main())
            found = places()
            assert found.pop(20) is None
            assert all(found[n] == found[n + 10] for n in range(5))
            assert sorted(found.values()) == [("job", n) for n in (1, 1, 2, 2, 3, 3, 4, 4, 5, 5)]
            assert counts() == {"job": (5, 5)}
        """,
    )


def test_what_a_run_starts_in_the_loop_belongs_to_it(place: Place) -> None:
    run(
        place,
        """
        async def main():
            loop = asyncio.get_running_loop()
            with scope("job"):
                task = asyncio.create_task(make_soon(1))
                await asyncio.gather(make_soon(2), make_soon(3))
                async with asyncio.TaskGroup() as group:
                    group.create_task(make_soon(4))
                await asyncio.to_thread(make, 5)
                called = asyncio.Event()
                loop.call_soon(make, 6)
                loop.call_later(0.0, lambda: (make(7), called.set()))
                await called.wait()
                done = asyncio.Event()
                task.add_done_callback(lambda _: (make(8), done.set()))
                await done.wait()
                late = asyncio.create_task(make_soon(9))
                context = contextvars.copy_context()
            await late  # made in the run, though it goes on after that
            context.run(make, 10)
            with scope("other"):
                context.run(make, 11)
                make(12)
            make(13)
        asyncio.run(main())
        found = places()
        assert (found.pop(12), found.pop(13)) == (("other", 1), None)
        assert set(found.values()) == {("job", 1)}, found
    """,
    )


def test_what_a_connection_receives_belongs_to_the_run_that_waits_for_it(place: Place) -> None:
    run(
        place,
        """
        import socket
        class Answers(asyncio.Protocol):
            def ask(self, mark):
                self.mark, self.answer = mark, asyncio.get_running_loop().create_future()
                far.send(b"?")
                return self.answer
            def data_received(self, data):
                make(self.mark)
                self.answer.set_result(None)
        near, far = socket.socketpair()
        async def main():
            loop = asyncio.get_running_loop()
            async with scope("job"):
                _, answers = await loop.create_connection(Answers, sock=near)
                await answers.ask(1)
                left_behind = asyncio.create_task(later())
            async with scope("job"):
                await answers.ask(2)
                left.set()
                await left_behind
            async def one(mark):
                async with scope("export"):
                    await answers.ask(mark)
            await asyncio.create_task(one(4))
            await answers.ask(5)
        left = asyncio.Event()
        async def later():
            await left.wait()
            make(3)
        asyncio.run(main())
        far.close()
        found = places()
        assert (found[1], found[2], found[4]) == (("job", 1), ("job", 2), ("export", 1)), found
        assert found[3] == ("job", 1), found  # a task's, which goes on
        assert found[5] == ("job", 1), found  # nobody's run waits
    """,
    )


def test_a_context_entered_outside_of_any_event_loop_stays_of_its_run(place: Place) -> None:
    run(
        place,
        """
        with scope("job"):
            context = contextvars.copy_context()
        with scope("other"):
            context.run(make, 1)
            make(2)
        assert places() == {1: ("job", 1), 2: ("other", 1)}
    """,
    )


def test_a_cancelled_task_ends_its_run(place: Place) -> None:
    run(
        place,
        """
        async def work():
            async with scope("job"):
                make(1)
                await asyncio.Event().wait()
        async def main():
            task = asyncio.create_task(work())
            await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            make(2)
        asyncio.run(main())
        assert places() == {1: ("job", 1), 2: None}
        assert counts() == {"job": (1, 1)} and not own().open_runs
    """,
    )


def test_an_exception_ends_the_run_and_is_passed_on(place: Place) -> None:
    run(
        place,
        """
        @scope("called")
        def fail():
            make(1)
            raise LookupError
        for attempt in (fail, scope("called")(fail)):
            try:
                attempt()
            except LookupError:
                make(2)
            else:
                raise AssertionError
        with contextlib.suppress(LookupError), scope("within"):
            raise LookupError
        assert places() == {1: ("called", 3), 2: None}
        assert counts() == {"called": (3, 3), "within": (1, 1)}
    """,
    )


def test_decorated_functions_stay_what_they_were(place: Place) -> None:
    run(
        place,
        """
        import inspect
        class Jobs:
            @scope("jobs")
            def one(self, mark: int, *, times: int = 1) -> int:
                "Docs."
                make(mark)
                return mark
            @scope("jobs")
            @classmethod
            def two(cls, mark): make(mark)
            @staticmethod
            @scope("jobs")
            async def three(mark): make(mark)
            @scope("deep")
            def four(self, depth):
                make(10 + depth)
                if depth:
                    self.four(depth - 1)
        assert str(inspect.signature(Jobs.one)) == "(self, mark: int, *, times: int = 1) -> int"
        assert (Jobs.one.__doc__, Jobs.one.__qualname__) == ("Docs.", "Jobs.one")
        assert inspect.iscoroutinefunction(Jobs.three) and not inspect.iscoroutinefunction(Jobs.one)
        assert Jobs().one(1, times=2) == 1
        Jobs.two(2)
        asyncio.run(Jobs.three(3))
        Jobs().four(2)
        found = places()
        assert [found[mark] for mark in (1, 2, 3)] == [("jobs", 1), ("jobs", 2), ("jobs", 3)]
        assert [found[mark] for mark in (12, 11, 10)] == [("deep", 1), ("deep", 2), ("deep", 3)]
    """,
    )


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("@scope('x')\ndef f(): yield", "can't decorate f, a generator"),
        ("@scope('x')\nasync def f(): yield", "can't decorate f, a generator"),
        ("@scope('x')\nclass A: ...", "not the class A"),
        ("scope('x')(3)", "not int"),
        ("scope(3)", "a scope's name is a str, not int"),
    ],
)
def test_what_can_not_be_a_scope(place: Place, source: str, words: str) -> None:
    run(
        place,
        f"""
        try:
            exec({source!r})
        except TypeError as error:
            assert {words!r} in str(error), error
        else:
            raise AssertionError
    """,
    )


def test_a_generator_run_to_its_end_leaves_no_run_behind(place: Place) -> None:
    run(
        place,
        """
        def numbers(mark):
            with scope("numbers"):
                make(mark)
                yield
                make(mark + 10)
        list(numbers(1))
        make(0)
        first, second = numbers(2), numbers(3)
        next(first), next(second)
        list(first), list(second)  # not in the order of a stack
        make(4)
        assert places() == {
            0: None, 4: None, 1: ("numbers", 1), 11: ("numbers", 1),
            2: ("numbers", 2), 3: ("numbers", 3), 12: ("numbers", 3), 13: ("numbers", 3),
        }
        assert counts() == {"numbers": (3, 3)}
    """,
    )


def test_threads_have_runs_of_their_own(place: Place) -> None:
    run(
        place,
        """
        shared, inside = scope("job"), threading.Barrier(4)
        def work(mark):
            with shared:  # one object for all of them
                inside.wait()
                make(mark)
                inside.wait()
            make(mark + 10)
        threads = [threading.Thread(target=work, args=(mark,)) for mark in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        found = places()
        assert sorted(found.pop(mark) for mark in range(4)) == [("job", run) for run in (1, 2, 3, 4)]
        assert set(found.values()) == {None}
        assert counts() == {"job": (4, 4)}
    """,
    )
