"""`outlive docs`: the leak patterns, with their signs and cures."""

from __future__ import annotations

import json

import click

from outlive.cli.output import show
from outlive.errors import UsageError

_EPILOG = """\b
Examples:
  outlive docs                             every pattern, a line each
  outlive docs L02                         one, with code before and after
  outlive docs L02 --json | jq -r .rules[].after
"""


@click.command(epilog=_EPILOG)
@click.argument("rule", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(rule: str | None, *, as_json: bool) -> None:
    """Print what is known of leak pattern RULE, as findings name it; of all patterns a line each."""
    from outlive.report.rule_text import rule_document, rule_text, rules_text
    from outlive.report.style import style_of_stdout
    from outlive.rules import BY_NUMBER

    if rule is None:
        chosen = list(BY_NUMBER.values())
    elif rule.upper() in BY_NUMBER:
        chosen = [BY_NUMBER[rule.upper()]]
    else:
        raise UsageError(
            f"there is no rule {rule!r}", f"there are {', '.join(BY_NUMBER)}", "outlive docs lists them"
        )
    if as_json:
        show(json.dumps({"schema": 1, "rules": [rule_document(one) for one in chosen]}, indent=2) + "\n")
    elif rule is None:
        show(rules_text(chosen, style_of_stdout()))
    else:
        show(rule_text(chosen[0], style_of_stdout()))
