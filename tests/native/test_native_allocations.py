"""What C code takes from malloc: on the line that called it, with its bytes, until it is freed."""

from __future__ import annotations

import ctypes.util
import os
import shlex
import shutil
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIBRARY = """
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void *(*variable)(size_t) = malloc; /* as libxml2 keeps one */

void *by_malloc(size_t n) { return malloc(n); }
void *by_calloc(size_t n) { return calloc(n / 8, 8); }
void *by_variable(size_t n) { return variable(n); }
void *by_realloc(size_t n) { return realloc(realloc(malloc(n / 4), n / 2), n); }
void *by_reallocarray(size_t n) { return reallocarray(NULL, n / 8, 8); }
void *by_aligned_alloc(size_t n) { return aligned_alloc(64, n); }
void *by_memalign(size_t n) { return memalign(64, n); }
void *by_valloc(size_t n) { return valloc(n); }
void *by_posix_memalign(size_t n) { void *p; return posix_memalign(&p, 64, n) == 0 ? p : NULL; }
void give(void *p) { free(p); }
void *again(void *p, size_t n) { return realloc(p, n); }

static void *without_python(void *n) { return malloc((size_t)n); }
void *in_a_thread(size_t n)
{
    pthread_t thread;
    void *p = NULL;
    if (pthread_create(&thread, NULL, without_python, (void *)n) == 0) {
        pthread_join(thread, &p);
    }
    return p;
}
"""
NAMES = ["malloc", "calloc", "variable", "realloc", "reallocarray", "aligned_alloc", "memalign", "valloc"]
NAMES += ["posix_memalign"]

# `held(n)`: what the line that ends in "# mark n" holds, estimated. At this interval no block of 64 KiB
# escapes, and of those of 3 KiB one in twenty.
PROLOGUE = """
import ctypes, os, sys, threading
from pathlib import Path
import outlive
from outlive.capture.core import native

def start(native_too=True):
    outlive.start("1 KiB", native=native_too, recording=os.environ["RECORDING"])

def load(path):
    library = ctypes.CDLL(path)
    for name in {names} + ["in_a_thread"]:
        function = getattr(library, name if name == "in_a_thread" else "by_" + name)
        function.restype, function.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.give.argtypes, library.give.restype = [ctypes.c_void_p], None
    return library

SOURCE = Path(sys.argv[0]).read_text().splitlines()

def held(mark):
    return sum(
        site.in_use.estimate
        for site in outlive.sites(None)
        if site.file == sys.argv[0] and SOURCE[site.line - 1].endswith(f"# mark {{mark}}")
    )

def near(value, truth, within=0.03):
    assert abs(value - truth) <= within * truth, (value, truth)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = os.environ.get("CC") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("library")
    source = folder / "taker.c"
    source.write_text(LIBRARY)
    built = folder / "libtaker.so"
    # Else the compiler knows what these functions do, and leaves blocks out that nobody looks at.
    options = ["-shared", "-fPIC", "-O1", "-fno-builtin", "-pthread"]
    subprocess.run([*shlex.split(compiler), *options, "-o", built, source], check=True)
    return built


@pytest.fixture
def run(library: Path, tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs a program in a child process and gives what it printed."""

    def run(program: str, **environment: str) -> str:
        script = tmp_path / "program.py"
        script.write_text(PROLOGUE.format(names=NAMES) + textwrap.dedent(program))
        child = subprocess.run(
            [sys.executable, "-X", "faulthandler", script, library],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={"RECORDING": str(tmp_path)} | environment,
        )
        assert child.returncode == 0, child.stderr
        return child.stdout

    return run


EACH_NAME = """
taker = load(sys.argv[1])
start()
for name in {names}:
    take = getattr(taker, "by_" + name)
    blocks = [
        take(3_072)  # mark 1
        for _ in range(1_000)
    ]
    blocks.append(
        take(1 << 20)  # mark 1
    )
    near(held(1), 3_072_000 + (1 << 20))
    while blocks:
        taker.give(blocks.pop())
    assert held(1) < 20_000, (name, held(1))  # the list
"""


def test_each_way_to_take_memory(run: Callable[..., str]) -> None:
    run(EACH_NAME.format(names=NAMES))


def test_beside_another_malloc(run: Callable[..., str]) -> None:
    found = ctypes.util.find_library("jemalloc")
    if found is None:
        pytest.skip("no jemalloc here")
    run(EACH_NAME.format(names=NAMES), LD_PRELOAD=found)


@pytest.mark.parametrize("allocator", ["malloc", "pymalloc_debug"])
def test_beside_other_python_allocators(run: Callable[..., str], allocator: str) -> None:
    run(EACH_NAME.format(names=["malloc", "realloc"]), PYTHONMALLOC=allocator)


def test_a_library_loaded_later(run: Callable[..., str]) -> None:
    run(
        """
        start()
        import time
        deadline = time.monotonic() + 60
        taker = load(sys.argv[1])  # no import: nobody tells
        while held(1) == 0:
            assert time.monotonic() < deadline
            block = taker.by_malloc(1 << 20)  # mark 1
        near(held(1), 1 << 20)
        """
    )


def test_realloc_to_nothing_frees(run: Callable[..., str]) -> None:
    run(
        """
        start()
        taker = load(sys.argv[1])
        reallocate = taker.again
        reallocate.restype, reallocate.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t]
        native.adopt_modules()
        for _ in range(100):
            block = taker.by_malloc(1 << 20)  # mark 1
            assert reallocate(block, 0) is None
        assert held(1) < 20_000, held(1)
        """
    )


def test_nothing_is_seen_unless_asked(run: Callable[..., str]) -> None:
    run(
        """
        taker = load(sys.argv[1])
        start(native_too=False)
        block = taker.by_malloc(1 << 20)  # mark 1
        assert held(1) < 20_000
        """
    )


def test_stopped_and_started_again(run: Callable[..., str]) -> None:
    run(
        """
        taker = load(sys.argv[1])
        for _ in range(3):
            early = taker.by_malloc(1 << 20)
            start()
            taker.give(early)  # nobody knows it
            block = taker.by_malloc(1 << 20)  # mark 1
            near(held(1), 1 << 20)
            outlive.stop()
            taker.give(taker.by_realloc(1 << 20))
            taker.give(block)
        start()
        assert held(1) == 0
        """
    )


def test_a_thread_that_python_does_not_know(run: Callable[..., str]) -> None:
    run(
        """
        taker = load(sys.argv[1])
        start()
        block = taker.in_a_thread(1 << 20)  # mark 1
        nowhere = [site for site in outlive.sites(None) if site.file == ""]
        near(sum(site.in_use.estimate for site in nowhere), 1 << 20, within=0.1)
        taker.give(block)
        """
    )


def test_threads_that_give_the_gil_away(run: Callable[..., str]) -> None:
    """ctypes lets the GIL go around a call: the block counts all the same, though it may have no line."""
    run(
        """
        taker = load(sys.argv[1])
        start()
        def work():
            for _ in range(2_000):
                taker.give(taker.by_realloc(3_000))
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert sum(site.in_use.estimate for site in outlive.sites(None)) < 10 << 20
        """
    )


def test_a_forked_child(run: Callable[..., str]) -> None:
    run(
        """
        taker = load(sys.argv[1])
        start()
        block = taker.by_malloc(1 << 20)  # mark 1
        pid = os.fork()
        if pid == 0:
            taker.give(block)
            assert held(1) < 20_000
            more = taker.by_malloc(1 << 21)  # mark 2
            near(held(2), 1 << 21)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        near(held(1), 1 << 20)
        """
    )


def test_numpy_counts_once(run: Callable[..., str]) -> None:
    run(
        """
        import numpy
        start()
        array = numpy.empty(5_000_000)  # mark 1
        near(held(1), 40_000_000)
        many = [numpy.empty(500) for _ in range(1_000)]  # mark 2
        near(held(2), 4_000_000, within=0.1)  # and the objects around them
        del array, many
        assert held(1) < 20_000 and held(2) < 40_000
        """
    )


def test_lxml(run: Callable[..., str]) -> None:
    """libxml2 calls malloc through a variable; it takes about 460 bytes for such an element."""
    pytest.importorskip("lxml")
    run(
        """
        from lxml import etree
        libc = ctypes.CDLL(None)
        class Figures(ctypes.Structure):
            _fields_ = [(name, ctypes.c_size_t) for name in "abcdefghij"]
        libc.mallinfo2.restype = Figures
        def in_use():
            figures = libc.mallinfo2()
            return figures.e + figures.h  # by mmap, and in the heap
        text = b"<r>" + b"".join(b"<e a='%d'>text %d</e>" % (i, i) for i in range(50_000)) + b"</r>"
        start()
        before = in_use()
        tree = etree.fromstring(text)  # mark 1
        grown = in_use() - before
        assert grown > 10_000_000
        assert 0.7 * grown < held(1) < 1.02 * grown, (held(1), grown)  # malloc rounds up
        del tree
        assert held(1) < 0.01 * grown
        """
    )


def test_pyarrow(run: Callable[..., str]) -> None:
    pytest.importorskip("pyarrow")
    run(
        """
        start()
        import pyarrow
        assert pyarrow.default_memory_pool().backend_name == "system"
        column = pyarrow.array(range(1_000_000))  # mark 1
        near(held(1), 8_000_000)
        del column
        assert held(1) < 20_000
        """
    )


def test_a_pool_that_was_chosen_stays(run: Callable[..., str]) -> None:
    variable = "ARROW_DEFAULT_MEMORY_POOL"
    run(f"start(); assert os.environ[{variable!r}] == 'mimalloc'", **{variable: "mimalloc"})
