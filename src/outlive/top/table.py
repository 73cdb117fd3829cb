"""The table of sites as a widget: it draws only the rows that are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from outlive.top import columns
from outlive.top.rows import Choice, fitted

if TYPE_CHECKING:
    from collections.abc import Hashable

    from rich.style import Style
    from textual import events
    from textual.binding import BindingType

    from outlive.top.rows import Row

_BAR_SCREEN, _BAR = 110, 10  # a bar of each row's share where the screen is wide
_EIGHTHS = " ▏▎▍▌▋▊▉█"


class SiteTable(ScrollView, can_focus=True):
    """Rows, with a cursor that stays on its row when others overtake it; until moved, on the first."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"sites--{part}"
        for part in ("title", "sorted", "cursor", "figure", "doubt", "growing", "shrinking", "bar")
    }
    DEFAULT_CSS = """
    SiteTable { scrollbar-size-vertical: 1; overflow-x: hidden; }
    .sites--title { color: $text-muted; text-style: underline; }
    .sites--sorted { color: $text-accent; text-style: bold underline; }
    .sites--cursor { background: $block-cursor-blurred-background; }
    .sites--figure { text-style: bold; }
    .sites--doubt { color: $text-muted; }
    .sites--growing { color: $text-warning; }
    .sites--shrinking { color: $text-success; }
    .sites--bar { color: $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "move(-1000000)", show=False),
        Binding("end", "move(1000000)", show=False),
    ]

    class Selected(Message):
        """The cursor is on another row, or on one that changed; None where there is no row."""

        def __init__(self, row: Row | None) -> None:
            """Keep the row."""
            self.row = row
            super().__init__()

    def __init__(self, *, id: str) -> None:  # noqa: A002 - textual's name
        """Begin empty."""
        super().__init__(id=id)
        self._rows: list[Row] = []
        self._choice = Choice()
        self._marked = False
        self._cursor = 0
        self._held: Hashable | None = None

    def show(self, rows: list[Row], choice: Choice, *, marked: bool) -> None:
        """Show other rows, the cursor on the one it was on."""
        if choice.group != self._choice.group:
            self._held = None
        self._rows, self._choice, self._marked = rows, choice, marked
        where = {row.key: at for at, row in enumerate(rows)} if self._held is not None else {}
        self._cursor = where.get(self._held, 0 if self._held is None else min(self._cursor, len(rows) - 1))
        self._cursor = max(0, self._cursor)
        self._lay_out()

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        if self._rows:
            self._cursor = min(len(self._rows) - 1, max(0, self._cursor + by))
            self._held = self._rows[self._cursor].key if self._cursor else None
            self._lay_out()

    def action_page(self, by: int) -> None:
        """Move the cursor by a screen."""
        self.action_move(by * max(1, self.size.height - 2))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the row under the mouse."""
        if event.y > 0:
            self.action_move(event.y - 1 + self.scroll_offset.y - self._cursor)

    def on_resize(self) -> None:
        """Fit the columns to the new width."""
        self._lay_out()

    def _lay_out(self) -> None:
        self._columns = columns.fitting(self.size.width, marked=self._marked)
        self._widths = columns.widths(self._columns, self._rows)
        self._most = max((row.in_use.estimate for row in self._rows), default=0.0)
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)
        # The title covers the line above the cursor.
        self.scroll_to_region(Region(0, self._cursor, 1, 2), animate=False, force=True)
        self.refresh()
        self.post_message(self.Selected(self._rows[self._cursor] if self._rows else None))

    def render_line(self, y: int) -> Strip:
        """Draw a line of the screen: the titles, or the row that scrolling brought there."""
        at = y - 1 + self.scroll_offset.y
        if y == 0:
            segments = self._titles()
        elif at < len(self._rows):
            segments = self._cells(self._rows[at], chosen=at == self._cursor)
        else:
            segments = []
        strip = Strip(segments).adjust_cell_length(self.size.width, self.rich_style)
        return strip.apply_style(self.rich_style) if y == 0 or at != self._cursor else self._lit(strip)

    def _lit(self, strip: Strip) -> Strip:
        return strip.apply_style(self._style("cursor"))

    def _style(self, part: str) -> Style:
        return self.get_component_rich_style(f"sites--{part}", partial=True)

    def _titles(self) -> list[Segment]:
        segments = []
        for column, width in zip(self._columns, self._widths, strict=True):
            is_sorted = column.sort == self._choice.sort
            title = f"{column.title} ▼" if is_sorted else column.title
            segments.append(Segment(f"{title:>{width}}", self._style("sorted" if is_sorted else "title")))
            segments.append(Segment("  "))
        if self.size.width >= _BAR_SCREEN:
            segments.append(Segment(" " * (_BAR + 2)))
        return [*segments, Segment(self._choice.group, self._style("title"))]

    def _cells(self, row: Row, *, chosen: bool) -> list[Segment]:
        segments = []
        for column, width in zip(self._columns, self._widths, strict=True):
            segments.append(Segment(f"{column.cell(row):>{width}}", self._cell_style(column, row)))
            segments.append(Segment("  "))
        if self.size.width >= _BAR_SCREEN:
            segments += [Segment(_bar(row.in_use.estimate, self._most), self._style("bar")), Segment("  ")]
        room = self.size.width - sum(segment.cell_length for segment in segments)
        return [*segments, Segment(fitted(row.name, room), self._style("figure") if chosen else None)]

    def _cell_style(self, column: columns.Column, row: Row) -> Style | None:
        if column.sort == "in use":
            return self._style("figure")
        if column.sort != "growth":
            return self._style("doubt")
        if row.growth is None or row.growth.low <= 0 <= row.growth.high:
            return self._style("doubt")  # it can't be told from none
        return self._style("growing" if row.growth.estimate > 0 else "shrinking")


def _bar(part: float, whole: float) -> str:
    eighths = round(8 * _BAR * part / whole) if whole else 0
    filled = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
    return f"{filled:<{_BAR}}"
