"""The live screen, made with textual."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import on, work
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from outlive.model.size import mib
from outlive.recording.death import limit_of
from outlive.report import program_text
from outlive.report.stack_text import outwards
from outlive.top import spark, words
from outlive.top.help import Help
from outlive.top.rows import GROUPS, SORTS, Choice
from outlive.top.table import SiteTable
from outlive.top.text import SPANS, span_shown

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from outlive.top.rows import Row
    from outlive.top.watch import Watch

_PAUSE_PER_WORK = 4  # however large the recording, at most a fifth of a core goes into reading it
_TALL = 30
_LABEL = 8
_NEAR = 0.9  # of the limit: worth a colour

_T = TypeVar("_T")


class Timeline(Static):
    """RSS and Python's part of it over time."""

    def show(self, watch: Watch, seconds: float) -> None:
        """Draw what the recording says of the last `seconds`."""
        height = 2 if self.app.size.height >= _TALL else 1
        width = max(10, self.app.size.width - 45)
        seconds = span_shown(seconds, watch.tally.uptime)
        lines: list[Content] = []
        for title, figure in spark.FIGURES:
            values = spark.columns(watch.recording.timeline, figure, seconds, width)
            drawn = spark.draw(values, height)
            labels = [*[""] * (height - 1), title]
            age = spark.age(watch.recording.timeline, figure)
            ends = [*[""] * (height - 1), spark.span_of(values, age) or "not known"]
            lines += [
                Content.assemble(f" {label:<{_LABEL}}", (blocks, "$accent"), (f"  {end}", "$text-muted"))
                for label, blocks, end in zip(labels, drawn, ends, strict=True)
            ]
        ago = f"{words.round_span(seconds)} ago"
        lines.append(Content.styled(f" {'':<{_LABEL}}{ago:<{width - 3}}now", "$text-disabled"))
        self.update(Content("\n").join(lines))


class Live(Screen[None]):
    """One recording, looked at every `interval` seconds."""

    CSS = """
    Live { layout: vertical; }
    #who { height: 1; background: $panel; padding: 0 1; }
    #facts { height: auto; max-height: 4; padding: 0 1; }
    #timeline { height: auto; margin: 1 0; }
    #news { height: auto; padding: 0 1; background: $error-muted; color: $text-error; display: none; }
    #sites { height: 1fr; min-height: 3; padding: 0 1; }
    #stack { height: auto; max-height: 30%; padding: 0 1; scrollbar-size-vertical: 1; }
    #stack { border-top: solid $panel-lighten-2; }
    #stack.-large { max-height: 70%; }
    #filter { height: 1; border: none; padding: 0 1; display: none; background: $panel; }
    #filter.-open { display: block; }
    Live.-short #facts { max-height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    Live.-short #timeline { display: none; }
    Live.-short #stack { display: none; }
    Live.-short #stack.-large { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("s", "sort", "Sort"),
        ("g", "group", "Group"),
        ("slash", "filter", "Filter"),
        ("m", "mark", "Mark"),
        ("space", "pause", "Pause"),
        ("t", "span", "Time"),
        ("enter", "stack", "Stack"),
        ("question_mark,h", "help", "Help"),
        ("q", "app.quit", "Quit"),
    ]

    def __init__(self, watch: Watch, interval: float) -> None:
        """Show what `watch` has seen."""
        super().__init__()
        self.watched, self.interval = watch, interval
        self.choice = Choice()
        self.paused = False
        self.span = SPANS[0]
        self.marked_at = time.time()
        self.looking = asyncio.Lock()
        # Kept here, not looked up: a look may end when the screen is being taken down.
        self.who, self.facts, self.news = Static(id="who"), Static(id="facts"), Static(id="news")
        self.timeline, self.sites, self.stack = Timeline(id="timeline"), SiteTable(id="sites"), Static()
        self.field = Input(placeholder="part of a file or function in the stack", id="filter", compact=True)

    def compose(self) -> ComposeResult:
        """Lay it out, from top to bottom."""
        yield from (self.who, self.facts, self.timeline, self.news, self.sites)
        with VerticalScroll(id="stack", can_focus=False):
            yield self.stack
        yield self.field
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Begin to look."""
        self.sites.focus()
        self.show()
        self.follow()

    @work(exclusive=True)
    async def follow(self) -> None:
        """Look again and again, until nothing more can come."""
        while not self.watched.ended:
            began = time.monotonic()
            async with self.looking:
                is_new = not self.paused and await asyncio.to_thread(self.watched.look)
            if is_new and not self.paused:
                self.show()
            else:
                self.show_head()
            took = time.monotonic() - began
            await asyncio.sleep(max(self.interval, _PAUSE_PER_WORK * took))

    def show(self) -> None:
        """Draw what was seen at the last look."""
        self.show_head()
        self.timeline.show(self.watched, self.span)
        self.show_sites()

    def show_head(self) -> None:
        """Draw what stands above the timeline."""
        watch, recording = self.watched, self.watched.recording
        state = words.state(recording, live=watch.live, now=time.time())
        colour = (
            "$text-success" if state == "running" else "$text-warning" if not watch.ended else "$text-error"
        )
        if self.paused:
            state, colour = "paused", "$text-warning"
        left = f"{program_text.identity(recording)} · up {program_text.duration(watch.tally.uptime)}"
        room = max(1, self.app.size.width - 4 - len(left) - len(state))
        self.who.update(Content.assemble((left, "bold"), " " * room, (f"● {state}", colour)))
        self.facts.update(self._facts())
        news = self._news()
        self.news.update(Content(news))
        self.news.display = bool(news)

    def show_sites(self) -> None:
        """Draw the table."""
        rows = self.watched.tally.rows(self.choice)
        self.sites.show(rows, self.choice, marked=True)

    def _facts(self) -> Content:
        recording = self.watched.recording
        mark = time.strftime("%H:%M:%S", time.localtime(self.marked_at))
        limit, usage = limit_of(recording)
        near = bool(limit and usage and usage > _NEAR * limit)
        memory = " · ".join(words.memory(recording, self.watched.tally.in_use))
        more = [*words.sampling(recording), f"mark {mark}"]
        if self.choice.filter:
            more.append(f"filter “{self.choice.filter}”")
        return Content.assemble(
            (memory, "$text-error" if near else ""), "\n", (" · ".join(more), "$text-muted")
        )

    def _news(self) -> str:
        if self.watched.ended:
            return words.ending(self.watched.recording, self.watched.file)
        return self.watched.trouble

    @on(SiteTable.Selected)
    def show_stack(self, event: SiteTable.Selected) -> None:
        """Draw the stack of the row that the cursor is on."""
        self.stack.update(_stack(event.row, self.choice))

    def action_sort(self) -> None:
        """Sort by the next column."""
        self.choice = replace(self.choice, sort=_next(SORTS, self.choice.sort))
        self.show_sites()

    def action_group(self) -> None:
        """Put together by the next kind of place."""
        self.choice = replace(self.choice, group=_next(GROUPS, self.choice.group))
        self.show_sites()

    async def action_mark(self) -> None:
        """Count growth from here."""
        async with self.looking:
            self.watched.set_mark()
        self.marked_at = time.time()
        self.show()

    def action_pause(self) -> None:
        """Hold the picture, or let it go on."""
        self.paused = not self.paused
        self.show()

    def action_span(self) -> None:
        """Let the timeline reach further back."""
        self.span = _next(SPANS, self.span)
        self.timeline.show(self.watched, self.span)

    def action_stack(self) -> None:
        """Give the stack more room, or less."""
        self.query_one("#stack").toggle_class("-large")

    def action_help(self) -> None:
        """Say what the keys and columns are."""
        self.app.push_screen(Help())

    def action_filter(self) -> None:
        """Ask for the text that stacks must contain."""
        self.field.add_class("-open")
        self.field.focus()

    @on(Input.Changed)
    def narrow(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        self.choice = replace(self.choice, filter=event.value.strip())
        self.show_sites()

    @on(Input.Submitted)
    def close_filter(self) -> None:
        """Keep the filter; the keys are the table's again."""
        self.field.remove_class("-open")
        self.sites.focus()
        self.show_head()

    def key_escape(self) -> None:
        """Drop the filter."""
        self.field.value = ""
        self.close_filter()

    def on_resize(self) -> None:
        """Draw for the new width."""
        if self.is_mounted:
            self.show()


def _next(kinds: tuple[_T, ...], kind: _T) -> _T:
    return kinds[(kinds.index(kind) + 1) % len(kinds)]


def _stack(row: Row | None, choice: Choice) -> Content:
    if row is None:
        text = "no stack contains that text" if choice.filter else "nothing sampled is in use"
        return Content.styled(text, "$text-muted")
    stack, size = row.stacks[0]
    held = sum(1 for _, weight in row.stacks if weight)
    title = f"{mib(size)} in the heaviest of {held} stacks" if held > 1 else f"{mib(size)} by this stack"
    if row.growth is not None:
        low, high = words.signed(row.growth.low), words.signed(row.growth.high)
        title += f" · since the mark {words.signed(row.growth.estimate)} MiB ({low} to {high})"
    lines = [Content.styled(title, "$text-muted")]
    for at, frame in enumerate(outwards(stack)):
        where = f"  {frame.file}:{frame.line}" if frame.file else ""
        lines.append(Content.assemble((frame.function, "bold $text-accent" if at == 0 else "bold"), where))
    return Content("\n").join(lines)
