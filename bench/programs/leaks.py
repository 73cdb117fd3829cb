"""Leaks whose every byte is known, among as much that dies: `leaks.py small|arrays SAMPLER|STARTS`.

Lines marked `# <-` leak. With a number for a sampler, outlive is started afresh that many times in one
process, each time with other luck.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from side_by_side.children import hand_over
from side_by_side.marked import marked_lines

import outlive
from programs.samplers import SAMPLERS, SCALENE, recordings

BLOCKS = 30_000
ARRAYS, ARRAY_ITEMS = 40, 125_000  # of 8 bytes each: 40 MB
Kept = list[object]


def small(kept: Kept) -> None:
    """Leak 5 MB in small blocks on two lines, two thirds of it on the first."""
    for number in range(0, BLOCKS, 2):
        passing: list[object] = [bytes(40 + number % 300), str(number) * 20]
        kept[number] = bytes(40 + number % 300)  # <-
        passing.append({number: number + 1})
        kept[number + 1] = bytearray(20 + number % 100)  # <-
        passing.clear()


def arrays(kept: Kept) -> None:
    """Leak 40 MB of numpy on one line."""
    import numpy as np

    for number in range(ARRAYS):
        passing = np.ones(ARRAY_ITEMS)
        kept[number] = np.zeros(ARRAY_ITEMS)  # <-
        del passing


LEAKS: dict[str, Callable[[Kept], None]] = {"small": small, "arrays": arrays}


def true_bytes(kept: Kept, lines: list[int]) -> dict[int, int]:
    """Return what each line leaked, from what the objects say of their size; they were made in turn."""
    things = [thing for thing in kept if thing is not None]
    return {line: sum(map(sys.getsizeof, things[at :: len(lines)])) for at, line in enumerate(lines)}


def under(sampler: str, leak: Callable[[Kept], None]) -> None:
    """Leak under any sampler; hand over what it holds for the leaking lines, and what for all others."""
    kept: Kept = [None] * BLOCKS
    lines = marked_lines(leak)
    if sampler != SCALENE:  # which counts from the start
        leak([None] * BLOCKS)  # on a warm heap: what fits into memory that is there must be seen, too
    held = SAMPLERS[sampler](Path(tempfile.mkdtemp()))
    leak(kept)
    by_line: Counter[int] = Counter()
    for (file, line), size in held().items():
        by_line[line if Path(file).name == Path(__file__).name else 0] += size
    hand_over(true=true_bytes(kept, lines), found={line: by_line[line] for line in lines}, file=__file__)


def again_and_again(starts: int, leak: Callable[[Kept], None]) -> None:
    """Leak under outlive as often as asked; hand over how often it was right."""
    lines = marked_lines(leak)
    inside, leading, shares = Counter[int](), 0, []
    true: dict[int, int] = {}
    folder = recordings()
    for _ in range(starts):
        kept: Kept = [None] * BLOCKS
        outlive.start(recording=folder)
        leak(kept)
        sites = outlive.sites(None)
        outlive.stop()
        true = true_bytes(kept, lines)
        found = {site.line: site.in_use for site in sites if site.file == __file__}
        for line in lines:
            if line in found:
                inside[line] += found[line].low <= true[line] <= found[line].high
        leading += {(site.file, site.line) for site in sites[: len(lines)]} == {
            (__file__, line) for line in lines
        }
        estimates = [found[line].estimate for line in lines if line in found]
        shares.append(sum(estimates) / sum(true.values()))
    hand_over(true=true, inside=inside, leading=leading, shares=shares)


def main() -> None:
    """Leak once under a sampler, or many times under outlive."""
    leak, how = LEAKS[sys.argv[1]], sys.argv[2]
    if how.isdigit():
        again_and_again(int(how), leak)
    else:
        under(how, leak)


if __name__ == "__main__":
    main()
