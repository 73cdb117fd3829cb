"""Rounds: every variant in turn, again and again, so that a slow spell of the machine hits all alike."""

import math
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from side_by_side.children import Figures

DOUBT = 0.05


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of a figure over all rounds, and between what values the true one lies, 19 times in 20."""

    median: float
    low: float
    high: float

    def interval(self, digits: int = 2) -> str:
        """Return between what values the true one lies, as text."""
        return f"{self.low:.{digits}f}-{self.high:.{digits}f}"


def in_turn(
    variants: Mapping[str, Callable[[], Figures]], rounds: int, title: str
) -> dict[str, list[Figures]]:
    """Run every variant `rounds` times, A B C then C B A; return each one's figures, round by round."""
    figures: dict[str, list[Figures]] = {name: [] for name in variants}
    for done in range(rounds):
        for name in reversed(figures) if done % 2 else figures:
            show(f"{title}: round {done + 1} of {rounds}, {name}")
            figures[name].append(variants[name]())
    show("")
    return figures


def spread(values: Sequence[float]) -> Spread:
    """Return the median of `values` and its 95 % interval; of fewer than 6, the least and the largest.

    The interval is the sign test's, which asks nothing of the noise: each value is as likely below the true
    median as above.
    """
    ordered, count = sorted(values), len(values)
    outside, tail = 0, 0.5**count
    while tail <= DOUBT / 2:
        outside += 1
        tail += math.comb(count, outside) * 0.5**count
    first = max(outside - 1, 0)
    return Spread(statistics.median(ordered), ordered[first], ordered[-1 - first])


def ratio(of: Sequence[float], to: Sequence[float]) -> Spread:
    """Return how often `to` goes into `of`, round by round: neighbours in time, not strangers."""
    return spread([a / b for a, b in zip(of, to, strict=True)])


def beyond(of: Sequence[float], to: Sequence[float]) -> Spread:
    """Return what `of` has more than `to`, round by round."""
    return spread([a - b for a, b in zip(of, to, strict=True)])


def share(count: int, of: int) -> Spread:
    """Return how large a part of all cases these are, with Wilson's 95 % interval."""
    part, z = count / of, statistics.NormalDist().inv_cdf(1 - DOUBT / 2)
    middle = (part + z * z / (2 * of)) / (1 + z * z / of)
    reach = z / (1 + z * z / of) * math.sqrt(part * (1 - part) / of + z * z / (4 * of * of))
    return Spread(part, max(middle - reach, 0.0), min(middle + reach, 1.0))


def show(text: str) -> None:
    """Let a terminal say what is being done, in the place of what it said before."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()
