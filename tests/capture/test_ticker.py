"""The thread that ticks: the program neither sees it nor loses anything to it."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

# The programs say `seen` when a tick came; the thread ticks at once, then once a second.
PRELUDE = """
import _thread, gc, os, signal, sys, threading, time, warnings
from outlive.capture import ticker

came = _thread.allocate_lock()
came.acquire()
threads = set()

def tick():
    threads.add(_thread.get_native_id())
    if came.locked():
        came.release()
    return True

def wait():
    assert came.acquire(timeout=60), "no tick"

def count():
    return os.stat("/proc/self/task").st_nlink - 2
"""


def run(program: str, *options: str) -> str:
    child = subprocess.run(
        [sys.executable, *options, "-c", PRELUDE + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (child.returncode, child.stderr) == (0, ""), child
    return child.stdout


def test_threading_does_not_know_it() -> None:
    run("""
        ticker.start(tick)
        wait()
        assert threads and threading.get_native_id() not in threads
        assert threading.active_count() == len(threading.enumerate()) == 1
        assert [thread.name for thread in threading.enumerate()] == ["MainThread"]
    """)


@pytest.mark.parametrize(
    "end", ["", "sys.exit()", "raise SystemExit(0)", "os._exit(0)", "threading._shutdown()"]
)
def test_it_neither_keeps_the_process_nor_speaks_at_its_end(end: str) -> None:
    run(f"""
        ticker.start(lambda: sum(range(100_000)) > 0)
        {end}
    """)


def test_a_tick_that_raises_is_silent_and_not_the_last() -> None:
    run("""
        def fail():
            tick()
            raise MemoryError
        ticker._SECONDS = 0.001
        ticker.start(fail)
        for _ in range(3):
            wait()
    """)


def test_an_exception_that_somebody_sends_it_ends_it_silently() -> None:
    run("""
        import ctypes
        busy = threading.Event()
        def spin():
            busy.set()
            while True:
                pass
        ticker.start(spin)
        busy.wait()
        other, = set(sys._current_frames()) - {threading.get_ident()}
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(other), ctypes.py_object(SystemExit))
        while count() > 1:
            time.sleep(0.001)
    """)


def test_false_ends_it() -> None:
    run("""
        ticker.start(lambda: tick() and False)
        wait()
        while count() > 1:
            time.sleep(0.001)
    """)


def test_stop_ends_it_start_brings_it_back() -> None:
    run("""
        for _ in range(50):
            ticker.start(tick)
            ticker.start(tick)
            ticker.stop()
            ticker.stop()
            assert count() == 1
        ticker.start(tick)
        wait()
    """)


def test_signals_go_to_the_thread_that_waits_for_them() -> None:
    """Blocked everywhere else, a signal that is free to come in our thread would kill the process."""
    run("""
        ticker.start(tick)
        wait()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})
        for _ in range(50):
            os.kill(os.getpid(), signal.SIGTERM)
            assert signal.sigwait({signal.SIGTERM, signal.SIGUSR1}) == signal.SIGTERM
    """)


def test_the_programs_signal_mask_stays_as_it_is() -> None:
    run("""
        signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGUSR2})
        ticker.start(tick)
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == {signal.SIGUSR2}
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR2})
        status = open(f"/proc/self/task/{(wait(), *threads)[1]}/status").read()
        blocked = int(status.partition("SigBlk:")[2].split()[0], 16)
        for fault in (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL):
            assert not blocked >> fault - 1 & 1, fault
    """)


REGISTER = """
os.register_at_fork(before=ticker.before_fork, after_in_parent=ticker.after_fork_in_parent,
                    after_in_child=ticker.after_fork_in_child)
"""


def test_a_fork_warns_of_no_threads_and_it_comes_back() -> None:
    run(
        REGISTER
        + textwrap.dedent("""
        warnings.simplefilter("error")
        ticker.start(tick)
        wait()
        ticker._SECONDS = 0.01
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if (pid := os.fork()) == 0:
                os._exit(count() - 1)
            assert os.waitpid(pid, 0)[1] == 0
        assert not caught, caught
        gc.collect()  # what 3.13 waits for
        while came.locked():
            time.sleep(0.001)
        assert len(threads) == 2
        assert not [each for each in gc.callbacks if "outlive" in each.__module__]
    """)
    )


def test_many_threads_that_fork_at_once() -> None:
    run(
        REGISTER
        + textwrap.dedent("""
        warnings.simplefilter("ignore")
        ticker._SECONDS = 0.001
        ticker.start(tick)
        def fork():
            for _ in range(20):
                if (pid := os.fork()) == 0:
                    os._exit(0)
                os.waitpid(pid, 0)
        forking = [threading.Thread(target=fork) for _ in range(8)]
        for thread in forking: thread.start()
        for thread in forking: thread.join()
        assert ticker._forks == 0
        gc.collect()
        while came.locked():
            time.sleep(0.001)
        ticker.stop()
        assert count() == 1
    """)
    )


def test_a_child_can_have_one_of_its_own() -> None:
    run(
        REGISTER
        + textwrap.dedent("""
        ticker.start(tick)
        wait()
        threads.clear()
        if (pid := os.fork()) == 0:
            ticker.start(tick)
            wait()
            os._exit(len(threads) - 1)
        assert os.waitpid(pid, 0)[1] == 0
    """)
    )


def test_where_there_is_no_thread_to_be_had_nothing_is_said() -> None:
    run("""
        def refuse(*_):
            raise RuntimeError("can't start new thread")
        ticker.start_new_thread = refuse
        ticker.start(tick)
        assert count() == 1
        ticker.stop()
    """)
