"""A test as a run: pytest's own protocol runs it again and again, its own fixtures anew each time.

What is of a class, module or session stays. What pytest reports is the last run, with what growth it found.
"""

from __future__ import annotations

import copy
import warnings
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

import pytest
from _pytest.fixtures import FixtureDef
from _pytest.runner import runtestprotocol

from outlive.capture.peaks import Unseen
from outlive.errors import OutliveError
from outlive.pytest_plugin import options, outcome
from outlive.pytest_plugin.marks import IS_REPEATED

if TYPE_CHECKING:
    from collections.abc import Callable

    from outlive.model.growth import Growth, GrowthLimit

_STRICT = "[XPASS(strict)]"  # how pytest reports a success that is a failure, for it was expected to fail


def protocol(item: pytest.Item, nextitem: pytest.Item | None, limit: GrowthLimit) -> None:
    """Run a test as often as it takes, and report it once."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    repeated = _Repeated(item)
    *phases, teardown = repeated.reports(limit)
    for report in phases:
        item.ihook.pytest_runtest_logreport(report=report)
    # Now it is known whether the session goes on after this.
    item.ihook.pytest_runtest_logreport(report=repeated.torn_down(nextitem) or teardown)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)


class _Repeated:
    """A test that is run again and again."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        # pytest tears down what the next test does not share: with its twin, it shares all but itself.
        self._twin = copy.copy(item)
        self._properties = list(item.user_properties)
        self._figures: list[tuple[str, object]] = []
        self._last: list[pytest.TestReport] = []
        self._runs = 0

    def reports(self, limit: GrowthLimit) -> list[pytest.TestReport]:
        """Return those of the last run, by which it fails if it grows."""
        with Unseen():
            from outlive.diagnose import repeated

        item = self._item
        ignores = options.ignores(item.config)
        growth, trouble = None, ""
        try:
            growth = repeated.growth(self._once, limit, item.nodeid, ignores)
        except OutliveError as error:
            trouble = str(error)
            if not self._runs:
                self._once()
        finally:
            item.stash[IS_REPEATED] = False
        if growth is not None:
            self._tell(growth)
        elif trouble:
            why = f"memory can't be counted here: {trouble}"
            self._replace_call(lambda: outcome.unknown(item.config, why))
        elif self._runs > 1:
            note = f"this was run {self._runs} of the test, which is repeated to see whether its memory grows"
            for report in self._last:
                if not report.passed:
                    report.sections.append(("outlive", note))
        return self._last

    def _once(self) -> bool:
        item = self._item
        if self._runs:
            self._refresh()
        failed = item.session.testsfailed
        self._runs += 1
        # What it warns of is told once: pytest keeps all of it, to the end.
        with warnings.catch_warnings(record=True) if self._runs > 1 else nullcontext():
            self._last = runtestprotocol(item, log=False, nextitem=self._twin)
        item.stash[IS_REPEATED] = True
        self._drop_finalizers()
        stops = item.session.shouldstop or item.session.shouldfail
        # What failed was reported already: of a subtest.
        return all(map(_succeeded, self._last)) and item.session.testsfailed == failed and not stops

    def _drop_finalizers(self) -> None:
        """Drop those by which fixtures that stay would end the test's own, which have ended.

        Each run adds one for each fixture of the test that builds on them: there would be as many as runs.
        """
        info = getattr(self._item, "_fixtureinfo", None)
        for fixture in [each for some in info.name2fixturedefs.values() for each in some] if info else []:
            if fixture.scope != "function":
                ends = fixture._finalizers  # noqa: SLF001 - pytest has no other way
                ends[:] = [end for end in ends if not _ends_fixture_of_test(end)]

    def _refresh(self) -> None:
        """Take back what the last run left on the test itself."""
        item = self._item
        item._report_sections.clear()  # noqa: SLF001 - pytest has no other way
        item.user_properties[:] = self._properties
        is_of_hypothesis = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        # A test has an instance of its own; hypothesis wants the same one.
        if isinstance(item.parent, pytest.Class) and not is_of_hypothesis:
            for name in ("_instance", "_obj"):
                item.__dict__.pop(name, None)

    def _tell(self, growth: Growth) -> None:
        """Report what was found: a leak is a failure, what can't be told is what was chosen for it."""
        from outlive.report.growth_text import reason

        item = self._item
        self._figures = [("outlive_verdict", growth.verdict), ("outlive_runs", growth.runs)]
        self._figures += [
            (f"outlive_{each.gauge.replace(' ', '_')}_per_run", round(each.per_run.estimate, 1))
            for each in growth.gauges
        ]
        if growth.fails or growth.verdict == "not enough data":
            self._replace_call(lambda: outcome.of_growth(item.config, growth, item.nodeid))
        for report in self._last:
            report.user_properties += self._figures
            if report.when == "call":
                report.duration = growth.seconds
                if growth.ignored and not growth.fails:
                    report.sections.append(("outlive", reason(growth)))

    def _replace_call(self, what: Callable[[], None]) -> None:
        """Have the test's call end as `what` does."""
        item = self._item
        call = pytest.CallInfo.from_call(what, when="call")
        report: pytest.TestReport = item.ihook.pytest_runtest_makereport(item=item, call=call)
        self._last = [report if each.when == "call" else each for each in self._last]
        if report.failed:
            item.ihook.pytest_exception_interact(node=item, call=call, report=report)

    def torn_down(self, nextitem: pytest.Item | None) -> pytest.TestReport | None:
        """Tear down what the next test does not share; return the report of that if it fails."""
        item, session = self._item, self._item.session
        capture = item.config.pluginmanager.getplugin("capturemanager")
        following = None if session.shouldstop or session.shouldfail else nextitem
        with capture.item_capture("teardown", item) if capture else nullcontext():
            call = pytest.CallInfo.from_call(
                lambda: session._setupstate.teardown_exact(following),  # noqa: SLF001 - as pytest's runner
                when="teardown",
                reraise=(pytest.exit.Exception, KeyboardInterrupt),
            )
        if call.excinfo is None:
            return None
        report: pytest.TestReport = item.ihook.pytest_runtest_makereport(item=item, call=call)
        report.user_properties += self._figures
        return report


def _ends_fixture_of_test(end: object) -> bool:
    method = end.func if isinstance(end, partial) else None
    fixture = getattr(method, "__self__", None)
    return isinstance(fixture, FixtureDef) and fixture.scope == "function"


def _succeeded(report: pytest.TestReport) -> bool:
    """Return whether a phase did what it is for, whether or not the test was expected to fail."""
    return report.passed or (report.failed and str(report.longrepr).startswith(_STRICT))
