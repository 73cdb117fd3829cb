"""Notices what the program imports while it runs: source files' code, and extension modules."""

from __future__ import annotations

from importlib import machinery

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, ModuleType

_code_watchers: list[Callable[[CodeType], object]] = []
_extension_watchers: list[Callable[[], object]] = []

# The importer looks these up on their classes at each import, so wrapping them there reaches all imports,
# cached bytecode included; a finder on sys.meta_path would be visible to the program, and slower.
_get_code = machinery.SourceFileLoader.get_code
_exec_module = machinery.ExtensionFileLoader.exec_module


def on_code(watcher: Callable[[CodeType], object]) -> None:
    """Call `watcher` with the module code of each source file imported from now on."""
    if watcher not in _code_watchers:
        _code_watchers.append(watcher)
    if machinery.SourceFileLoader.get_code is _get_code:
        machinery.SourceFileLoader.get_code = _watched_get_code  # type: ignore[method-assign, assignment]


def on_extension(watcher: Callable[[], object]) -> None:
    """Call `watcher` after each extension module that is loaded from now on."""
    if watcher not in _extension_watchers:
        _extension_watchers.append(watcher)
    if machinery.ExtensionFileLoader.exec_module is _exec_module:
        machinery.ExtensionFileLoader.exec_module = _watched_exec_module  # type: ignore[method-assign]


def forget(*watchers: Callable[..., object]) -> None:
    """Call these no more; without any left, leave imports as they were, unless another tool wraps them."""
    _code_watchers[:] = [w for w in _code_watchers if w not in watchers]
    _extension_watchers[:] = [w for w in _extension_watchers if w not in watchers]
    if not _code_watchers and machinery.SourceFileLoader.get_code is _watched_get_code:
        machinery.SourceFileLoader.get_code = _get_code  # type: ignore[method-assign]
    if not _extension_watchers and machinery.ExtensionFileLoader.exec_module is _watched_exec_module:
        machinery.ExtensionFileLoader.exec_module = _exec_module  # type: ignore[method-assign]


def _watched_get_code(self: machinery.SourceFileLoader, fullname: str) -> CodeType | None:
    code = _get_code(self, fullname)
    if code is not None:
        for watcher in _code_watchers:
            watcher(code)
    return code


def _watched_exec_module(self: machinery.ExtensionFileLoader, module: ModuleType) -> None:
    _exec_module(self, module)
    for watcher in _extension_watchers:
        watcher()
