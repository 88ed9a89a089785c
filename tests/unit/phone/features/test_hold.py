"""Hold both ways, and every other re-INVITE."""

import pytest

from firmware.media import messages as m
from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.view import Mode
from firmware.sip import notifications as n
from firmware.sip.notifications import CallRef
from tests.support.desk import Desk, only, sdp


def direction(sdp_bytes):
    words = ("sendrecv", "sendonly", "recvonly", "inactive")
    return next(word for word in words if f"a={word}".encode() in sdp_bytes)


def version(sdp_bytes):
    return int(sdp_bytes.split(b"o=- ")[1].split()[1])


def accepts(desk, body, ref=None):
    return desk.send(n.ReofferAnswered(ref or desk.front, body))


def refuses(desk, status, ref=None):
    return desk.send(n.ReofferRejected(ref or desk.front, status, "No"))


def reoffers(desk, body):
    return desk.send(n.ReofferReceived(desk.front, body))


def test_hold_closes_the_microphone_at_once_and_tells_the_far_end():
    desk = Desk().talking()
    commands = desk.send(a.Hold())
    assert direction(only(commands, c.Reoffer)[0].sdp) == "sendonly"
    assert desk.microphone is None
    assert desk.heard.routes[desk.front_stream] is m.Route.NULL
    assert desk.view.front_call.held
    assert desk.heard.lamps["hold"].value == "slow"
    accepts(desk, sdp(direction="recvonly"))
    assert desk.heard.configured[desk.front_stream].direction is m.Direction.SENDONLY


def test_resume_brings_the_speech_back_on_the_same_stream():
    desk = Desk().talking()
    stream = desk.front_stream
    desk.send(a.Hold())
    accepts(desk, sdp(direction="recvonly"))
    commands = desk.send(a.Resume())
    assert direction(only(commands, c.Reoffer)[0].sdp) == "sendrecv"
    assert desk.microphone is PathName.HANDSET
    accepts(desk, sdp())
    assert desk.front_stream == stream
    assert desk.heard.configured[stream].direction is m.Direction.SENDRECV


def test_each_changed_description_has_the_next_version():
    desk = Desk().talking()
    first = only(desk.all, c.SendOffer)[0].sdp
    held = only(desk.send(a.Hold()), c.Reoffer)[0].sdp
    accepts(desk, sdp(direction="recvonly"))
    resumed = only(desk.send(a.Resume()), c.Reoffer)[0].sdp
    assert [version(x) for x in (first, held, resumed)] == [0, 1, 2]


def test_a_wish_that_changes_while_the_far_end_thinks_is_told_afterwards():
    desk = Desk().talking()
    desk.send(a.Hold())
    assert not only(desk.send(a.Resume()), c.Reoffer), "one offer at a time"
    assert desk.microphone is PathName.HANDSET
    commands = accepts(desk, sdp(direction="recvonly"))
    assert direction(only(commands, c.Reoffer)[0].sdp) == "sendrecv"


def test_glare_is_tried_again_after_a_wait():
    desk = Desk().talking()
    desk.send(a.Hold())
    assert not only(refuses(desk, 491), c.Reoffer)
    assert not only(desk.wait(2.0), c.Reoffer), "we own the Call-ID: 2.1 to 4 s"
    assert direction(only(desk.wait(2.0), c.Reoffer)[0].sdp) == "sendonly"


def test_the_called_side_tries_again_sooner():
    desk = Desk().talking_to_caller()
    desk.send(a.Hold())
    refuses(desk, 491)
    assert only(desk.wait(2.0), c.Reoffer)


def test_a_far_end_that_refuses_hold_still_does_not_hear_us():
    desk = Desk().talking()
    before = desk.heard.configured[desk.front_stream]
    desk.send(a.Hold())
    refuses(desk, 488)
    assert desk.notice == "hold_refused"
    assert desk.heard.configured[desk.front_stream] == before
    assert desk.heard.routes[desk.front_stream] is m.Route.NULL
    assert not only(desk.send(a.Resume()), c.Reoffer), "it never knew"
    assert desk.microphone is PathName.HANDSET


def test_hold_before_the_ack_is_told_after_it():
    desk = Desk()
    desk.calls_us()
    desk.lift()
    assert not only(desk.send(a.Hold()), c.Reoffer)
    assert only(desk.acknowledged(), c.Reoffer)


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        (sdp(direction="sendonly"), "recvonly"),
        (sdp(direction="inactive"), "inactive"),
        (sdp(address="0.0.0.0"), "recvonly"),
        (sdp(direction="recvonly"), "sendonly"),
    ],
)
def test_they_hold_us_and_the_answer_has_the_right_direction(offer, answer):
    desk = Desk().talking()
    commands = reoffers(desk, offer)
    assert direction(only(commands, c.AnswerReoffer)[0].sdp) == answer
    assert desk.view.front_call.held_by_them is (b"recvonly" not in offer)


def test_they_resume():
    desk = Desk().talking()
    reoffers(desk, sdp(direction="sendonly"))
    commands = reoffers(desk, sdp())
    assert direction(only(commands, c.AnswerReoffer)[0].sdp) == "sendrecv"
    assert not desk.view.front_call.held_by_them
    assert desk.heard.configured[desk.front_stream].direction is m.Direction.SENDRECV


def test_hold_on_both_sides():
    desk = Desk().talking()
    reoffers(desk, sdp(direction="sendonly"))
    commands = desk.send(a.Hold())
    assert direction(only(commands, c.Reoffer)[0].sdp) == "inactive"
    accepts(desk, sdp(direction="inactive"))
    assert direction(only(reoffers(desk, sdp()), c.AnswerReoffer)[0].sdp) == "sendonly"


def test_moved_media_keeps_stream_and_port():
    desk = Desk().talking()
    stream = desk.front_stream
    commands = reoffers(desk, sdp(8, address="10.0.0.77", port=9000))
    assert only(commands, m.ConfigureStream)[0].remote == ("10.0.0.77", 9000)
    assert desk.front_stream == stream
    assert not only(commands, m.OpenStream)
    assert not only(commands, c.ReserveMediaPort)


def test_a_re_invite_without_an_offer_gets_ours():
    desk = Desk().talking()
    commands = reoffers(desk, b"")
    offer = only(commands, c.AnswerReoffer)[0].sdp
    assert direction(offer) == "sendrecv"
    desk.acknowledged(desk.front, sdp(8, port=9000))
    assert desk.heard.configured[desk.front_stream].remote[1] == 9000


def test_an_offerless_re_invite_whose_ack_is_empty_changes_nothing():
    desk = Desk().talking()
    before = desk.heard.configured[desk.front_stream]
    reoffers(desk, b"")
    desk.acknowledged(desk.front)
    assert desk.heard.configured[desk.front_stream] == before
    assert desk.mode is Mode.TALKING


@pytest.mark.parametrize("body", [sdp(18), b"rubbish", sdp(port=0)])
def test_a_re_invite_we_cannot_follow_is_refused_and_the_call_goes_on(body):
    desk = Desk().talking()
    before = desk.heard.configured[desk.front_stream]
    rejected = only(reoffers(desk, body), c.RejectReoffer)[0]
    assert rejected.status == 488
    assert rejected.warning
    assert desk.heard.configured[desk.front_stream] == before
    assert desk.microphone is PathName.HANDSET


def test_a_re_invite_across_our_own_is_491():
    desk = Desk().talking()
    desk.send(a.Hold())
    assert only(reoffers(desk, sdp()), c.RejectReoffer)[0].status == 491


def test_a_re_invite_for_a_call_that_is_gone_is_refused():
    desk = Desk()
    commands = desk.send(n.ReofferReceived(CallRef("in-gone"), sdp()))
    assert commands == [c.RejectReoffer(CallRef("in-gone"), 488)]


def test_swapping_two_calls():
    desk = Desk().talking()
    first = desk.front
    desk.send(a.Dial("202"))
    desk.way_found("192.0.2.1")
    desk.far_end_answers()
    second = desk.front
    desk.send(a.Resume(first))
    assert desk.front == first
    assert {x.ref: x.held for x in desk.view.calls} == {first: False, second: True}
    assert list(desk.heard.routes.values()).count(m.Route.CARD) == 1


def test_a_call_on_hold_stays_when_the_handset_goes_down_and_beeps_now_and_then():
    desk = Desk().talking()
    desk.send(a.Hold())
    desk.put_down()
    assert desk.mode is Mode.TALKING
    assert desk.heard.talk.path is None
    beeps = only(desk.wait(31), m.PlayTone)
    assert [(x.name, x.path) for x in beeps] == [("beep", PathName.RINGER)]
    desk.lift()
    assert desk.microphone is PathName.HANDSET
    assert not desk.view.front_call.held


def test_the_held_call_comes_back_into_sight_when_the_other_ends():
    desk = Desk().talking()
    first = desk.front
    desk.calls_us()
    desk.send(a.Answer(CallRef("in-1")))
    desk.far_end_hangs_up(CallRef("in-1"))
    assert (desk.front, desk.mode) == (first, Mode.TALKING)
    assert desk.view.front_call.held
    assert desk.microphone is None
    assert desk.notice == "call_ended"


def test_a_hold_that_was_taken_and_then_undone_is_offered_again():
    """RFC 6141 §3.4: both ends shall mean the same."""
    desk = Desk().talking()
    desk.send(a.Hold())
    desk.send(n.ReofferAnswered(desk.front, sdp(direction="recvonly")))
    again = desk.send(n.ReofferRejected(desk.front, 488, "No", taken=True))
    (offer,) = only(again, c.Reoffer)
    assert b"a=sendonly" in offer.sdp
    desk.send(n.ReofferAnswered(desk.front, sdp(direction="recvonly")))
    assert desk.notice != "hold_refused"
    resumed = desk.send(a.Resume())
    assert b"a=sendrecv" in only(resumed, c.Reoffer)[0].sdp
