"""What can be chosen on pytest's command line and in its configuration file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from outlive.diagnose.ignores import Ignore

_CHOICES = ("skip", "fail")


def add(parser: pytest.Parser) -> None:
    """Add options."""
    group = parser.getgroup("outlive", "memory (outlive)")
    group.addoption(
        "--outlive",
        action="store_true",
        help="show which tests peak highest and leave most behind; each block is counted, which takes time",
    )
    group.addoption(
        "--outlive-leaks",
        action="store_true",
        help="repeat every test, some 25 times if it is clean, and fail those that leak over 10 KiB a run",
    )
    group.addoption("--outlive-json", metavar="FILE", help="write the tests' figures to a file, as JSON")
    parser.addini(
        "outlive_ignore",
        'known noise, a line each: "name: file pattern ..."; what code in such files made is no leak',
        type="linelist",
        default=[],
    )
    parser.addini(
        "outlive_not_enough_data",
        "what becomes of a test of which it can't be told whether it leaks: skip (the default) or fail",
        default="skip",
    )


def check(config: pytest.Config) -> None:
    """Raise pytest.UsageError where what was chosen does not make sense."""
    if config.getini("outlive_not_enough_data") not in _CHOICES:
        chosen = config.getini("outlive_not_enough_data")
        raise pytest.UsageError(f"outlive_not_enough_data = {chosen}: write one of {', '.join(_CHOICES)}")
    if config.getini("outlive_ignore"):
        ignores(config)


def ignores(config: pytest.Config) -> tuple[Ignore, ...]:
    """Return the known noise."""
    from outlive.diagnose.ignores import parse_ignores
    from outlive.errors import UsageError

    try:
        return parse_ignores(config.getini("outlive_ignore"))
    except UsageError as error:
        raise pytest.UsageError(f"outlive_ignore: {error}") from error


def looks_at_suite(config: pytest.Config) -> bool:
    """Return whether there is to be a table of the tests."""
    return bool(config.option.outlive or config.option.outlive_leaks or config.option.outlive_json)
