"""The allocator hooks: exact while they run, gone when they stop, beside other tools, under load."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

# `in_use()` allocates a tuple and an int itself, so figures are compared within this many bytes.
PROLOGUE = """
import ctypes, gc, os, sys, threading, tracemalloc
from outlive.capture.core import native

class Allocator(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("ctx", "malloc", "calloc", "realloc", "free")]

def allocators():
    found = []
    for domain in range(3):
        one = Allocator()
        ctypes.pythonapi.PyMem_GetAllocator(domain, ctypes.byref(one))
        found.append(tuple(getattr(one, name) for name, _ in Allocator._fields_))
    return found

def in_use():
    return native.counters()[0]

def start():
    native.start(native.MODE_EXACT, 1, 0)

def stop():
    native.stop(native.MODE_EXACT)
"""


def run(program: str, **environment: str) -> str:
    """Run a program in a child process and return what it printed."""
    child = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", PROLOGUE + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environment,
    )
    assert child.returncode == 0, child.stderr
    return child.stdout


ALLOCATORS = pytest.mark.parametrize("allocator", ["pymalloc", "malloc", "pymalloc_debug", "malloc_debug"])


@ALLOCATORS
def test_stopping_puts_the_allocators_back(allocator: str) -> None:
    run(
        """
        before = allocators()
        pymalloc = os.environ["PYTHONMALLOC"] == "pymalloc"
        for mode in (native.MODE_EXACT, native.MODE_SAMPLE, native.MODE_COARSE):
            native.start(mode, 4096, 1)
            changed = [now != then for now, then in zip(allocators(), before)]
            all_of_them = mode != native.MODE_COARSE or not pymalloc  # where coarse mode has to be exact
            assert changed == [True, all_of_them, all_of_them], changed
            native.stop(7)
            assert allocators() == before and native.mode() == 0
        native.stop(native.MODE_EXACT)  # once more: nothing to do
        """,
        PYTHONMALLOC=allocator,
    )


@ALLOCATORS
def test_all_freed_is_nothing_in_use(allocator: str) -> None:
    run(
        """
        old = [bytes(100) for _ in range(1000)]
        old_list = list(range(1000))
        start()
        before = in_use()
        def churn(rounds):
            kept = []
            for i in range(rounds):
                kept.append(bytearray(i % 3000))
                kept[i // 2].extend(bytes(i % 700))  # realloc, up and in place
                kept[i // 3] = kept[i // 3][:i % 600]
            kept += [(i, str(i), {i: i}) for i in range(rounds)]
            kept.sort(key=id)  # freed in another order than made
        churn(20_000)
        threads = [threading.Thread(target=churn, args=(5_000,)) for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        del threads, thread
        old.clear()  # unknown blocks: their death counts nothing
        gc.collect()
        after = in_use()
        assert abs(after - before) < 24_000, (before, after)  # interned and cached odds and ends
        """,
        PYTHONMALLOC=allocator,
    )


def test_a_block_given_to_another_thread_counts_once() -> None:
    run(
        """
        start()
        box, made, freed = [], threading.Event(), threading.Event()
        def maker():
            box.append(bytearray(10_000_000))
            made.set()
            freed.wait()
        thread = threading.Thread(target=maker); thread.start(); made.wait()
        here = in_use()
        assert here >= 10_000_000
        box.clear()  # this thread frees what the other made
        assert here - in_use() >= 10_000_000
        freed.set(); thread.join()
        """
    )


def test_other_tools_may_wrap_and_unwrap_around_ours() -> None:
    run(
        """
        def seen():
            before = in_use()
            block = bytearray(10_000_000)
            return in_use() - before >= 10_000_000

        native.start(native.MODE_COARSE, 1, 0)
        tracemalloc.start()                 # now ours is buried
        assert seen() and native.intact()
        start()                             # and here it must not wrap itself
        assert seen() and native.intact()
        tracemalloc.stop()                  # puts MEM and OBJ back to what was there before us
        assert not native.intact()
        stop(); start()
        assert seen() and native.intact()
        tracemalloc.start(); tracemalloc.stop()
        assert seen() and native.intact()
        stop()
        tracemalloc.start()
        start()
        assert seen() and tracemalloc.get_traced_memory()[1] >= 10_000_000
        tracemalloc.stop()
        assert not native.intact()
        stop(); start()
        assert seen() and native.intact()
        """
    )


def test_an_allocator_of_arenas_that_came_later_stays() -> None:
    run(
        """
        class Arenas(ctypes.Structure):
            _fields_ = [(name, ctypes.c_void_p) for name in ("ctx", "alloc", "free")]

        def address(function):
            return ctypes.cast(function, ctypes.c_void_p).value

        def alloc():
            there = Arenas()
            ctypes.pythonapi.PyObject_GetArenaAllocator(ctypes.byref(there))
            return there.alloc

        native.start(native.MODE_COARSE, 1, 0)
        libc = ctypes.CDLL(None)
        theirs = Arenas(1, address(libc.calloc), address(libc.labs))  # calloc(1, bytes); labs frees nothing
        ctypes.pythonapi.PyObject_SetArenaAllocator(ctypes.byref(theirs))
        native.stop(native.MODE_COARSE)
        assert alloc() == theirs.alloc
        native.start(native.MODE_COARSE, 1, 0)
        assert alloc() == theirs.alloc
        """
    )


def test_fork_while_another_thread_allocates() -> None:
    run(
        """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # fork in a threaded process: on purpose
        start()
        native.start(native.MODE_SAMPLE, 4096, 7)
        done = threading.Event()
        def churn():
            while not done.is_set():
                [bytearray(n) for n in range(0, 4000, 7)]
        threads = [threading.Thread(target=churn) for _ in range(2)]
        for thread in threads: thread.start()
        for _ in range(50):
            pid = os.fork()
            if pid == 0:
                before = in_use()
                block = [bytearray(100_000) for _ in range(20)]
                os._exit(0 if in_use() - before >= 2_000_000 else 1)
            assert os.waitpid(pid, 0)[1] == 0
        done.set()
        for thread in threads: thread.join()
        """
    )


@pytest.mark.parametrize("allocator", ["pymalloc", "pymalloc_debug"])
def test_start_and_stop_in_a_loop_under_sixteen_threads(allocator: str) -> None:
    """Counting goes on and off while all kinds of blocks come and go; the program's answers stay right."""
    run(
        """
        import hashlib, json
        done, wrong = threading.Event(), []
        document = {"rows": [[i, str(i), {"x": i * 1.5}] for i in range(200)]}
        expected = json.dumps(document)
        digest = hashlib.sha256(bytes(100_000)).digest()
        def churn():
            while not done.is_set():
                if json.dumps(json.loads(expected)) != expected:
                    wrong.append("json")
                if hashlib.sha256(bytes(100_000)).digest() != digest:  # lets the GIL go
                    wrong.append("sha")
                grown = []
                for i in range(500):
                    grown.append(i)
        threads = [threading.Thread(target=churn) for _ in range(16)]
        for thread in threads: thread.start()
        for i in range(150):
            native.start(native.MODE_SAMPLE, 1 + i * 64, i + 1)
            start()
            sum(len(bytes(n)) for n in range(300))
            native.sites(); native.counters(); native.figures()
            native.stop(native.MODE_SAMPLE if i % 2 else native.MODE_EXACT)
            native.stop(7)
        done.set()
        for thread in threads: thread.join()
        assert not wrong, wrong
        """,
        PYTHONMALLOC=allocator,
    )


def test_another_interpreter_is_refused_politely() -> None:
    if sys.version_info < (3, 12):
        pytest.skip("sub-interpreters share the GIL here, and the module")
    out = run(
        """
        import importlib
        try:
            name = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
            interpreters = importlib.import_module(name)
        except ImportError:
            print("refused"); sys.exit()
        start()
        other = interpreters.create()
        said = None
        try:
            said = interpreters.run_string(other, "import outlive.capture.core")
        except Exception as error:
            said = error
        print("refused" if said is not None else "let in")
        interpreters.run_string(other, "x = [bytes(100) for _ in range(100_000)]; del x")
        interpreters.destroy(other)
        """
    )
    assert out.strip() == "refused"


def test_bad_arguments_raise_and_change_nothing() -> None:
    run(
        """
        before = allocators()
        for call in (lambda: native.start(64, 1, 1), lambda: native.start(native.MODE_SAMPLE, 0, 1)):
            try:
                call()
            except ValueError:
                pass
            else:
                raise AssertionError
        for call in (lambda: native.start("x", 1, 1), lambda: native.choose(1, b"", 0), native.stop):
            try:
                call()
            except TypeError:
                pass
            else:
                raise AssertionError
        assert allocators() == before and native.mode() == 0
        """
    )
