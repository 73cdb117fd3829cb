"""`outlive run` of programs that fork and spawn: children end as they like, the report is the parent's."""

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Home

MIB = 1 << 20

_FILL = """
import outlive
@outlive.profile
def fill(rows=3):
    kept = [bytes(1 << 20) for _ in range(rows)]
    return len(kept)
"""
_LINE = "kept = [bytes(1 << 20) for _ in range(rows)]"


@pytest.mark.parametrize(
    ("ending", "code"),
    [("raise SystemExit(4)", 4), ("1 / 0", 1), ("os._exit(7)", 7), ("raise KeyboardInterrupt", -2)],
)
def test_a_forked_child_ends_as_it_likes_and_reports_nothing(home: "Home", ending: str, code: int) -> None:
    home.write(
        "job.py",
        f"""{_FILL}
import os
fill()
child = os.fork()
if child == 0:
    fill()
    {ending}
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
fill()
""",
    )
    ended = home.run("job.py")
    assert (ended.code, ended.own[1]) == (0, f"{code}\n")
    assert ended.out.count("Function: fill (2 calls)") == 1
    assert "Note: 1 child process was forked; what they ran is not in these tables" in ended.out
    assert len(ended.report) == 1
    assert home.profile("job.py")["notes"] == [
        "1 child process was forked; what they ran is not in these tables"
    ]


def test_a_child_forked_before_anything_is_profiled_reports_nothing(home: "Home") -> None:
    home.write(
        "job.py",
        f"""
import os
child = os.fork()
{_FILL}
fill()
if child:
    os.waitpid(child, 0)
""",
    )
    ended = home.run("job.py")
    assert ended.code == 0
    assert ended.out.count("Function: fill (1 call)") == 1
    assert len(ended.report) == 1


def test_a_child_of_a_child_and_a_fork_in_a_thread(home: "Home") -> None:
    home.write(
        "job.py",
        f"""{_FILL}
import os, threading
def deeper():
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            os._exit(fill())
        os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
thread = threading.Thread(target=deeper)
thread.start()
thread.join()
fill()
""",
    )
    ended = home.run("job.py", PYTHONWARNINGS="ignore")
    assert ended.own == (0, "3\n", "")
    assert ended.out.count("Function: fill (1 call)") == 1


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(home: "Home", method: str) -> None:
    home.write(
        "job.py",
        f"""{_FILL}
import multiprocessing
if __name__ == "__main__":
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        print(pool.map(fill, [1, 2, 3]))
        pool.close()
        pool.join()
    print(fill(4))
""",
    )
    ended = home.run("-o", "table.txt", "job.py")
    # A worker leaves the table to its parent, whatever way it was started, and the parent says so.
    assert (ended.code, ended.err.count("\n")) == (0, 1)
    assert re.findall(r"^[\d\[].*\n", ended.out, re.MULTILINE) == ["[1, 2, 3]\n", "4\n"]
    assert "Filename" not in ended.out
    word = "forked" if method == "fork" else "multiprocessing"
    assert any(word in note for note in home.profile("job.py")["notes"])
    assert (home.path / "table.txt").read_text().count("Function: fill (1 call)") == 1
    line = home.line_of(home.profile("job.py"), "fill", _LINE)
    assert line["calls"] == 1
    assert 4 * MIB <= line["increment_bytes"] <= 4.04 * MIB


def test_a_process_of_each_kind_that_profiles_and_exits(home: "Home") -> None:
    home.write(
        "job.py",
        f"""{_FILL}
import multiprocessing, subprocess, sys
if __name__ == "__main__":
    for method in ("fork", "spawn"):
        process = multiprocessing.get_context(method).Process(target=fill)
        process.start()
        process.join()
        print(process.exitcode)
    print(subprocess.run([sys.executable, "-c", "raise SystemExit(5)"]).returncode)
    fill()
""",
    )
    ended = home.run("job.py")
    assert (ended.code, ended.err.count("\n")) == (0, 1)
    assert re.findall(r"^\d$", ended.out, re.MULTILINE) == ["0", "0", "5"]


def test_a_daemon_that_outlives_the_run_does_not_hold_the_report(home: "Home") -> None:
    home.write(
        "job.py",
        f"""{_FILL}
import os
reader, writer = os.pipe()
os.set_inheritable(reader, True)
if os.fork() == 0:
    os.close(writer)
    os.close(1), os.close(2)
    os.read(reader, 1)
    os._exit(0)
fill()
""",
    )
    ended = home.run("job.py")
    assert (ended.code, ended.out.count("Function: fill (1 call)")) == (0, 1)
