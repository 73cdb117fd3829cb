"""CSV as RFC 4180 writes it, from bytes to bytes.

Every cell is quoted: then commas, quotes, CR, LF and empty cells need no second thought, and `bytes.replace`
does the work. A cell that a spreadsheet would run as a formula gets one leading apostrophe. So does a cell
that already starts with one, which makes the guard reversible: take a leading apostrophe off, always.
"""

from collections.abc import Iterable, Sequence

# What spreadsheets take for the start of a formula (OWASP, "CSV Injection"; the last four are the full-width
# = + - @), and the apostrophe itself.
_GUARDED = tuple(sign.encode() for sign in "=+-@\t\r\n'\uff1d\uff0b\uff0d\uff20")


def header(names: Sequence[str]) -> bytes:
    """Return the first line: plain column names, unquoted."""
    return ",".join(names).encode() + b"\r\n"


def encode(rows: Iterable[Sequence[bytes]]) -> bytes:
    """Return the rows as CSV lines; cells are UTF-8 bytes."""
    return b"".join(b'"' + b'","'.join([_cell(value) for value in row]) + b'"\r\n' for row in rows)


def _cell(value: bytes) -> bytes:
    value = value.replace(b'"', b'""')
    return b"'" + value if value.startswith(_GUARDED) else value
