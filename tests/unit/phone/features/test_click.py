"""Click to dial: a server asks, a person lifts (RFC 5359 §2.18, A19)."""

import pytest

from firmware.media.messages import PathName, PlayTone
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone import events as e
from firmware.phone.view import Mode
from firmware.sip.notifications import DialAsked, FailureCause, Party, TransferRef
from hal import events as hal
from tests.support.desk import ANN, LINE, Desk, only, settings

BOB = Party("", "103", "sip:103@pbx.example")
CLICK = TransferRef("click-1")


def asks(desk, target=BOB, name=CLICK):
    return desk.send(DialAsked(name, LINE, target, ANN))


@pytest.fixture
def asked():
    """A desk at rest that was asked to call 103."""
    desk = Desk()
    asks(desk)
    return desk


def test_nobody_is_called_before_somebody_lifts(asked):
    """A19, A20: heard and seen first; no microphone, no call."""
    assert (asked.mode, asked.notice) == (Mode.IDLE, "click_asked")
    assert dict(asked.view.notice.args) == {"who": ANN.name or ANN.user, "number": "103"}
    assert [x.order.name for x in only(asked.all, c.MediaOrder) if isinstance(x.order, PlayTone)]
    assert not only(asked.all, c.FollowTransfer)
    assert asked.microphone is None
    assert not asked.view.calls


@pytest.mark.parametrize(
    ("hand", "path"),
    [
        (hal.HookLifted(0.0), PathName.HANDSET),
        (a.SelectPath(PathName.SPEAKER), PathName.SPEAKER),
        (a.Answer(), None),
        (a.DialNow(), None),
    ],
)
def test_whoever_lifts_calls(asked, hand, path):
    done = asked.send(hand)
    (follow,) = only(done, c.FollowTransfer)
    assert (follow.transfer, asked.mode) == (CLICK, Mode.CALLING)
    assert asked.front == follow.call
    assert path is None or asked.phone.state.path is path
    asked.way_found()
    asked.far_end_rings()
    asked.far_end_answers(remote=BOB)
    assert asked.mode is Mode.TALKING
    assert asked.phone.state.calls[0].remote.user == "103"


@pytest.mark.parametrize("key", [a.HangUp(), a.Dismiss()])
def test_a_person_may_say_no(asked, key):
    done = asked.send(key)
    assert only(done, c.RefuseTransfer) == [c.RefuseTransfer(CLICK, 603)]
    assert asked.view.notice is None
    desk = asked
    assert not only(desk.send(hal.HookLifted(desk.now)), c.FollowTransfer)


def test_nobody_lifts(asked):
    done = asked.wait(16)
    assert only(done, c.RefuseTransfer) == [c.RefuseTransfer(CLICK, 603)]
    assert asked.notice == "click_over"
    asked.lift()
    assert asked.mode is Mode.OFF_HOOK


def test_somebody_calls_meanwhile(asked):
    asked.calls_us()
    assert [x.status for x in asked.heard.refused] == [486]
    assert asked.mode is Mode.RINGING


def test_p10_a_call_for_help_comes_first(asked):
    """P10: what a server asks for is in nobody's way."""
    done = asked.send(a.Dial("911"))
    assert [x.status for x in only(done, c.RefuseTransfer)] == [486]
    assert only(done, c.PlaceCall)[0].emergency
    assert asks(asked, name=TransferRef("again")) == [c.RefuseTransfer(TransferRef("again"), 486)]


def test_one_at_a_time(asked):
    done = asks(asked, name=TransferRef("other"))
    assert only(done, c.RefuseTransfer) == [c.RefuseTransfer(TransferRef("other"), 486)]
    assert asked.notice == "click_asked"


def test_who_talks_is_not_disturbed():
    desk = Desk().talking()
    done = asks(desk)
    assert [x.status for x in only(done, c.RefuseTransfer)] == [486]
    assert desk.mode is Mode.TALKING


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("112", "sent_to_emergency"),
        ("09001234567", "sent_to_costly"),
        ("*21*0123#", "sent_to_code"),
    ],
)
def test_a19_what_nobody_may_ask_for(number, text):
    """A19: not even with a person who lifts because it beeps."""
    desk = Desk(settings(country="DE"))
    done = asks(desk, Party("", number, f"sip:{number}@pbx.example"))
    assert [x.status for x in only(done, c.RefuseTransfer)] == [403]
    assert desk.notice == text
    assert not only(desk.send(hal.HookLifted(desk.now)), c.FollowTransfer)


def test_one_that_came_too_late_is_over(asked):
    """The server has given up: the SIP stack says so, and nothing hangs."""
    asked.lift()
    asked.call_fails(FailureCause.CANCELLED)
    assert not asked.view.calls


def test_a_phone_that_stops_refuses(asked):
    done = asked.send(e.StopAsked())
    assert only(done, c.RefuseTransfer)
    assert asked.phone.state.click is None
