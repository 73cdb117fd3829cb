"""Triggers: which figure of this process, past which bound, has what done. How they are written.

`METRIC OP BOUND [for DURATION] [every DURATION]: ACTION[, ACTION…]`, or `SIGUSR2: ACTION[, ACTION…]`. The
operator writes them; docs/how-to/act-before-the-kill.md says what each word means.
"""

from __future__ import annotations

from outlive.errors import UsageError
from outlive.model.size import parse_size

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

VARIABLE = "OUTLIVE_TRIGGERS"

# By metric: which way it goes wrong, whether its bound may be a share of the memory limit, what to show.
_METRICS = {
    "rss": (">", True, "rss > 800 MiB: snapshot, log"),
    "left": ("<", True, "left < 25 %: snapshot, report"),
    "growth": (">", False, "growth(10 min) > 200 MiB/h: report, log"),
    "survivors": (">", False, "survivors(export) > 100 MiB: snapshot, log"),
}
_SIGNAL = "SIGUSR2"
_ARGUMENTS = {
    "snapshot": "",
    "report": "",
    "log": "",
    "webhook": "an http:// or https:// address",
    "command": "a command",
}
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_EVERY_SECONDS, _EVERY_MIN_SECONDS = 3600, 60
_WINDOW_SECONDS, _WINDOW_MIN_SECONDS = 600, 10
_TEXT_MAX = 4096
_QUOTES = "\"'"
_EXAMPLE = "write as: rss > 800 MiB for 30 s: snapshot, log"


class Rule:
    """One trigger. `name` is its condition and what it does, without addresses and commands."""

    __slots__ = (
        "actions",
        "bound",
        "condition",
        "every",
        "holds_for",
        "metric",
        "name",
        "scope",
        "share",
        "window",
    )

    def __init__(self, metric: str) -> None:
        """Begin with a metric, and what holds if a rule does not say."""
        self.metric = metric
        self.scope = ""
        self.bound = 0  # bytes; of growth, in an hour
        self.share = 0.0  # of the memory limit, where the bound is one
        self.window = float(_WINDOW_SECONDS)  # of growth
        self.holds_for = 0.0  # seconds
        self.every = 0.0 if metric == _SIGNAL else float(_EVERY_SECONDS)
        self.condition = self.name = ""
        self.actions: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def is_signal(self) -> bool:
        """Whether it is SIGUSR2 that sets it off."""
        return self.metric == _SIGNAL

    def is_passed(self, value: float, limit: int | None) -> bool:
        """Whether a figure is past the bound; False where that is a share of a limit that there is not."""
        if self.share and limit is None:
            return False
        bound = self.share * limit if self.share and limit is not None else self.bound
        return value < bound if self.metric == "left" else value > bound


def parse(texts: Iterable[str]) -> list[Rule]:
    """Return the rules that these texts say; several in one are parted by ";" or a new line.

    Raises:
        UsageError: one is none, why, and how to write it.

    """
    if isinstance(texts, str):
        raise UsageError(
            f"triggers={texts!r} is one text", "it is to be a list of them", f"triggers=[{texts!r}]"
        )
    rules: list[Rule] = []
    for text in texts:
        if not isinstance(text, str):
            raise UsageError(f"{text!r} is no trigger", "it is no text", _EXAMPLE)
        rules += [_rule(each) for line in text.splitlines() for each in _parted(line, ";")]
    seen: dict[str, int] = {}
    for rule in rules:  # each is counted by its name
        seen[rule.name] = seen.get(rule.name, 0) + 1
        if seen[rule.name] > 1:
            rule.name += f" ({seen[rule.name]})"
    return rules


def _parted(text: str, mark: str) -> Iterator[str]:
    """Yield the parts of a text between marks that do not stand in quotes, without those that are empty."""
    begin, quote = 0, ""
    for at, letter in enumerate(text):
        if letter in _QUOTES and quote in {"", letter}:
            quote = "" if quote else letter
        elif letter == mark and not quote:
            yield text[begin:at].strip()
            begin = at + 1
    if text[begin:].strip():
        yield text[begin:].strip()


def _rule(text: str) -> Rule:
    if len(text) > _TEXT_MAX or "\0" in text:
        raise UsageError(f"{text[:40]!r}… is no trigger", f"it has more than {_TEXT_MAX} letters, or a NUL")
    try:
        rule, rest = _metric(text)
        condition, colon, actions = rest.partition(":")
        if rule.is_signal():
            _durations(rule, condition)
        else:
            _bound(rule, condition)
        if not colon or not actions.strip():
            raise _Wrong(f"it says nothing to do; add one of: {', '.join(_ARGUMENTS)}")  # noqa: TRY301 - told below
        rule.condition = " ".join(text[: len(text) - len(actions)].rstrip(": ").split())
        rule.actions = tuple(_action(each) for each in _parted(actions, ","))
    except _Wrong as wrong:
        shown = text.partition("//")[0].partition(" command")[0]  # the rest may hold a secret
        raise UsageError(f"{shown!r} is no trigger", wrong.why, wrong.hint) from None
    rule.name = f"{rule.condition}: {', '.join(kind for kind, _ in rule.actions)}"
    return rule


class _Wrong(Exception):  # noqa: N818 - it becomes a UsageError
    def __init__(self, why: str, hint: str = _EXAMPLE) -> None:
        super().__init__(why)
        self.why, self.hint = why, hint


def _metric(text: str) -> tuple[Rule, str]:
    """Return a rule with its metric, and what follows that."""
    if text[: len(_SIGNAL)].upper() == _SIGNAL:
        return Rule(_SIGNAL), text[len(_SIGNAL) :]
    length = next((at for at, letter in enumerate(text) if not letter.isalpha()), len(text))
    word, rest = text[:length].lower(), text[length:].lstrip()
    if word not in _METRICS:
        raise _Wrong(f"{word!r} is no metric; there are {', '.join(_METRICS)} and {_SIGNAL}")
    rule = Rule(word)
    argument, rest = _argument(rest) if rest.startswith("(") else ("", rest)
    if word == "survivors":
        if not argument:
            raise _Wrong("it does not say whose survivors", f"write as: {_METRICS[word][2]}")
        rule.scope = argument
    elif word == "growth" and argument:
        rule.window = _duration(argument)
        if rule.window < _WINDOW_MIN_SECONDS:
            raise _Wrong(f"growth is looked at over {_WINDOW_MIN_SECONDS} s at least")
    elif argument:
        raise _Wrong(f"{word} takes nothing in brackets")
    return rule, rest


def _argument(rest: str) -> tuple[str, str]:
    """Return what stands in brackets, and what follows; names of scopes may have brackets in them."""
    at = rest.find(")")
    while at >= 0 and rest[at + 1 :].lstrip()[:1] not in {"<", ">"}:
        at = rest.find(")", at + 1)
    if at < 0:
        raise _Wrong('behind "(" there is no ")" with > or < after it')
    return rest[1:at].strip(), rest[at + 1 :].lstrip()


def _bound(rule: Rule, text: str) -> None:
    """Read OP BOUND and what follows."""
    operator, may_be_share, example = _METRICS[rule.metric]
    hint = f"write as: {example}"
    if not text.startswith(operator) or text[1:2] == "=":
        raise _Wrong(f"{rule.metric} is compared by {operator}", hint)
    words = text[1:].split()
    ends = [at for at, word in enumerate(words) if word in {"for", "every"}]
    bound = "".join(words[: ends[0]] if ends else words)
    if rule.metric == "growth":
        if not bound.endswith("/h"):
            raise _Wrong("growth is in bytes an hour", hint)
        bound = bound.removesuffix("/h")
    if bound.endswith("%"):
        rule.share = _number(bound[:-1], hint) / 100
        if not may_be_share or not 0 < rule.share < 1:
            raise _Wrong(f"{bound} is no bound of {rule.metric}", hint)
    else:
        try:
            rule.bound = parse_size(bound)
        except UsageError as error:
            raise _Wrong(str(error), hint) from None
    _durations(rule, " ".join(words[ends[0] :]) if ends else "")


def _durations(rule: Rule, text: str) -> None:
    """Read [for DURATION] [every DURATION]."""
    head, _, every = f" {text.strip()} ".partition(" every ")
    before, has_for, holds_for = head.partition(" for ")
    if before.strip() or (has_for and rule.is_signal()):
        raise _Wrong(f"{text.strip()!r} is not understood")
    if has_for:
        rule.holds_for = _duration(holds_for)
    if every:
        rule.every = _duration(every)
        if rule.every < _EVERY_MIN_SECONDS:
            raise _Wrong(f"a trigger does something every {_EVERY_MIN_SECONDS} s at most")


def _duration(text: str) -> float:
    digits = text.strip().rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = text.strip()[len(digits) :]
    hint = "write a duration as: 30 s, 10 min, 6 h, 1 d"
    if unit not in _SECONDS:
        raise _Wrong(f"{text.strip()!r} is no duration", hint)
    return _number(digits, hint) * _SECONDS[unit]


def _number(digits: str, hint: str) -> float:
    """Return a number above 0. float() would take "1e9", "nan" and "1_0" too."""
    plain = digits.strip().replace(".", "", 1)
    if not (plain.isascii() and plain.isdecimal() and len(plain) <= 9 and float(digits) > 0):  # noqa: PLR2004
        raise _Wrong(f"{digits.strip()!r} is no number above 0", hint)
    return float(digits)


def _action(text: str) -> tuple[str, tuple[str, ...]]:
    """Return what is to be done, and with what: an address, or the words of a command."""
    kind, _, argument = text.partition(" ")
    argument = argument.strip()
    if kind not in _ARGUMENTS:
        raise _Wrong(f"{kind!r} is nothing to do; there are {', '.join(_ARGUMENTS)}")
    if bool(argument) != bool(_ARGUMENTS[kind]):
        raise _Wrong(f"{kind} takes {_ARGUMENTS[kind] or 'nothing'}")
    if kind == "webhook":
        return kind, (_address(argument.strip(_QUOTES)),)
    if kind == "command":
        import shlex

        try:
            return kind, tuple(shlex.split(argument))
        except ValueError as error:
            raise _Wrong(f"the command's quotes do not match: {error}") from None
    return kind, ()


def _address(text: str) -> str:
    scheme, _, rest = text.partition("://")
    host = rest.partition("/")[0]
    if scheme.lower() not in {"http", "https"} or not host or not text.isprintable() or " " in text:
        raise _Wrong(f"webhook takes {_ARGUMENTS['webhook']}", "write as: webhook https://example.com/hook")
    if "@" in host:
        raise _Wrong("a webhook's address has no password in it", "let the receiver know it by its path")
    return text
