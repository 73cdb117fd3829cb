"""The native module's stub says what the built module has."""

import os
import subprocess
import sys

from tests.guards.checkout import ROOT


def test_stub_is_the_runtime() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "outlive._native"],
        cwd=ROOT,
        env=os.environ | {"MYPYPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
