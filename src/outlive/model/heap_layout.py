"""How a heap snapshot lies in its file: format version 1, little-endian (docs/reference/formats.md).

The native core writes it; `heap` reads it. Columns have one row an object, in the order the objects were
found; edges are in CSR form. Nothing here does I/O.
"""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag

MAGIC = b"outheap\0"
VERSION = 1
HEADER_BYTES = 4096
NONE = (1 << 32) - 1

# magic, version, header bytes, file bytes (0 until it is complete)
HEAD = struct.Struct("<8sIIQ")
# pid, PY_VERSION_HEX, state, errno of a failure · unix ns of the fork, ns that it stopped the process, ns
# that the walk took · objects, edges · RSS of the process
INFO = struct.Struct("<IIII QQQ QQ Q")
INFO_OFFSET = HEAD.size
WALKING, COMPLETE, FAILED = 1, 2, 3  # INFO's state; while walking, its counts grow

# Where each section lies: (offset, bytes), in this order, from SECTIONS_OFFSET on. A section begins at a
# multiple of 8.
SECTIONS_OFFSET = INFO_OFFSET + INFO.size
SECTION = struct.Struct("<QQ")

# numpy's words for the rows of each section.
ROWS: dict[str, str | list[tuple[str, str]]] = {
    # -- one row an object
    "address": "<u8",  # 0: no object but a thread, or a frame that runs (Category.THREAD, FRAME)
    "size": "<u4",  # shallow bytes, the collector's header included; NONE: see `large`
    "shape": "<u4",  # row of `shapes`
    "refcount": "<u4",  # NONE: immortal
    # -- references: those of object i are edges[first[i]:first[i + 1]]
    "first": "<u4",  # objects + 1 rows
    "edges": "<u4",  # the object referred to
    # -- the few that are 4 GiB and more
    "large": [("object", "<u4"), ("spare", "<u4"), ("size", "<u8")],
    # -- what the references of an object mean: `named` of them in the order of shape_names[names:],
    # then `rest`
    "shapes": [("type", "<u4"), ("rest", "<u2"), ("named", "<u2"), ("names", "<u4")],
    "shape_names": "<u4",  # strings; "__dict__", "rows", "__globals__", a local's name
    # name: string, "module.Qualified.name", builtins without a module; object: NONE for those not of Python
    "types": [
        ("object", "<u4"),
        ("name", "<u4"),
        ("category", "<u2"),
        ("flags", "<u2"),
        ("basicsize", "<u4"),
    ],
    # -- by object, each sorted by it
    "codes": [("object", "<u4"), ("name", "<u4"), ("file", "<u4"), ("line", "<u4")],
    # generators and coroutines too, and tracebacks. code: object; line: 0 if not known
    "frames": [("object", "<u4"), ("code", "<u4"), ("line", "<u4"), ("state", "<u4")],
    # names of modules, tasks, threads, context variables, built-in functions; keys of dicts (str, int, bytes:
    # their first characters)
    "texts": [("object", "<u4"), ("text", "<u4")],
    # Where the walk began. What native code holds is not among them: see refcount.
    "roots": [("object", "<u4"), ("kind", "<u4"), ("name", "<u4")],
    # -- if asked for, to find equal values: hashes of str, bytes, numbers and tuples of them, by a secret key
    "contents": [("object", "<u4"), ("spare", "<u4"), ("hash", "<u8")],
    # -- what a sampler that ran knew: lines that made objects, and estimates for what each sampled object, or
    # the further block of a list, dict, set, bytearray or array of numpy's, stands for, and its address
    "sites": [("function", "<u4"), ("file", "<u4"), ("line", "<u4")],
    "samples": [
        ("object", "<u4"),
        ("site", "<u4"),
        ("bytes", "<f8"),
        ("variance", "<f8"),
        ("blocks", "<f8"),
        ("block", "<u8"),
    ],
    # -- strings: UTF-8, strings[string_offsets[i]:string_offsets[i + 1]]
    "string_offsets": "<u4",
    "strings": "<u1",
}


class Rest(IntEnum):
    """What an object's references are beyond those with names."""

    OTHER = 0  # nobody says
    SEQUENCE = 1  # elements 0, 1, 2, ...
    MAPPING = 2  # key, value, key, value, ...
    SET = 3  # members
    STACK = 4  # a frame's: arguments and intermediate values of the line it is at


class Category(IntEnum):
    """What kind of object a type's instances are, those of subclasses too, where words depend on it."""

    OTHER = 0
    MODULE = 1
    TYPE = 2
    DICT = 3
    LIST = 4
    TUPLE = 5
    SET = 6
    STR = 7
    BYTES = 8
    INT = 9
    FUNCTION = 10
    METHOD = 11
    BUILTIN = 12
    CELL = 13
    CODE = 14
    FRAME = 15
    GENERATOR = 16
    COROUTINE = 17
    ASYNC_GENERATOR = 18
    TRACEBACK = 19
    EXCEPTION = 20
    TASK = 21
    FUTURE = 22
    CONTEXT = 23
    CONTEXT_VARIABLE = 24
    WEAK_REFERENCE = 25
    THREAD = 26


class TypeFlag(IntFlag):
    """What is true of a type."""

    COLLECTED = 1  # the garbage collector knows its instances
    HEAP = 2  # made by a class statement, or by C code at run time


class FrameState(IntEnum):
    """What a frame is doing."""

    UNKNOWN = 0
    CREATED = 1
    SUSPENDED = 2
    RUNNING = 3
    FINISHED = 4


class RootKind(IntEnum):
    """By whom a root is held."""

    INTERPRETER = 1  # name: "sys.modules", "builtins", ...
    THREAD = 2  # a thread's row (Category.THREAD), which refers to its frames
    STATIC = 3  # types compiled into CPython and extensions
    STACK = 4  # found on the evaluation stack of a running frame, whose row has the edge too
