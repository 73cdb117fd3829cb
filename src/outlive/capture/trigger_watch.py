"""Looks at the figures that triggers are about, once a tick, and has done what one that is set off says."""

from __future__ import annotations

import os
import time

from outlive.capture import cgroup, notes, proc, sigusr2
from outlive.capture.scope_survivors import Survivors
from outlive.capture.timeline import Seldom
from outlive.capture.trigger_actions import Actions, Event
from outlive.capture.trigger_window import Window

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Callable

    from outlive.capture.triggers import Rule

_GROUP_SECONDS = 60.0  # until we look again which group is nearest to its limit
_POINTS = 30
_SHOWN_MAX, _ERROR_MAX = 160, 400
_TICK_SECONDS = 1.0


class Watch:
    """The triggers of a process that records to `path`."""

    def __init__(self, rules: list[Rule], path: str, meanwhile: Callable[[], object]) -> None:
        """Watch for these rules; `meanwhile` is called now and then where something takes long."""
        self._states = [_State(rule, path) for rule in rules]
        self._window = Window(os.path.dirname(path))  # noqa: PTH120 - pathlib is not light
        self._actions = Actions(path, meanwhile)
        self._figures = _Figures()
        self._fired = self._held_back = self._failed = 0
        self._last: dict[str, object] = {}
        self._files: dict[str, object] = {}
        self._last_error = ""
        try:
            self._window.prepare()
        except OSError as error:
            self._fail(_cant_count(error))

    def look(self) -> dict[str, object]:
        """Look, and act. Return what the notes are to say. Raises nothing."""
        now = time.monotonic()
        signalled = sigusr2.taken() if any(state.rule.is_signal() for state in self._states) else False
        self._figures.renew(now)
        for state in self._states:
            try:
                value = state.value(now, self._figures, signalled=signalled)
                if value is not None:
                    self._set_off(state, value, now)
            except Exception as error:  # noqa: BLE001 - the other rules, and the recording, go on
                self._fail(f"{state.rule.metric}: {type(error).__name__}: {error}")
        for failure in self._actions.failures():
            self._fail(failure)
        return {"triggers": self._said()}

    def close(self) -> None:
        """Keep no files open."""
        self._actions.close()

    def _set_off(self, state: _State, value: float, now: float) -> None:
        """Act, unless that was done too lately."""
        if now < state.wait_until:
            self._hold_back(state)
            return
        rule = state.rule
        is_counted = True
        try:
            wait = self._window.claim(f"{notes.program()} {rule.name}", rule.every)
        except OSError as error:
            # Without a count a restart loop would do it again and again; that is harmless for these two only.
            is_counted, wait = False, 0.0
            self._fail(_cant_count(error))
        state.wait_until = now + (wait or rule.every)
        if wait:
            self._hold_back(state)
            return
        state.is_noted = True
        self._fired += 1
        figures = self._figures
        event = Event(rule, value, figures.rss, figures.left(), figures.limit)
        self._last = {"rule": rule.name[:_SHOWN_MAX], "time": event.time, "value_bytes": round(value)}
        for failure in self._actions.carry_out(event, is_counted=is_counted):
            self._fail(failure)
        self._files |= event.files

    def _hold_back(self, state: _State) -> None:
        if not state.is_noted:
            self._held_back += 1
        state.is_noted = True

    def _fail(self, why: str) -> None:
        self._failed += 1
        self._last_error = why[:_ERROR_MAX]

    def _said(self) -> dict[str, object]:
        return {
            "rules": len(self._states),
            "fired": self._fired,
            "held_back": self._held_back,
            "failed": self._failed,
            "last": self._last,
            **self._files,
            "last_error": self._last_error or sigusr2.refusal,
        }


def _cant_count(error: OSError) -> str:
    return f"how often triggers act can't be counted: {error.strerror or error}"


class _Figures:
    """What the kernel says of this process and its control group now."""

    def __init__(self) -> None:
        self.rss: int | None = None
        self.limit: int | None = None
        self._group = cgroup.Group()
        self._group_due = 0.0

    def renew(self, now: float) -> None:
        if now >= self._group_due:
            self._group, self._group_due = cgroup.of_this_process(), now + _GROUP_SECONDS
        self.rss, self.limit = proc.rss_bytes(), self._group.limit

    def left(self) -> int | None:
        """Return how far the limit is. Not free of cost: looked at by those that ask."""
        return self._group.left()


class _State:
    """A rule, and how it stands."""

    def __init__(self, rule: Rule, path: str) -> None:
        self.rule = rule
        self.wait_until = 0.0
        self.is_noted = False  # that it was set off, until its figure is within the bound again
        self._since: float | None = None
        self._growth = Growth(rule.window)
        self._survivors = Survivors(path)
        self._seldom = Seldom()
        self._exact: float | None = None

    def value(self, now: float, figures: _Figures, *, signalled: bool) -> float | None:
        """Return the figure if it has been past the bound for long enough, else None."""
        rule = self.rule
        if rule.is_signal():
            return 0.0 if signalled else None
        value = self._value(now, figures)
        if value is None or not rule.is_passed(value, figures.limit):
            self._since = None
            self.is_noted = False
            return None
        self._since = now if self._since is None else self._since
        return value if now - self._since >= rule.holds_for else None

    def _value(self, now: float, figures: _Figures) -> float | None:
        metric = self.rule.metric
        if metric == "rss":
            return figures.rss
        if metric == "left":
            return figures.left()
        if metric == "growth":
            return None if figures.rss is None else self._growth.add(now, figures.rss)
        try:
            most = self._survivors.at_most(self.rule.scope)
            if most is None or not self.rule.is_passed(most, None):
                return most
        except OSError:  # the recording was removed
            return None
        self._seldom.look(now, self._look_exactly)
        return self._exact

    def _look_exactly(self) -> None:
        self._exact = None
        self._exact = self._survivors.exactly(self.rule.scope)


class Growth:
    """How fast a figure grows: the median of the slopes between the lowest points of equal spans (Theil-Sen).

    What comes and goes within a span is no growth, a single step moves the median little.
    """

    def __init__(self, window: float) -> None:
        """Look back so many seconds."""
        self._span = max(1.0, window / _POINTS)
        self._most = max(2, round(window / self._span))
        self._points: list[tuple[float, float]] = []
        self._lowest: tuple[float, float] | None = None
        self._due = float("-inf")
        self._slope: float | None = None

    def add(self, now: float, figure: float) -> float | None:
        """Take a figure in; return the growth in an hour, None until the window is full."""
        span_ends = now + self._span - _TICK_SECONDS / 2
        if now > self._due + 2 * self._span * self._most:  # the first, or the process was stopped for long
            self._points, self._lowest, self._slope, self._due = [], None, None, span_ends
        if self._lowest is None or figure < self._lowest[1]:
            self._lowest = (now, figure)
        if now < self._due:
            return self._slope
        self._points = [*self._points, self._lowest][-self._most :]
        self._lowest, self._due = None, span_ends
        self._slope = self._median() if len(self._points) == self._most else None
        return self._slope

    def _median(self) -> float:
        slopes = sorted(
            (later[1] - sooner[1]) / (later[0] - sooner[0])
            for at, later in enumerate(self._points)
            for sooner in self._points[:at]
        )
        middle = len(slopes) // 2
        return 3600 * (slopes[middle] + slopes[~middle]) / 2
