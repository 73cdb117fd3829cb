"""Functions that are to be scopes by their name alone: wrapped as soon as their module has been executed."""

from __future__ import annotations

from functools import partial
from inspect import getattr_static
from typing import TYPE_CHECKING

from outlive.capture import imports, scopes
from outlive.errors import UsageError

if TYPE_CHECKING:
    from types import ModuleType

# By the words as given: what is wrong, "" once the function is wrapped.
_wanted: dict[str, str] = {}


def choose(words: tuple[str, ...]) -> None:
    """Make each call of these functions a run: "app.jobs:export", "app.jobs:Exporter.run".

    What imports the function after its module gets the wrapped one; what took it while the module was being
    executed (a registry, a decorator) has the bare one.

    Raises:
        UsageError: one has another form.

    """
    for word in words:
        module, _, function = word.partition(":")
        if not all(part.isidentifier() for part in (*module.split("."), *function.split("."))):
            hint = "give a module, a colon, and a function or Class.method in it"
            raise UsageError(f"--scope {word!r} names no function", hint=f"{hint}: app.jobs:export")
        if word not in _wanted:
            is_main = module == "__main__"
            _wanted[word] = (
                "the script itself is not imported; mark its function with @outlive.scope"
                if is_main
                else f"{module} was not imported from source"
            )
            if not is_main:
                imports.on_module(module, partial(_wrap, word, function))


def notes() -> tuple[str, ...]:
    """Say which of them never came, and why."""
    return tuple(f"no scope {word}: {trouble}" for word, trouble in _wanted.items() if trouble)


def _wrap(word: str, qualname: str, module: ModuleType) -> None:
    *classes, name = qualname.split(".")
    owner: object = module
    try:
        for each in classes:
            owner = getattr(owner, each)
        setattr(owner, name, scopes.wrap(getattr_static(owner, name), qualname))
    except AttributeError:
        _wanted[word] = f"{module.__name__} has no {qualname}"
    except TypeError as error:  # a generator, a class, ...
        _wanted[word] = str(error)
    else:
        _wanted[word] = ""
