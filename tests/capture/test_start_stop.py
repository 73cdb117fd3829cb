"""start() and stop() from several threads at once, beside a look that takes long, and beside other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.capture.recorded import Place

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_threads_that_start_at_once_make_one_recording(place: Place) -> None:
    place.run("""
        import threading
        together = threading.Barrier(8)
        def start():
            together.wait()
            outlive.start()
        starting = [threading.Thread(target=start) for _ in range(8)]
        for thread in starting: thread.start()
        for thread in starting: thread.join()
        assert len(recordings()) == 1
    """)


def test_start_and_stop_agree_with_the_core_whoever_comes_first(place: Place) -> None:
    place.run("""
        import threading
        from outlive.capture import sampling
        from outlive.capture.core import native
        sys.setswitchinterval(1e-5)
        for _ in range(100):
            starting = threading.Thread(target=outlive.start)
            starting.start()
            outlive.stop()
            starting.join()
            assert sampling.is_running() == bool(native.mode() & native.MODE_SAMPLE)
            outlive.stop()
    """)


def test_a_signal_handler_that_stops_it_in_the_midst_of_start(place: Place) -> None:
    place.run("""
        from outlive.capture import recording, sampling
        from outlive.capture.core import native
        make = recording._make
        def interrupted(*arguments):
            signal.raise_signal(signal.SIGUSR1)
            make(*arguments)
        recording._make = interrupted
        signal.signal(signal.SIGUSR1, lambda *_: outlive.stop())
        sys.stderr = open(os.devnull, "w")
        outlive.start()
        assert not sampling.is_running() and not native.mode()
        recording._make = make
        outlive.start()
        assert sampling.is_running() and native.mode()
    """)


def test_a_look_that_outlasts_stop_writes_nothing_into_the_next_recording(place: Place) -> None:
    place.run("""
        from outlive.capture import timeline
        reading, writing = os.pipe()
        measured = timeline.proc.rss_bytes
        def long_look():
            os.write(began, b"x")
            os.read(reading, 1)
            return 123_456_789
        begun, began = os.pipe()
        timeline.proc.rss_bytes = long_look
        outlive.start()
        os.read(begun, 1)
        outlive.stop()
        timeline.proc.rss_bytes = measured
        outlive.start()
        os.write(writing, b"x")
        until(lambda: any(each.process.state == "running" and each.timeline for each in recordings()))
        assert 123_456_789 not in [point.rss for each in recordings() for point in each.timeline]
    """)


@pytest.mark.parametrize("how", ["seen by sites()", "seen by a tick"])
def test_tracemalloc_that_was_on_before_and_stops_takes_nothing_away(place: Place, how: str) -> None:
    """It restores the allocators that it found, and with them what was there before outlive."""
    ask = "outlive.sites()" if "sites" in how else "until(lambda: own().process.notes.get('unhooked'))"
    place.run(f"""
        import tracemalloc
        tracemalloc.start()
        outlive.start("16 KiB")
        until(own)
        kept = [bytes(1000) for _ in range(20_000)]
        tracemalloc.stop()
        del kept
        {ask}
        assert sum(site.in_use.estimate for site in outlive.sites(None)) < 1_000_000  # its death was missed
        again = [bytes(1000) for _ in range(20_000)]
        top = outlive.sites()[0].in_use
        assert top.low <= 20_000 * 1033 * 1.1 and top.high >= 20_000_000 * 0.9, top
        until(lambda: own().process.notes.get("unhooked"))
    """)


def test_children_that_can_not_record_are_silent(place: Place) -> None:
    """The parent could; a pool of workers is not to fill the program's stderr with one line each."""
    place.run("""
        from outlive.capture import recording
        from outlive.errors import OutliveError
        outlive.start()
        def fail(*_):
            raise OutliveError("can't record")
        recording.create = fail
        for _ in range(2):
            if (pid := os.fork()) == 0:
                until(lambda: os.stat("/proc/self/task").st_nlink == 3)  # its thread has given up
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
    """)
