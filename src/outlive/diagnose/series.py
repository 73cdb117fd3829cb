"""Does a gauge grow from run to run? Told from readings after runs.

The lowest readings of equal stretches, against sawteeth; their slope by Theil and Sen with bounds at 99 %. A
leak's slope is above the limit in each segment of the runs, and hardly less in the last than in the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.diagnose.statistics import Z99, block_minima, theil_sen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outlive.diagnose.statistics import Slope

    Series = tuple[Sequence[int], Sequence[int]]
    """Numbers of runs, and what a gauge said after each."""

QUIET_RUNS = 20  # without growth; a leak in every tenth run would have shown twice
MINIMA = 20
LAST_SHARE = 1 / 2  # of the first segment's slope: logarithmic growth has less by then
_WINDOWS = (QUIET_RUNS, 2 * QUIET_RUNS, 4 * QUIET_RUNS)
_Z_PEEKING = 3.72  # one in 10,000: it is asked again and again
_READINGS_LEAST = 4
_PASSING = 2
_NEARLY_ONE = 0.9


def slope(series: Series, z: float = Z99) -> Slope:
    """Return what a run adds. Raises ValueError where all readings are of one run."""
    runs, figures = series
    return theil_sen(*block_minima(list(runs), list(figures), MINIMA), z)


def is_flat(series: Series, limit: float) -> bool:
    """Return whether the last runs, some dozens, surely add no more than `limit` each."""
    runs, figures = series
    for window in _WINDOWS:
        first = next((i for i in range(len(runs) - 1, -1, -1) if runs[-1] - runs[i] >= window), None)
        if first is None:
            return False
        if len(runs) - first < _READINGS_LEAST:
            continue
        if figures[-1] - figures[first] > limit * (runs[-1] - runs[first]):
            continue
        if slope((runs[first:], figures[first:]), _Z_PEEKING).high <= limit:
            return True
    return False


def grows(segments: Sequence[Series], limit: float) -> bool:
    """Return whether each run surely adds more than `limit`, in every segment, and does not stop to."""
    slopes = [slope(each) for each in segments]
    return all(each.low > limit for each in slopes) and slopes[-1].slope >= LAST_SHARE * slopes[0].slope


def every_run_adds(segments: Sequence[Series]) -> bool:
    """Return whether each run added one at least, in every segment: for figures next to without noise.

    A few may be gone at a moment, or not be there yet: another thread opens and closes files too.
    """
    for runs, figures in segments:
        if len(runs) < 2 or figures[-1] - figures[0] < runs[-1] - runs[0] - _PASSING:  # noqa: PLR2004
            return False
        if slope((runs, figures)).slope < _NEARLY_ONE:
            return False
    return True
