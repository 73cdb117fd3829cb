"""A peer's pprof file: the values of its samples by the source line that allocated.

The format is https://github.com/google/pprof/blob/main/proto/profile.proto; only the fields below are read.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import zstandard

# Fields of Profile; those of the messages inside are named where they are read.
_SAMPLE_TYPE, _SAMPLE, _LOCATION, _FUNCTION, _STRING = 1, 2, 4, 5, 6
_VARINT, _BYTES = 0, 2

Field = tuple[int, int | bytes]


def in_use_by_line(file: Path, kind: str) -> Counter[tuple[str, int]]:
    """Sum the samples' values of that type by file and line of the innermost frame."""
    # One read of the stream: its frame need not tell the size.
    with file.open("rb") as compressed:
        profile = list(_fields(zstandard.ZstdDecompressor().stream_reader(compressed).read()))
    strings = [value.decode() for field, value in profile if field == _STRING and isinstance(value, bytes)]
    types = [strings[_number(message, 1)] for message in _messages(profile, _SAMPLE_TYPE)]
    files = {_number(message, 1): strings[_number(message, 4)] for message in _messages(profile, _FUNCTION)}
    lines = {}
    for message in _messages(profile, _LOCATION):
        innermost = next(_messages(message, 4))
        lines[_number(message, 1)] = files[_number(innermost, 1)], _number(innermost, 2)
    found: Counter[tuple[str, int]] = Counter()
    for message in _messages(profile, _SAMPLE):
        locations, values = _numbers(message, 1), _numbers(message, 2)
        if locations:
            found[lines[locations[0]]] += values[types.index(kind)]
    return found


def _messages(message: list[Field], number: int) -> Iterator[list[Field]]:
    return (list(_fields(value)) for field, value in message if field == number and isinstance(value, bytes))


def _number(message: list[Field], number: int) -> int:
    return next((value for field, value in message if field == number and isinstance(value, int)), 0)


def _numbers(message: list[Field], number: int) -> list[int]:
    """Return a repeated field's values, packed or not."""
    found = []
    for field, value in message:
        if field == number:
            found += _packed(value) if isinstance(value, bytes) else [value]
    return found


def _fields(data: bytes) -> Iterator[Field]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 == _VARINT:
            number, at = _varint(data, at)
            yield key >> 3, number
        elif key & 7 == _BYTES:
            length, at = _varint(data, at)
            yield key >> 3, data[at : at + length]
            at += length
        else:
            raise ValueError(f"a pprof file has no wire type {key & 7}")


def _packed(data: bytes) -> list[int]:
    found, at = [], 0
    while at < len(data):
        number, at = _varint(data, at)
        found.append(number)
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - its top bit says whether another follows
            return value, at
