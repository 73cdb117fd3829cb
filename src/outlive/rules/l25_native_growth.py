"""L25: memory outside Python's allocators grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(_evidence: Evidence) -> str:
    return "what extensions and libraries have from malloc grows, and what Python has does not"


RULE = Rule(
    number="L25",
    title="Native growth",
    sign=_sign,
    told="malloc in use grows run after run, and Python in use does not: an extension, a library or a "
    "thread's stack.",
    cure="find the call with outlive run --native, and give back what it returns: close(), free(), release()",
    before="""\
import ctypes

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p

def transcode():
    libc.malloc(ctypes.c_size_t(100_000))
""",
    after="""\
import ctypes

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p

def transcode():
    handle = libc.malloc(ctypes.c_size_t(100_000))
    try:
        ctypes.memset(handle, 0, 100_000)
    finally:
        libc.free(ctypes.c_void_p(handle))
""",
    verdict="native growth",
)
