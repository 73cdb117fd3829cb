"""Holder paths, step by step: what comes after what on the way to what is held."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outlive.model.heap import Holder
    from outlive.rules.rule import Evidence

# An entry of a dict, or an element of what grows as a list does.
ELEMENT = r"\[.*|(?:list|set|key of (?:\w+))\[.*"
_ONE_KEY = re.compile(r"\[[^…]*\]")  # the same for all: a registry's, a state's
SUSPENDED = r"(coroutine|generator|async generator) (.+?)\(\) at (.+?), suspended(?:, …)?"
_ONE_PLACE = re.compile(r"""\[(?:b?'[^']*'|b?"[^"]*"|-?\d+)\]|\w+\[[\d,]+ of [\d,]+\]""")  # by name or number
_COUNTED = re.compile(r"\w+\[(?:[\d,]+ of )?([\d,]+)\]")
_MODULE = re.compile(r"module (.+)")
_FRAME = re.compile(r"frame (.+)\(\) at .+")
_LOCAL = re.compile(r"local (.+)")


class Found(NamedTuple):
    """Steps in a row that were looked for: in which holder, from which step on, and what they say."""

    holder: Holder
    at: int
    matches: list[re.Match[str]]


def find(evidence: Evidence, *patterns: str) -> Found | None:
    """Return the first way on which steps in a row match these patterns, each as a whole."""
    for holder in evidence.ways:
        if found := find_in(holder, *patterns):
            return found
    return None


def find_in(holder: Holder, *patterns: str) -> Found | None:
    """Return the steps in a row of one way that match these patterns, each as a whole."""
    for at in range(len(holder.path) - len(patterns) + 1):
        matches = []
        for pattern, step in zip(patterns, holder.path[at:], strict=False):
            if not (match := re.fullmatch(pattern, step)):
                break
            matches.append(match)
        else:
            return Found(holder, at, matches)
    return None


def called(path: Sequence[str]) -> str:
    """Return what a program calls the place that steps lead to: "SERVICE.cache in app.jobs".

    "" for steps that no name leads along.
    """
    names: list[str] = []
    place = ""
    for step in path:
        if found := _MODULE.fullmatch(step):
            place, names = found[1], []
        elif found := _FRAME.fullmatch(step):
            place, names = f"{found[1]}()", []
        elif found := _LOCAL.fullmatch(step):
            names = [found[1]]
        elif step.startswith("."):
            names.append(step[1:])
        elif found := re.fullmatch(r"class (.+)", step):
            names = [found[1].removeprefix(f"{place}.")] if found[1] != "?" else names
        elif (found := re.fullmatch(r"function (.+)", step)) and not names:
            names = [found[1].removeprefix(f"{place}.")]
        elif not names or path[path.index(step) - 1].startswith("class "):
            names.append(step)
    return f"{'.'.join(names)} in {place}" if names and place else ""


def is_one_of_many(found: Found) -> bool:
    """Whether there may be many of what was found, each an entry of what grows.

    In a place that is the same for all that is held, there is one.
    """
    holder = found.holder
    entries = [step for step in holder.path[1 : found.at] if re.fullmatch(rf"{ELEMENT}|deque\[.*", step)]
    return any(holder.count == 1 or not _ONE_PLACE.fullmatch(step) for step in entries)


def growing(holder: Holder, first: int = 0) -> int:
    """Return which step is an entry of what grows, from the step `first` on; -1 without any.

    A key that is the same for all that is held is one entry of what does not grow: "REGISTRY['history']"
    holds the list that does. Where there is nothing but such keys, it is the first of them.
    """
    path = holder.path
    entries = [at for at, step in enumerate(path[first:], first) if re.fullmatch(ELEMENT, step)]
    many = (at for at in entries if holder.count == 1 or not _ONE_KEY.fullmatch(path[at]))
    return next(many, entries[0] if entries else -1)


def length(step: str) -> int:
    """Return how many elements a step says a container has; 0 if it does not say."""
    found = _COUNTED.fullmatch(step)
    return int(found[1].replace(",", "")) if found else 0


def is_one_for_all(holder: Holder, runs: int, after: int) -> bool:
    """Whether a container below the step `after` may hold them all: one holder then, not many."""
    if any("…" in step for step in holder.path[:after]):  # they differ in name or place
        return False
    enough = min(holder.count, runs)
    return holder.count > 1 and any(length(step) >= enough for step in holder.path[after:])
