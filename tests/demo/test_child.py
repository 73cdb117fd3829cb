"""A step that fails is told with its last words, also if its exit code says nothing of it."""

from pathlib import Path

import pytest

from outlive.demo.child import run_child
from outlive.errors import OutliveError


def run(folder: Path, program: str, report: Path | None = None) -> None:
    run_child(
        ["-c", program],
        what="trying",
        root=folder,
        log=folder / "step.log",
        look=lambda _pid, _seconds: None,
        report=report,
    )


def test_a_step_that_goes_well(tmp_path: Path) -> None:
    report = tmp_path / "report"
    run(tmp_path, f"open({str(report)!r}, 'w').close()", report)
    assert report.exists()


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("print('last words'); raise SystemExit(5)", r"exit code 5\n  last words$"),
        ("print('last words', flush=True); import os; os.abort()", r"ended by SIGABRT\n  last words$"),
        ("print('last words')", r"exit code 0\n  last words$"),
    ],
)
def test_a_step_that_leaves_no_report(tmp_path: Path, program: str, said: str) -> None:
    with pytest.raises(OutliveError, match=rf"stopped while trying: its process (ended with |was ){said}"):
        run(tmp_path, program, tmp_path / "report")
