"""The sampler beside all that a process may do: it must not crash, hang, or change an answer."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.capture.sampled import ALLOCATORS, LONG, PRELUDE, run

# Threads that do all kinds of work, with and without the GIL, and look at their answers.
CHURN = """
import hashlib, json, zlib

done, wrong = threading.Event(), []
text = json.dumps({"rows": [[i, str(i), {"x": i * 1.5}] for i in range(100)]})
digest = hashlib.sha256(bytes(50_000)).digest()
packed = zlib.compress(text.encode())

def answers():
    grown = []
    for i in range(300):
        grown.append(bytes(i))
    names = {}
    exec("def made(n): return [n] * n", names)
    if json.dumps(json.loads(text)) != text or zlib.decompress(packed).decode() != text:
        return "text"
    if hashlib.sha256(bytearray(50_000)).digest() != digest:  # lets the GIL go
        return "digest"
    if b"".join(grown) != bytes(299 * 150) or names["made"](9) != [9] * 9:
        return "bytes"
    return None

def churn():
    while not done.is_set():
        if answers() is not None:
            wrong.append(answers())

def churning(count):
    threads = [threading.Thread(target=churn) for _ in range(count)]
    for thread in threads: thread.start()
    return threads

def enough(threads):
    done.set()
    for thread in threads: thread.join()
    assert not wrong, wrong
"""

STARTS_AND_STOPS = (
    CHURN
    + """
sys.setswitchinterval(0.001)
threads = churning(64 if LONG else 12)
end = time.monotonic() + (60 if LONG else 0)
round = 0
while round < 10 or time.monotonic() < end:
    round += 1
    start(1 + 97 * (round % 50), round, 3 << 20)
    if round % 3 == 0:
        native.start(native.MODE_EXACT, 1, 0)
    native.sites(), native.sampled(), native.counters()
    native.stop(native.MODE_SAMPLE if round % 4 else native.MODE_SAMPLE | native.MODE_EXACT)
native.stop(native.MODE_EXACT)
start(1_000)
enough(threads)
read()
"""
)


@ALLOCATORS
def test_starts_and_stops_while_threads_allocate(allocator: str) -> None:
    run(STARTS_AND_STOPS, environment={"PYTHONMALLOC": allocator})


@pytest.mark.skipif(not LONG, reason="takes minutes; OUTLIVE_LONG=1")
@pytest.mark.parametrize("allocator", ["default", "malloc"])
def test_starts_and_stops_under_address_sanitizer(tmp_path: Path, allocator: str) -> None:
    library = tmp_path / "_native.so"
    sources = sorted((Path(__file__).parents[2] / "native").glob("*.c"))
    flags = ["-std=gnu11", "-g", "-O1", "-fPIC", "-shared", "-fsanitize=address", "-fno-omit-frame-pointer"]
    include = f"-I{sysconfig.get_path('include')}"
    subprocess.run(["gcc", *flags, include, *map(str, sources), "-o", str(library), "-lm"], check=True)
    preload = subprocess.run(
        ["gcc", "-print-file-name=libasan.so"], check=True, capture_output=True, text=True
    ).stdout.strip()
    load = f"""
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.ExtensionFileLoader("outlive._native", {str(library)!r})
sys.modules["outlive._native"] = importlib.util.module_from_spec(
    importlib.util.spec_from_loader("outlive._native", loader))
"""
    program = f"{load}{PRELUDE}assert native.__file__ == {str(library)!r}\n{STARTS_AND_STOPS}"
    child = subprocess.run(
        [sys.executable, "-c", program],
        env={
            **os.environ,
            "LD_PRELOAD": preload,
            "ASAN_OPTIONS": "detect_leaks=0",
            "PYTHONMALLOC": allocator,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert (child.returncode, child.stderr) == (0, ""), child


def test_ten_thousand_frames() -> None:
    run(
        """
import functools
sys.setrecursionlimit(12_000)
threading.stack_size(512 << 20)

def python(depth):
    kept = bytes(100)
    return python(depth - 1) if depth else native.sampled()[3]

class Key:
    def __init__(self, depth):
        self.depth = depth
    def __lt__(self, other):
        bytes(100)
        if self.depth:
            sorted([Key(self.depth - 1), Key(0)])   # C calls Python calls C
        return True

def in_c():
    sorted([Key(1_000), Key(0)])
    call = functools.partial(bytes, 1_000)
    for _ in range(500):
        call = functools.partial(call)
    call()

start(64)
seen = []
for work in (lambda: python(10_000), in_c):
    thread = threading.Thread(target=lambda: seen.append(work()))
    thread.start()
    thread.join()
assert len(seen) == 2 and seen[0] > 0, seen
assert all(len(stack.frames) <= 64 for stack in read().stacks.values())
"""
    )


ANSWERS = """
import gc, itertools, json, random, re, sys, weakref
random.seed(5)
out = []
words = ["".join(random.choices("abcdef", k=random.randrange(1, 30))) for _ in range(5_000)]
table = {word: len(word) for word in words}
out.append(list(table)[::50])
out.append(sorted(set(words))[::70])
out.append([sys.getsizeof(each) for each in (words, table, set(words), "x" * 999, bytearray(700), 1 << 600)])
lists = []
for i in range(300):
    lists.append([])
    for j in range(i):
        lists[-1].append(j)
out.append([sys.getsizeof(each) for each in lists])
class Node:
    pass
died = []
def cycle(i):
    one, other = Node(), Node()
    one.other, other.one = other, one
    weakref.finalize(one, died.append, i)
for i in range(100):
    cycle(i)
gc.collect()
out.append(sorted(died))
out.append([m.group() for m in re.finditer("a+b", " ".join(words))][::20])
out.append(json.dumps(list(itertools.islice(itertools.permutations(range(6)), 50))))
try:
    [].pop()
except IndexError as error:
    out.append(str(error))
try:
    bytearray(1 << 62)
except MemoryError as error:
    out.append(repr(error))
print(hash(str(out)), len(str(out)))
"""


def test_a_program_prints_the_same() -> None:
    environment = {"PYTHONHASHSEED": "7"}
    alone = run(ANSWERS, environment=environment)
    for modes in ("native.MODE_SAMPLE", "native.MODE_SAMPLE | native.MODE_EXACT"):
        for interval in (1, 1000):
            assert run(f"native.start({modes}, {interval}, 3)\n" + ANSWERS, environment=environment) == alone


def test_signal_handlers_that_allocate() -> None:
    run(
        CHURN
        + """
import signal
came = []
def handler(number, frame):
    came.append([bytes(n) for n in range(300)])
    del came[:-5]
    counts[number] += 1
counts = {signal.SIGALRM: 0}
signal.signal(signal.SIGALRM, handler)
start(64)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
while counts[signal.SIGALRM] < 200:
    assert answers() is None
signal.setitimer(signal.ITIMER_REAL, 0)
stop()
"""
    )


def test_beside_tracers_profilers_and_a_frozen_heap() -> None:
    run(
        CHURN
        + """
import faulthandler
lines = []
def trace(frame, event, argument):
    lines.append((event, frame.f_lineno))
    del lines[:-100]
    return trace

start(64)
faulthandler.dump_traceback_later(3600)
gc.freeze()
for install in (sys.settrace, sys.setprofile, threading.settrace, threading.setprofile):
    install(trace)
    assert answers() is None
    threads = churning(2)
    for _ in range(3):
        assert answers() is None
    enough(threads)
    done.clear()
    install(None)
assert lines
if sys.version_info >= (3, 12):
    monitoring = sys.monitoring
    monitoring.use_tool_id(monitoring.COVERAGE_ID, "a coverage tool")
    monitoring.register_callback(monitoring.COVERAGE_ID, monitoring.events.LINE, lambda code, line: None)
    monitoring.set_events(monitoring.COVERAGE_ID, monitoring.events.LINE)
    assert answers() is None
gc.unfreeze()
gc.collect()
faulthandler.cancel_dump_traceback_later()
"""
    )


def test_exit_while_daemon_threads_allocate() -> None:
    program = (
        CHURN
        + """
start(64)
record(os.environ["RECORDING"])
for _ in range(8):
    threading.Thread(target=churn, daemon=True).start()
answers()
"""
    )
    for number in range(50 if LONG else 6):
        path = Path(os.environ["OUTLIVE_RECORDING"]) / f"exit-{number}"
        run(program, environment={"RECORDING": str(path)})


def test_forks_while_others_allocate() -> None:
    run(
        CHURN
        + """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # fork in a threaded process: on purpose
start(512, size=3 << 20)
path = tempfile.mkstemp()[1]
record(path)
threads = churning(4)

def forks():
    for _ in range(100 if LONG else 30):
        child = os.fork()
        if child == 0:
            *_, before, _, interval = native.sampled()
            kept = [bytes(5_000) for _ in range(200)]
            *_, after, _, interval_after = native.sampled()  # a full table loses some
            os._exit(answers() is not None or (after <= before and interval_after == interval))
        status = os.waitpid(child, 0)[1]
        if status:
            wrong.append(status)

forker = threading.Thread(target=forks)
forker.start()
forker.join()
enough(threads)
found = reader.read(pathlib.Path(path))
assert found.process.pid == os.getpid() and found.process.state == "running"
os.unlink(path)
"""
    )


def test_pools_and_storms_of_subprocesses(tmp_path: Path) -> None:
    program = tmp_path / "pools.py"
    program.write_text("""
import concurrent.futures, multiprocessing, os, subprocess, sys
import outlive

def square(n):
    return n * n, len(bytes(n * 100))

if __name__ == "__main__":
    outlive.start("4 KiB")
    for method in ("fork", "forkserver", "spawn"):
        with multiprocessing.get_context(method).Pool(3) as pool:
            assert pool.map(square, range(300)) == [(n * n, n * 100) for n in range(300)]
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        run = lambda n: subprocess.run(["echo", str(n)], stdout=subprocess.PIPE).stdout
        assert list(threads.map(run, range(100))) == [b"%d\\n" % n for n in range(100)]
        run = lambda n: subprocess.run(["echo", str(n)], stdout=subprocess.PIPE, preexec_fn=list).stdout
        assert list(map(run, range(10))) == [b"%d\\n" % n for n in range(10)]
    outlive.stop()
""")
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(program)]
    child = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert (child.returncode, child.stderr) == (0, ""), child


def test_no_memory_for_a_recording() -> None:
    run(
        """
import resource
import outlive
from outlive.errors import OutliveError

def limit(room):
    used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * 4096
    resource.setrlimit(resource.RLIMIT_AS, (used + room, resource.RLIM_INFINITY))

kept = [bytes(n) for n in range(1000)]
folder = tempfile.mkdtemp()
for size in ("512 MiB", "128 MiB"):
    limit(100 << 20)
    try:
        outlive.start(recording=folder, size=size)
    except OutliveError as error:
        assert "memory" in str(error), error
    else:
        raise AssertionError("it started")
    assert native.mode() == 0 and os.listdir(folder) == []

# Room for the region, but not for the file beside it.
limit(180 << 20)
try:
    outlive.start(recording=folder, size="128 MiB")
except OutliveError as error:
    assert "can't record" in str(error), error
else:
    raise AssertionError("it started")
assert native.mode() == 0 and os.listdir(folder) == []

# Room for both, but not for a forked child's.
limit(300 << 20)
outlive.start(recording=folder, size="128 MiB")
child = os.fork()
if child == 0:
    os._exit(sum(map(len, [bytes(n) for n in range(1000)])) != sum(range(1000)))
assert os.waitpid(child, 0)[1] == 0
assert sum(map(len, kept)) == sum(range(1000))
outlive.stop()
"""
    )
