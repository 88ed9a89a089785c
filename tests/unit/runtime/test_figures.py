import pytest

from firmware import __version__
from firmware.control.schema import RtpFigures
from firmware.media.messages import PathName, StreamReport
from firmware.phone.commands import CallOutcome, CallRecord
from firmware.phone.view import Busyness, CallState, LineView, Mode, Notice, WatchView
from firmware.runtime.figures import call_of, row_of, stats_of, status_of
from firmware.runtime.news import changes, present
from firmware.sip.notifications import RegistrationState

LINE = "101@pbx"
NOW, WALL = 1000.0, 1_763_000_000.0


def say(text, args):
    return " ".join([text, *args.values()])


@pytest.fixture
def report():
    return StreamReport(
        7, 50, 48, 2, 1, 0, 2, 1.2345, 60.125, 10.0, 0, -20.0, -21.0, "PCMU", None, 1, mos=4.1234
    )


def status(view, reports=None):
    return status_of(view, reports or {}, say, NOW, 3)


def test_an_idle_phone(a_view):
    found = status(a_view(missed=2, volumes=((PathName.RINGER, 40),)))
    assert (found.state, found.calls, found.reason) == ("idle", (), "")
    assert (found.missed, found.volumes) == (2, {"ringer": 40})
    assert (found.audio.path, found.audio.alive, found.audio.xruns) == (None, True, 3)
    assert found.version == __version__


def test_a_registered_line_says_for_how_long(a_view):
    line = LineView(LINE, "101", RegistrationState.REGISTERED, until=NOW + 59.96)
    [figures] = status(a_view(lines=(line,))).lines
    assert (figures.registered, figures.expires_in, figures.reason) == (True, 60.0, "")
    overdue = LineView(LINE, "101", RegistrationState.REGISTERED, until=NOW - 5)
    assert status(a_view(lines=(overdue,))).lines[0].expires_in == 0.0


def test_a_line_that_failed_says_why_and_when_it_is_tried_again_and_so_does_the_phone(a_view):
    line = LineView(LINE, "101", RegistrationState.FAILED, Notice("no_answer"), NOW + 30)
    found = status(a_view(lines=(line,)))
    said = "line.trying_again no_answer 30"
    assert (found.lines[0].registered, found.lines[0].reason) == (False, said)
    assert found.reason == said


def test_an_event_that_is_read_later_counts_no_seconds(a_view):
    line = LineView(LINE, "101", RegistrationState.FAILED, Notice("no_answer"), NOW + 30)
    event = next(present(a_view(lines=(line,)), {}, say, NOW, WALL))
    assert event.status.lines[0].reason == "no_answer"


def test_an_unregistered_line_that_needs_no_registrar_is_not_tried(a_view):
    line = LineView(LINE, "101", RegistrationState.OFF)
    assert status(a_view(lines=(line,))).lines[0].reason == ""


def test_one_line_that_works_is_enough_not_to_complain(a_view):
    bad = LineView("102@pbx", "102", RegistrationState.FAILED, Notice("wrong_password"))
    good = LineView(LINE, "101", RegistrationState.REGISTERED)
    assert status(a_view(lines=(bad, good))).reason == ""


def test_a_notice_goes_before(a_view):
    assert status(a_view(notice=Notice("busy", (("who", "204"),)))).reason == "busy 204"


def test_a_call_with_its_figures(a_call, report):
    call = a_call(codec="PCMU", answered_at=NOW - 12.3456, digits="12", held_by_them=True)
    found = call_of(call, report, NOW)
    assert found.duration == 12.346
    assert (found.direction, found.state, found.remote) == ("out", "talking", "204")
    assert (found.digits, found.held_by_them) == ("12", True)
    assert found.rtp == RtpFigures(
        sent=50, received=48, lost=2, late=1, jitter_ms=1.23, delay_ms=60.12, mos=4.12
    )


def test_a_call_before_its_answer(a_call):
    call = a_call(outgoing=False, user="", state=CallState.RINGING_HERE)
    found = call_of(call, None, NOW)
    assert (found.duration, found.rtp, found.direction) == (0.0, None, "in")
    assert found.remote == "Ann"


def test_statistics_are_the_status_and_more(a_view):
    found = stats_of(status(a_view()), 12.34567, {"sip_open": 1})
    assert (found.uptime, found.counters, found.state) == (12.346, {"sip_open": 1}, "idle")


def test_a_row_of_the_call_list():
    record = CallRecord(
        LINE,
        outgoing=False,
        name="Ann",
        user="204",
        outcome=CallOutcome.MISSED,
        seconds=0.0,
        reason="no answer",
    )
    row = row_of(record, WALL)
    assert (row.at, row.direction, row.outcome, row.reason) == (WALL, "in", "missed", "no answer")


# --- news -----------------------------------------------------------------------------------


def news(old, new, reports=None):
    return list(changes(old, new, reports or {}, say, NOW, WALL))


def kinds(events):
    return [type(event).__name__ for event in events]


def test_a_new_listener_hears_how_things_stand(a_view):
    events = list(present(a_view(lamps=(("ring", "on"),)), {}, say, NOW, WALL))
    assert kinds(events) == ["StatusEvent", "LampsEvent"]
    assert events[1].lamps == {"ring": "on"}


def test_a_call_that_begins_changes_and_ends(a_view, a_call):
    ringing, talking = a_call(state=CallState.RINGING_THERE), a_call()
    began = news(a_view(), a_view(ringing))
    assert kinds(began) == ["CallEvent", "StatusEvent"]
    assert began[0].call.state == "ringing_there"
    assert news(a_view(ringing), a_view(talking))[0].call.state == "talking"
    ended = news(a_view(talking), a_view(notice=Notice("far_end_hung_up")))
    assert kinds(ended) == ["CallEvent", "NoticeEvent", "StatusEvent"]
    assert (ended[0].call.state, ended[0].reason) == ("ended", "far_end_hung_up")


def test_a_call_that_stays_as_it_is_is_no_news(a_view, a_call):
    call = a_call()
    assert kinds(news(a_view(call), a_view(call, mode=Mode.TALKING))) == ["StatusEvent"]


def test_lamps_and_notices_are_told_when_they_change(a_view):
    lit = a_view(lamps=(("ring", "fast"),))
    assert kinds(news(a_view(), lit)) == ["LampsEvent", "StatusEvent"]
    notice = a_view(notice=Notice("busy"))
    assert kinds(news(a_view(), notice)) == ["NoticeEvent", "StatusEvent"]
    assert kinds(news(notice, a_view())) == ["StatusEvent"]


def test_messages_and_who_is_watched(a_view):
    line = LineView(LINE, "101", RegistrationState.OFF, messages_waiting=True, new_messages=2)
    found = status(a_view(lines=(line,), watched=(WatchView(LINE, "102", Busyness.RINGING),)))
    assert (found.lines[0].mwi, found.lines[0].new_messages) == (True, 2)
    assert [(each.target, each.state) for each in found.watched] == [("102", "ringing")]
    unknown = status(a_view(lines=(LineView(LINE, "101", RegistrationState.OFF),)))
    assert unknown.lines[0].mwi is None
