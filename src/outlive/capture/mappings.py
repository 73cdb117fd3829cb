"""A process's memory mappings, from /proc/PID/smaps."""

from __future__ import annotations

import os

from outlive.model.size import KIB

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PAGE = os.sysconf("SC_PAGE_SIZE")
_PRESENT = 7  # bit of an entry's highest byte, in pagemap
_FIGURES = {
    b"Rss": "rss",
    b"Anonymous": "anonymous",
    b"Swap": "swapped",
    b"Private_Clean": "private",
    b"Private_Dirty": "private",
}


class Mapping:
    """One mapping. Sizes are resident bytes; `anonymous` is what of them no file is behind.

    `name` is the file, the kernel's word in brackets, or b"". `no_huge_pages`: as mmap's MAP_STACK asks for.
    """

    __slots__ = (
        "anonymous",
        "end",
        "name",
        "no_huge_pages",
        "permissions",
        "private",
        "rss",
        "start",
        "swapped",
    )

    def __init__(self, start: int, end: int, permissions: bytes, name: bytes) -> None:
        """Begin with nothing resident."""
        self.start, self.end, self.permissions, self.name = start, end, permissions, name
        self.rss = self.anonymous = self.swapped = self.private = 0
        self.no_huge_pages = False


def mappings(pid: int | str) -> list[Mapping]:
    """Return a process's mappings, in the order of their addresses.

    Raises:
        OSError: there is no such process, it has ended, or it is another user's.

    """
    with open(f"/proc/{pid}/smaps", "rb") as lines:  # noqa: PTH123 - pathlib is not light
        return list(parse(lines))


def parse(lines: Iterable[bytes]) -> Iterator[Mapping]:
    """Yield the mappings that the lines of a smaps file tell of."""
    mapping = None
    for line in lines:
        if not line[:1].isupper():  # an address: its digits are lower-case; keys begin with a capital
            if mapping is not None:
                yield mapping
            mapping = _mapping(line)
        elif mapping is not None:
            key, _, value = line.partition(b":")
            figure = _FIGURES.get(key)
            if figure is not None:
                kib = int(value[:-3])  # "  12 kB\n"
                setattr(mapping, figure, getattr(mapping, figure) + kib * KIB)
            elif key == b"VmFlags":
                mapping.no_huge_pages = b" nh " in value
    if mapping is not None:
        yield mapping


def _mapping(line: bytes) -> Mapping:
    addresses, permissions, _offset, _device, inode, *name = line.split(None, 5)
    start, _, end = addresses.partition(b"-")
    nameless = b"" if inode == b"0" else b"?"
    return Mapping(int(start, 16), int(end, 16), permissions, name[0].rstrip(b"\n") if name else nameless)


def resident_bytes(pid: int | str, start: int, end: int) -> int:
    """Return how much is resident between two page addresses.

    Raises:
        OSError: there is no such process, or it is another user's.

    """
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pages:  # noqa: PTH123 - as above
        pages.seek(start // _PAGE * 8)
        entries = pages.read((end - start) // _PAGE * 8)
    return sum(byte >> _PRESENT for byte in entries[7::8]) * _PAGE
