"""The thread that ticks: the program neither sees it nor loses anything to it."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

# The programs say `seen` when a tick came; the thread ticks at once, then once a second.
PRELUDE = """
import _thread, gc, os, signal, sys, threading, time, warnings
from functools import partial
from outlive.capture.core import native

came = _thread.allocate_lock()
came.acquire()
threads = set()

def tick():
    threads.add(_thread.get_native_id())
    if came.locked():
        came.release()
    return True

def start(tick, period=1.0):
    native.ticker_start(tick, 0.0, period)

def wait():
    assert came.acquire(timeout=60), "no tick"

def again():
    came.acquire(blocking=False)
    wait()

def count():
    return os.stat("/proc/self/task").st_nlink - 2

def fork(child=lambda: 0):
    if (pid := os.fork()) == 0:
        os._exit(child())
    return os.waitpid(pid, 0)[1]
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
        start(tick)
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
        start(lambda: sum(range(100_000)) > 0)
        {end}
    """)


def test_a_tick_that_raises_is_silent_and_not_the_last() -> None:
    run("""
        def fail():
            tick()
            raise MemoryError
        start(fail, 0.001)
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
        start(spin)
        busy.wait()
        other, = set(sys._current_frames()) - {threading.get_ident()}
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(other), ctypes.py_object(SystemExit))
        while count() > 1:
            time.sleep(0.001)
    """)


def test_false_ends_it() -> None:
    run("""
        start(lambda: tick() and False)
        wait()
        while count() > 1:
            time.sleep(0.001)
    """)


def test_stop_ends_it_start_brings_it_back() -> None:
    run("""
        for _ in range(50):
            start(tick)
            start(tick)
            native.ticker_stop()
            native.ticker_stop()
            assert count() == 1
        start(tick)
        wait()
    """)


def test_signals_go_to_the_thread_that_waits_for_them() -> None:
    """Blocked everywhere else, a signal that is free to come in our thread would kill the process."""
    run("""
        start(tick)
        wait()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})
        for _ in range(50):
            os.kill(os.getpid(), signal.SIGTERM)
            assert signal.sigwait({signal.SIGTERM, signal.SIGUSR1}) == signal.SIGTERM
    """)


def test_the_programs_signal_mask_stays_as_it_is() -> None:
    run("""
        signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGUSR2})
        start(tick)
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == {signal.SIGUSR2}
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR2})
        status = open(f"/proc/self/task/{(wait(), *threads)[1]}/status").read()
        blocked = int(status.partition("SigBlk:")[2].split()[0], 16)
        for fault in (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL):
            assert not blocked >> fault - 1 & 1, fault
    """)


REGISTER = """
os.register_at_fork(before=native.ticker_before_fork,
                    after_in_parent=native.ticker_after_fork_in_parent,
                    after_in_child=native.ticker_after_fork_in_child)
"""


def run_with_hooks(program: str, *options: str) -> str:
    return run(REGISTER + textwrap.dedent(program), *options)


@pytest.mark.parametrize("hooks", ["", "os.register_at_fork(after_in_parent=lambda: sum(range(10_000)))"])
def test_a_fork_warns_of_no_threads_and_it_comes_back(hooks: str) -> None:
    run_with_hooks(f"""
        gc.disable()
        {hooks}
        start(tick, 0.001)
        wait()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(20):
                assert fork(lambda: count() - 2) == 0
        assert not caught, caught
        threads.clear()
        again()
    """)


@pytest.mark.parametrize("when", ["before", "after_in_parent"])
def test_what_a_signal_handler_raises_in_a_fork_reaches_the_program(when: str) -> None:
    """A hook written in Python runs the handlers of what arrived, and what they raise there is lost."""
    raised = "getattr(__import__('ctypes').PyDLL(None), 'raise')"  # signal's own would run the handler
    arrive = f"os.register_at_fork({when}=partial({raised}, signal.SIGALRM))\n"
    hooks = [REGISTER, arrive] if when == "before" else [arrive, REGISTER]  # those before run in reverse
    run(
        "".join(hooks)
        + textwrap.dedent("""
        class Timeout(Exception):
            pass
        def handle(*_):
            raise Timeout
        signal.signal(signal.SIGALRM, handle)
        start(tick)
        wait()
        try:
            fork()
        except Timeout:
            os._exit(0)
        sys.exit("lost")
    """)
    )


def test_who_forks_all_the_time_is_looked_at_all_the_same() -> None:
    run_with_hooks("""
        start(tick, 0.05)
        for _ in range(3):
            came.acquire(blocking=False)
            end = time.monotonic() + 60
            while came.locked():
                fork()
                assert time.monotonic() < end
    """)


def test_a_fork_goes_ahead_beside_a_tick_that_takes_long() -> None:
    run_with_hooks("""
        warnings.simplefilter("ignore")
        reading, writing = os.pipe()
        def look():
            tick()
            os.read(reading, 1)
            return True
        start(look, 0.001)
        wait()
        for _ in range(20):
            assert fork(lambda: count() - 2) == 0
        assert count() == 2 and came.locked()
        os.write(writing, b"x")
        again()
        assert len(threads) == 1
    """)


def test_a_tick_may_fork() -> None:
    """The child is none of the program's: nobody looks at it."""
    run_with_hooks("""
        warnings.simplefilter("ignore")
        statuses = []
        def look():
            statuses.append(fork(lambda: native.ticker_after_fork_in_child() or count() - 1))
            return tick()
        start(look, 0.001)
        wait()
        again()
        assert not any(statuses)
        native.ticker_stop()
        assert count() == 1
    """)


def test_many_threads_that_fork_at_once() -> None:
    run_with_hooks("""
        warnings.simplefilter("ignore")
        start(tick, 0.001)
        def many():
            for _ in range(20):
                fork()
        forking = [threading.Thread(target=many) for _ in range(8)]
        for thread in forking: thread.start()
        for thread in forking: thread.join()
        again()
        native.ticker_stop()
        assert count() == 1
    """)


def test_a_child_has_one_of_its_own() -> None:
    run_with_hooks("""
        start(tick)
        wait()
        def child():
            threads.clear()
            again()
            return len(threads) - 1
        assert fork(child) == 0
    """)


def test_a_fork_without_the_hooks() -> None:
    """By C code that tells Python of it, as uWSGI does; our own hooks are not registered here."""
    run("""
        import ctypes
        start(tick, 0.0001)
        for _ in range(50):
            wait()
            ctypes.PyDLL(None).PyOS_BeforeFork()
            if (pid := ctypes.PyDLL(None).fork()) == 0:
                ctypes.PyDLL(None).PyOS_AfterFork_Child()  # else the GIL is as another thread left it
                native.ticker_stop()
                start(tick)
                again()
                os._exit(count() - 2)
            ctypes.PyDLL(None).PyOS_AfterFork_Parent()
            assert os.waitpid(pid, 0)[1] == 0
    """)


def test_stop_leaves_a_tick_that_takes_long_to_itself() -> None:
    run("""
        reading, writing = os.pipe()
        def look():
            tick()
            os.read(reading, 1)
            return True
        start(look)
        wait()
        assert not native.ticker_stop()
        os.write(writing, b"x")
        assert native.ticker_stop() and count() == 1
    """)


def test_a_tick_may_stop_it() -> None:
    run("""
        start(lambda: native.ticker_stop() or tick())
        wait()
        while count() > 1:
            time.sleep(0.001)
    """)


def test_where_there_is_no_thread_to_be_had_nothing_is_said() -> None:
    run("""
        import resource
        used = int(open("/proc/self/statm").read().split()[0]) * 4096
        resource.setrlimit(resource.RLIMIT_AS, (used, used))
        start(tick)
        assert count() == 1
        native.ticker_stop()
    """)


def test_a_process_without_memory_lives_on() -> None:
    run("""
        import resource
        start(tick, 0.001)
        wait()
        kept = [None] * 1_000_000  # no chain: 3.13 frees those by recursion, for which the stack must grow
        slots = iter(range(len(kept)))
        used = int(open("/proc/self/statm").read().split()[0]) * 4096
        most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (used, most[1]))
        for size in (1 << 20, 1 << 14, 1000, 100, 24):
            try:
                for slot in slots:
                    kept[slot] = bytes(size)
            except MemoryError:
                pass
        time.sleep(0.1)  # nothing tells when it was to have died
        kept = None
        resource.setrlimit(resource.RLIMIT_AS, most)
        again()
    """)


def test_what_it_can_not_take() -> None:
    run("""
        for bad in ((), (0.0,), (-1.0, 1.0), (0.0, 0.0), (0.0, float("nan")), (0.0, "x")):
            try:
                native.ticker_start(tick, *bad)
            except (TypeError, ValueError):
                continue
            raise AssertionError(bad)
        assert count() == 1
    """)
