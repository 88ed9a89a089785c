"""F53: clocks are put forward and back, the day ends, 32 bits run out; nobody notices."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from firmware.cli_text import calls_text
from firmware.control.schema import (
    AudioFigures,
    CallsReply,
    LogRow,
    StatusEvent,
    StatusReply,
    decode_event,
    encode,
)
from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone.view import Mode, PhoneView
from firmware.runtime.figures import call_of
from firmware.storage.call_log import CallLog, CallRow
from firmware.ui.render import redraw_at, render
from firmware.ui.scene import Clock, Scene
from firmware.ui.text import Texts
from tests.support.desk import Desk

TEXTS = Texts.load()
IDLE = PhoneView(mode=Mode.IDLE)
BERLIN, NEW_YORK, KOLKATA = map(ZoneInfo, ("Europe/Berlin", "America/New_York", "Asia/Kolkata"))


def clock(instant: datetime, zone: ZoneInfo, now: float = 5000.0) -> Clock:
    return Clock(now, instant.astimezone(zone))


def shown(instant: datetime, zone: ZoneInfo) -> str:
    scene = Scene(IDLE, clock(instant, zone), TEXTS)
    return f"{scene.date()} {scene.time()}"


SECOND = timedelta(seconds=1)
EDGES = [
    # Clocks go forward and back in Europe and in the United States.
    (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), BERLIN, "Sun 29 Mar 01:59", "Sun 29 Mar 03:00"),
    (datetime(2026, 10, 25, 1, 0, tzinfo=UTC), BERLIN, "Sun 25 Oct 02:59", "Sun 25 Oct 02:00"),
    (datetime(2026, 3, 8, 7, 0, tzinfo=UTC), NEW_YORK, "Sun 8 Mar 01:59", "Sun 8 Mar 03:00"),
    (datetime(2026, 11, 1, 6, 0, tzinfo=UTC), NEW_YORK, "Sun 1 Nov 01:59", "Sun 1 Nov 01:00"),
    # Midnight, the last of a month and of a year, a leap day, a zone with half an hour.
    (datetime(2026, 11, 21, 23, 0, tzinfo=UTC), BERLIN, "Sat 21 Nov 23:59", "Sun 22 Nov 00:00"),
    (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), BERLIN, "Thu 31 Dec 23:59", "Fri 1 Jan 00:00"),
    (datetime(2028, 2, 28, 18, 30, tzinfo=UTC), KOLKATA, "Mon 28 Feb 23:59", "Tue 29 Feb 00:00"),
    # 2^31 and 2^32 seconds since 1970.
    (
        datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
        ZoneInfo("UTC"),
        "Tue 19 Jan 03:14",
        "Tue 19 Jan 03:14",
    ),
    (
        datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC),
        BERLIN,
        "Sun 7 Feb 07:28",
        "Sun 7 Feb 07:28",
    ),
]


@pytest.mark.parametrize(("edge", "zone", "before", "after"), EDGES)
def test_f53_the_screen_shows_the_zones_time_on_both_sides_of_an_edge(edge, zone, before, after):
    assert shown(edge - SECOND, zone) == before
    assert shown(edge, zone) == after


@pytest.mark.parametrize(("edge", "zone"), [row[:2] for row in EDGES])
def test_f53_the_screen_is_painted_anew_when_its_minute_ends_and_not_more_often(edge, zone):
    instant, now, painted = edge - timedelta(minutes=90, seconds=17), 5000.0, 0
    stop = edge + timedelta(minutes=90)
    while instant < stop:
        at = redraw_at(IDLE, clock(instant, zone, now))
        step = timedelta(seconds=at - now)
        assert timedelta(0) < step <= timedelta(minutes=1)
        # Just before it is due the picture still tells the truth.
        assert shown(instant + step - timedelta(milliseconds=1), zone) == shown(instant, zone)
        instant, now, painted = instant + step, at, painted + 1
        assert instant.second == 0
    assert painted in (181, 182), "once a minute"


def test_f53_the_picture_itself_changes_at_midnight_and_when_the_clock_goes_back():
    for edge, zone, *_ in EDGES[:7]:
        pictures = {
            render(IDLE, clock(instant, zone), (128, 64), TEXTS).bits
            for instant in (edge - SECOND, edge)
        }
        assert len(pictures) == 2


def test_f53_a_call_over_the_edge_lasts_as_long_as_it_lasted():
    """Durations are of the monotonic clock; no wall clock enters the phone."""
    desk = Desk()
    desk.talking()
    desk.wait(3 * 3600 + 0.5)

    (call,) = desk.phone.view().calls
    assert call_of(call, None, desk.now).duration == pytest.approx(10800.5)
    desk.send(a.HangUp())
    assert desk.heard.records[-1].seconds == pytest.approx(10800.5)


def row(at: float, user: str = "204") -> CallRow:
    return CallRow(
        at,
        "101@pbx",
        outgoing=False,
        name="Ann",
        user=user,
        outcome="answered",
        seconds=60.0,
        reason="",
    )


TIMES = {
    "the hour that comes twice": [1792886400.0 + 1800 * step for step in range(6)],
    "2038": [2**31 - 60.0, 2**31 - 1.0, float(2**31), 2**31 + 1.5, float(2**32)],
    "a clock that was wrong": [2**31 + 7.0, 5.0, 1792886400.0, 1.0],
}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_f53_the_call_list_keeps_time_and_order_of_its_calls(tmp_path, times):
    path = tmp_path / "calls.db"
    log = CallLog(path)
    for at in times:
        log.add(row(at))
    log.close()

    again = CallLog(path)
    assert [found.at for found in again.rows()] == times[::-1], "the latest call comes first"
    again.close()


@pytest.fixture
def in_berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (1774745999, "2026-03-29 01:59"),
        (1774746000, "2026-03-29 03:00"),
        (1792889999, "2026-10-25 02:59"),
        (1792890000, "2026-10-25 02:00"),
        (2**31, "2038-01-19 04:14"),
        (2**32, "2106-02-07 07:28"),
        (0, "1970-01-01 01:00"),
    ],
)
@pytest.mark.usefixtures("in_berlin")
def test_f53_the_call_list_is_written_in_local_time(at, written):
    one = LogRow(float(at), "101@pbx", "in", "Ann", "204", "answered", 60.0)

    assert calls_text(CallsReply((), (one,)), str).startswith(written)


def test_f53_events_carry_times_after_2038():
    status = StatusReply("idle", (), (), AudioFigures(PathName.HANDSET.value, alive=True))
    event = StatusEvent(2**32 + 0.25, status)

    assert decode_event(encode(event)) == event
