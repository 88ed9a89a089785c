"""The clock of the machine, and the moment it is set (F11)."""

import asyncio

import pytest

from firmware.net import clock
from firmware.net.clock import ClockWatch, synchronised, wall_clock


def test_the_system_says_whether_its_clock_is_kept():
    assert synchronised() in (True, False)
    assert wall_clock() > 1_700_000_000


@pytest.mark.parametrize(
    ("state", "folder", "stamp", "believed"),
    [
        (0, False, False, True),
        (5, True, True, False),
        (-1, False, False, True),
        (-1, True, False, False),
        (-1, True, True, True),
    ],
)
def test_where_the_kernel_may_not_be_asked_the_time_service_says(
    tmp_path, state, folder, stamp, believed
):
    place = tmp_path / "timesync" / "synchronized"
    if folder:
        place.parent.mkdir()
    if stamp:
        place.touch()
    assert synchronised(lambda: state, place) is believed


@pytest.mark.parametrize("how", ["it jumps", "it is believed now"])
async def test_f11_the_first_jump_is_told_once(monkeypatch, how):
    monkeypatch.setattr(clock, "_LOOK_SECONDS", 0.01)
    loop = asyncio.get_running_loop()
    offset, believed, told = 0.0, False, asyncio.Event()
    watch = ClockWatch(told.set, lambda: loop.time() + offset, lambda: believed)
    watch.begin()
    watch.begin()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(told.wait(), 0.05)
    if how == "it jumps":
        offset = 1_700_000_000.0
    else:
        believed = True
    await asyncio.wait_for(told.wait(), 10)
    told.clear()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(told.wait(), 0.05)
    watch.stop()


async def test_who_stops_hears_nothing(monkeypatch):
    monkeypatch.setattr(clock, "_LOOK_SECONDS", 0.01)
    told = asyncio.Event()
    watch = ClockWatch(told.set, lambda: 0.0, lambda: True)
    watch.begin()
    watch.stop()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(told.wait(), 0.05)
