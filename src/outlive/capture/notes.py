"""The notes in a recording: which process this is, in JSON on two pages that are written in turn."""

from __future__ import annotations

import binascii
import sys

from outlive.capture import cgroup, proc
from outlive.model import layout

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TEXT_MAX = 500


class Notes:
    """What is noted of this process, and where."""

    def __init__(
        self, offset: int, size: int, write: Callable[[int, bytes], None], about: Mapping[str, object]
    ) -> None:
        """Note who this is, and what `about` adds to it; `size` bytes at `offset` are there to `write` to."""
        self._offset, self._page_bytes, self._write = offset, size // layout.NOTES_PAGES, write
        self._said = {**identity(), "cgroup": _cgroup(), **about}
        self._number = 0

    def write(self, **said: object) -> None:
        """Write what is known by now, with `said` added, unless nothing changed or it finds no room."""
        said["program"] = program()
        if self._number and all(self._said.get(key) == value for key, value in said.items()):
            return
        self._said.update(said)
        text = to_json(self._said).encode()
        if len(text) > self._page_bytes - layout.NOTE.size:
            return
        self._number += 1
        page = layout.NOTE.pack(self._number, len(text), binascii.crc32(text)) + text
        self._write(self._offset + self._number % layout.NOTES_PAGES * self._page_bytes, page)


def identity() -> dict[str, object]:
    """Return what tells this process from all others; `is_alive` relies on the order."""
    return {
        "start_ticks": proc.start_ticks("self"),
        "boot_id": proc.boot_id(),
        "pid_namespace": proc.pid_namespace(),
        "python": sys.version.split()[0],
        "executable": sys.executable or "",
    }


def is_alive(pid: int, written: bytes) -> bool | None:
    """Tell whether the process `pid` that wrote these pages lives; None if it can't be seen from here."""
    here = f'"boot_id":{_text(proc.boot_id())},"pid_namespace":{proc.pid_namespace()},'
    if here.encode() not in written:
        return None
    ticks = proc.start_ticks(pid)
    return ticks != 0 and f'"start_ticks":{ticks},'.encode() in written


def program() -> str:
    """Return what runs, without its arguments: they may be secrets."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if name := getattr(spec, "name", ""):
        return str(name).removesuffix(".__main__")
    argv = [word for word in getattr(sys, "argv", ()) if isinstance(word, str)]
    if argv[:1] == ["-m"]:  # so early that the module is not found yet
        asked = sys.orig_argv
        return asked[asked.index("-m") + 1] if "-m" in asked[:-1] else "-m"
    return argv[0] if argv else ""


def _cgroup() -> dict[str, object]:
    group = cgroup.of_this_process()
    return {"path": group.path, "limit": group.limit, "oom_kills": group.oom_kills}


def to_json(value: object) -> str:
    """Return JSON without white space. The standard library's encoder costs a process 10 ms and 1 MB."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_text(str(key))}:{to_json(each)}" for key, each in value.items()) + "}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return repr(value)
    return _text(str(value))


def _text(text: str) -> str:
    if len(text) > _TEXT_MAX:
        text = "…" + text[1 - _TEXT_MAX :]
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    if letter.isprintable() and letter not in '"\\':
        return letter
    units = letter.encode("utf-16-be", "surrogatepass")  # file names need not be UTF-8
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
