"""Switches line events on and off: sys.monitoring on 3.12 and later, the core's trace function on 3.11."""

from __future__ import annotations

import sys

from outlive.capture.core import native

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from types import CodeType

if sys.version_info >= (3, 12):
    _monitoring = sys.monitoring
    _EVENTS = _monitoring.events
    _LOCAL = _EVENTS.PY_START | _EVENTS.PY_RESUME | _EVENTS.PY_RETURN | _EVENTS.PY_YIELD | _EVENTS.LINE
    _GLOBAL = _EVENTS.PY_THROW | _EVENTS.PY_UNWIND  # PEP 669 has no local form of these
    _CALLBACKS = {
        _EVENTS.PY_START: native.on_call,
        _EVENTS.PY_RESUME: native.on_resume,
        _EVENTS.PY_THROW: native.on_resume,
        _EVENTS.LINE: native.on_line,
        _EVENTS.PY_RETURN: native.on_leave,
        _EVENTS.PY_YIELD: native.on_leave,
        _EVENTS.PY_UNWIND: native.on_leave,
    }
    # The ids without a meaning of their own first: cProfile insists on PROFILER_ID, coverage and debuggers on
    # theirs.
    _TOOL_IDS = (4, 3, _monitoring.PROFILER_ID)
    _tool: int | None = None
    _followed: list[CodeType] = []

    def start() -> str:
        """Begin events for all code followed. Returns "", or why there will be none."""
        global _tool  # noqa: PLW0603 - one tool id a process
        _tool = next((tool for tool in _TOOL_IDS if _monitoring.get_tool(tool) is None), None)
        if _tool is None:
            holders = ", ".join(str(_monitoring.get_tool(tool)) for tool in _TOOL_IDS)
            return f"no lines: all sys.monitoring tool ids are taken (by {holders}); run without one of them"
        _monitoring.use_tool_id(_tool, "outlive")
        for event, callback in _CALLBACKS.items():
            _monitoring.register_callback(_tool, event, callback)
        _monitoring.set_events(_tool, _GLOBAL)
        for code in _followed:
            _monitoring.set_local_events(_tool, code, _LOCAL)
        return ""

    def follow(code: CodeType) -> None:
        """Have events for `code`."""
        _followed.append(code)
        if _tool is not None:
            _monitoring.set_local_events(_tool, code, _LOCAL)

    def stop() -> None:
        """End all events and give the tool id back."""
        global _tool  # noqa: PLW0603 - one tool id a process
        if _tool is None or _monitoring.get_tool(_tool) != "outlive":
            return
        _monitoring.set_events(_tool, _EVENTS.NO_EVENTS)
        for code in _followed:
            _monitoring.set_local_events(_tool, code, _EVENTS.NO_EVENTS)
        for event in _CALLBACKS:
            _monitoring.register_callback(_tool, event, None)
        _monitoring.free_tool_id(_tool)
        _tool = None

else:

    def start() -> str:
        """Begin events for all code followed. Returns "", or why there will be none."""
        native.trace(True)  # noqa: FBT003 - a C function
        return ""

    def follow(code: CodeType) -> None:
        """Have events for `code`: the core looks each frame's code up among the chosen ones."""

    def stop() -> None:
        """End all events."""
        native.trace(False)  # noqa: FBT003 - a C function
