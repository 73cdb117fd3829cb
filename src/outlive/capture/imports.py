"""Notices what the program imports: source files' code, the modules made of them, and extension modules."""

from __future__ import annotations

import sys
from importlib import machinery

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, ModuleType

    ModuleWatcher = Callable[[ModuleType], object]

_code_watchers: list[Callable[[CodeType], object]] = []
_extension_watchers: list[Callable[[], object]] = []
_module_watchers: list[tuple[str, ModuleWatcher]] = []

# The importer looks these up on their classes at each import, so wrapping them there reaches all imports,
# cached bytecode included; a finder on sys.meta_path would be visible to the program, and slower.
_get_code = machinery.SourceFileLoader.get_code
_exec_module = machinery.ExtensionFileLoader.exec_module
_exec_source = machinery.SourceFileLoader.exec_module  # it has this from a base


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


def on_module(name: str, watcher: ModuleWatcher) -> None:
    """Call `watcher` with a module when its source file has been executed, before anybody else sees it.

    At once if it is there already.
    """
    if name in sys.modules:
        watcher(sys.modules[name])
        return
    _module_watchers.append((name, watcher))
    if machinery.SourceFileLoader.exec_module is _exec_source:
        machinery.SourceFileLoader.exec_module = _watched_exec_source  # type: ignore[method-assign, assignment]


def forget(*watchers: Callable[..., object]) -> None:
    """Call these no more; without any left, leave imports as they were, unless another tool wraps them."""
    _code_watchers[:] = [w for w in _code_watchers if w not in watchers]
    _extension_watchers[:] = [w for w in _extension_watchers if w not in watchers]
    _module_watchers[:] = [each for each in _module_watchers if each[1] not in watchers]
    if not _code_watchers and machinery.SourceFileLoader.get_code is _watched_get_code:
        machinery.SourceFileLoader.get_code = _get_code  # type: ignore[method-assign]
    if not _extension_watchers and machinery.ExtensionFileLoader.exec_module is _watched_exec_module:
        machinery.ExtensionFileLoader.exec_module = _exec_module  # type: ignore[method-assign]
    if not _module_watchers and machinery.SourceFileLoader.exec_module is _watched_exec_source:
        del machinery.SourceFileLoader.exec_module


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


def _watched_exec_source(self: machinery.SourceFileLoader, module: ModuleType) -> None:
    _exec_source(self, module)
    for name, watcher in _module_watchers.copy():
        if name == self.name:
            watcher(module)


# The importer leaves its own frames out of the program's tracebacks, and knows them by their file.
_watched_exec_source.__code__ = _watched_exec_source.__code__.replace(
    co_filename=_exec_source.__code__.co_filename
)
