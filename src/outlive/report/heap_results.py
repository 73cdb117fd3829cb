"""Results of the Python API: lists that print as the tables people read, in notebooks too."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

T = TypeVar("T")


class Results(list[T]):
    """A list of results; `str()` and `repr()` are their table."""

    def __init__(self, results: Iterable[T], as_text: Callable[[Sequence[T]], str]) -> None:
        """Keep the results; `as_text` makes the table of them."""
        super().__init__(results)
        self._as_text = as_text

    def __repr__(self) -> str:
        return self._as_text(self).rstrip("\n")

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the table's text, of which nothing can become markup."""
        return f"<pre>{html.escape(repr(self))}</pre>"
