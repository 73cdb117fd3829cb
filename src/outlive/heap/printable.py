"""Names out of a snapshot as people may see them: they come from anyone's program."""

from __future__ import annotations

NAME_MAX = 80


def printable(text: str, limit: int = NAME_MAX) -> str:
    """Return `text` on one line, without what steers a terminal or hides, cut in the middle to `limit`."""
    if len(text) > limit:
        head = (limit - 1) * 2 // 3
        text = f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    return ascii(letter)[1:-1]
