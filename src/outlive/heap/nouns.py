"""What an object is called in a sentence: "class app.models.Registry", 'task "reader"', "list[100000]"."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from outlive.model.heap_layout import NONE, Category, FrameState, Rest
from outlive.model.place import short_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outlive.heap.labels import Labels

LRU_CACHE = "functools._lru_cache_wrapper"
LRU_ENTRY = "functools._lru_list_elem"
PARTIAL = "functools.partial"
SUSPENDABLE = {
    Category.GENERATOR: "generator",
    Category.COROUTINE: "coroutine",
    Category.ASYNC_GENERATOR: "async generator",
}
_PLACED = SUSPENDABLE | {Category.FRAME: "frame"}
_CALLED = {
    Category.MODULE: "module {}",
    Category.THREAD: "thread {}",
    Category.CONTEXT_VARIABLE: "context variable {}",
    Category.WEAK_REFERENCE: "weak reference",
}
_STATES = {
    FrameState.CREATED: ", not started",
    FrameState.SUSPENDED: ", suspended",
    FrameState.RUNNING: ", running",
    FrameState.FINISHED: ", finished",
}
_COUNTED = {Rest.SEQUENCE, Rest.MAPPING, Rest.SET}
_CALLABLE = {Category.FUNCTION, Category.METHOD, Category.BUILTIN}
_SEARCHED = 16


class Word(NamedTuple):
    """One word of a path: for one object, for several that differ in it, and for signatures.

    `many` is "" where the first one's text with an ellipsis will do. Words that begin with "." or "[" stand
    close to the word before; those that end in " of" or "ing" to the one after.
    """

    text: str
    many: str
    alike: str

    @property
    def glued(self) -> bool:
        """Whether it stands close to the word before."""
        return self.text[0] in ".["

    @property
    def open(self) -> bool:
        """Whether the word after stands close to it."""
        return self.text.endswith(" of") or self.text == "awaiting"


def word(text: str, many: str = "", alike: str = "") -> Word:
    """Return a word; what is not said is as in `text`."""
    return Word(text, many, alike or text)


class Nouns:
    """Words for objects. `modules`: names of the modules in sys.modules, by their dicts."""

    def __init__(self, labels: Labels, modules: Mapping[int, str]) -> None:
        self._labels = labels
        self._modules = modules

    def noun(self, thing: int) -> Word:
        """Return what an object is called."""
        labels = self._labels
        category = labels.category(thing)
        if category in _CALLABLE or category == Category.TYPE:
            return word(self.callable(thing))
        if category in _PLACED:
            return word(f"{_PLACED[category]} {self.place(thing)}")
        if category in _CALLED:
            return word(_CALLED[category].format(labels.text(thing, 120) or "?"))
        if category == Category.TASK:
            return word(f'task "{labels.text(thing) or "?"}"', alike="task")
        return self._by_type(thing, category)

    def _by_type(self, thing: int, category: Category) -> Word:
        labels = self._labels
        if code := labels.code(thing):
            return word(f"code of {code.name}()")
        name = labels.type_name(thing)
        if name == LRU_CACHE:
            limited = "limited " if self._has_limit(thing) else ""
            return word(f"{limited}lru_cache of {self._wrapped(thing)}")
        if name == PARTIAL:
            return word(f"partial of {self._wrapped(thing)}")
        short = labels.type_word(thing)
        rest = labels.columns.shapes["rest"][labels.columns.shape[thing]]
        if rest in _COUNTED and not (category == Category.OTHER and labels.names(thing)):
            return word(f"{short}[{labels.length(thing)}]", alike=short)
        return word(short)

    def place(self, thing: int) -> str:
        """Return where a frame or generator is: "worker() at app/jobs.py:12, suspended"."""
        frame = self._labels.frame(thing)
        if frame is None or frame.code is None:
            return "of unknown code"
        where = f"{frame.code.name}() at {short_path(frame.code.file)}:{frame.line or frame.code.line}"
        if self._labels.category(thing) == Category.FRAME:
            return where
        return where + _STATES.get(FrameState(frame.state), "")

    def callable(self, thing: int) -> str:
        """Return what a function, method or class is called."""
        labels = self._labels
        match labels.category(thing):
            case Category.FUNCTION:
                return f"function {self._qualified(thing)}"
            case Category.METHOD:
                function = labels.named(thing, "__func__")
                if function is not None and labels.category(function) == Category.FUNCTION:
                    code = self._code_name(function)
                    return f"bound method {code}"
                return "bound method"
            case Category.BUILTIN:
                return f"built-in function {labels.text(thing) or '?'}"
        return f"class {labels.class_name(thing)}"

    def _qualified(self, function: int) -> str:
        name = self._code_name(function)
        module = self._labels.named(function, "__module__")
        place = None if module is None else self._labels.text(module, 120)
        if place is None:
            variables = self._labels.named(function, "__globals__")
            place = self._modules.get(variables) if variables is not None else None
        return f"{place}.{name}" if place else name

    def _code_name(self, function: int) -> str:
        code = self._labels.named(function, "__code__")
        found = self._labels.code(code) if code is not None else None
        return found.name if found else self._labels.text(function) or "?"

    def _has_limit(self, thing: int) -> bool:
        """Return whether a cache drops entries: those of one that does are links of a list."""
        labels = self._labels
        entries = labels.named(thing, "cache")
        if entries is None or labels.degree(entries) < 2:  # noqa: PLR2004 - a key and a value
            return False
        return labels.type_name(int(labels.columns.edges[labels.columns.first[entries + 1] - 1])) == LRU_ENTRY

    def _wrapped(self, thing: int) -> str:
        """Return the name of what a partial or a cache calls."""
        labels = self._labels
        function = labels.named(thing, "func", "__wrapped__")
        if function is None:
            start = int(labels.columns.first[thing])
            targets = labels.columns.edges[start : start + min(labels.degree(thing), _SEARCHED)]
            function = next((int(one) for one in targets if labels.category(one) in _CALLABLE), None)
        if function is None:
            return "?"
        return self.callable(function).removeprefix("function ").removeprefix("built-in function ")

    def key(self, key: int) -> Word:
        """Return a key as it stands in brackets."""
        labels = self._labels
        if key == NONE:
            return word("[?]")
        kind = labels.type_word(key)
        text = labels.text(key)
        match labels.category(key):
            case Category.STR if text is not None:
                said = f"['{text}']"
            case Category.BYTES if text is not None:
                said = f"[b'{text}']"
            case Category.INT if text is not None:
                said = f"[{text}]"
            case Category.TYPE:
                said = f"[{labels.class_name(key)}]"
            case _:
                said = f"[{kind}]"
        return word(said, alike=f"[{kind}]")
