"""What pymalloc says of itself: the report that `sys._debugmallocstats` prints, and `native.heap` returns."""

from __future__ import annotations


def figures(report: str, *names: str) -> list[int] | None:
    """Return the bytes that lines of the report give for these names, None if pymalloc does not run here."""
    found = []
    for name in names:
        at = report.find(name)
        figure = report[at : report.find("\n", at)].rpartition("=")[2].replace(",", "").strip()
        if at < 0 or not figure.isdecimal():  # or is hidden
            return None
        found.append(int(figure))
    return found
