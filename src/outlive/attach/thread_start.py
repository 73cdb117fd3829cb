"""The few instructions with which a thread begins that runs Python source: C has no one function for it.

They do `pthread_detach(pthread_self()); state = PyGILState_Ensure(); PyRun_SimpleString(text);
PyGILState_Release(state)`. The functions' addresses and the text are in a block, the thread's argument.
"""

from __future__ import annotations

import platform
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_CALLED = (
    "pthread_self",
    "pthread_detach",
    "PyGILState_Ensure",
    "PyRun_SimpleString",
    "PyGILState_Release",
)
_BLOCK = struct.Struct("<6Q")  # the functions, then room for pthread_create's first result
THREAD_OFFSET = 40
TEXT_OFFSET = _BLOCK.size

# The block's address is kept in rbx (x19), the state in ebp (w20).
_INSTRUCTIONS = {
    "x86_64": """
        f30f1efa  53  55  4883ec08   # endbr64; push rbx; push rbp; sub rsp, 8
        4889fb                       # mov rbx, rdi
        ff13                         # call [rbx]
        4889c7  ff5308               # mov rdi, rax; call [rbx+8]
        ff5310  89c5                 # call [rbx+16]; mov ebp, eax
        488d7b30  ff5318             # lea rdi, [rbx+48]; call [rbx+24]
        89ef  ff5320                 # mov edi, ebp; call [rbx+32]
        31c0  4883c408  5d  5b  c3   # xor eax, eax; add rsp, 8; pop rbp; pop rbx; ret
    """,
    # Checked by an assembler, never run.
    "aarch64": """
        fd7bbea9 fd030091 f35301a9   # stp x29, x30, [sp, #-32]!; mov x29, sp; stp x19, x20, [sp, #16]
        f30300aa                     # mov x19, x0
        680240f9 00013fd6            # ldr x8, [x19]; blr x8
        680640f9 00013fd6            # ldr x8, [x19, #8]; blr x8
        680a40f9 00013fd6 f403002a   # ldr x8, [x19, #16]; blr x8; mov w20, w0
        60c20091 680e40f9 00013fd6   # add x0, x19, #48; ldr x8, [x19, #24]; blr x8
        e003142a 681240f9 00013fd6   # mov w0, w20; ldr x8, [x19, #32]; blr x8
        e0031faa f35341a9 fd7bc2a8   # mov x0, xzr; ldp x19, x20, [sp, #16]; ldp x29, x30, [sp], #32
        c0035fd6                     # ret
    """,
}


def instructions() -> bytes:
    """Return them for this kind of machine; b"" if there are none."""
    lines = _INSTRUCTIONS.get(platform.machine(), "").splitlines()
    return bytes.fromhex("".join(line.partition("#")[0] for line in lines))


def block(addresses: Mapping[str, int], text: str) -> bytes:
    """Return the argument of a thread that runs `text`."""
    return _BLOCK.pack(*(addresses[name] for name in _CALLED), 0) + text.encode() + b"\0"
