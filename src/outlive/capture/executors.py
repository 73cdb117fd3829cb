"""Has what a ThreadPoolExecutor runs belong to the run that submitted it: it copies no context by itself."""

from __future__ import annotations

from outlive.capture import imports

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from contextvars import ContextVar
    from types import ModuleType
    from typing import Any

_MODULE = "concurrent.futures.thread"

_run: ContextVar[int] | None = None  # while this is on: what says which run a thread is in
_item: Any = None  # the executor's own class of work items, while it is altered


def follow(run: ContextVar[int]) -> None:
    """Do so from now on, as soon as the program has imported the executor."""
    global _run  # noqa: PLW0603 - one class in a process
    if _run is None:
        _run = run
        imports.on_module(_MODULE, _alter)


def leave() -> None:
    """Leave the executor as it was, unless another tool has altered it since."""
    global _run, _item  # noqa: PLW0603 - one class in a process
    imports.forget(_alter)
    if _item is not None and _item.__init__ is _submitted and _item.run is _performed:
        _item.__init__, _item.run = _make, _do
        _item = None
    _run = None


def _alter(module: ModuleType) -> None:
    """Alter how work is kept and done: not submit(), which subclasses and other tools override."""
    global _item, _make, _do  # noqa: PLW0603 - one class in a process
    found: Any = getattr(module, "_WorkItem", None)
    if _item is None and callable(getattr(found, "run", None)):
        _make, _do = found.__init__, found.run
        found.__init__, found.run = _submitted, _performed
        _item = found


def _nothing(*_args: object, **_kwargs: object) -> None: ...


_make = _do = _nothing  # what was found there


def _submitted(self: Any, *args: object, **kwargs: object) -> None:  # noqa: ANN401 - the executor's own
    _make(self, *args, **kwargs)
    if _run is not None and (run := _run.get()):
        self.outlive_run = run


def _performed(self: object, *args: object) -> None:
    run = _run
    if run is None:
        return _do(self, *args)
    around = run.get()  # none, unless somebody else than the executor's threads does the work
    run.set(getattr(self, "outlive_run", 0))
    try:
        return _do(self, *args)
    finally:
        run.set(around)
