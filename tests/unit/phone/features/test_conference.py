"""Three talk together: by key, with hold, and when somebody leaves."""

import pytest

from firmware.media.messages import Bridge, HearingChanged, OpenStream, PathName, Silence
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.view import Mode
from firmware.sip.notifications import (
    AddressChanged,
    CallAnswered,
    CallEnded,
    CallRef,
    FailureCause,
    OfferWanted,
    Party,
)
from tests.support.desk import Desk, only, sdp, settings

BOB = Party("Bob", "103", "sip:103@pbx.example")
EVE = Party("Eve", "104", "sip:104@pbx.example")
KEY = a.Join()


@pytest.fixture
def three():
    """Ann waits on hold, Bob is on the line; gives (desk, Ann's call, Bob's)."""
    return meeting(Desk())


def meeting(desk):
    desk.talking()
    ann = desk.front
    desk.calls_us("in-bob", caller=BOB)
    desk.send(a.Answer(CallRef("in-bob")))
    desk.acknowledged("in-bob")
    desk.holds_are_agreed()
    assert desk.front == "in-bob"
    return desk, ann, desk.front


def held(desk):
    return {call.ref: call.held for call in desk.view.calls}


def streams(desk):
    return tuple(call.stream for call in desk.phone.state.calls)


def test_the_key_takes_both_off_hold_and_mixes_them(three):
    desk, ann, bob = three
    done = desk.send(KEY)
    assert [x.call for x in only(done, c.Reoffer)] == [ann]
    assert only(done, Bridge) == [Bridge(streams(desk))]
    assert desk.view.conference == (ann, bob)
    assert held(desk) == {ann: False, bob: False}
    assert (desk.mode, desk.front, desk.microphone) == (Mode.TALKING, bob, PathName.HANDSET)


def test_the_key_again_parts_them_and_the_one_in_front_goes_on(three):
    desk, ann, bob = three
    desk.send(KEY)
    desk.holds_are_agreed()
    done = desk.send(KEY)
    assert only(done, Bridge) == [Bridge(())]
    assert held(desk) == {ann: True, bob: False}
    assert desk.view.conference == ()


def test_on_hold_everybody_waits_and_everybody_comes_back(three):
    desk, ann, bob = three
    desk.send(KEY)
    desk.holds_are_agreed()
    desk.send(a.Hold())
    desk.holds_are_agreed()
    assert held(desk) == {ann: True, bob: True}
    assert desk.heard.bridged == ()
    assert desk.microphone is None
    desk.send(a.Resume())
    assert held(desk) == {ann: False, bob: False}
    assert desk.heard.bridged == streams(desk)


def test_somebody_who_calls_meanwhile_puts_all_of_them_on_hold(three):
    desk, ann, bob = three
    desk.send(KEY)
    desk.holds_are_agreed()
    desk.calls_us("in-eve")
    desk.send(a.Answer(CallRef("in-eve")))
    assert held(desk) == {ann: True, bob: True, "in-eve": False}
    assert desk.heard.bridged == ()
    desk.acknowledged("in-eve")
    desk.far_end_hangs_up(CallRef("in-eve"))
    desk.send(a.Resume())
    assert held(desk) == {ann: False, bob: False}
    assert len(desk.heard.bridged) == 2


def test_when_one_leaves_the_other_is_an_ordinary_call(three):
    desk, ann, bob = three
    desk.send(KEY)
    desk.holds_are_agreed()
    desk.far_end_hangs_up(bob)
    assert (desk.mode, desk.front, desk.microphone) == (Mode.TALKING, ann, PathName.HANDSET)
    assert desk.view.conference == ()
    assert desk.heard.bridged == ()


def sent(commands):
    return [(x.call, x.consultation) for x in only(commands, c.TransferCall)]


def test_whoever_puts_the_handset_down_connects_the_two_others(three):
    """RFC 5589 §7.3."""
    desk, ann, bob = three
    desk.send(KEY)
    desk.holds_are_agreed()
    desk.put_down()
    assert desk.microphone is None
    done = [*desk.send(*agreed(desk))]
    assert sent(done) == [(ann, bob)]
    done = desk.transfer_succeeds(ann)
    assert {x.call for x in only(done, c.EndCall)} == {ann, bob}
    assert (desk.mode, len(desk.phone)) == (Mode.IDLE, 0)


def agreed(desk):
    """The far ends' answers to the holds that a transfer begins with."""
    from tests.support.desk import n, sdp  # noqa: PLC0415

    return [
        n.ReofferAnswered(call.ref, sdp(direction="recvonly"))
        for call in desk.phone.state.calls
        if call.reoffering
    ]


def test_if_they_cannot_be_connected_it_is_over_for_all(three):
    desk, ann, bob = three
    desk.send(KEY)
    desk.holds_are_agreed()
    desk.put_down()
    desk.holds_are_agreed()
    done = desk.transfer_fails(ann, FailureCause.DECLINED, 603)
    assert {x.call for x in only(done, c.EndCall)} == {ann, bob}
    assert desk.notice == "conference_over"
    assert len(desk.phone) == 0


def test_a_setting_ends_it_for_all_at_once():
    desk, ann, bob = meeting(Desk(settings(conference_on_leave="end")))
    desk.send(KEY)
    desk.holds_are_agreed()
    done = desk.send(a.HangUp())
    assert {x.call for x in only(done, c.EndCall)} == {ann, bob}
    assert len(desk.phone) == 0


def test_with_one_call_there_is_nobody_to_join():
    desk = Desk().talking()
    desk.send(KEY)
    assert desk.notice == "conference_needs_two"
    assert desk.view.conference == ()


def test_nobody_joins_an_emergency_call():
    desk = Desk().talking()
    desk.send(a.Dial("911"))
    desk.way_found()
    desk.far_end_answers()
    desk.send(KEY)
    assert desk.notice == "conference_no_emergency"
    assert desk.heard.bridged == ()


def test_another_engine_is_told_of_the_conversation(three):
    desk, *_ = three
    desk.send(KEY)
    desk.heard.new_engine()
    desk.heard.talk = None
    done = desk.engine_ready()
    assert only(done, Bridge) == [Bridge(streams(desk))]


def test_p09_a_member_whose_address_moves_is_mixed_again_on_the_new_stream(three):
    desk, ann, _bob = three
    desk.send(KEY)
    desk.holds_are_agreed()
    before = streams(desk)
    done = desk.send(AddressChanged(ann, "192.0.2.7"))
    assert streams(desk) != before
    # Whoever has no stream just now is not ordered into the mix, but is once it is open.
    assert only(done, Bridge) == [Bridge(()), Bridge(streams(desk))]
    opened = [getattr(x, "order", None) for x in done]
    assert opened.index(Bridge(streams(desk))) > max(
        at for at, order in enumerate(opened) if isinstance(order, OpenStream)
    )


@pytest.mark.parametrize("gone", [0, 1])
@pytest.mark.parametrize("by_us", [False, True])
def test_whoever_left_keeps_nobody_on_hold_if_one_of_the_two_hangs_up_first(three, gone, by_us):
    """The hold that goes before the REFER is not agreed on yet."""
    desk, *both = three
    desk.send(KEY)
    desk.holds_are_agreed()
    desk.put_down()
    done = desk.send(CallEnded(both[gone], by_us=by_us))
    assert [x.call for x in only(done, c.EndCall)] == [both[1 - gone]]
    assert desk.notice == "conference_over"
    assert len(desk.phone) == 0


def test_whoever_was_asked_to_connect_hangs_up_instead_and_it_is_over_for_all(three):
    desk, ann, bob = three
    desk.send(KEY)
    desk.holds_are_agreed()
    desk.put_down()
    desk.holds_are_agreed()
    assert desk.heard.transfers
    done = desk.far_end_hangs_up(ann)
    assert [x.call for x in only(done, c.EndCall)] == [bob]
    assert len(desk.phone) == 0


@pytest.mark.parametrize("place", [0, 1])
def test_who_takes_the_place_of_a_member_is_one(three, place):
    """RFC 3891 §3: a member is transferred by its own hands, or picked up elsewhere."""
    desk, *both = three
    desk.send(KEY)
    desk.holds_are_agreed()
    desk.calls_us("in-eve", caller=EVE, replaces=both[place])
    desk.acknowledged("in-eve")
    both[place] = CallRef("in-eve")
    assert set(desk.view.conference) == set(both)
    assert set(desk.heard.bridged) == set(streams(desk))
    assert held(desk) == dict.fromkeys(both, False)
    assert desk.microphone is PathName.HANDSET


@pytest.mark.parametrize("place", [0, 1])
def test_whom_a_member_sends_us_to_is_a_member_when_they_answer(three, place):
    """RFC 5589 §6: the old call is there until the new one is."""
    desk, *both = three
    desk.send(KEY)
    desk.holds_are_agreed()
    done = desk.sends_us(both[place], EVE)
    new = only(done, c.FollowTransfer)[0].call
    desk.send(OfferWanted(new, "192.0.2.1"))
    assert set(desk.view.conference) == set(both)
    desk.heard.calls[new] = "up"
    desk.send(CallAnswered(new, "f", sdp(), EVE))
    desk.far_end_hangs_up(both[place])
    both[place] = new
    assert set(desk.view.conference) == set(both)
    assert set(desk.heard.bridged) == set(streams(desk))
    assert desk.front in both
    assert desk.mode is Mode.TALKING
    assert desk.microphone is PathName.HANDSET


def test_whoever_comes_back_for_one_of_the_two_keeps_them_if_they_are_not_connected(three):
    desk, ann, bob = three
    desk.send(KEY)
    desk.holds_are_agreed()
    desk.put_down()
    desk.holds_are_agreed()
    desk.lift()
    desk.send(a.Resume(ann))
    done = desk.transfer_fails(ann, FailureCause.DECLINED, 603)
    assert only(done, c.EndCall) == []
    assert {call.ref for call in desk.view.calls} == {ann, bob}
    assert desk.microphone is PathName.HANDSET
    done = desk.far_end_hangs_up(ann)
    assert only(done, c.EndCall) == []


def test_f24_two_that_vanish_in_the_same_moment_are_each_given_up_once(three):
    desk, *both = three
    desk.send(KEY)
    desk.holds_are_agreed()
    for stream in streams(desk):
        desk.send(HearingChanged(stream, Silence.NO_PACKETS))
    done = desk.wait(121)
    assert sorted(x.call for x in only(done, c.EndCall)) == sorted(both)
    assert len(desk.phone) == 0


@pytest.mark.parametrize("leaves", ["join", "end"])
def test_three_of_whom_one_takes_anothers_place_end_once_each(leaves):
    """The one who sent us on is still there when everything is joined again."""
    desk, _, bob = meeting(Desk(settings(conference_on_leave=leaves)))
    desk.send(KEY)
    desk.holds_are_agreed()
    new = only(desk.sends_us(bob, EVE), c.FollowTransfer)[0].call
    desk.send(OfferWanted(new, "192.0.2.1"))
    desk.heard.calls[new] = "up"
    desk.send(CallAnswered(new, "f", sdp(), EVE))
    desk.send(a.Join(on=True))
    desk.holds_are_agreed()
    done = desk.put_down()
    assert len({x.call for x in only(done, c.EndCall)}) == len(only(done, c.EndCall)) == 3
    assert (desk.mode, len(desk.phone)) == (Mode.IDLE, 0)


def test_who_sent_us_on_and_what_was_meant_for_the_others_end_together(three):
    """Whoever is in front then is no call that has just ended."""
    desk, ann, bob = three
    desk.replace()
    desk.send(KEY)
    new = only(desk.sends_us(ann, EVE), c.FollowTransfer)[0].call
    desk.send(OfferWanted(new, "192.0.2.1"))
    desk.heard.calls[new] = "up"
    desk.send(CallAnswered(new, "f", sdp(), EVE))
    desk.send(a.HangUp())
    desk.far_end_hangs_up(bob)
    assert (desk.front is None) == (desk.mode is not Mode.TALKING)
    assert desk.front is None or desk.view.front_call is not None
