"""What the keys and the columns are."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

_TEXT = """\
[b]Keys[/b]
  [b]s[/b]      sort by the next column: in use, growth, blocks, age
  [b]g[/b]      group by line, function, file, whole stack
  [b]/[/b]      show only stacks with this text in a file or function;
         Enter keeps it, Escape drops it
  [b]m[/b]      set the mark: growth is counted from here
  [b]space[/b]  hold the picture, or go on
  [b]t[/b]      timeline of 20 minutes, 10 hours, 8 days
  [b]enter[/b]  more room for the stack
  [b]↑ ↓ page-up page-down home end[/b]  another row
  [b]q[/b]      quit

[b]Columns[/b]
  [b]MiB in use[/b]  alive now, allocated since sampling began
  [b]95 %[/b]        where the true figure is, 95 times in 100
  [b]growth[/b]      MiB more than at the mark; grey if it may be none
  [b]blocks[/b]      how many, estimated
  [b]age[/b]         how long its bytes have lived, on average
"""


class Help(ModalScreen[None]):
    """A page over the screen; any of the usual keys closes it."""

    CSS = """
    Help { align: center middle; }
    Help > VerticalScroll {
        width: 72; max-width: 100%; height: auto; max-height: 100%;
        background: $panel; border: round $accent; padding: 0 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,enter,question_mark,h,space", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with VerticalScroll() as page:
            page.border_title = "outlive top"
            yield Static(_TEXT)
