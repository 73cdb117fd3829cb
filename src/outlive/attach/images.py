"""What is loaded into a process: its shared objects and the addresses of their symbols, out of its memory.

Nothing is taken from files: they may have been replaced since, or lie in a container.
"""

from __future__ import annotations

import os
import struct
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC = b"\x7fELF"
_BITS_64, _LITTLE_ENDIAN = 2, 1
_SHARED = 3
_PT_DYNAMIC, _PT_LOAD = 2, 1
_DT_STRTAB, _DT_SYMTAB, _DT_GNU_HASH = 5, 6, 0x6FFFFEF5
_HEADER_BYTES = 64
_MACHINE = struct.Struct("<HH")  # e_type, e_machine
_DYNAMIC = struct.Struct("<qQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_WORD = struct.Struct("<I")
_HASH = struct.Struct("<4I")
_NAME_MAX = 64
_CHAIN_MAX = 1 << 16  # of damaged tables


@dataclass(frozen=True, slots=True)
class Kind:
    """What sort of machine code an image is."""

    is_64_bit: bool
    machine: int


class Image:
    """One file that is mapped, as it lies in memory; `memory` is a descriptor of /proc/PID/mem.

    Raises:
        ValueError: it is no ELF file.
        OSError: its memory can't be read.

    """

    def __init__(self, path: str, base: int, memory: int) -> None:
        self.path, self._base, self._memory = path, base, memory
        header = self._read(base, _HEADER_BYTES)
        if header[:4] != _MAGIC:
            raise ValueError(f"{path} is no ELF file")
        type_, machine = _MACHINE.unpack_from(header, 16)
        self.kind = Kind(header[4:6] == bytes((_BITS_64, _LITTLE_ENDIAN)), machine)
        self._header, self._is_shared = header, type_ == _SHARED
        self._tables: dict[int, int] | None = None
        self._bias = 0

    @property
    def name(self) -> str:
        """Its file name."""
        return self.path.removesuffix(" (deleted)").rpartition("/")[2]

    def address(self, symbol: str) -> int:
        """Return where a symbol that it exports lies; 0 if it exports none of that name.

        The lookup is the loader's own (DT_GNU_HASH).
        """
        tables = self._dynamic()
        if not {_DT_STRTAB, _DT_SYMTAB, _DT_GNU_HASH} <= tables.keys():
            return 0
        table = tables[_DT_GNU_HASH]
        buckets, first, bloom_words, _shift = _HASH.unpack(self._read(table, _HASH.size))
        if buckets == 0:
            return 0
        bucket_at = table + _HASH.size + 8 * bloom_words
        wanted = _gnu_hash(symbol)
        index = self._word(bucket_at + 4 * (wanted % buckets))
        if index < first:
            return 0
        chain_at = bucket_at + 4 * buckets
        for at in range(index, index + _CHAIN_MAX):
            found = self._word(chain_at + 4 * (at - first))
            if found | 1 == wanted | 1:
                address = self._symbol(tables, at, symbol)
                if address:
                    return address
            if found & 1:
                return 0
        return 0

    def value(self, symbol: str) -> int | None:
        """Return the 8-byte number that lies at a symbol; None without it."""
        address = self.address(symbol)
        return int.from_bytes(self._read(address, 8), "little") if address else None

    def _symbol(self, tables: dict[int, int], index: int, name: str) -> int:
        entry = self._read(tables[_DT_SYMTAB] + index * _SYMBOL.size, _SYMBOL.size)
        name_at, _info, _other, section, value, _size = _SYMBOL.unpack(entry)
        text = self._read(tables[_DT_STRTAB] + name_at, _NAME_MAX).partition(b"\0")[0]
        return value + self._bias if section and text == name.encode() else 0

    def _dynamic(self) -> dict[int, int]:
        """Return the addresses of the tables that the loader uses."""
        if self._tables is None:
            self._tables = {}
            at, size = self._dynamic_section()
            rows = self._read(at, size) if size else b""
            for tag, value in _DYNAMIC.iter_unpack(rows[: len(rows) - len(rows) % _DYNAMIC.size]):
                if tag == 0:
                    break
                # glibc's loader has made addresses of the offsets, musl's leaves them.
                self._tables[tag] = value if value >= self._bias else value + self._bias
        return self._tables

    def _dynamic_section(self) -> tuple[int, int]:
        programs_at = int.from_bytes(self._header[32:40], "little")
        size, count = struct.unpack_from("<HH", self._header, 54)
        programs = self._read(self._base + programs_at, size * count)
        found, lowest = (0, 0), None
        for start in range(0, len(programs), size or 1):
            kind, _flags, _offset, virtual, _physical, _file, memory_bytes = struct.unpack_from(
                "<IIQQQQQ", programs, start
            )
            if kind == _PT_LOAD and lowest is None:
                lowest = virtual
            if kind == _PT_DYNAMIC:
                found = (virtual, memory_bytes)
        self._bias = self._base - (lowest or 0) if self._is_shared else 0
        return found[0] + self._bias, found[1]

    def _word(self, address: int) -> int:
        return int(_WORD.unpack(self._read(address, 4))[0])

    def _read(self, address: int, size: int) -> bytes:
        found = os.pread(self._memory, size, address)
        if not found:
            raise OSError(f"nothing at {address:#x} of {self.path}")
        return found.ljust(size, b"\0")


@contextmanager
def images(pid: int) -> Iterator[list[Image]]:
    """Give what is mapped from ELF files, by address, to be read inside the block.

    Raises:
        PermissionError: reading a process's memory takes the same rights as attaching to it.
        OSError: it has ended.

    """
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield list(_mapped(pid, memory))
    finally:
        os.close(memory)


def _mapped(pid: int, memory: int) -> Iterator[Image]:
    seen = set()
    for line in Path(f"/proc/{pid}/maps").read_text(errors="surrogateescape").splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) < 6 or int(fields[2], 16) or not fields[5].startswith("/") or fields[5] in seen:  # noqa: PLR2004
            continue
        try:
            image = Image(fields[5], int(fields[0].partition("-")[0], 16), memory)
        except (OSError, ValueError, OverflowError):  # data, a device
            continue
        seen.add(fields[5])
        yield image


def _gnu_hash(name: str) -> int:
    value = 5381
    for letter in name.encode():
        value = (value * 33 + letter) & 0xFFFFFFFF
    return value
