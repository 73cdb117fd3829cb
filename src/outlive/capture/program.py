"""Runs a script or a module as `__main__`, as the interpreter would: same names, same path, same tracebacks."""

from __future__ import annotations

import glob
import importlib.util
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from outlive.capture import lines
from outlive.errors import UsageError

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import TracebackType


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
        found = [file for file in glob.glob(pattern, recursive=True) if Path(file).is_file()]
        if not found:
            raise UsageError(f"--lines {pattern!r} matches no file", f"looked from {Path.cwd()}")
        files.update(os.path.realpath(file) for file in found)
    return frozenset(files)


def load_script(file: str, args: list[str]) -> Program:
    """Read and compile a script, or a folder's `__main__.py`.

    Raises:
        UsageError: it is missing, unreadable, or not Python.

    """
    script = Path(file)
    path = os.path.abspath(file)  # as the interpreter names it in tracebacks
    if script.is_dir():
        raise UsageError(f"{file} is a directory", hint="name the script in it")
    try:
        with io.open_code(str(script.absolute())) as stream:
            source = stream.read()
    except OSError as error:
        raise UsageError(f"can't run {file}", error.strerror or str(error)) from error
    try:
        code = compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        where = f"line {error.lineno}: " if isinstance(error, SyntaxError) else ""
        raise UsageError(f"can't run {file}", f"{where}{error.msg if isinstance(error, SyntaxError) else error}") from error
    return Program(code, (file, *args), str(script.resolve().parent), path, None)


def load_module(name: str, args: list[str]) -> Program:
    """Find a module, or a package's `__main__`, as `python -m` does.

    Raises:
        UsageError: there is none, or it has no code.

    """
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            name += ".__main__"
            spec = importlib.util.find_spec(name)
        get_code = getattr(spec.loader, "get_code", None) if spec is not None else None
        code = get_code(name) if get_code is not None else None
    except (ImportError, ValueError) as error:
        raise UsageError(f"can't run module {name}", str(error)) from error
    except SyntaxError as error:
        raise UsageError(f"can't run module {name}", f"{error.filename}, line {error.lineno}: {error.msg}") from error
    finally:
        sys.path.remove(here)
    if spec is None or code is None:
        raise UsageError(f"can't run module {name}", "there is no such module with Python code", f"looked from {here}")
    return Program(code, (spec.origin or name, *args), here, spec.origin or name, spec)


def run(program: Program) -> Outcome:
    """Run a program to its end. An uncaught exception is shown as the interpreter would show it."""
    module = ModuleType("__main__")
    spec = program.spec
    vars(module).update(
        __builtins__=__builtins__,
        __file__=program.file,
        __spec__=spec,
        __package__=spec.parent if spec is not None else None,
        __loader__=spec.loader if spec is not None else None,
        __cached__=None,
    )
    sys.modules["__main__"] = module
    sys.argv[:] = program.argv
    sys.path[0] = program.path
    lines.choose_file_if_wanted(program.code)
    try:
        exec(program.code, vars(module))  # noqa: S102 - running the user's program is what was asked for
    except SystemExit as exit_:
        return Outcome(_exit_code(exit_), interrupted=False)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the program died of it
        _show_uncaught(error)
        return Outcome(130 if isinstance(error, KeyboardInterrupt) else 1, isinstance(error, KeyboardInterrupt))
    return Outcome(0, interrupted=False)


def _exit_code(exit_: SystemExit) -> int:
    if exit_.code is None:
        return 0
    if isinstance(exit_.code, int):
        return exit_.code & 0xFF
    sys.stderr.write(f"{exit_.code}\n")
    return 1


def _show_uncaught(error: BaseException) -> None:
    """Report an uncaught exception through sys.excepthook, without the frames of ours that ran the program."""
    traceback: TracebackType | None = error.__traceback__
    if traceback is not None:
        traceback = traceback.tb_next  # ours: run()
    error.__traceback__ = traceback
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, traceback
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    sys.stdout.flush()
    sys.excepthook(type(error), error, traceback)
