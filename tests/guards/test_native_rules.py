"""The native core's house rules (docs/how-to/develop.md), checked on its text."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from tests.guards import c_source
from tests.guards.checkout import ROOT

NATIVE = ROOT / "native"

# The only files that may see Python.h, directly or through another header.
KNOW_PYTHON = {
    "allocators",
    "below",
    "coarse",
    "counting",
    "events",
    "heap_figures",
    "heap_frames",
    "heap_functions",
    "heap_refer",
    "heap_sites",
    "heap_size",
    "heap_snapshot",
    "heap_types",
    "heap_values",
    "heap_visit",
    "heap_walk",
    "hooks",
    "lines",
    "module",
    "monitoring",
    "pycompat",
    "pycompat_heap",
    "sampling",
    "scope_functions",
    "site",
    "ticker",
    "tracing",
}

# What a hook may call of Python's, for it only reads memory or must hand the call on.
NOPY_MAY_CALL = {
    "PyCode_Addr2Line",
    "PyContextVar_Get",
    "PyDict_GET_SIZE",
    "PyGILState_GetThisThreadState",
    "PyInterpreterState_Main",
    "PyLong_AsUnsignedLongLong",
    "PyLong_CheckExact",
    "PyTraceMalloc_Track",
    "PyTraceMalloc_Untrack",
    "PyUnicode_Check",
    "PyUnicode_DATA",
    "PyUnicode_GET_LENGTH",
    "PyUnicode_KIND",
    "PyUnicode_READ",
    "Py_DECREF",  # of what a context holds too
    "Py_IsFinalizing",
    "_PyFrame_IsIncomplete",
    "_PyInterpreterFrame_LASTI",
    "_PyThreadState_UncheckedGet",
    "_Py_IsFinalizing",
}


def unsafe_calls(texts: Iterable[str]) -> dict[str, list[str]]:
    """By function whose name promises _nopy: what it calls that makes no such promise."""
    functions = [function for text in texts for function in c_source.functions(text)]
    ours = {function.name for function in functions}
    found = {}
    for function in functions:
        if function.name.endswith("_nopy"):
            unsafe = [
                name
                for name in sorted(function.calls - NOPY_MAY_CALL)
                if re.match(r"_?Py[A-Z_]", name) or (name in ours and not name.endswith("_nopy"))
            ]
            if unsafe:
                found[function.name] = unsafe
    return found


def reaches_python(name: str, texts: Mapping[str, str]) -> bool:
    """Whether a file includes Python.h, or a file that does."""
    return any(
        included == "Python.h" or (included in texts and reaches_python(included, texts))
        for included in c_source.includes(texts[name])
    )


def mentions(word: str, texts: Mapping[str, str]) -> set[str]:
    return {name for name, text in texts.items() if re.search(word, c_source.without_comments(text))}


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {path.name: path.read_text() for path in NATIVE.glob("*.[ch]")}


def test_only_the_binding_parses_arguments(texts: dict[str, str]) -> None:
    assert mentions(r"\b_?PyArg_", texts) == {"heap_functions.c", "module.c", "scope_functions.c"}


def test_only_one_file_knows_versions(texts: dict[str, str]) -> None:
    assert mentions(r"\bPY_(VERSION_HEX|M[AI][JN]OR_VERSION)\b", texts) == {"pycompat.h", "pycompat_heap.h"}


def test_tables_know_no_python(texts: dict[str, str]) -> None:
    users = {Path(name).stem for name in texts if reaches_python(name, texts)}
    assert users <= KNOW_PYTHON


def test_hooks_call_only_what_hooks_may(texts: dict[str, str]) -> None:
    assert not unsafe_calls(texts.values())


def test_every_shared_function_has_its_contract(texts: dict[str, str]) -> None:
    headers = [text for name, text in texts.items() if name.endswith(".h")]
    promised = set().union(*(c_source.commented_declarations(header) for header in headers))
    shared = {f.name for text in texts.values() for f in c_source.functions(text) if not f.is_static}
    assert len(shared) > 20
    assert shared - promised == {"PyInit__native"}


PLANTED = """
/* PyErr_NoMemory() in a comment, "PyErr_Clear()" in a text */
static void grow(void) { }
static void put_nopy(int n) { if (n) { puts("PyErr_Clear()"); } take_nopy(); }
static void take_nopy(void)
{
    PyErr_NoMemory();
    grow();
}
#define HOOK(name)                  \\
    static void name##_hook_nopy(void) { Py_INCREF(0); }
int shared(void (*callback)(int)) { return callback != 0; }
"""


def test_an_unsafe_call_is_seen() -> None:
    found = unsafe_calls([PLANTED])
    assert found == {"take_nopy": ["PyErr_NoMemory", "grow"], "name_hook_nopy": ["Py_INCREF"]}


def test_functions_are_read() -> None:
    found = {f.name: f.is_static for f in c_source.functions(PLANTED)}
    assert found == dict.fromkeys(["grow", "put_nopy", "take_nopy", "name_hook_nopy"], True) | {
        "shared": False
    }


def test_a_missing_contract_is_seen() -> None:
    header = "#define X\n\n/* Both. */\nint a(void);\nint b(int (*f)(int), char *s);\n\nint c(void);\n"
    assert c_source.commented_declarations(header) == {"a", "b"}


def test_a_hidden_include_is_seen() -> None:
    texts = {"table.h": '#include "deep.h"', "deep.h": "# include <Python.h>", "pure.c": "#include <stdio.h>"}
    assert reaches_python("table.h", texts)
    assert not reaches_python("pure.c", texts)
