import asyncio
import datetime as dt
from types import SimpleNamespace

import pytest

from firmware.phone.view import Mode
from firmware.runtime import screen as module
from firmware.runtime.screen import Screen, _zone
from firmware.ui.text import Texts
from hal.mock.panel import Screen as Display


@pytest.fixture
async def painted(a_view):
    """A screen on a display; `view` is what it paints, `pictures` what it painted."""

    here = SimpleNamespace(view=a_view(), pictures=[], display=Display((128, 64)))
    here.screen = Screen(here.display, "UTC", Texts.load(), lambda: here.view, here.pictures.append)
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
    painted.screen.changed()
    await until(lambda: painted.pictures)
    painted.screen.changed()
    await asyncio.sleep(0.1)
    assert len(painted.pictures) == 1


async def test_a_storm_of_changes_is_painted_at_most_25_times_a_second(painted, until, a_view):
    loop = asyncio.get_running_loop()
    began = loop.time()
    while loop.time() - began < 0.3:
        painted.view = a_view(mode=Mode.DIALLING, digits=str(int(loop.time() * 1e6))[-6:])
        painted.screen.changed()
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.1)
    assert 2 <= len(painted.pictures) <= 1 + 0.45 / module.FASTEST
    last = painted.pictures[-1]
    painted.screen.changed()
    await asyncio.sleep(0.1)
    assert painted.pictures[-1] is last  # the newest view was painted in the end


async def test_another_language_or_zone_is_painted(painted, until):
    painted.screen.changed()
    await until(lambda: painted.pictures)
    painted.screen.use("Pacific/Kiritimati", Texts.load())
    await until(lambda: len(painted.pictures) == 2)


async def test_a_closed_screen_paints_no_more(painted):
    painted.screen.changed()
    painted.screen.close()
    await asyncio.sleep(0.1)
    assert painted.pictures == []


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
