"""The process to attach to: whether that can be done, found out without touching it."""

from __future__ import annotations

import os
import re
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from outlive.attach.images import images
from outlive.errors import OutliveError, UsageError

if TYPE_CHECKING:
    from outlive.attach.images import Image

_CAN_TRACE = 1 << 19  # CAP_SYS_PTRACE
_OLDEST = (3, 11)
_REMOTE_EXEC = (3, 14)  # brought sys.remote_exec
_LIBC = re.compile(r"libc[.-]|libpthread[.-]|ld-musl|libc\.musl")  # glibc before 2.34 has threads apart
_PTRACE_SCOPE = Path("/proc/sys/kernel/yama/ptrace_scope")


@dataclass(frozen=True, slots=True)
class Target:
    """A process that outlive can be started in, and the addresses of what has to be called there."""

    pid: int
    own_pid: int  # as it sees itself, in its container
    uid: int
    gid: int
    root: Path  # its root folder, as seen from here
    addresses: dict[str, int]
    has_outlive: bool  # its native core is loaded, in use or not


_IN_PYTHON = (
    "Py_AddPendingCall",
    "Py_IsInitialized",
    "PyGILState_Ensure",
    "PyGILState_Release",
    "PyRun_SimpleString",
)
_IN_LIBC = ("mmap", "pthread_create", "pthread_detach", "pthread_self")


def look(pid: int) -> Target:
    """Return a process that can be attached to.

    Raises:
        OutliveError: it can't, why, and what to type instead.

    """
    status = _status(pid)
    if pid == os.getpid():
        raise UsageError("can't attach to outlive itself")
    _check_state(pid, status)
    try:
        with images(pid) as loaded, images(os.getpid()) as own:
            addresses = _addresses(pid, loaded, own)
            has_outlive = any(
                "outlive" in image.path and image.name.startswith("_native.") for image in loaded
            )
    except PermissionError:
        raise _no_right(pid, int(status["Uid"].split()[1])) from None
    except OSError as error:
        raise OutliveError(f"can't read process {pid}", error.strerror or str(error)) from error
    return Target(
        pid=pid,
        own_pid=int(status["NSpid"].split()[-1]) if "NSpid" in status else pid,
        uid=int(status["Uid"].split()[1]),
        gid=int(status["Gid"].split()[1]),
        root=Path(f"/proc/{pid}/root"),
        addresses=addresses,
        has_outlive=has_outlive,
    )


def find_gdb() -> str:
    """Return the path of gdb.

    Raises:
        OutliveError: there is none.

    """
    found = shutil.which("gdb")
    if found is None:
        hint = "install it (on Debian: apt-get install gdb), or call outlive.start() in the program"
        raise OutliveError("can't attach without gdb", "it is not on PATH", hint)
    return found


def has_remote_exec() -> bool:
    """Return whether this Python, and so the target's, needs no debugger."""
    return sys.version_info >= _REMOTE_EXEC


def _status(pid: int) -> dict[str, str]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    except OSError:
        raise OutliveError(f"there is no process {pid}", hint="ps lists those that run") from None
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _check_state(pid: int, status: dict[str, str]) -> None:
    state, tracer = status["State"][:1], int(status.get("TracerPid", "0"))
    if int(status["Tgid"]) != pid:
        raise OutliveError(
            f"{pid} is a thread of process {status['Tgid']}", hint=f"type: outlive attach {status['Tgid']}"
        )
    if tracer:
        name = "a process of another container"
        with suppress(OSError):
            name = Path(f"/proc/{tracer}/comm").read_text(errors="replace").strip()
        raise OutliveError(
            f"process {pid} is being debugged", f"by {name}, pid {tracer}", "end that first, or wait for it"
        )
    if state in "ZX":
        raise OutliveError(f"process {pid} has ended", "its parent has not taken notice yet")
    if state in "Tt":
        raise OutliveError(f"process {pid} is stopped", hint=f"let it go on: kill -CONT {pid}")


def _no_right(pid: int, uid: int) -> OutliveError:
    what = f"no right to attach to process {pid}"
    as_root = f"ask as root: sudo outlive attach {pid}"
    scope = ""
    with suppress(OSError):
        scope = _PTRACE_SCOPE.read_text().strip()
    if scope == "3":
        return OutliveError(what, f"{_PTRACE_SCOPE} is 3: nobody may, until the next boot")
    if os.geteuid() == 0:
        has_right = int(_status(os.getpid()).get("CapEff", "0"), 16) & _CAN_TRACE
        if not has_right:
            hint = "start the container with it: docker run --cap-add SYS_PTRACE"
            return OutliveError(what, "root lacks the capability SYS_PTRACE here", hint)
        return OutliveError(
            what, "it has capabilities that are lacking here, or a security module forbids it"
        )
    if uid != os.geteuid():
        return OutliveError(what, f"it belongs to user {uid}", f"ask as that user, or {as_root}")
    if scope in ("1", "2"):
        who = "root alone" if scope == "2" else "its parent or root"
        return OutliveError(what, f"{_PTRACE_SCOPE} is {scope}: only {who} may", as_root)
    return OutliveError(what, "it has more rights than this user, or does not let itself be dumped", as_root)


def _not_python(pid: int, why: str) -> OutliveError:
    return OutliveError(f"process {pid} is no Python program", why, "outlive attaches to CPython only")


def _addresses(pid: int, loaded: list[Image], own: list[Image]) -> dict[str, int]:
    """Return where the functions to call lie in a process whose Python is like this one."""
    if not loaded:
        raise _not_python(pid, "it is a thread of the kernel, or about to end")
    if loaded[0].kind != own[0].kind:
        why = "it runs another kind of machine code than this outlive"
        if not loaded[0].kind.is_64_bit:
            why = "it is a 32-bit program"
        raise OutliveError(f"can't attach to process {pid}", why)
    python = _interpreter(pid, loaded)
    trouble = _difference(pid, python, loaded, own)
    if trouble is not None:
        raise trouble
    libc = [image for image in loaded if _LIBC.match(image.name)]
    found = {name: python.address(name) for name in _IN_PYTHON}
    found |= {name: max((image.address(name) for image in libc), default=0) for name in _IN_LIBC}
    lacking = [name for name, address in found.items() if not address]
    if lacking:
        raise OutliveError(f"can't attach to process {pid}", f"it does not export {', '.join(lacking)}")
    return found


def _interpreter(pid: int, loaded: list[Image]) -> Image:
    """Return libpython, or the program that it is linked into."""
    for image in sorted(loaded, key=lambda image: "python" not in image.name):
        if image.address("Py_AddPendingCall"):
            return image
    pypy = [image.name for image in loaded if "pypy" in image.name]
    raise _not_python(pid, f"it runs {(pypy or [loaded[0].name])[0]}")


def _difference(pid: int, python: Image, loaded: list[Image], own: list[Image]) -> OutliveError | None:
    """Return what is against an interpreter: it is none that this outlive's native core is built for."""
    version, here = _version(python), sys.version_info[:2]
    program = "its Python"
    with suppress(OSError):
        program = os.readlink(f"/proc/{pid}/exe")  # noqa: PTH115 - as text, it may be in a container
    hint = f"install outlive for that one, and type: {program} -m outlive attach {pid}"
    why = ""
    if version < _OLDEST:
        said = f"Python {version[0]}.{version[1]}" if version[0] else "an old Python"
        why, hint = f"it runs {said}", "outlive needs 3.11 or later there"
    elif version != here:
        why = f"it runs Python {_dotted(version)}, and this outlive belongs to Python {_dotted(here)}"
    elif _is_free_threaded([python]) and not _is_free_threaded(own):
        why, hint = "its Python is a free-threaded build", "outlive needs a regular one"
    elif _is_debug([python]) != _is_debug(own):
        why = f"its Python is {'a' if _is_debug([python]) else 'no'} debug build, unlike this outlive's"
    elif _has_musl(loaded) != _has_musl(own):
        why = f"its Python is built for {'musl' if _has_musl(loaded) else 'glibc'}, unlike this outlive's"
    return OutliveError(f"can't attach to process {pid}", why, hint) if why else None


def _version(python: Image) -> tuple[int, int]:
    """Return major and minor version; (0, 0) of an old one whose file does not say."""
    packed = python.value("Py_Version")  # since 3.11
    if packed:
        return packed >> 24 & 0xFF, packed >> 16 & 0xFF
    named = re.search(r"python(\d)\.(\d+)", python.name)
    return (int(named[1]), int(named[2])) if named else (0, 0)


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _is_free_threaded(loaded: list[Image]) -> bool:
    return any(image.address("_Py_DecRefShared") for image in loaded)


def _is_debug(loaded: list[Image]) -> bool:
    return any(image.address("_Py_NegativeRefcount") for image in loaded)


def _has_musl(loaded: list[Image]) -> bool:
    return any("musl" in image.name for image in loaded)
