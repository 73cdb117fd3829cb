"""Scopes used in ways they are not meant to be: no harm to the program, and no block in a wrong run."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.capture.recorded import Place
from tests.capture.scoped import run, run_unsampled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_closed_twice_or_never_opened(place: Place) -> None:
    run(
        place,
        """
        with scope("around"):
            job = scope("job")
            job.__exit__(None, None, None)
            job.__enter__()
            make(1)
            job.__exit__()
            job.__exit__()
            make(2)
        make(3)
        assert places() == {1: ("job", 1), 2: ("around", 1), 3: None}
        assert counts() == {"around": (1, 1), "job": (1, 1)}
    """,
    )


def test_never_closed_by_the_thousand(place: Place) -> None:
    """Their places are as many as they are; runs beyond that are counted, and known to be."""
    run(
        place,
        """
        def begin():
            for _ in range(1000):
                scope("lost").__enter__()
        for _ in range(5):
            contextvars.copy_context().run(begin)
        with scope("job"):
            make(1)
        make(2)
        assert places() == {1: ("job", 1), 2: None}
        assert counts() == {"lost": (5000, 0), "job": (1, 1)}
        assert len(own().open_runs) == 2047 and own().runs_untracked == 5000 - 2047 + 1
    """,
    )


def test_runs_that_overlap(place: Place) -> None:
    run(
        place,
        """
        first, second, third = scope("first"), scope("second"), scope("third")
        first.__enter__(); second.__enter__(); third.__enter__()
        make(1)
        second.__exit__()
        make(2)
        first.__exit__()
        make(3)
        third.__exit__()
        make(4)  # in none: all of them have ended
        assert places() == {1: ("third", 1), 2: ("third", 1), 3: ("third", 1), 4: None}
        assert set(counts().values()) == {(1, 1)}
    """,
    )


def test_closed_in_another_task_than_opened(place: Place) -> None:
    run(
        place,
        """
        job = scope("job")
        async def opens(opened, closed):
            job.__enter__()
            make(1)
            opened.set()
            await closed.wait()
        async def closes(opened, closed):
            await opened.wait()
            job.__exit__()
            assert not own().open_runs
            make(2)
            closed.set()
        async def main():
            events = asyncio.Event(), asyncio.Event()
            await asyncio.gather(opens(*events), closes(*events))
            make(3)
        asyncio.run(main())
        assert places() == {1: ("job", 1), 2: None, 3: None}
        assert counts() == {"job": (1, 1)}
    """,
    )


def test_one_object_for_runs_that_overlap_in_tasks(place: Place) -> None:
    run(
        place,
        """
        shared = scope("job")
        async def work(mark, turns):
            async with shared:
                for _ in range(turns):
                    await asyncio.sleep(0)
                make(mark)
            make(mark + 10)
        async def main():
            await asyncio.gather(*(work(mark, turns) for mark, turns in enumerate((5, 3, 1, 2, 4))))
        asyncio.run(main())
        found = places()
        assert [found[mark] for mark in range(5)] == [("job", mark + 1) for mark in range(5)]
        assert {found[mark + 10] for mark in range(5)} == {None}
    """,
    )


def test_a_million_names(place: Place) -> None:
    run(
        place,
        """
        import tracemalloc
        from outlive.capture import scopes
        def use(names):
            for name in names:
                with scope(name):
                    pass
        use(f"/exports/{n}" for n in range(2000))
        tracemalloc.start()
        use(f"/exports/{n}" for n in range(2000, 30_000))
        with scope("x" * 1_000_000):
            pass
        with scope("late", tenant="y" * 1_000_000):
            make(1)
        assert tracemalloc.get_traced_memory()[0] < 200_000  # what is kept does not grow with the names
        tracemalloc.stop()
        use(["/exports/3"])
        assert places() == {1: ("(other scopes)", 29_004 - 22 + 1)} or places()[1][0] == "(other scopes)"
        found = counts()
        assert len(found) == 1023 and found["/exports/3"] == (2, 2)
        assert sum(began for began, _ in found.values()) == 30_003 and len(scopes._rows) < 1024
    """,
    )


def test_labels_leave_room_for_names(place: Place) -> None:
    run(
        place,
        """
        for n in range(2000):
            with scope("export", tenant=n):
                pass
        with scope("export", tenant=5000):
            make(1)
        with scope("another"):
            make(2)
        assert places() == {1: ("export", 2001), 2: ("another", 1)}
        assert counts()["export"] == (2001, 2001)
    """,
    )


def test_odd_names(place: Place) -> None:
    run(
        place,
        r"""
        import enum
        class Kind(str, enum.Enum):
            JOB = "kind of job"
        for mark, name in enumerate(["", "a\0b", "\ud800", "\x1b[31m", "ü" * 300, Kind.JOB]):
            with scope(name):
                make(mark)
        names = [places()[mark][0] for mark in range(6)]
        assert names[1] == "a\N{REPLACEMENT CHARACTER}b" and names[5] == "kind of job"
        assert names[4].startswith("ü" * 40) and "\x1b" not in names[3]
    """,
    )


def test_nothing_recorded_nothing_done(place: Place) -> None:
    run_unsampled(
        place,
        """
        from outlive.capture import executors, scopes
        with scope("job", tenant=3) as nothing:
            assert nothing is None and not scopes.here()
        @scope("job")
        def work(): return scopes.here()
        assert work() == 0 and not scopes._rows and executors._run is None
        assert "concurrent.futures.thread" not in sys.modules
    """,
    )


def test_start_and_stop_in_between(place: Place) -> None:
    run_unsampled(
        place,
        """
        before = scope("before")
        with before:
            outlive.start("1 KiB")
            make(1)
            with scope("within"):
                make(2)
            make(3)
        make(4)
        assert places() == {1: None, 2: ("within", 1), 3: None, 4: None}
        stopped = scope("stopped")
        stopped.__enter__()
        outlive.stop()
        outlive.start("1 KiB")
        kept.clear()
        make(5)  # the run is of another recording
        with scope("after"):
            make(6)
            with scope("stopped"):
                make(7)
            stopped.__exit__()
            make(8)
        make(9)
        assert places() == {5: None, 6: ("after", 1), 7: ("stopped", 1), 8: ("after", 1), 9: None}
        assert counts() == {"after": (1, 1), "stopped": (1, 1)}
    """,
    )


def test_fork_within_a_run(place: Place) -> None:
    run(
        place,
        """
        with scope("job"):
            make(1)
            child = os.fork()
            if child:
                assert os.waitpid(child, 0)[1] == 0
                make(2)
            else:
                until(own)
                make(3)
        if not child:
            with scope("of the child"):
                make(4)
            make(5)
            assert places() == {1: ("job", 1), 3: ("job", 1), 4: ("of the child", 1), 5: None}, places()
            assert counts() == {"job": (1, 1), "of the child": (1, 1)}
            os._exit(0)
        make(6)
        assert places() == {1: ("job", 1), 2: ("job", 1), 6: None}
        assert counts() == {"job": (1, 1)}
    """,
        "-Wignore::DeprecationWarning",  # that of 3.12, if outlive's thread is just at a long look
    )


def test_a_run_that_outlives_the_recording(place: Place) -> None:
    run_unsampled(
        place,
        """
        import atexit
        lasting = scope("lasting")
        @atexit.register
        def late():  # after what ends the recording, which is registered later
            lasting.__exit__()
            with scope("too late"):
                pass
        outlive.start("1 KiB")
        lasting.__enter__()
    """,
    )
    recorded = next(iter(place.recordings().values()))
    assert [(row.name, row.began, row.ended) for row in recorded.scopes.values()] == [("lasting", 1, 0)]
    assert [recorded.scopes[run.scope].name for run in recorded.open_runs] == ["lasting"]


def test_threads_that_name_a_scope_at_once_share_its_row(place: Place) -> None:
    run(
        place,
        """
        sys.setswitchinterval(1e-6)
        together = threading.Barrier(4)
        def work():
            for n in range(150):
                together.wait()
                with scope(f"job {n}"):
                    pass
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert counts() == {f"job {n}": (4, 4) for n in range(150)}
    """,
    )


def test_it_is_light() -> None:
    program = """
import sys
before = set(sys.modules)
import outlive
with outlive.scope("x"):
    pass
print(*sorted(set(sys.modules) - before))
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    heavy = {
        "asyncio",
        "concurrent.futures",
        "dataclasses",
        "inspect",
        "logging",
        "re",
        "threading",
        "typing",
    }
    assert "outlive.capture.scopes" in said.split()
    assert not heavy & set(said.split()), said
