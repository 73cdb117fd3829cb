"""What was promised, what was measured, and the printed form of both."""

import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from side_by_side.rounds import Spread


@dataclass(frozen=True, slots=True)
class Reach:
    """A figure and the limit it may not pass. A number that is not a sample has itself for an interval."""

    what: str
    figure: Spread
    limit: float
    unit: str = ""

    @property
    def verdict(self) -> str:
        """Whether the figure keeps to its limit, if the rounds agree on that."""
        if self.figure.high <= self.limit:
            return "met"
        if self.figure.low > self.limit:
            return "NOT MET"
        return f"too noisy to tell ({self.figure.low:.3g} to {self.figure.high:.3g}); more --rounds may"

    def __str__(self) -> str:
        """Return the line that ends a benchmark's table."""
        limit, found = f"{self.limit:g}{self.unit}", f"{self.figure.median:.3g}{self.unit}"
        return f"reach: {self.what} <= {limit}: {found}, {self.verdict}"


def exactly(figure: float) -> Spread:
    """Return the figure as one that does not vary."""
    return Spread(figure, figure, figure)


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table of text; a column with a number in it is aligned right."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def __str__(self) -> str:
        """Return it as lines of text."""
        columns = [_padded(column) for column in zip(self.columns, *self.rows, strict=True)]
        header, *lines = ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]
        return "\n".join([self.title, header, "-" * max(map(len, [header, *lines])), *lines])


def _padded(cells: Sequence[str]) -> list[str]:
    width = max(map(len, cells))
    right = any(cell[:1].isdigit() for cell in cells[1:])
    return [cell.rjust(width) if right else cell.ljust(width) for cell in cells]


def finish(tables: Sequence[Table], reaches: Sequence[Reach], *, as_json: bool) -> int:
    """Print all, as text or as JSON, and return the exit code: 1 if a limit was passed."""
    python = platform.python_version()
    if as_json:
        print(
            json.dumps(
                {
                    "schema": 1,
                    "python": python,
                    "tables": [asdict(table) for table in tables],
                    "reaches": [{**asdict(reach), "verdict": reach.verdict} for reach in reaches],
                },
                indent=2,
            )
        )
    else:
        print(f"CPython {python}\n")
        for table in tables:
            print(f"{table}\n")
        for reach in reaches:
            print(reach)
    sys.stdout.flush()
    return 1 if any(reach.verdict == "NOT MET" for reach in reaches) else 0
