"""SIGUSR2: taken only if a trigger asks for it, and never from somebody who has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.capture.recorded import Place
from tests.capture.triggered import err_of, run

if TYPE_CHECKING:
    from pathlib import Path

KEPT = "outlive: SIGUSR2 is left to the handler that it has already\n"
NO_WORD = """
    before = until(lambda: own().timeline)
    until(lambda: len(own().timeline) > len(before) + 1)
    assert triggers()["fired"] == 0 and triggers()["last_error"], triggers()
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_each_signal_is_a_word(place: Place) -> None:
    run(
        place,
        """
        outlive.start(triggers=["SIGUSR2: report"])
        for number in (1, 2):
            os.kill(os.getpid(), signal.SIGUSR2)
            seen(fired=number, failed=0)
        outlive.stop()
        assert signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL
        """,
    )


def test_from_outside_while_a_system_call_waits(place: Place) -> None:
    run(
        place,
        """
        import ctypes, subprocess, threading
        outlive.start(triggers=["SIGUSR2: report"])
        libc = ctypes.CDLL(None, use_errno=True)
        read, write = os.pipe()
        subprocess.Popen(["sh", "-c", f"sleep 0.2; kill -USR2 {os.getpid()}; sleep 0.2; echo x >&{write}"],
                         pass_fds=[write])
        buffer = ctypes.create_string_buffer(9)
        assert libc.read(read, buffer, 9) == 2, ctypes.get_errno()  # no EINTR: C code may not expect it
        seen(fired=1)
        os.wait()
        """,
    )


def test_without_a_trigger_for_it_the_default_stays(place: Place) -> None:
    run(
        place,
        """
        outlive.start(triggers=["rss > 1 MiB: report"])
        assert signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL
        if (pid := os.fork()) == 0:
            os.kill(os.getpid(), signal.SIGUSR2)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == signal.SIGUSR2
        """,
    )


@pytest.mark.parametrize(
    "handler",
    [
        "signal.signal(signal.SIGUSR2, lambda *_: came.append(1))",
        "faulthandler.register(signal.SIGUSR2, file=open(os.devnull, 'w')); came.append(1)",
        "signal.signal(signal.SIGUSR2, signal.SIG_IGN); came.append(1)",
    ],
)
def test_a_handler_that_is_there_stays(place: Place, handler: str) -> None:
    said = err_of(
        place,
        f"""
    import faulthandler
    came = []
    {handler}
    there = signal.getsignal(signal.SIGUSR2)
    outlive.start(triggers=["SIGUSR2: report"])
    assert signal.getsignal(signal.SIGUSR2) is there
    os.kill(os.getpid(), signal.SIGUSR2)
    until(lambda: came)
    {NO_WORD}
    outlive.stop()
    assert signal.getsignal(signal.SIGUSR2) is there
    os.kill(os.getpid(), signal.SIGUSR2)
    """,
    )
    assert said == KEPT


def test_a_handler_that_comes_later_takes_it_over(place: Place) -> None:
    run(
        place,
        """
        outlive.start(triggers=["SIGUSR2: report"])
        until(lambda: triggers().get("rules"))
        came = []
        def handler(*_):
            came.append(1)
        signal.signal(signal.SIGUSR2, handler)
        os.kill(os.getpid(), signal.SIGUSR2)
        before = until(lambda: came and own().timeline)
        until(lambda: len(own().timeline) > len(before) + 1)
        assert triggers()["fired"] == 0
        outlive.stop()
        assert signal.getsignal(signal.SIGUSR2) is handler
        """,
    )


def test_started_in_another_thread_it_is_not_taken(place: Place) -> None:
    said = err_of(
        place,
        f"""
    import threading
    thread = threading.Thread(target=outlive.start, kwargs={{"triggers": ["SIGUSR2: report"]}})
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL
    {NO_WORD}
    """,
    )
    assert said == "outlive: SIGUSR2 can be listened to only if outlive is started in the main thread\n"


def test_stop_and_start_again(place: Place) -> None:
    run(
        place,
        """
        for number in range(3):
            outlive.start(triggers=["SIGUSR2: log"])
            assert callable(signal.getsignal(signal.SIGUSR2))
            outlive.stop()
            assert signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL
            outlive.start()
            outlive.stop()
        if (pid := os.fork()) == 0:
            os.kill(os.getpid(), signal.SIGUSR2)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == signal.SIGUSR2
        """,
    )


def test_a_forked_child_listens_for_itself(place: Place) -> None:
    run(
        place,
        """
        outlive.start(triggers=["SIGUSR2: report"])
        if (pid := os.fork()) == 0:
            until(lambda: triggers().get("rules"))
            os.kill(os.getpid(), signal.SIGUSR2)
            seen(fired=1)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert triggers()["fired"] == 0
        """,
    )
