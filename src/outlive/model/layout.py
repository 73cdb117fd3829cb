"""How a recording lies in its file: format version 1, little-endian (docs/reference/formats.md).

The native core writes header, slots, totals and halves; Python writes notes and timeline. Readers take the
places of the sections from the header's directory. Nothing here does I/O.
"""

from __future__ import annotations

import struct

MAGIC = b"outlive\0"
VERSION = 1
HEADER_BYTES = 4096

# magic, version, header bytes, file bytes · notes offset, bytes · timeline offset, bytes · slots offset,
# capacity · totals offset, stacks capacity · halves' offsets, bytes of one · in a half: functions, frames,
# text bytes
DIRECTORY = struct.Struct("<8sIIQ QQ QQ QQ QQ QQQ QQQ")
# pid, parent's pid if forked from a recorded process · began: unix ns, monotonic ns · interval · level, floor
# level, generation, half · slots used, sampled, dropped · forgotten bytes, blocks · state, status, ended unix
# ns
LIVE = struct.Struct("<II QQ Q IIII QQQ dd IiQ")
LIVE_OFFSET = DIRECTORY.size
# scopes' offset, capacity · open runs' offset, capacity · scopes used, runs not tracked. Zeros: no scopes.
SCOPES = struct.Struct("<QQ QQ QQ")
SCOPES_OFFSET = LIVE_OFFSET + LIVE.size

RUNNING, STOPPED, EXITED, SIGNALLED = 1, 2, 3, 4  # LIVE's state

# Notes: two pages written in turn; the one with the higher number and a right checksum counts.
# number, length, crc32 of the text; UTF-8 JSON follows
NOTE = struct.Struct("<QII")
NOTES_PAGES = 2

# unix time, seconds since the beginning · rss, its peak since the point before, uss, python in use, python
# free, malloc in use, malloc free · gc counts of three generations, collections · tasks, threads, spare ·
# crc32 of what is before it. All ones: not known.
POINT = struct.Struct("<dd QQQQQQQ IIII III I")
UNKNOWN64, UNKNOWN32 = (1 << 64) - 1, (1 << 32) - 1
# (seconds between points, number of points): 20 minutes, 10 hours, a week and a day. Each is a ring; they lie
# one after the other.
TIERS = ((1, 1200), (10, 3600), (60, 11520))
TIMELINE_BYTES = POINT.size * sum(count for _, count in TIERS)

# base row, open runs · runs that began, ended · bytes in use, at most · name. Row 0 is nobody's, 1 is that of
# all scopes for which there was no room.
SCOPE = struct.Struct("<II QQ dd 88s")
# run, 0 for none · scope's row · began (tenths of a second since the beginning) · spare
RUN = struct.Struct("<II II")
SCOPE_OTHERS = 1

# address (48 bits) and check (16), bytes (48) and level (8) and origin (8), stack, born (tenths of a second
# since the beginning), thread (22) and scope's row (10), run. Address zero: empty.
SLOT = struct.Struct("<QQIIII")
THREAD_BITS = 22
FROM_PYTHON, FROM_MALLOC = 0, 1  # origin: Python's allocators, or an extension's own malloc
# bytes and blocks that a stack has ever allocated, estimated; bytes of those that died when their run was
# long over, and the number of their samples
TOTAL = struct.Struct("<dd dd")
# In a half, one after the other: stacks, functions, frames, text.
# Stack 0 is nobody's: no Python code ran, or there was no room for another stack.
STACK = struct.Struct("<II")  # first frame's index, number of frames; top bit: there were more
STACK_CUT = 1 << 31
FUNCTION = struct.Struct("<III")  # offset in text of file and of name (UTF-8, NUL-ended), first line
FRAME = struct.Struct("<II")  # function, line; innermost first


def slot_check(  # noqa: PLR0913, PLR0917 - the words of a slot
    address: int, size_word: int, stack: int, born: int, thread: int, run: int
) -> int:
    """Return the 16 bits that a whole slot carries above its address; a torn one most likely does not."""
    folded = address ^ size_word ^ stack << 32 ^ born ^ thread << 32 ^ run << 16
    folded ^= folded >> 32
    folded ^= folded >> 16
    return (folded ^ 0x6F75) & 0xFFFF
