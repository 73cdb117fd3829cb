"""What a greenlet allocates has the frames of who switched to it: so SQLAlchemy's asyncio runs queries."""

import subprocess
import sys
from pathlib import Path

import pytest

from outlive.recording.reader import read

pytest.importorskip("greenlet")

_BEGIN = """
import sys
import outlive
outlive.start("1 KiB", recording=sys.argv[1])
import greenlet
kept = []
def allocate():
    kept.append([bytearray(400) for _ in range(1000)])
"""


def stacks(folder: Path, program: str) -> list[list[str]]:
    """Return the functions of each stack with allocate() in it, innermost first."""
    file = folder / "seen.outlive"
    subprocess.run([sys.executable, "-c", _BEGIN + program, file], check=True, timeout=120)
    recording = read(file)
    found = [[frame.function for frame in recording.stacks[one.stack].frames] for one in recording.samples]
    return [functions for functions in found if "allocate" in functions]


def test_who_called_a_greenlet_is_below_it(tmp_path: Path) -> None:
    found = stacks(
        tmp_path,
        """
def inside():
    allocate()
    greenlet.getcurrent().parent.switch()
    allocate()
def export():
    child = greenlet.greenlet(inside)
    child.switch()
    again(child)
def again(child):
    child.switch()
with outlive.scope("export"):
    export()
""",
    )
    below = {tuple(functions[functions.index("inside") + 1 :]) for functions in found}
    assert below == {("export", "<module>"), ("again", "export", "<module>")}


def test_nothing_is_below_after_it_gave_way(tmp_path: Path) -> None:
    found = stacks(
        tmp_path,
        """
def inside():
    greenlet.getcurrent().parent.switch()
def export():
    child = greenlet.greenlet(inside)
    child.switch()
    return child
with outlive.scope("export"):
    child = export()
    allocate()
""",
    )
    assert {tuple(functions[functions.index("allocate") + 1 :]) for functions in found} == {("<module>",)}


def test_a_trace_function_of_the_programs_own_stays(tmp_path: Path) -> None:
    found = stacks(
        tmp_path,
        """
seen = []
mine = lambda event, args: seen.append(event)
greenlet.settrace(mine)
with outlive.scope("export"):
    greenlet.greenlet(allocate).switch()
assert greenlet.gettrace() is mine
assert seen == ["switch", "switch"]
""",
    )
    assert found


def test_one_that_takes_its_place_meanwhile_gets_all_switches(tmp_path: Path) -> None:
    assert stacks(
        tmp_path,
        """
seen = []
def inside():
    greenlet.settrace(lambda event, args: seen.append(event))
    greenlet.getcurrent().parent.switch()
def export():
    child = greenlet.greenlet(inside)
    child.switch()
    allocate()
    child.switch()
with outlive.scope("export"):
    export()
assert seen == ["switch"] * 3
""",
    )
