"""Runs a script or a module as `__main__`, as the interpreter would: same names, path and tracebacks."""

from __future__ import annotations

import builtins
import glob
import importlib.util
import io
import os
import shutil
import sys
import sysconfig
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from outlive.capture import lines
from outlive.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec


@dataclass(frozen=True, slots=True)
class Program:
    """Code ready to run as `__main__`."""

    code: CodeType
    argv: tuple[str, ...]
    path: str  # what goes first on sys.path
    file: str
    spec: ModuleSpec | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended."""

    exit_code: int
    interrupted: bool  # by an unhandled KeyboardInterrupt


def files_matching(patterns: tuple[str, ...]) -> frozenset[str]:
    """Return the real paths of the Python files that the glob patterns name.

    Raises:
        UsageError: one matches nothing.

    """
    files: set[str] = set()
    for pattern in patterns:
        matches = glob.glob(pattern, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute patterns
        found = [file for file in matches if Path(file).is_file()]
        if not found:
            raise UsageError(f"--lines {pattern!r} matches no file", f"looked from {Path.cwd()}")
        files.update(os.path.realpath(file) for file in found)
    return frozenset(files)


def load_script(file: str, args: list[str]) -> Program:
    """Read and compile a script.

    Raises:
        UsageError: it is missing, unreadable, or not Python.

    """
    script = Path(file)
    path = os.path.join(Path.cwd(), file)  # noqa: PTH118 - as the interpreter names it, with each "." kept
    try:
        if script.is_dir():
            raise UsageError(f"can't run {file}", "it is a directory", "name the script in it")
        with io.open_code(path) as stream:
            source = stream.read()
    except OSError as error:
        raise UsageError(f"can't run {file}", error.strerror or str(error)) from error
    try:
        code = compile(source, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise UsageError(f"can't run {file}", _syntax_error(error)) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"can't run {file}", str(error) or "it is too deeply nested to compile") from error
    return Program(code, (file, *args), str(script.resolve().parent), path, None)


def load_command(word: str, args: list[str]) -> Program:
    """Load what a word at the front of a command line means: a script, a Python command on PATH, or a module.

    Raises:
        UsageError: it means nothing that can be run here.

    """
    if word.isidentifier() and not Path(word).is_file():
        folders = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
        found = shutil.which(word, path=folders)
        if found is not None and _is_python(found):
            return load_script(found, args)
        spec = importlib.util.find_spec(word)
        if spec is not None and spec.origin is not None:  # else a mere folder
            return load_module(word, args)
    return load_script(word, args)


def _is_python(file: str) -> bool:
    with suppress(OSError), Path(file).open("rb") as stream:
        head = stream.read(512)
        return head.startswith(b"#!") and b"python" in head
    return False


def load_module(name: str, args: list[str]) -> Program:
    """Find a module, or a package's `__main__`, as `python -m` does. The packages it is in are imported.

    Raises:
        UsageError: there is none, or it has no code.

    """
    here = str(Path.cwd())
    _lead_path(here)
    sys.argv[:] = ["-m", *args]
    try:
        spec = _find(name)
        if spec is not None and spec.submodule_search_locations is not None:
            name += ".__main__"
            spec = _find(name)
        get_code = getattr(spec.loader, "get_code", None) if spec is not None else None
        code = get_code(name) if get_code is not None else None
    except SyntaxError as error:
        raise UsageError(f"can't run module {name}", f"{error.filename}, {_syntax_error(error)}") from error
    if spec is None or code is None:
        why = "there is no such module with Python code"
        raise UsageError(f"can't run module {name}", why, f"looked from {here}")
    return Program(code, (spec.origin or name, *args), here, spec.origin or name, spec)


def _find(name: str) -> ModuleSpec | None:
    """Find a module. What its package raises as it is imported is the program's own, and passes through."""
    package = name.rpartition(".")[0]
    try:
        if package:
            __import__(package)
    except ImportError as error:
        if error.name is None or not f"{package}.".startswith(f"{error.name}."):
            raise
        raise UsageError(f"can't run module {name}", str(error)) from error
    try:
        return importlib.util.find_spec(name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"can't run module {name!r}", str(error)) from error


def _syntax_error(error: SyntaxError) -> str:
    return f"line {error.lineno}: {error.msg}" if error.lineno else error.msg


def run(load: Callable[[], Program]) -> Outcome:
    """Load a program and run it to its end. An uncaught exception is shown as the interpreter would show it.

    Raises:
        UsageError: it can't be loaded.
        SystemExit: the program's own; the interpreter knows best what it means.

    """
    program = None
    try:
        program = load()
        lines.choose_file_if_wanted(program.code)
        exec(program.code, vars(_become_main(program)))  # noqa: S102 - running the user's program is what was asked for
    except SystemExit:
        raise
    except BaseException as error:
        if program is None and isinstance(error, UsageError):
            raise
        uncaught = error
    else:
        return Outcome(0, interrupted=False)
    # Out of the handler: to the program's sys.excepthook, no exception is being handled.
    _show_uncaught(uncaught)
    interrupted = type(uncaught) is KeyboardInterrupt
    return Outcome(130 if interrupted else 1, interrupted)


def exit_code(exit_: SystemExit) -> int:
    """Return the code that the interpreter makes of a SystemExit."""
    if exit_.code is None:
        return 0
    if isinstance(exit_.code, int):
        return exit_.code & 0xFF if -(1 << 63) <= exit_.code < 1 << 63 else 0xFF
    return 1


def _become_main(program: Program) -> ModuleType:
    module = ModuleType("__main__")
    spec = program.spec
    vars(module).update(
        __annotations__={},
        __builtins__=builtins,
        __file__=program.file,
        __spec__=spec,
        __package__=spec.parent if spec is not None else None,
        __loader__=spec.loader if spec is not None else SourceFileLoader("__main__", program.file),
        __cached__=spec.cached if spec is not None else None,
    )
    sys.modules["__main__"] = module
    sys.argv[:] = program.argv
    _lead_path(program.path)
    return module


def _lead_path(folder: str) -> None:
    """Put the program's folder where the interpreter puts it: first, unless it runs with -P or -I."""
    if not sys.flags.safe_path:
        sys.path[0] = folder


def _show_uncaught(error: BaseException) -> None:
    """Report an uncaught exception through sys.excepthook, without the frames that ran the program."""
    _trim(error)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    for stream in (sys.stderr, sys.stdout):
        with suppress(Exception):  # the program may have put anything there
            stream.flush()
    if not hasattr(sys, "excepthook"):
        _say("sys.excepthook is missing\n")
        sys.excepthook = sys.__excepthook__
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except SystemExit:
        raise
    except BaseException as trouble:  # noqa: BLE001 - the interpreter reports any, and goes on
        _trim(trouble)
        _say("Error in sys.excepthook:\n")
        sys.__excepthook__(type(trouble), trouble, trouble.__traceback__)
        _say("\nOriginal exception was:\n")
        sys.__excepthook__(type(error), error, error.__traceback__)


def _trim(error: BaseException) -> None:
    """Take our frames off the top of a traceback."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code.co_filename == run.__code__.co_filename:
        traceback = traceback.tb_next
    error.__traceback__ = traceback


def _say(text: str) -> None:
    with suppress(Exception):
        sys.stderr.write(text)
