"""What a leak pattern is to know, and what it is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from outlive.model.finding import Verdict
    from outlive.model.heap import Holder
    from outlive.model.recording import Frame

_AS_MANY = 0.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the blocks of one site that outlived the runs of one scope.

    `frames`: the stack that made them, the allocating line first. `types`: names in full of the sampled
    objects at the site, the most frequent first. `holders`: ways in which they are held, what holds most
    first; empty if no heap could be asked. `sources`: the text of lines, by (file, line), as far as files
    could be read; only of `frames`.
    """

    scope: str
    runs: int
    frames: tuple[Frame, ...]
    types: tuple[str, ...] = ()
    holders: tuple[Holder, ...] = ()
    sources: tuple[str, ...] = ()  # of each of `frames`, "" where not known

    @property
    def ways(self) -> tuple[Holder, ...]:
        """The holders that hold about as much as the first: what is held otherwise is another matter."""
        return tuple(one for one in self.holders if one.count >= _AS_MANY * self.holders[0].count)


@dataclass(frozen=True, slots=True)
class Rule:
    """One leak pattern.

    `sign` returns why the evidence shows the pattern, one clause in words for the finding's "why" line ("a
    session is opened per run and never closed"), or "" if it does not. `bounded`: the sign says that what is
    held can't grow without end (a cache with a limit), so it is no leak. `cure` is one line for the finding;
    `before` and `after` are the code, in Python that compiles. `told` is the sign for people, in a sentence.
    `verdict` is what the pattern explains; those of a leak and of bounded growth are told by holders, the
    others' signs say more of a verdict that figures have led to.
    """

    number: str  # "L02", as in the documentation
    title: str
    sign: Callable[[Evidence], str]
    cure: str
    before: str
    after: str
    bounded: bool = False
    verdict: Verdict = "leak"
    told: str = ""


class Match(NamedTuple):
    """A rule, and why the evidence shows its pattern."""

    rule: Rule
    reason: str
