"""The textual application around the screens."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, ClassVar

from textual.app import App

from outlive.errors import OutliveError
from outlive.top.chooser import Chooser
from outlive.top.screen import Live
from outlive.top.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from textual.binding import BindingType


class Top(App[OutliveError]):
    """Watches one recording; asks which, if there are several. Ends with the error that kept it from it."""

    ENABLE_COMMAND_PALETTE = False
    VERTICAL_BREAKPOINTS = [(0, "-short"), (18, "-tall")]  # noqa: RUF012 - as textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+c", "quit", "Quit")]

    def __init__(self, offers: Sequence[tuple[Path, str]], interval: float) -> None:
        """Take recordings as files and titles."""
        super().__init__()
        self._offers, self._interval = offers, interval

    async def on_mount(self) -> None:
        """Show the only one, or ask."""
        # A signal that kills would leave the terminal as it is.
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._terminated, number)
        if len(self._offers) == 1:
            self._watch(0)
        else:
            self.push_screen(Chooser([title for _, title in self._offers]), self._watch)

    def _watch(self, number: int | None) -> None:
        if number is None:
            return
        try:
            watch = Watch(self._offers[number][0])
        except OutliveError as error:  # gone since it was listed
            self.exit(error)
        else:
            self.push_screen(Live(watch, self._interval))

    def _terminated(self, number: int) -> None:
        self.exit(return_code=128 + number)
