"""What a snapshot takes in memory: `heap_child.py OBJECTS`, which starts two more processes like it.

`heap_child.py watch PID FOLDER` looks at the child of that process, which writes into that folder;
`heap_child.py read FILE` is the reader, which works everything out.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from side_by_side.children import hand_over

import outlive
from programs import heap_objects, heap_tools
from programs.memory import KIB, peak_bytes, rss_bytes

_MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) .*$", re.MULTILINE)

HEADER_BYTES = 4096  # all there is of the file while the heap is walked

Ranges = set[tuple[int, int]]


def started(*arguments: str) -> "subprocess.Popen[str]":
    """Begin this program again, with other arguments."""
    return subprocess.Popen([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True)


def children(pid: int) -> set[int]:
    """Return the processes that a process has made."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {int(child) for task in tasks for child in (task / "children").read_text().split()}


def watch(target: int, folder: Path) -> None:
    """Print what the child of a process takes in memory when it has walked the heap and begins to write.

    From its birth to then the process is stopped. If it wrote to a page, the child alone would have the old
    one, and that would look as if the child had written.
    """
    born_with, known = mappings(target), children(target)
    print(flush=True)
    while not (new := children(target) - known):
        pass
    (child,) = new
    os.kill(target, signal.SIGSTOP)
    try:
        while all(file.stat().st_size <= HEADER_BYTES for file in folder.iterdir()):
            pass
        os.kill(child, signal.SIGSTOP)
        tables, dirtied = taken(child, born_with)
        os.kill(child, signal.SIGCONT)
    finally:
        os.kill(target, signal.SIGCONT)
    print(json.dumps({"tables": tables, "dirtied": dirtied}))


def mappings(pid: int) -> Ranges:
    """Return where the process has memory."""
    text = Path(f"/proc/{pid}/maps").read_text()
    return {(int(begin, 16), int(end, 16)) for begin, end in _MAPPING.findall(text)}


def taken(child: int, born_with: Ranges) -> tuple[int, int]:
    """Return how much the child has of its own, and how much of what it was born with it wrote to."""
    own = written = 0
    for begin, end, fields in _each_mapping(Path(f"/proc/{child}/smaps").read_text()):
        if any(begin < known_end and known_begin < end for known_begin, known_end in born_with):
            written += fields["Private_Dirty"]
        else:
            own += fields["Rss"]
    return own, written


def _each_mapping(smaps: str) -> Iterator[tuple[int, int, dict[str, int]]]:
    found = list(_MAPPING.finditer(smaps))
    ends = [*(each.start() for each in found[1:]), len(smaps)]
    for at, end in zip(found, ends, strict=False):
        fields = re.findall(r"^(\w+):\s+(\d+) kB$", smaps[at.end() : end], re.MULTILINE)
        yield int(at[1], 16), int(at[2], 16), {name: int(kib) * KIB for name, kib in fields}


def read(file: str) -> None:
    """Print what it takes to open a snapshot and to work out all dominators and retained sizes."""
    outlive.open(file).retained("0")  # what is imported comes in
    before = rss_bytes()
    Path("/proc/self/clear_refs").write_text("5")
    heap = outlive.open(file)
    heap.retained("0")
    print(
        json.dumps(
            {
                "reader": peak_bytes() - before,
                "objects": heap.info.objects,
                "references": heap.info.references,
            }
        )
    )


def watched() -> tuple[Path, dict[str, int]]:
    """Return a snapshot and what its child took; none if it had ended before anybody could look."""
    folder = Path(tempfile.mkdtemp())
    watcher = started("watch", str(os.getpid()), str(folder))
    next(iter(watcher.stdout or ()))  # it is ready
    file = heap_tools.snapshot(folder)
    return file, json.loads(watcher.communicate()[0])


def main() -> None:
    """Make a heap and take a snapshot while it is watched, then have that read; hand over bytes."""
    heap_objects.fill(int(sys.argv[1]))
    rss = rss_bytes()
    file, figures = watched()
    while not figures["tables"]:
        file.unlink()
        file, figures = watched()
    figures |= json.loads(started("read", str(file)).communicate()[0])
    hand_over(**figures, rss=rss, file=file.stat().st_size)


if __name__ == "__main__":
    if sys.argv[1] == "watch":
        watch(int(sys.argv[2]), Path(sys.argv[3]))
    elif sys.argv[1] == "read":
        read(sys.argv[2])
    else:
        main()
