"""P9: sound that goes one way only is said, with its reason, whichever way it is."""

import pytest

from firmware.media import messages as m
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.events import EngineLost
from firmware.sip import notifications as n
from firmware.ui.scene import Clock, Scene
from firmware.ui.screens.talking import below
from firmware.ui.text import Texts
from tests.support.desk import Desk, only, sdp

TEXTS = Texts.load("en")


def shown(desk):
    """The row on the screen below the party's name."""
    return below(Scene(desk.view, Clock(desk.now), TEXTS), desk.view.front_call)


def unheard(desk, cause, detail=""):
    desk.send(m.UnheardChanged(desk.front_stream, cause, detail))


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (
            lambda desk: desk.send(m.HearingChanged(desk.front_stream, m.Silence.NO_PACKETS)),
            "Hearing nothing: no packets arrive",
        ),
        (
            lambda desk: desk.send(m.HearingChanged(desk.front_stream, m.Silence.NO_SOUND)),
            "Hearing nothing: the other side sends no sound",
        ),
        (
            lambda desk: unheard(desk, m.Unheard.NOT_ARRIVING),
            "Not heard: Ann reports that nothing arrives",
        ),
        (
            lambda desk: unheard(desk, m.Unheard.REFUSED, "Network is unreachable"),
            "Not heard: no way out for sound (Network is unreachable)",
        ),
        (lambda desk: desk.send(a.Mute(on=True)), "Muted"),
        (
            lambda desk: desk.send(n.ReofferReceived(desk.front, sdp(direction="sendonly"))),
            "They put you on hold",
        ),
        (lambda desk: desk.send(a.Hold()), "On hold"),
    ],
)
def test_p09_the_screen_says_why_one_side_hears_nothing(happens, words):
    desk = Desk().talking()
    assert shown(desk) == ""
    happens(desk)
    assert shown(desk) == words


def test_p09_it_is_taken_back_when_sound_flows_again():
    desk = Desk().talking()
    unheard(desk, m.Unheard.NOT_ARRIVING)
    unheard(desk, None)
    assert desk.notice is None


def test_p09_who_hears_nothing_either_is_told_that_first():
    desk = Desk().talking()
    unheard(desk, m.Unheard.NOT_ARRIVING)
    desk.send(m.HearingChanged(desk.front_stream, m.Silence.NO_PACKETS))
    assert desk.notice == "hearing_nothing_no_packets"


def test_p09_on_hold_nobody_wants_to_be_heard():
    desk = Desk().talking()
    unheard(desk, m.Unheard.NOT_ARRIVING)
    desk.send(a.Hold())
    assert desk.notice is None


def test_p09_an_address_that_changes_begins_anew_and_the_call_is_not_given_up_for_the_old_one():
    desk = Desk().talking()
    desk.send(m.HearingChanged(desk.front_stream, m.Silence.NO_PACKETS))
    unheard(desk, m.Unheard.REFUSED)
    desk.send(n.AddressChanged(desk.front, "198.51.100.7"))
    desk.send(n.ReofferAnswered(desk.front, sdp()))
    assert desk.notice is None
    assert not only(desk.wait(500), c.EndCall)


def test_p12_what_an_engine_that_died_did_not_hear_says_nothing_of_the_next():
    desk = Desk().talking()
    unheard(desk, m.Unheard.NOT_ARRIVING)
    desk.send(EngineLost())
    desk.engine_ready()
    assert desk.notice is None
