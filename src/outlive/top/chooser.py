"""Which of several processes to watch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType


class Chooser(Screen[int]):
    """A list of recordings; gives the number of the one chosen."""

    CSS = """
    Chooser > Static { height: 1; background: $panel; padding: 0 1; text-style: bold; }
    Chooser > OptionList { height: 1fr; border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("q,escape", "app.quit", "Quit")]

    def __init__(self, titles: Sequence[str]) -> None:
        """Offer what is titled so."""
        super().__init__()
        self._titles = titles

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield Static("Which process?")
        yield OptionList(*(Option(title) for title in self._titles), markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Give back the one chosen."""
        self.dismiss(event.option_index)
