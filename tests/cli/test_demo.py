"""`outlive demo` from start to end in real processes, and what is left when it is cut off."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ROWS = 1_000


def demo(*arguments: object, temporary: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "outlive", "demo", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(temporary)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def tree() -> set[Path]:
    folders = (ROOT / "examples", ROOT / "src" / "outlive" / "demo")
    visible = {path for path in ROOT.iterdir() if not path.name.startswith(".")}  # the rest is other tools'
    return visible | {path for folder in folders for path in folder.rglob("*")}


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One whole demo: its output, its JSON, and what it left."""
    folder = tmp_path_factory.mktemp("shown")
    (folder / "temporary").mkdir()
    before = tree()
    with demo("--rows", ROWS, "--json", folder / "demo.json", temporary=folder / "temporary") as process:
        stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stderr
    return {
        "stdout": stdout,
        "stderr": stderr,
        "json": json.loads((folder / "demo.json").read_text(encoding="utf-8")),
        "left": list((folder / "temporary").iterdir()),
        "new in the tree": tree() - before,
    }


def test_both_tables_are_shown_then_the_comparison(shown: dict[str, Any]) -> None:
    landmarks = [
        "examples/leaky_export/buggy.py",
        "all_activities = activities.scalars().all()",
        "await session.execute(query): Mem usage rises by",
        "examples/leaky_export/streaming.py",
        "await session.stream(query)",
        "peak RSS",
        "Saving:",
        "and reads",
        "peak bloat",
        "malloc_trim",
        "The cache leak",
        "FETCHED['export-",
        "The session leak",
        "RUNNING['export-",
        "The task leak",
        "TASKS → list[",
        "3 of 3 leaks found with their line, holder, rule and cure; 3 of 3 cures verified.",
    ]
    places = [shown["stdout"].index(each) for each in landmarks]
    assert places == sorted(places)


def test_each_leak_is_found_and_its_cure_verified(shown: dict[str, Any]) -> None:
    leaks = shown["json"]["leaks"]
    assert [(leak["name"], leak["wrong"], leak["verified"]) for leak in leaks] == [
        (name, [], True) for name in ("cache", "session", "task")
    ]
    for leak in leaks:
        finding, before, after = leak["finding"], leak["before"], leak["after"]
        assert finding["site"]["file"] == str(ROOT / "examples/leaky_export/leaks.py")
        assert finding["cure"]
        # 250 rows of some kilobytes each, as objects.
        assert 1 << 20 < before["per_run_bytes"]["low"] <= before["per_run_bytes"]["high"] < 10 << 20
        assert after["per_run_bytes"]["high"] < 32 << 10
        assert after["peak_rss_bytes"]["estimate"] < before["peak_rss_bytes"]["estimate"] / 2


def test_every_cell_was_compared(shown: dict[str, Any]) -> None:
    report = shown["json"]
    assert report["rows"] == ROWS
    assert report["streaming"]["rows_expected"] == report["streaming"]["rows_found"] == ROWS
    assert (report["streaming"]["cells_checked"], report["streaming"]["cells_wrong"]) == (3 * ROWS, 0)
    assert (report["streaming"]["rows_wrong"], report["streaming"]["cells_extra"]) == (0, 0)
    assert report["streaming"]["first_wrong"] is None
    assert report["buggy"]["rows_wrong"] == report["buggy"]["rows_expected"] == ROWS
    assert 2 * ROWS < report["buggy"]["cells_wrong"] <= report["buggy"]["cells_checked"] == 3 * ROWS
    assert report["buggy"]["cells_extra"] > ROWS


def test_the_buggy_job_left_no_row_alive(shown: dict[str, Any]) -> None:
    buggy = shown["json"]["buggy"]
    assert buggy["rows_alive_after"] == 0
    assert buggy["python_in_use_after_bytes"] < buggy["peak_python_bytes"]
    assert buggy["base_rss_bytes"] < buggy["rss_after_bytes"] <= buggy["peak_rss_bytes"]


def test_saving_is_the_share_of_the_peak(shown: dict[str, Any]) -> None:
    report = shown["json"]
    ratio = report["streaming"]["peak_rss_bytes"] / report["buggy"]["peak_rss_bytes"]
    assert report["saving"] == pytest.approx(1 - ratio)


def test_nothing_is_left(shown: dict[str, Any]) -> None:
    assert shown["left"] == []
    assert shown["new in the tree"] == set()


def test_a_pipe_gets_no_colour_and_no_animation(shown: dict[str, Any]) -> None:
    for stream in (shown["stdout"], shown["stderr"]):
        assert "\033" not in stream
        assert "\r" not in stream


@pytest.mark.parametrize(
    "step",
    [
        f"seeding {ROWS:,}",
        "running the buggy",
        "comparing every cell of the buggy",
        "running 100 exports with the cache leak",
    ],
)
@pytest.mark.parametrize(
    ("ending", "send", "exit_code"), [("SIGINT", os.killpg, 130), ("SIGTERM", os.kill, 143)]
)
def test_an_end_at_any_step_leaves_nothing(
    temporary: Path, step: str, ending: str, send: Callable[[int, int], None], exit_code: int
) -> None:
    with demo("--rows", ROWS, temporary=temporary) as process:
        assert process.stderr
        while not (line := process.stderr.readline()).startswith(step):
            assert line, "the demo ended before the step came"
        child = wait_for_child(process)
        send(process.pid, signal.Signals[ending])
        process.communicate(timeout=60)
    assert process.returncode == exit_code
    assert list(temporary.iterdir()) == []
    assert not Path(f"/proc/{child}").exists()


def wait_for_child(process: subprocess.Popen[str]) -> int:
    """Return the id of the demo's child as soon as it has one."""
    while process.poll() is None:
        if children := Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            return int(children[0])
        os.sched_yield()
    raise AssertionError("the demo ended without a child")


def test_a_child_that_fails_is_quoted(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "sqlalchemy.py").write_text("raise RuntimeError('planted')\n")
    with demo("--rows", ROWS, temporary=temporary, PYTHONPATH=str(tmp_path)) as process:
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 3
    assert (
        "outlive: the demo stopped while seeding the database: its process ended with exit code 1" in stderr
    )
    assert "RuntimeError: planted" in stderr
    assert list(temporary.iterdir()) == []


EXPECTING_OTHERWISE = """
from dataclasses import replace
from outlive.cli import main
from outlive.demo import leaks
leaks.PLANTED = (replace(leaks.PLANTED[2], rule="L99"),)
main()
"""


def test_a_leak_that_is_not_found_as_it_is_fails_the_demo(temporary: Path, tmp_path: Path) -> None:
    document = tmp_path / "demo.json"
    done = subprocess.run(
        [sys.executable, "-c", EXPECTING_OTHERWISE, "demo", "--rows", "250", "--json", str(document)],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 3
    assert "rule: L08, not L99" in done.stdout
    assert "0 of 1 leaks found" in done.stdout
    assert "outlive: the task leak was not found as it is" in done.stderr.splitlines()[-1]
    (leak,) = json.loads(document.read_text(encoding="utf-8"))["leaks"]
    assert (leak["wrong"], leak["verified"]) == (["rule: L08, not L99"], True)
    assert list(temporary.iterdir()) == []


def test_few_rows_leave_the_leaks_out(temporary: Path, tmp_path: Path) -> None:
    document = tmp_path / "demo.json"
    with demo("--rows", 5, "--json", document, temporary=temporary) as process:
        stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stderr
    assert "The leaks were left out. For them, type: outlive demo --rows 250\n" in stdout
    assert "leak" not in stderr
    assert json.loads(document.read_text(encoding="utf-8"))["leaks"] == []


def test_more_rows_than_the_machine_can_hold(temporary: Path) -> None:
    with demo("--rows", 10**12, temporary=temporary) as process:
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "type: outlive demo --rows" in stderr
    assert stderr.count("\n") == 1
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rows", "0"), "--rows"),
        (("--rows", "many"), "--rows"),
        (("extra",), "extra"),
        (("--json", "/nowhere/demo.json"), "can't write /nowhere/demo.json"),
    ],
)
def test_bad_usage_is_one_clear_line(temporary: Path, arguments: tuple[str, ...], said: str) -> None:
    with demo(*arguments, temporary=temporary) as process:
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said in stderr
    assert stderr.count("\n") == 1
    assert list(temporary.iterdir()) == []
