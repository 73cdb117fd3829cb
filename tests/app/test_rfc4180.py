import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rows.rfc4180 import encode, header
from tests.app.activity import NASTY, nasty_rows, read_back

_HEADER = b"timestamp,action,details\r\n"

# Small alphabets find the corners: quotes, line ends and guards side by side.
_cells = st.text(st.sampled_from("\"',;\r\n\t=+-@ aä世\uff1d{}\\\ufeff")) | st.text()


def _encoded(rows: list[tuple[str, str, str]]) -> bytes:
    return header(["timestamp", "action", "details"]) + encode(
        tuple(cell.encode() for cell in row) for row in rows
    )


def test_the_bytes_are_those_of_the_standard() -> None:
    rows = [(b"2024", b'say "hi", twice\r\n', b""), (b"=1+1", b"'quoted'", b"1-1")]
    assert encode(rows) == (b'"2024","say ""hi"", twice\r\n",""\r\n"\'=1+1","\'\'quoted\'","1-1"\r\n')


def test_the_header_is_plain() -> None:
    assert header(["timestamp", "action", "details"]) == _HEADER


def test_no_rows_are_no_bytes() -> None:
    assert encode([]) == b""


def test_every_nasty_cell_comes_back() -> None:
    assert read_back(_encoded(nasty_rows())) == nasty_rows()


@settings(deadline=None)
@given(st.lists(st.tuples(_cells.filter(str.isprintable), _cells, _cells)))
def test_any_text_comes_back(rows: list[tuple[str, str, str]]) -> None:
    assert read_back(_encoded(rows)) == rows


@pytest.mark.parametrize("cell", [cell for cell in NASTY if cell.startswith(tuple("=+-@\t\r\n\uff1d"))])
def test_no_cell_is_read_as_a_formula(cell: str) -> None:
    ((read,),) = csv.reader(io.StringIO(encode([(cell.encode(),)]).decode(), newline=""), strict=True)
    assert read == f"'{cell}"
