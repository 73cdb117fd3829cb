"""The suite as a whole: which tests peak highest, which leave most behind, which leak."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from outlive.errors import OutliveError
from outlive.report import suite as report

if TYPE_CHECKING:
    from collections.abc import Generator

    from outlive.capture.peaks import Peak

_PEAK, _LEFT = "outlive_peak_bytes", "outlive_left_bytes"
_SHOWN = 15


class Suite:
    """Measures tests where they run, and shows figures where they are reported: with xdist, elsewhere."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._peak: Peak | None = None
        self._rows: dict[str, report.Row] = {}
        self._seconds: dict[str, float] = {}
        self._cant = ""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Count what a test has in use, from before its fixtures to after them."""
        from outlive.capture.peaks import Peak

        try:
            peak = Peak()
            peak.__enter__()
        except OutliveError as error:
            self._cant = str(error)
            return (yield)
        self._peak = peak
        try:
            return (yield)
        finally:
            self._peak = None
            peak.__exit__()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add a test's figures to its last report, which goes to whoever shows them."""
        made = yield
        if call.when == "teardown" and self._peak is not None:
            self._peak.look()
            made.user_properties += [(_PEAK, self._peak.size_bytes), (_LEFT, self._peak.left_bytes)]
        return made

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what a test's reports say."""
        self._seconds[report.nodeid] = self._seconds.get(report.nodeid, 0.0) + report.duration
        if report.when == "teardown":
            self._rows[report.nodeid] = _row(report, self._seconds[report.nodeid])

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the tables, and write what was asked for."""
        if hasattr(self._config, "workerinput"):
            return
        rows = list(self._rows.values())
        terminalreporter.section("memory (outlive)")
        if self._cant:
            terminalreporter.write_line(f"memory can't be counted here: {self._cant}")
        shown = len(rows) if self._config.option.verbose > 0 else _SHOWN
        for line in report.text(rows, shown):
            terminalreporter.write_line(line)
        if file := self._config.option.outlive_json:
            written = json.dumps(report.as_json(rows), indent=1) + "\n"
            try:
                Path(file).write_text(written, encoding="utf-8")
                terminalreporter.write_line(f"written: {file}")
            except OSError as error:
                terminalreporter.write_line(f"can't write {file}: {error.strerror}")
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            try:
                with Path(summary).open("a", encoding="utf-8") as page:
                    page.write(report.markdown(rows, _SHOWN))
            except OSError as error:
                terminalreporter.write_line(f"can't write the summary, {summary}: {error.strerror}")


def _row(teardown: pytest.TestReport, seconds: float) -> report.Row:
    said = dict(teardown.user_properties)
    return report.Row(
        teardown.nodeid,
        seconds,
        _figure(said.get(_PEAK)),
        _figure(said.get(_LEFT)),
        str(said.get("outlive_verdict", "")),
        _figure(said.get("outlive_memory_per_run")),
    )


def _figure(said: object) -> float | None:
    return said if isinstance(said, int | float) else None
