"""The table of a suite's tests, for terminals, GitHub and scripts."""

from __future__ import annotations

from outlive.report.suite import Row, as_json, markdown, text

ROWS = [
    Row("test_a.py::test_small", 0.5, 2048, 0),
    Row("test_a.py::test_large", 1.25, 5 << 20, 1 << 20),
    Row("test_b.py::test_leaks[|`]", 2.0, 1 << 20, 4096, "leak", 10_240.0),
    Row("test_b.py::test_clean", 0.1, None, None, "steady", 3.0),
]


def test_on_a_terminal() -> None:
    assert list(text(ROWS, 2)) == [
        "1 of 4 tests leak:",
        "    10.0 KiB a run   test_b.py::test_leaks[|`]",
        "",
        "      peak        left   seconds   test",
        "   5.0 MiB     1.0 MiB      1.25   test_a.py::test_large",
        "   1.0 MiB     4.0 KiB      2.00   test_b.py::test_leaks[|`]",
        "and 2 more with less; -v shows all",
    ]
    assert next(text([ROWS[3]], 2)) == "no test leaks"
    assert next(text([ROWS[0]], 2)).split() == ["peak", "left", "seconds", "test"]
    assert list(text([], 2)) == []


def test_on_github() -> None:
    assert markdown(ROWS, 1).splitlines() == [
        "### Memory of the tests",
        "",
        "- **leaks** 10.0 KiB a run: `test_b.py::test_leaks[\\|']`",
        "",
        "| test | peak | left | seconds |",
        "|---|---:|---:|---:|",
        "| `test_a.py::test_large` | 5.0 MiB | 1.0 MiB | 1.25 |",
    ]


def test_for_scripts() -> None:
    made = as_json(ROWS)
    assert made["schema"] == 1
    assert made["tests"][0] == {  # type: ignore[index]
        "test": "test_a.py::test_large",
        "seconds": 1.25,
        "peak_bytes": 5 << 20,
        "left_bytes": 1 << 20,
        "verdict": "",
        "per_run_bytes": None,
    }
