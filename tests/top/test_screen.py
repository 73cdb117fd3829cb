"""The live screen, driven by its keys."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from outlive.errors import OutliveError
from outlive.top.app import Top
from outlive.top.help import Help
from outlive.top.screen import Live
from outlive.top.table import SiteTable
from tests.recording.synthetic import write
from tests.top.recorded import Sleeper, blocks, shop

if TYPE_CHECKING:
    from outlive.model.recording import Recording

Driver = Callable[["Screen"], Awaitable[None]]

SAMPLES = [*blocks(1, 3, born=40.0), *blocks(2, 2, born=90.0), *blocks(3, 4)]


class Screen:
    """What a person at the screen does and sees."""

    def __init__(self, pilot: Pilot[OutliveError], sleeper: Sleeper) -> None:
        self.pilot, self.sleeper = pilot, sleeper

    @property
    def live(self) -> Live:
        screen = self.pilot.app.screen
        assert isinstance(screen, Live)
        return screen

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def text(self, selector: str) -> str:
        return str(self.live.query_one(selector, Static).render())

    def table(self) -> list[str]:
        """Return the table's lines as they stand on the screen."""
        table = self.live.query_one(SiteTable)
        lines = [table.render_line(y).text.rstrip() for y in range(table.size.height)]
        return [line for line in lines if line]

    async def until(self, seen: Callable[[], bool]) -> None:
        """Wait for the screen to look again; a test that waits in vain is ended."""
        async with asyncio.timeout(60):
            while not seen():
                await self.pilot.pause(0.01)


def at_screen(
    sleeper: Sleeper, drive: Driver, *, size: tuple[int, int] = (120, 40), interval: float = 3600
) -> Top:
    app = Top([(sleeper.file, "shop.py")], interval)

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await drive(Screen(pilot, sleeper))

    asyncio.run(run())
    return app


@pytest.fixture
def shopping(sleeper: Sleeper) -> Sleeper:
    sleeper.write(shop(SAMPLES))
    return sleeper


def test_what_is_seen_first(shopping: Sleeper) -> None:
    async def drive(screen: Screen) -> None:
        assert f"shop.py, pid {shopping.pid}, Python 3.12.1 · up 1 min 40 s" in screen.text("#who")
        assert (
            "RSS 150.0 MiB · in use 9.0 MiB (8.9\N{EN DASH}9.1) · 50.0 MiB left of 200.0 MiB"
            in screen.text("#facts")
        )
        assert "150.0 MiB (51.0 MiB to 150.0 MiB)" in screen.text("#timeline")
        title, *rows = screen.table()
        assert title.split()[:4] == ["MiB", "in", "use", "▼"]
        assert [row.split()[0] for row in rows] == ["5.0", "4.0"]
        assert [row.split()[-2:] for row in rows] == [
            ["/srv/shop/cache.py:5", "remember"],
            ["/srv/shop/export.py:41", "rows"],
        ]
        assert not screen.live.query_one("#news").display

    at_screen(shopping, drive)


def test_it_follows_the_file_and_counts_growth_from_the_mark(shopping: Sleeper) -> None:
    async def drive(screen: Screen) -> None:
        shopping.write(shop(SAMPLES + blocks(3, 6, first=50, born=99.0)))
        await screen.until(lambda: "rows" in screen.table()[1])
        assert screen.table()[1].split()[:3] == ["10.0", "9.9\N{EN DASH}10.1", "+6.0"]
        await screen.press("m")
        assert "+6.0" not in screen.table()[1]

    at_screen(shopping, drive, interval=0.1)


def test_sorting_by_each_column(shopping: Sleeper) -> None:
    async def drive(screen: Screen) -> None:
        seen = []
        for _ in range(4):
            title, first, *_ = screen.table()
            seen.append((title.split(" ▼")[0].split()[-1], first.split()[-1]))
            await screen.press("s")
        assert seen == [("use", "remember"), ("growth", "remember"), ("blocks", "remember"), ("age", "rows")]

    at_screen(shopping, drive)


def test_grouping_and_the_selected_rows_stack(shopping: Sleeper) -> None:
    async def drive(screen: Screen) -> None:
        assert "3.0 MiB in the heaviest of 2 stacks" in screen.text("#stack > Static")
        assert "handle  /srv/shop/app.py:10" in screen.text("#stack > Static")
        await screen.press("g")
        assert [row.split()[-2:] for row in screen.table()[1:]] == [
            ["/srv/shop/cache.py", "remember"],
            ["/srv/shop/export.py", "rows"],
        ]
        await screen.press("g", "g", "down", "down")
        assert len(screen.table()) == 4
        assert "2.0 MiB by this stack" in screen.text("#stack > Static")
        assert "warm  /srv/shop/app.py:30" in screen.text("#stack > Static")
        await screen.press("home")
        assert "4.0 MiB by this stack" in screen.text("#stack > Static")

    at_screen(shopping, drive)


def test_the_cursor_stays_on_its_row_when_others_overtake_it(shopping: Sleeper) -> None:
    async def drive(screen: Screen) -> None:
        await screen.press("down")
        assert "rows" in screen.text("#stack > Static")
        shopping.write(shop(SAMPLES + blocks(3, 6, first=50)))
        await screen.until(lambda: "rows" in screen.table()[1])
        assert "rows" in screen.text("#stack > Static")
        await screen.press("down")
        assert "remember" in screen.text("#stack > Static")

    at_screen(shopping, drive, interval=0.1)


def test_filtering_while_typing(shopping: Sleeper) -> None:
    async def drive(screen: Screen) -> None:
        await screen.press("slash", *"warm")
        assert [row.split()[0] for row in screen.table()[1:]] == ["2.0"]
        await screen.press(*"ing")
        assert "no stack contains that text" in screen.text("#stack > Static")
        await screen.press("backspace", "backspace", "backspace", "enter")
        assert isinstance(screen.live.focused, SiteTable)
        assert "filter “warm”" in screen.text("#facts")
        await screen.press("escape")
        assert len(screen.table()) == 3
        assert screen.live.query_one("#filter", Input).value == ""

    at_screen(shopping, drive)


def test_a_paused_picture_stands_still(shopping: Sleeper) -> None:
    async def drive(screen: Screen) -> None:
        await screen.press("space")
        assert "paused" in screen.text("#who")
        shopping.write(shop([]))
        for _ in range(5):
            await screen.pilot.pause(0.1)
        assert len(screen.table()) == 3
        await screen.press("space")
        await screen.until(
            lambda: "paused" not in screen.text("#who") and "in use 0.0" in screen.text("#facts")
        )

    at_screen(shopping, drive, interval=0.1)


def test_the_end_of_the_process_keeps_the_last_picture(shopping: Sleeper) -> None:
    async def drive(screen: Screen) -> None:
        shopping.kill()
        await screen.until(lambda: screen.live.query_one("#news").display)
        assert "killed without a word" in screen.text("#news")
        assert f"outlive postmortem {shopping.file}" in screen.text("#news")
        assert "ended" in screen.text("#who")
        assert len(screen.table()) == 3
        await screen.press("s", "g", "m")  # and can still be looked through
        assert len(screen.table()) == 3

    at_screen(shopping, drive, interval=0.1)


def test_a_removed_file_is_said_and_the_picture_stays(shopping: Sleeper) -> None:
    async def drive(screen: Screen) -> None:
        shopping.file.unlink()
        await screen.until(lambda: "there is no file" in screen.text("#news"))
        assert len(screen.table()) == 3
        shopping.write(shop(SAMPLES))
        await screen.until(lambda: not screen.live.query_one("#news").display)

    at_screen(shopping, drive, interval=0.1)


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (80, 24), (200, 60)])
def test_every_size_and_every_key(shopping: Sleeper, size: tuple[int, int]) -> None:
    async def drive(screen: Screen) -> None:
        await screen.press("down", "pagedown", "end", "s", "g", "t", "enter", "pageup", "m")
        table = screen.live.query_one(SiteTable)
        assert all(table.render_line(y).cell_length == table.size.width for y in range(table.size.height))
        await screen.pilot.resize_terminal(100, 30)
        await screen.pilot.pause()
        assert screen.live.query_one(SiteTable).size.width == 98

    at_screen(shopping, drive, size=size)


def test_help_opens_and_closes(shopping: Sleeper) -> None:
    async def drive(screen: Screen) -> None:
        await screen.press("question_mark")
        assert isinstance(screen.pilot.app.screen, Help)
        await screen.press("q")
        assert isinstance(screen.pilot.app.screen, Live)

    at_screen(shopping, drive)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_quitting(shopping: Sleeper, key: str) -> None:
    async def drive(screen: Screen) -> None:
        await screen.press(key)

    app = at_screen(shopping, drive)
    assert (app.return_value, app.return_code) == (None, 0)


def test_of_several_one_is_chosen(shopping: Sleeper, tmp_path: Path) -> None:
    other: Recording = shop(blocks(1, 7))
    app = Top([(write(tmp_path / "other.outlive", other), "1 [other]"), (shopping.file, "2 shop.py")], 1)

    async def run() -> None:
        async with app.run_test() as pilot:
            await pilot.pause()
            options = app.screen.query_one(OptionList)
            assert [str(option.prompt) for option in options.options] == ["1 [other]", "2 shop.py"]
            await pilot.press("down", "enter")
            await pilot.pause()
            assert isinstance(app.screen, Live)
            assert app.screen.watched.recording.process.pid == shopping.pid

    asyncio.run(run())


def test_one_that_is_gone_when_chosen_is_an_error(tmp_path: Path) -> None:
    app = Top([(tmp_path / "gone.outlive", "1")], 1)

    async def run() -> None:
        async with app.run_test() as pilot:
            await pilot.pause()

    asyncio.run(run())
    assert isinstance(app.return_value, OutliveError)


def test_names_from_the_recording_are_no_markup(sleeper: Sleeper) -> None:
    from tests.recording import synthetic  # noqa: PLC0415

    odd = synthetic.recording(
        {1: synthetic.stack("[red]f[/] /srv/[b]x.py:1")}, [synthetic.sample(1)], notes={"program": "[/]x"}
    )
    sleeper.write(odd)

    async def drive(screen: Screen) -> None:
        assert "/srv/[b]x.py:1 [red]f[/]" in screen.table()[1]
        assert "[red]f[/]  /srv/[b]x.py:1" in screen.text("#stack > Static")
        assert "[/]x" in screen.text("#who")

    at_screen(sleeper, drive)
