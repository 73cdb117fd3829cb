"""taskiq's tasks as runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.capture.scoped import run

if TYPE_CHECKING:
    from tests.capture.recorded import Place


def test_tasks_of_all_kinds(place: Place) -> None:
    run(
        place,
        """
        import logging
        from taskiq import InMemoryBroker, SimpleRetryMiddleware
        from outlive.integrations.taskiq import ScopeMiddleware
        middleware = ScopeMiddleware()
        broker = InMemoryBroker().with_middlewares(SimpleRetryMiddleware(), middleware)
        @broker.task(task_name="export")
        async def export(mark):
            make(mark)
            await make_soon(mark + 10)
        @broker.task(task_name="in a thread")
        def sync(mark): make(mark)
        @broker.task(task_name="fail", retry_on_error=True, max_retries=3)
        async def fail(mark):
            kept.clear()
            make(mark)
            raise LookupError
        async def main():
            await broker.startup()
            waiting = [await export.kiq(mark) for mark in (1, 2)] + [await sync.kiq(3)]
            for each in waiting:
                assert not (await each.wait_result(timeout=60)).is_err
            make(4)
            found = places()
            assert {found[1], found[2]} == {("export", 1), ("export", 2)}
            assert (found[11], found[12]) == (found[1], found[2])
            assert (found[3], found[4]) == (("in a thread", 1), None)
            logging.disable()
            await fail.kiq(5)
            await broker.wait_all()
            await broker.shutdown()
        asyncio.run(main())
        began, ended = counts()["fail"]
        assert began == ended > 1 and not own().open_runs and not middleware._begun._runs
    """,
    )
