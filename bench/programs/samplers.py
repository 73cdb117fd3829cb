"""The memory profilers that a program can be run under, each begun as its own documentation says.

A sampler is a function that begins in a folder of its own and returns one that, called once, tells what it
knows: bytes in use by source line.
"""

import atexit
import os
import shutil
import tempfile
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from side_by_side.pprof import in_use_by_line

Lines = Counter[tuple[str, int]]  # bytes in use, by file and line
Held = Callable[[], Lines]

SPARSE_BYTES = 512 * 1024  # the interval of the peers that sample


def plain(_: Path) -> Held:
    """Begin nothing."""
    return Lines


def recordings() -> str:
    """Return a new folder for outlive's recordings, in memory as its default one is; gone with the process.

    In the default one itself, each new recording would let the user's oldest go.
    """
    folder = tempfile.mkdtemp(prefix="outlive-bench-", dir="/dev/shm")
    atexit.register(shutil.rmtree, folder)
    return folder


def sampled(_: Path) -> Held:
    """Begin outlive as a service has it: 128 KiB, with its recording."""
    import outlive

    outlive.start(recording=recordings())

    def held() -> Lines:
        sites = outlive.sites(None)
        return Lines({(site.file, site.line): round(site.in_use.estimate) for site in sites})

    return held


def exact(_: Path) -> Held:
    """Begin outlive's exact mode, which line tables count with."""
    from outlive.capture.core import native

    native.start(native.MODE_EXACT, 1, 0)
    return Lines


def with_tracemalloc(_: Path) -> Held:
    """Begin tracemalloc with its default, one frame."""
    tracemalloc.start()

    def held() -> Lines:
        statistics = tracemalloc.take_snapshot().statistics("lineno")
        return Lines(
            {(each.traceback[0].filename, each.traceback[0].lineno): each.size for each in statistics}
        )

    return held


def with_memray(folder: Path, *, python_allocators: bool = False) -> Held:
    """Begin memray, its file in the folder."""
    import memray

    file = folder / "memray.bin"
    tracker = memray.Tracker(file, trace_python_allocators=python_allocators)
    tracker.__enter__()

    def held() -> Lines:
        tracker.__exit__(None, None, None)
        lines = Lines()
        with memray.FileReader(file) as reader:
            for record in reader.get_leaked_allocation_records(merge_threads=True):
                for _, name, line in record.stack_trace(max_stacks=1):
                    lines[name, line] += record.size
        return lines

    return held


def with_memray_python(folder: Path) -> Held:
    """Begin memray --trace-python-allocators."""
    return with_memray(folder, python_allocators=True)


def with_ddtrace(folder: Path) -> Held:
    """Begin ddtrace's heap profiler and none of its others; it writes into the folder, not to an agent."""
    for name in ("STACK", "LOCK", "EXCEPTION"):
        os.environ[f"DD_PROFILING_{name}_ENABLED"] = "false"
    os.environ["DD_PROFILING_HEAP_SAMPLE_SIZE"] = str(SPARSE_BYTES)
    os.environ["DD_PROFILING_OUTPUT_PPROF"] = str(folder / "heap")
    os.environ["DD_INSTRUMENTATION_TELEMETRY_ENABLED"] = "false"
    from ddtrace.profiling.profiler import Profiler

    profiler = Profiler()
    profiler.start()

    def held() -> Lines:
        profiler.stop()  # writes the file
        return in_use_by_line(max(folder.glob("heap*.pprof")), "heap-space")

    return held


def with_mprofile(_: Path) -> Held:
    """Begin mprofile."""
    import mprofile

    mprofile.start(sample_rate=SPARSE_BYTES)

    def held() -> Lines:
        statistics = mprofile.take_snapshot().statistics("lineno")
        return Lines(
            {(each.traceback[0].filename, each.traceback[0].lineno): each.size for each in statistics}
        )

    return held


PLAIN, OUTLIVE, EXACT, SCALENE = "plain", "outlive", "exact mode", "scalene"
SAMPLERS: dict[str, Callable[[Path], Held]] = {
    PLAIN: plain,
    OUTLIVE: sampled,
    EXACT: exact,
    "tracemalloc": with_tracemalloc,
    "memray": with_memray,
    "memray, Python": with_memray_python,
    SCALENE: plain,  # begun by its own command
    "ddtrace": with_ddtrace,
    "mprofile": with_mprofile,
}
