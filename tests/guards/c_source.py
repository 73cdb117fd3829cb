"""Enough of C's syntax to ask what a file's functions are and whom they call."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "defined", "_Alignof", "_Atomic"}
_COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)
# A macro's head and other directives go; what a macro stands for stays and is read like any code.
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(?:define[ \t]+\w+(?:\([^)\n]*\))?|(?!define)[^\n]*)", re.MULTILINE)
_HEAD = re.compile(r"([^;{}]*?)\b(\w+)[ ]*\(((?:[^(){};]|\([^()]*\))*)\)\s*\{")
_CALL = re.compile(r"\b([A-Za-z_]\w*)\s*\(")


@dataclass(frozen=True)
class Function:
    """A function that a file defines."""

    name: str
    is_static: bool
    calls: frozenset[str]


def without_comments(text: str) -> str:
    """The text without comments and literals."""
    return _COMMENT_OR_TEXT.sub(" ", text)


def code(text: str) -> str:
    """The text without comments, literals and directives."""
    text = without_comments(text).replace("\\\n", "\n")
    return _DIRECTIVE.sub("", text).replace("##", "")


def functions(text: str) -> Iterator[Function]:
    """The functions that the text defines; one made by a macro has the parameter's name in its own."""
    text = code(text)
    at = 0
    while head := _HEAD.search(text, at):
        depth, end = 1, head.end()
        while depth and end < len(text):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        if head[2] not in _KEYWORDS:
            calls = frozenset(_CALL.findall(text[head.end() : end])) - _KEYWORDS
            yield Function(head[2], "static" in head[1].split(), calls)
        at = end


def includes(text: str) -> set[str]:
    """The files it includes, as written."""
    return set(re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', text, re.MULTILINE))


def commented_declarations(header: str) -> set[str]:
    """The functions that a header declares in a paragraph that opens with a comment."""
    found: set[str] = set()
    for paragraph in re.split(r"\n\s*\n", header):
        if paragraph.lstrip().startswith("/*"):
            found |= set(re.findall(r"\b(\w+)\((?!\*)[^;{}]*\)\s*;", code(paragraph)))
    return found
