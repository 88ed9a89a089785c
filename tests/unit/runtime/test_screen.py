import asyncio
import contextlib
import datetime as dt
import itertools
from types import SimpleNamespace

import pytest

from firmware.phone.view import Mode
from firmware.runtime import screen as module
from firmware.runtime.screen import Screen, _zone
from firmware.ui.text import Texts
from hal.mock.panel import Screen as Display


@pytest.fixture
async def painted(a_view):
    """A screen on a display; `view` is what it paints, `pictures` what it painted.

    `looks` is when it looked at the view: it paints in the same breath.
    """
    loop = asyncio.get_running_loop()
    here = SimpleNamespace(view=a_view(), looks=[], pictures=[], display=Display((128, 64)))

    def look():
        here.looks.append(loop.time())
        return here.view

    here.screen = Screen(here.display, "UTC", Texts.load(), look, here.pictures.append)
    yield here
    here.screen.close()


async def test_the_first_picture_comes_when_asked_for(painted, until):
    assert (painted.screen.png(), painted.screen.text()) == (b"", "")
    painted.screen.changed()
    await until(lambda: painted.pictures)
    assert painted.display.picture is painted.pictures[0]
    assert painted.screen.png().startswith(b"\x89PNG")
    assert len(painted.screen.text().splitlines()) == 64
    assert painted.screen.size == (128, 64)


async def test_an_equal_picture_is_not_shown_again(painted, until):
    await until(lambda: painted.looks)
    painted.screen.changed()
    await until(lambda: len(painted.looks) == 2)
    assert len(painted.pictures) == 1


async def test_a_storm_of_changes_is_painted_at_most_25_times_a_second(painted, until, a_view):
    for number in itertools.count():
        painted.view = a_view(mode=Mode.DIALLING, digits=str(number))
        painted.screen.changed()
        if len(painted.looks) == 6:
            break
        await asyncio.sleep(0)
    gaps = [after - before for before, after in itertools.pairwise(painted.looks)]
    assert min(gaps) > module.FASTEST * 0.95
    await until(lambda: len(painted.looks) == 7)
    last = painted.pictures[-1]
    painted.screen.changed()
    await until(lambda: len(painted.looks) == 8)
    assert painted.pictures[-1] is last  # the newest view was painted in the end


async def test_another_language_or_zone_is_painted(painted, until):
    painted.screen.changed()
    await until(lambda: painted.pictures)
    painted.screen.use("Pacific/Kiritimati", Texts.load())
    await until(lambda: len(painted.pictures) == 2)


class Letters:
    """A display of twenty by four letters."""

    letters = (20, 4)

    def __init__(self):
        self.pages = []

    def write(self, rows):
        self.pages.append(rows)


async def test_a_display_with_letters_is_written_to_when_they_differ(a_view, until):
    here = SimpleNamespace(view=a_view(mode=Mode.DIALLING, digits="20"), looks=0)
    port = Letters()

    def look():
        here.looks += 1
        return here.view

    made = Screen(Display((128, 32)), "UTC", Texts.load(), look, lambda _picture: None, port)
    await until(lambda: port.pages)
    assert port.pages[0][1] == "20".ljust(20)
    made.changed()
    await until(lambda: here.looks == 2)
    assert len(port.pages) == 1
    here.view = a_view(mode=Mode.DIALLING, digits="204")
    made.changed()
    await until(lambda: len(port.pages) == 2)
    assert port.pages[1][1] == "204".ljust(20)
    made.close()


async def test_a_closed_screen_paints_no_more(painted, until):
    await until(lambda: painted.looks)
    painted.screen.changed()
    assert painted.screen._timer is not None
    painted.screen.close()
    painted.screen.changed()
    assert painted.screen._timer is None


async def test_a_screen_that_is_closed_while_it_loads_never_paints(painted):
    painted.screen.close()
    with contextlib.suppress(asyncio.CancelledError):
        await painted.screen._loading
    painted.screen.changed()
    assert painted.screen._timer is None


def test_a_zone_that_nobody_knows_is_utc_and_said(caplog):
    assert _zone("Mars/Olympus") is dt.UTC
    assert "Mars/Olympus" in caplog.text


def test_f53_the_clock_of_a_zone_jumps_with_its_summer():
    berlin = _zone("Europe/Berlin")
    before = dt.datetime(2026, 3, 29, 0, 59, 59, tzinfo=dt.UTC)
    after = before + dt.timedelta(seconds=1)
    assert before.astimezone(berlin).strftime("%H:%M") == "01:59"
    assert after.astimezone(berlin).strftime("%H:%M") == "03:00"
    assert dt.datetime(2038, 1, 19, 3, 14, 8, tzinfo=dt.UTC).astimezone(berlin).hour == 4
