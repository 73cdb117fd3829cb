"""What a function, or what is called like one, is named: by its code, so names are no more than functions."""

from __future__ import annotations

_WRAPPERS_MAX = 100


def name_of(function: object) -> str:
    """Return the qualified name of the function in a partial, of a coroutine, or of an object's class."""
    for _ in range(_WRAPPERS_MAX):
        inner = getattr(function, "func", None)  # functools.partial
        if not callable(inner):
            break
        function = inner
    name = getattr(function, "__qualname__", None)
    return name if isinstance(name, str) else type(function).__qualname__
