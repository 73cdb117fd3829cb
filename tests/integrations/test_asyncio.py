"""Tasks as runs: those that no run made, whatever factory the loop has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.capture.scoped import run, run_unsampled

if TYPE_CHECKING:
    from tests.capture.recorded import Place


def test_top_level_tasks_are_runs(place: Place) -> None:
    run(
        place,
        """
        from outlive.integrations import asyncio as tasks
        async def job(mark):
            make(mark)
            await asyncio.gather(make_soon(mark + 10), asyncio.create_task(make_soon(mark + 20)))
        async def main():
            tasks.install()
            tasks.install()
            make(0)
            await asyncio.gather(job(1), job(2))
            with scope("request"):
                await asyncio.create_task(make_soon(3))
            await asyncio.create_task(make_soon(4), name="named", context=(given := contextvars.Context()))
            await asyncio.create_task(make_soon(5), context=given)
            given.run(make, 6)
            await asyncio.wait([asyncio.ensure_future(make_soon(7))])
        asyncio.run(main())
        found = places()
        assert [found.pop(mark) for mark in (1, 11, 21)] == 3 * [("task job", 1)]
        assert [found.pop(mark) for mark in (2, 12, 22)] == 3 * [("task job", 2)]
        assert found == {
            0: None, 3: ("request", 1), 4: ("task make_soon", 1), 5: ("task make_soon", 2), 6: None,
            7: ("task make_soon", 3),
        }
        assert not own().open_runs
    """,
    )


def test_failed_and_cancelled_tasks_end_their_runs(place: Place) -> None:
    run(
        place,
        """
        from outlive.integrations import asyncio as tasks
        async def fail(): raise LookupError
        async def hang(): await asyncio.Event().wait()
        async def main():
            tasks.install()
            failing, hanging, unborn = map(asyncio.create_task, (fail(), hang(), hang()))
            unborn.cancel()
            await asyncio.sleep(0)
            hanging.cancel()
            said = await asyncio.gather(failing, hanging, unborn, return_exceptions=True)
            assert [type(each) for each in said] == [LookupError] + 2 * [asyncio.CancelledError]
        asyncio.run(main())
        found = counts()  # and those that asyncio.run() makes at its end
        assert (found["task fail"], found["task hang"]) == ((1, 1), (2, 2)) and not own().open_runs
    """,
    )


@pytest.mark.parametrize("sampled", [True, False])
def test_a_factory_that_is_there_is_kept(place: Place, *, sampled: bool) -> None:
    (run if sampled else run_unsampled)(
        place,
        """
        from outlive.integrations import asyncio as tasks
        class Own(asyncio.Task): pass
        def old(loop, coro):  # takes no more, as factories did
            return Own(coro, loop=loop)
        async def main():
            loop = asyncio.get_running_loop()
            loop.set_task_factory(lambda loop, coro, **more: old(loop, coro))
            tasks.install(loop)
            task = asyncio.create_task(make_soon(1))
            assert type(task) is Own and task.get_coro().__name__ == "make_soon"
            await task
            if sys.version_info >= (3, 12):
                loop.set_task_factory(asyncio.eager_task_factory)
                tasks.install(loop)
                async def eager(): make(2)
                task = asyncio.create_task(eager())
                assert task.done() and 2 in kept
                await asyncio.sleep(0)
        asyncio.run(main())
        """
        + (
            """
        found = places()
        assert found.pop(1) == ("task make_soon", 1)
        assert list(found.values()) in ([], [("task main.<locals>.eager", 1)])
        assert not own().open_runs
        """
            if sampled
            else ""
        ),
    )


def test_a_factory_that_fails(place: Place) -> None:
    run(
        place,
        """
        from outlive.integrations import asyncio as tasks
        def fail(loop, coro, **more):
            coro.close()
            raise LookupError
        async def main():
            loop = asyncio.get_running_loop()
            loop.set_task_factory(fail)
            tasks.install()
            try:
                asyncio.create_task(make_soon(1))
            except LookupError:
                loop.set_task_factory(None)
            else:
                raise AssertionError
        asyncio.run(main())
        assert counts()["task make_soon"] == (1, 1) and not own().open_runs
    """,
    )
