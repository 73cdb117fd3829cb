"""What threads of executors and drivers are given belongs to the run that gave it; nobody else can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.capture.recorded import Place
from tests.capture.scoped import run, run_unsampled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize("imported", ["before", "after"])
def test_submit_and_map(place: Place, imported: str) -> None:
    early = "from concurrent.futures import ThreadPoolExecutor" if imported == "before" else "pass"
    run(
        place,
        f"""
        {early}
        with scope("first"):
            pass
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(1) as pool:
            with scope("job"):
                pool.submit(make, 1).result()
                list(pool.map(make, [2, 3]))
                waiting = threading.Event()
                pool.submit(waiting.wait)
                late = pool.submit(make, 4)
            waiting.set()
            pool.submit(make, 5).result()
            with scope("job"):
                pool.submit(make, 6).result()
        found = places()
        assert {{found[mark] for mark in (1, 2, 3, 4)}} == {{("job", 1)}}, found
        assert (found[5], found[6]) == (None, ("job", 2))
    """,
    )


def test_run_in_executor_and_the_first_import_within_a_run(place: Place) -> None:
    run(
        place,
        """
        async def main():
            loop = asyncio.get_running_loop()
            assert "concurrent.futures.thread" not in sys.modules
            with scope("job"):
                await loop.run_in_executor(None, make, 1)
            await loop.run_in_executor(None, make, 2)
        asyncio.run(main())
        assert places() == {1: ("job", 1), 2: None}
    """,
    )


def test_a_run_that_a_worker_never_closed_is_not_the_next_ones(place: Place) -> None:
    run(
        place,
        """
        from concurrent.futures import ThreadPoolExecutor
        with scope("outer"), ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: scope("never closed").__enter__()).result()
            pool.submit(make, 1).result()
        assert places() == {1: ("outer", 1)}
    """,
    )


def test_the_executor_is_as_it_was_to_whoever_looks(place: Place) -> None:
    run_unsampled(
        place,
        """
        import inspect, traceback
        from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, process, thread
        before = {**vars(thread._WorkItem)}, {**vars(ThreadPoolExecutor)}, {**vars(process._WorkItem)}
        def fail(): raise LookupError("x")
        def failure(pool):
            error = pool.submit(fail).exception()
            return "".join(traceback.format_exception(error))
        with ThreadPoolExecutor(1) as pool:
            as_it_was = failure(pool)
            outlive.start("1 KiB")
            with scope("job"):
                assert failure(pool) == as_it_was
                assert pool.submit(lambda: 3).result() == 3
                cancelled, waiting = pool.submit(time.sleep, 0), threading.Event()
                pool.submit(waiting.wait)
                late = pool.submit(make, 1)
                assert late.cancel()
                waiting.set()
        assert vars(thread._WorkItem) != before[0]
        assert vars(ThreadPoolExecutor) == before[1] and vars(process._WorkItem) == before[2]
        outlive.stop()
        assert vars(thread._WorkItem) == before[0]
        outlive.start("1 KiB")
        with scope("job"), ThreadPoolExecutor(1) as pool:
            pool.submit(make, 2).result()
        assert places() == {2: ("job", 1)}
    """,
    )


def test_another_tool_that_alters_it_too(place: Place) -> None:
    run(
        place,
        """
        from concurrent.futures import ThreadPoolExecutor, thread
        with scope("first"):
            pass
        ours = thread._WorkItem.run
        calls = []
        def theirs(self):
            calls.append(1)
            ours(self)
        thread._WorkItem.run = theirs
        outlive.stop()
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(lambda: 5).result() == 5
        assert calls and thread._WorkItem.run is theirs
        outlive.start("1 KiB")
        with scope("job"), ThreadPoolExecutor(1) as pool:
            pool.submit(make, 1).result()
        assert places() == {1: ("job", 1)}
    """,
    )


def test_an_import_that_fails_meanwhile_shows_no_frame_of_outlives(place: Place) -> None:
    (place.path / "broken_module.py").write_text("import outlive\n1 / 0\n")
    run(
        place,
        f"""
        import traceback
        from importlib.machinery import SourceFileLoader
        sys.path.insert(0, {str(place.path)!r})
        def failure():
            try:
                import broken_module
            except ZeroDivisionError:
                return traceback.format_exc()
        assert "concurrent.futures.thread" not in sys.modules
        plain = failure()
        with scope("job"):
            assert "exec_module" in vars(SourceFileLoader)
            assert failure() == plain
        outlive.stop()
        assert "exec_module" not in vars(SourceFileLoader)
    """,
    )


def test_what_a_thread_of_aiosqlite_makes(place: Place) -> None:
    run(
        place,
        """
        import aiosqlite
        found = aiosqlite.core.Connection._execute
        async def main():
            async with aiosqlite.connect(":memory:") as database:
                await database.create_function("make", 1, make)
                async with scope("read"):
                    await database.execute("select make(1)")
                await database.execute("select make(2)")
                async with scope("read"):
                    reader = await database.execute("select make(3) union all select make(4)")
                    await reader.fetchall()
                    try:
                        await database.execute("select from")
                    except aiosqlite.OperationalError as error:
                        step = error.__traceback__
                        while step:
                            assert "/outlive/" not in step.tb_frame.f_code.co_filename
                            step = step.tb_next
                    else:
                        raise AssertionError("nothing was raised")
                    outlive.stop()
                    await database.execute("select make(5)")
        asyncio.run(main())
        assert aiosqlite.core.Connection._execute is found
        del kept[5]
        found = places()
        assert (found[1], found[2]) == (("read", 1), None), found
        assert {found[3], found[4]} == {("read", 2)}, found
    """,
    )


def test_rows_that_aiosqlite_reads_are_made_by_its_line(place: Place) -> None:
    run(
        place,
        """
        import aiosqlite
        async def main():
            async with aiosqlite.connect(":memory:") as database:
                async with scope("read"):
                    reader = await database.execute("select zeroblob(7000000)")
                    kept["rows"] = await reader.fetchall()
        asyncio.run(main())
        rows = [each for each in newest().samples if each.size == bytes().__sizeof__() + 7_000_000]
        (found,) = {(newest().scopes[row.scope].name, bool(row.run), row.stack) for row in rows}
        assert found[:2] == ("read", True)
        assert newest().stacks[found[2]].frames[0].file.endswith("aiosqlite/core.py")
    """,
    )
