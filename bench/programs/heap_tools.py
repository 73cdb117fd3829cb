"""What tools answer about the heap of their own process, each asked as its documentation says.

An answer is printed to the end. Ours comes from a snapshot: taken, opened and asked.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import outlive
from programs.heap_objects import one

OUTLIVE, GUPPY, OBJGRAPH, PYMPLER = "outlive", "guppy", "objgraph", "pympler"
TOP = 10

Answer = Callable[[], object]


def snapshot(folder: Path | None = None) -> Path:
    """Take one, into a folder of its own if none is named."""
    file = (folder or Path(tempfile.mkdtemp())) / "now.heap"
    outlive.snapshot(file)
    return file


def census() -> None:
    """Count and size all objects by type."""
    for total in outlive.open(snapshot()).census(limit=TOP):
        print(total)


def retained() -> None:
    """Work out what every object retains, and tell of one."""
    print(outlive.open(snapshot()).retained(hex(id(one()))))


def why() -> None:
    """Tell what holds it."""
    for holder in outlive.open(snapshot()).why(hex(id(one()))):
        print(holder.text)


def guppy_census() -> None:
    """Count and size what guppy reaches from the interpreter, by type."""
    from guppy import hpy

    print(hpy().heap())


def guppy_retained() -> None:
    """Work out what one object retains."""
    from guppy import hpy

    print(hpy().iso(one()).domisize)


def guppy_why() -> None:
    """Find the shortest paths to it."""
    from guppy import hpy

    print(hpy().iso(one()).shpaths)


def objgraph_census() -> None:
    """Count what the collector knows, by type; no sizes."""
    import objgraph

    objgraph.show_most_common_types(limit=TOP)


def objgraph_why() -> None:
    """Find a chain of references from a module to it."""
    import objgraph

    print([type(link) for link in objgraph.find_backref_chain(one(), objgraph.is_proper_module)])


def pympler_census() -> None:
    """Count and size what the collector knows and what that refers to, by type."""
    from pympler import muppy, summary

    summary.print_(summary.summarize(muppy.get_objects()))


QUESTIONS: dict[str, dict[str, Answer]] = {
    "census": {
        OUTLIVE: census,
        GUPPY: guppy_census,
        OBJGRAPH: objgraph_census,
        PYMPLER: pympler_census,
    },
    "retained": {OUTLIVE: retained, GUPPY: guppy_retained},
    "why": {OUTLIVE: why, GUPPY: guppy_why, OBJGRAPH: objgraph_why},
}
