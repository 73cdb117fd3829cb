"""OUTLIVE=1: what `outlive enable` put into an environment starts outlive here, before the program runs."""

from __future__ import annotations

import os
import sys

from outlive.capture import notes
from outlive.capture.streams import say

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})

_was_here = False


def start() -> None:
    """Start as the environment says, once. Whatever is wrong with that is one line on stderr, and no more."""
    global _was_here  # noqa: PLW0603 - once a process
    if _was_here:
        return
    _was_here = True
    try:
        if _is_meant() and _is_true("OUTLIVE"):
            _start()
    except Exception as error:  # noqa: BLE001 - the program did not ask
        say(f"{error} (OUTLIVE is set; the program runs without outlive)")


def _is_meant() -> bool:
    """Whether this is a program that reads its environment (no -E, no -I), and not outlive itself."""
    is_outlive = os.path.basename(notes.program()) == "outlive"  # noqa: PTH119 - pathlib is not light
    return not sys.flags.ignore_environment and not is_outlive and _is_main_interpreter()


def _is_main_interpreter() -> bool:
    """Whether this is the process's first interpreter: further ones import `site` too."""
    if sys.version_info >= (3, 13):
        import _interpreters as interpreters  # type: ignore[import-not-found, unused-ignore]
    else:
        import _xxsubinterpreters as interpreters  # type: ignore[import-not-found, unused-ignore]
    return bool(interpreters.get_current() == interpreters.get_main())


def _start() -> None:
    options: dict[str, object] = {}
    for option in ("interval", "size"):
        if said := os.environ.get(f"OUTLIVE_{option.upper()}"):
            options[option] = said
    options["native"] = _is_true("OUTLIVE_NATIVE")
    from outlive.capture import sampling

    sys.modules["outlive"].start(**options)  # the package: it is above this room, and knows the defaults
    sampling.insist()


def _is_true(variable: str) -> bool:
    said = os.environ.get(variable, "")
    word = said.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(f"{variable}={said} is neither true (1) nor false (0)")
    return word in _TRUE
