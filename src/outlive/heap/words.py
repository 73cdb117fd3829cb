"""Paths through the heap in words: `module app.cache → CACHE['u42'] → Export.rows → list[100000] → Row`.

Each object on the way and each reference adds a word or none: a module's dict, an instance's, a cell or a
traceback says nothing that the words around it don't.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.heap import labels as kinds
from outlive.heap.nouns import LRU_CACHE, LRU_ENTRY, PARTIAL, SUSPENDABLE, Nouns, Word, word
from outlive.model.heap_layout import Category

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from outlive.heap.labels import Label, Labels

ARROW = " → "
_LOCAL = "_thread._local"
# Parts of others, which a reader need not know of.
_TRANSPARENT = {
    "hamt",
    "hamt_bitmap_node",
    "hamt_array_node",
    "hamt_collision_node",
    "async_generator_asend",
    "async_generator_athrow",
    "async_generator_wrapped_value",
    "anext_awaitable",
    "coroutine_wrapper",
    "_asyncio.FutureIter",
    "_thread._localdummy",
}
_OF_FUTURES = {
    Category.COROUTINE: "coro",
    Category.GENERATOR: "coro",
    Category.EXCEPTION: "exception",
    Category.TRACEBACK: "exception.__traceback__",
    Category.CONTEXT: "",
    Category.FUNCTION: "callback",
    Category.METHOD: "callback",
    Category.BUILTIN: "callback",
    Category.FUTURE: "waiter",
    Category.TASK: "waiter",
}
_AWAITED = {Category.COROUTINE, Category.FUTURE, Category.TASK}
_METHODS = {Category.METHOD, Category.BUILTIN}
_NAMES_CONTENT = {Category.MODULE, Category.TYPE}


class Words:
    """Says paths."""

    def __init__(self, labels: Labels, modules: Mapping[int, str]) -> None:
        self.labels = labels
        self.nouns = Nouns(labels, modules)

    def say(
        self, objects: Sequence[int], edges: Sequence[int], start: Word | None = None, *, whole: bool = True
    ) -> list[Word]:
        """Return the words for a path: `edges[i]` leads from `objects[i]` to the one after.

        Args:
            objects: on the way, at least one.
            edges: one less.
            start: what is said of the root; it stands for the first object if that is a module, a thread or
                a task.
            whole: whether the last object is where it ends, to be said as well.

        """
        path = _Path(self, objects, edges, start)
        while path.at < len(edges):
            path.step()
        if whole:
            path.end()
        return path.words


class _Path:
    """A path while it is said: `at` is the object to go on from, `named` if words before tell what it is."""

    def __init__(
        self, words: Words, objects: Sequence[int], edges: Sequence[int], start: Word | None
    ) -> None:
        self.labels, self.nouns = words.labels, words.nouns
        self.objects, self.edges = objects, edges
        self.words = [start] if start else []
        self.at = 0
        self.named = start is not None
        first = self.labels.category(objects[0])
        self.said = start is not None and first in (Category.MODULE, Category.THREAD, Category.TASK)

    def step(self) -> None:
        """Say the object at `at` and the reference from it; go on."""
        thing = self.objects[self.at]
        label = self.labels.label(thing, self.edges[self.at])
        category = self.labels.category(thing)
        type_name = self.labels.type_name(thing)
        self.at += 1
        if type_name in _TRANSPARENT:
            self._transparent(thing, label)
        elif type_name == LRU_ENTRY:
            self._cached(is_key=label.name == "key", key=self.labels.named(thing, "key"))
        elif category == Category.CELL:
            if not self.named:
                self._add(word("cell"))
            self.named = True
        elif category == Category.TRACEBACK:
            if not self._just("traceback", ".__traceback__"):
                self._add(word("traceback"))
        elif category == Category.DICT and type_name == "dict":
            self._plain_dict(thing, label)
        else:
            self._other(thing, label, category, type_name)

    def end(self) -> None:
        """Say the last object."""
        thing = self.objects[-1]
        if not (self.said and len(self.objects) == 1):
            self._noun(thing)

    def _next(self) -> int:
        return self.objects[self.at]

    def _just(self, *texts: str) -> bool:
        return bool(self.words) and self.words[-1].text in texts

    def _add(self, one: Word, *, named: bool = False) -> None:
        self.words.append(one)
        self.named = named

    def _noun(self, thing: int) -> None:
        """Say what an object is, and no global name before it that its own name repeats."""
        if self.said:
            self.said = False
            return
        noun = self.nouns.noun(thing)
        if len(self.words) > 1 and self.named and not self.words[-1].glued:
            name = self.words[-1].text
            if noun.text.endswith((f".{name}", f" {name}")) and self.words[-2].text.startswith("module "):
                self.words.pop()
        self._add(noun)

    def _transparent(self, thing: int, label: Label) -> None:
        """Say nothing, but the variable whose value a node of a context's tree has."""
        before = self.edges[self.at - 1] - 1
        if label.kind != kinds.NAMED and before >= self.labels.columns.first[thing]:
            variable = int(self.labels.columns.edges[before])
            if self.labels.category(variable) == Category.CONTEXT_VARIABLE:
                self._add(self.nouns.noun(variable), named=True)

    def _plain_dict(self, thing: int, label: Label) -> None:
        length = self.labels.length(thing)
        if label.kind == kinds.VALUE:
            if self._just_cache():
                if self.labels.type_name(self._next()) != LRU_ENTRY:
                    self._cached(is_key=False, key=label.key)
                return
            if not self.named:
                self._add(word("dict"))
            self._add(self.nouns.key(label.key), named=True)
        elif label.kind == kinds.KEY:
            if self._just_cache():
                self._cached(is_key=True, key=None)
            else:
                self._add(word(f"key of dict[{length}]", alike="key of dict"))
        else:
            self._noun(thing)

    def _cached(self, *, is_key: bool, key: int | None) -> None:
        """Say what of an lru_cache. A single argument is the key itself; several are a sequence."""
        self._add(word("cached key" if is_key else "cached value"), named=True)
        if not is_key and key is not None:
            self._add(self.nouns.key(key), named=True)

    def _just_cache(self) -> bool:
        return bool(self.words) and self.words[-1].text.startswith(("lru_cache of ", "limited lru_cache of "))

    def _other(self, thing: int, label: Label, category: Category, type_name: str) -> None:
        if label.kind == kinds.NAMED and label.name == "__dict__" and self._namespace(thing, category):
            return
        if type_name == _LOCAL and self._thread_local(thing):
            return
        if category == Category.FUNCTION and label.name == "__closure__":
            self._noun(thing)
            self._closure(thing)
        elif category in _METHODS and label.name in ("__self__", "__func__"):
            self._method(thing, label, category)
        elif category == Category.WEAK_REFERENCE:
            self._noun(thing)
            self._add(word("callback"))
        elif category == Category.FRAME or category in SUSPENDABLE:
            self._noun(thing)
            self._in_frame(thing, label, category)
        elif category in (Category.TASK, Category.FUTURE):
            self._in_future(thing, label)
        elif type_name == LRU_CACHE and label.name != "__wrapped__":
            self._noun(thing)
        elif type_name == PARTIAL and label.kind == kinds.NAMED:
            self._noun(thing)
            self._add(word(label.name), named=True)
        else:
            self._plain(thing, label)

    def _namespace(self, thing: int, category: Category) -> bool:
        """Say an entry of a module's, class's or instance's dict as the attribute that it is."""
        if self.at >= len(self.edges):
            return False
        entry = self.labels.label(self._next(), self.edges[self.at])
        if entry.kind != kinds.VALUE or self.labels.category(entry.key) != Category.STR:
            return False
        name = self.labels.text(entry.key, 80) or "?"
        self._noun(thing)
        self._add(word(name if category in _NAMES_CONTENT else f".{name}"), named=True)
        self.at += 1
        return True

    def _thread_local(self, thing: int) -> bool:
        """Say a variable of a thread-local, whichever thread's; its dicts by thread are its own affair."""
        for at in range(self.at, min(self.at + 2, len(self.edges))):
            entry = self.labels.label(self.objects[at], self.edges[at])
            if entry.kind == kinds.VALUE and self.labels.category(entry.key) == Category.STR:
                self._noun(thing)
                self._add(word(f".{self.labels.text(entry.key, 80) or '?'}"), named=True)
                self.at = at + 1
                return True
        return False

    def _closure(self, thing: int) -> None:
        """Say which variable, and skip the tuple of cells."""
        said = "closure"
        if self.at < len(self.edges):
            cells = self._next()
            entry = self.labels.label(cells, self.edges[self.at])
            name = entry.name or self.labels.free_variable(thing, entry.place, self.labels.degree(cells))
            said = f"closure {name or 'cell'}"
            self.at += 1
        self._add(word(said), named=True)

    def _method(self, thing: int, label: Label, category: Category) -> None:
        if category == Category.BUILTIN:
            self._add(word(f"built-in method {self.labels.text(thing) or '?'} of"))
        elif label.name == "__self__":
            self._add(word(f"{self.nouns.callable(thing)} of"))
        # To its function: that has the same name.

    def _in_frame(self, thing: int, label: Label, category: Category) -> None:
        if label.kind == kinds.STACK:
            held = self.labels.category(self._next())
            awaits = category != Category.GENERATOR and (
                held in _AWAITED or self.labels.type_name(self._next()) in _TRANSPARENT
            )
            self._add(word("awaiting" if awaits else "stack"))
        elif label.kind == kinds.NAMED and label.place >= self.labels.locals_begin(thing):
            self._add(word(f"local {label.name}"), named=True)
        elif label.kind == kinds.NAMED and label.name not in ("f_func", "frame"):
            self._add(word(label.name), named=True)

    def _in_future(self, thing: int, label: Label) -> None:
        """Say what of a future or task. Those of C don't say it, so it is told by what is there."""
        self._noun(thing)
        name = label.name.strip("_")
        held = self._next()
        category = self.labels.category(held)
        if label.kind != kinds.NAMED:
            name = _OF_FUTURES.get(category, "result")
            if category == Category.LIST and self._are_callbacks(held):
                name = "callbacks"
            elif self.labels.type_word(held).endswith("Loop"):
                name = "loop"
        if name and name != "coro":
            self._add(word(f".{name}"), named=True)

    def _are_callbacks(self, held: int) -> bool:
        """Whether a list is one of callbacks with their contexts."""
        columns = self.labels.columns
        for pair in columns.edges[columns.first[held] : columns.first[held] + self.labels.degree(held)][:1]:
            last = columns.edges[columns.first[pair + 1] - 1] if self.labels.degree(int(pair)) else pair
            return self.labels.category(int(last)) == Category.CONTEXT
        return False

    def _plain(self, thing: int, label: Label) -> None:
        short = self.labels.type_word(thing)
        length = self.labels.length(thing)
        thread = self.labels.category(thing) == Category.THREAD
        match label.kind:
            case kinds.NAMED if self.labels.category(thing) == Category.CONTEXT:
                self._noun(thing)
            case kinds.NAMED:
                self._noun_without_length(thing)
                self._add(word(label.name if thread else f".{label.name}"), named=True)
            case _ if thread:
                self._noun(thing)
            case kinds.ELEMENT:
                of = f"{short}[{label.place} of {length}]"
                self._add(word(of, f"{short}[{length}]", short))
            case kinds.MEMBER:
                self._add(word(f"{short}[{length}]", alike=short))
            case kinds.VALUE:
                key = self.nouns.key(label.key)
                if self.labels.category(label.key) == Category.CONTEXT_VARIABLE:
                    key = self.nouns.noun(label.key)
                self._noun_without_length(thing)
                self._add(key, named=True)
            case kinds.KEY:
                self._add(word(f"key of {short}[{length}]", alike=f"key of {short}"))
            case _:
                self._noun(thing)

    def _noun_without_length(self, thing: int) -> None:
        noun = self.nouns.noun(thing)
        if not self.said and noun.text.endswith("]"):
            self._add(word(self.labels.type_word(thing)))
        else:
            self._noun(thing)


def join(words: Sequence[str]) -> str:
    """Return words as one text, as `Holder.text` has it."""
    text = ""
    for one in words:
        close = one[0] in ".[" or text.endswith((" of", "awaiting", ":"))
        text += one if not text or one[0] in ".[" else f" {one}" if close else f"{ARROW}{one}"
    return text
