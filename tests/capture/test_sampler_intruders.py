"""What others may do to the sampler and its file: the host must not notice, and no figure may be wrong."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from typing import TYPE_CHECKING

import pytest

from outlive.recording import reader
from outlive.recording.totals import in_use
from tests.capture.sampled import PRELUDE, run

if TYPE_CHECKING:
    from pathlib import Path

# A recorded process that allocates, and what is done to its file meanwhile.
RECORDED = """
import outlive
folder = os.environ["OUTLIVE_RECORDING"]
outlive.start("4 KiB")
from outlive.capture import sampling
path = pathlib.Path(sampling.recording_path())

def work():
    kept = [bytes(100) * (n % 50) for n in range(20_000)]
    assert sum(map(len, kept)) == sum(100 * (n % 50) for n in range(20_000))
    return kept

kept = work()
{intrusion}
for _ in range(20):
    work()
    kept.append(bytearray(1 << 20))
deadline = time.monotonic() + 30
while pathlib.Path(sampling.recording_path() or path) == path:  # the ticker begins another file
    assert time.monotonic() < deadline
    work()
leaked = [bytearray(1 << 20) for _ in range(50)]
outlive.stop()
others = [each for each in pathlib.Path(folder).iterdir() if each != path]
newest = max(others, key=lambda each: each.stat().st_mtime)
print(newest)
"""
INTRUSIONS = {
    "cut to nothing": "os.truncate(path, 0)",
    "cut in the middle": "os.truncate(path, path.stat().st_size // 2)",
    "written over with nothing": "path.write_bytes(bytes(path.stat().st_size))",
    "written over with noise": "path.write_bytes(os.urandom(path.stat().st_size))",
    "noise behind the header": """
with path.open("r+b") as file:
    file.seek(4096)
    file.write(os.urandom(path.stat().st_size - 4096))
    file.seek(100)
    file.write(os.urandom(100))
""",
}


@pytest.mark.parametrize("intrusion", INTRUSIONS)
def test_a_file_that_others_write_to_is_left(intrusion: str, tmp_path: Path) -> None:
    program = RECORDED.format(intrusion=INTRUSIONS[intrusion])
    said = run(program, environment={"OUTLIVE_RECORDING": str(tmp_path)})
    found = reader.read(type(tmp_path)(said.strip()))
    assert in_use(found).high >= 50 << 20
    assert in_use(found).low <= 100 << 20


def test_when_tracemalloc_ends_the_sampler_goes_on() -> None:
    run(
        """
import tracemalloc, outlive
tracemalloc.start()
outlive.start("16 KiB")
def make(): return [bytes(1000) for _ in range(20_000)]
def held():
    return sum(site.in_use.estimate for site in outlive.sites(None) if site.file == "<string>")
kept = make()
assert held() > 15_000_000
tracemalloc.stop()  # puts back what it found, which was not ours
kept.clear()
deadline = time.monotonic() + 30
while held() > 1_000_000:  # deaths were missed, so what there was is left out
    assert time.monotonic() < deadline
    time.sleep(0.01)
kept = make()
assert 15_000_000 < held() < 30_000_000
"""
    )


def test_an_exit_leaves_what_was_alive(tmp_path: Path) -> None:
    path = tmp_path / "exit.outlive"
    program = """
import atexit, outlive
outlive.start("16 KiB", recording={path!r})
kept = [bytes(1000) for _ in range(20_000)]
atexit.register(kept.clear)  # the program's own way to end: what it drops is dropped
held = [bytes(1000) for _ in range(20_000)]
class Late:
    def __del__(self):
        self.again = [bytes(1000) for _ in range(1000)]
late = Late()
"""
    run(program.format(path=str(path)))
    found = reader.read(path)
    assert (found.process.state, found.process.status) == ("exited", 0)
    alive = in_use(found)
    assert alive.low <= 20_000 * 1033 + 3_000_000
    assert alive.high >= 0.9 * 20_000 * 1033  # by chance, one 95 % interval in 40 is below the truth
    assert found.timeline[-1].rss


FORK_HANDLER = """
#include <pthread.h>
#include <Python.h>
static void *blocks[100];
static void before(void)
{
    for (int i = 0; i < 100; i++) { PyMem_RawFree(blocks[i]); blocks[i] = NULL; }
    if (PyGILState_Check()) {
        for (int i = 0; i < 5000; i++) { Py_DECREF(PyBytes_FromStringAndSize(NULL, 100)); }
    }
}
static void after(void) { for (int i = 0; i < 100; i++) blocks[i] = PyMem_RawMalloc(10000); }
void watch_forks(void) { after(); pthread_atfork(before, after, after); }
"""


def test_fork_handlers_that_allocate(tmp_path: Path) -> None:
    """Registered before ours, they run while all locks are held."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    source, library = tmp_path / "handler.c", tmp_path / "handler.so"
    source.write_text(FORK_HANDLER)
    include = f"-I{sysconfig.get_path('include')}"
    subprocess.run([compiler, "-shared", "-fPIC", include, str(source), "-o", str(library)], check=True)
    program = f"""
import ctypes, os, warnings
warnings.simplefilter("ignore")
ctypes.PyDLL({str(library)!r}).watch_forks()
exec(compile({PRELUDE!r}, "<prelude>", "exec"))
start(1000)
for _ in range(20):
    child = os.fork()
    if child == 0:
        os._exit(len([bytes(n) for n in range(1000)]) != 1000)
    assert os.waitpid(child, 0)[1] == 0
"""
    command = [sys.executable, "-c", program]  # outlive comes after the library
    child = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (child.returncode, child.stderr) == (0, ""), child
