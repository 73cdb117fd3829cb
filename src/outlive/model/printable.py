"""Names as people may see them: they come from anyone's program, and steer no terminal."""

from __future__ import annotations

NAME_MAX = 80

_CONTROL = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], "\N{REPLACEMENT CHARACTER}")


def printable(text: str) -> str:
    """Return text of the same length without characters that steer a terminal."""
    return text.translate(_CONTROL)


def printable_name(text: str, limit: int = NAME_MAX) -> str:
    """Return text on one line, what steers or hides written as in a literal, cut in the middle to `limit`."""
    if len(text) > limit:
        head = (limit - 1) * 2 // 3
        text = f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
