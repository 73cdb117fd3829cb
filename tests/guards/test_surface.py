"""What outlive offers is what docs/reference documents, and the other way round.

api.md has a heading `### outlive.NAME` for each public name; cli.md and cli-heap.md a heading
`## outlive COMMAND` for each command, and under it an item "- `-o, --output FILE`" for each option.
"""

import inspect
import re
from collections.abc import Iterator

import click
import pytest

import outlive
from outlive.cli import cli
from tests.guards.checkout import ROOT

REFERENCE = ROOT / "docs" / "reference"


def documented_names(page: str) -> list[str]:
    return re.findall(r"^### `?outlive\.(\w+)", page, re.MULTILINE)


def documented_options(page: str) -> dict[str, set[str]]:
    """By command: every spelling of every option."""
    sections = re.split(r"^## `?outlive (?=[a-z])", page, flags=re.MULTILINE)[1:]
    found = {}
    for section in sections:
        name = re.match(r"[\w-]+", section)
        assert name is not None
        items = re.findall(r"^- `(-[^`]+)`", section, re.MULTILINE)
        found[name[0]] = {part.split()[0] for item in items for part in item.split(", ")}
    return found


def commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None, name
        yield name, command


def test_surface_is_small() -> None:
    assert len(outlive.__all__) <= 20
    assert sorted(set(outlive.__all__)) == sorted(outlive.__all__)


def test_every_public_name_is_documented_and_the_other_way_round() -> None:
    names = documented_names((REFERENCE / "api.md").read_text())
    assert sorted(names) == sorted(outlive.__all__)


@pytest.mark.parametrize("name", outlive.__all__)
def test_every_public_object_says_what_it_is(name: str) -> None:
    thing = getattr(outlive, name)
    if callable(thing):
        assert (inspect.getdoc(thing) or "").strip()
        assert not (inspect.getdoc(thing) or "").startswith(f"{name}(")  # a dataclass's own, unwritten


def test_every_command_and_option_is_documented_and_the_other_way_round() -> None:
    offered = {
        name: {
            spelling
            for option in command.params
            if isinstance(option, click.Option) and not option.hidden
            for spelling in (*option.opts, *option.secondary_opts)
        }
        for name, command in commands()
    }
    assert offered
    pages = "".join(page.read_text() for page in sorted(REFERENCE.glob("cli*.md")))
    assert documented_options(pages) == offered


def test_the_pages_are_read() -> None:
    api = "# API\n### outlive.start\n### `outlive.stop()`\n#### outlive.no\n"
    assert documented_names(api) == ["start", "stop"]
    cli_page = (
        "# CLI\n## outlive run\n- `-o, --output FILE`: where\n- `--json FILE`\n- other\n## `outlive demo`\n"
    )
    assert documented_options(cli_page) == {"run": {"-o", "--output", "--json"}, "demo": set()}
