"""Protocol Buffers on the wire, as far as writing a profile needs them.

https://protobuf.dev/programming-guides/encoding/: a message is fields one after the other, a field its number
and wire type, then a varint or a length and that many bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_VARINT, _BYTES = 0, 2


def varint(number: int) -> bytes:
    """Return `number` in groups of seven bits, lowest first; a negative one as its 64-bit complement."""
    number &= (1 << 64) - 1
    groups = bytearray()
    while number >> 7:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def integer(field: int, number: int) -> bytes:
    """Return an integer field; nothing for 0, which is what a missing one means."""
    return varint(field << 3 | _VARINT) + varint(number) if number else b""


def integers(field: int, numbers: Iterable[int]) -> bytes:
    """Return a repeated integer field, packed."""
    return content(field, b"".join(map(varint, numbers)))


def content(field: int, data: bytes) -> bytes:
    """Return a field that holds bytes, text or a message."""
    return varint(field << 3 | _BYTES) + varint(len(data)) + data
