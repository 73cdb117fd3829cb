"""Which references and holders are noise: true, but not why something is alive.

`why` looks for ways around them first. Only what is held by nothing else is shown through them. A filter is
plain data; patterns are those of shell file names, matched against the whole name, by case.

    from outlive.heap.filters import NOISE, Filter

    celery = Filter("celery", "Celery's own bookkeeping", modules=("celery", "celery.*", "kombu.*"))
    snapshot.why("Order", ignore=(*NOISE, celery))      # one more
    snapshot.why("Order", ignore=("types", "outlive"))  # only these two
    snapshot.why("Order", ignore=())                    # none
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from outlive.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Filter:
    """What to look around, by name.

    Args:
        name: by which it is asked for.
        about: what it filters, a line.
        references: names of references: attributes, slots, and the dunder names CPython's own have.
        variables: patterns of modules' global names.
        modules: patterns of modules' names: what those hold.
        types: patterns of full type names ("app.models.Registry", "dict"): what their instances hold.
        files: patterns of source files: what frames, generators and coroutines of their code hold.

    """

    name: str
    about: str
    references: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


TYPES = Filter(
    "types",
    "what every object has: its class, and what a class has: its bases",
    references=(
        "__class__",
        "__mro__",
        "__base__",
        "__bases__",
        "__objclass__",
        "__subclasses__",
        "__module__",
        "__qualname__",
        "__name__",
        "__type_params__",
        "__annotations__",
    ),
)
MODULE_DICTS = Filter(
    "module-dicts",
    "modules' own dicts, which every function and frame of theirs refers to",
    references=("__globals__", "__builtins__", "f_globals", "f_builtins", "f_locals"),
    variables=("__builtins__",),
)
IMPORTS = Filter(
    "imports",
    "import machinery: specs, loaders, finders and their caches",
    references=("__spec__", "__loader__"),
    variables=("__spec__", "__loader__", "__path__", "__cached__"),
    modules=("importlib", "importlib.*", "_frozen_importlib*", "zipimport", "pkgutil"),
    types=("*.ModuleSpec", "*.SourceFileLoader", "*.FileFinder", "*.ExtensionFileLoader"),
)
OUTLIVE = Filter(
    "outlive",
    "the tool itself",
    modules=("outlive", "outlive.*"),
    types=("outlive.*",),
    files=("*/outlive/capture/*", "*/outlive/heap/*", "*/outlive/report/*", "*/outlive/__init__.py"),
)
LINECACHE = Filter(
    "linecache", "source text kept for tracebacks", modules=("linecache", "tokenize", "traceback")
)
PYTEST = Filter(
    "pytest",
    "the test runner",
    modules=("_pytest", "_pytest.*", "pytest", "pluggy", "pluggy.*"),
    types=("_pytest.*", "pluggy.*"),
    files=("*/_pytest/*", "*/pluggy/*", "*/pytest/__main__.py"),
)

NOISE: tuple[Filter, ...] = (TYPES, MODULE_DICTS, IMPORTS, OUTLIVE, LINECACHE, PYTEST)


def chosen(ignore: Iterable[Filter | str]) -> tuple[Filter, ...]:
    """Return the filters meant, those of NOISE by their names.

    Raises:
        UsageError: a name that none of NOISE has.

    """
    known = {one.name: one for one in NOISE}
    found = dict[Filter, None]()
    for one in (ignore,) if isinstance(ignore, str) else ignore:
        if isinstance(one, Filter):
            found[one] = None
        elif one in known:
            found[known[one]] = None
        else:
            near = get_close_matches(one, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise UsageError(f"there is no filter {one!r}", hint=hint)
    return tuple(found)
