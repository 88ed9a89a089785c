"""What each number of the practice PBX does, and calls between its phones."""

import pytest

from firmware.lab.exchange import BRIEF_SECONDS, CALL_BACK_SECONDS, NOTICE_SECONDS
from firmware.media.messages import Route
from firmware.sip.flow import Transport
from firmware.sip.notifications import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallProgress,
    FailureCause,
    IncomingCall,
    InfoDigit,
    ReofferAnswered,
    ReofferReceived,
    ReofferRejected,
)


def at_rest(*desks):
    """Nothing is left in any agent but registrations, nothing in the exchange."""
    for desk in desks:
        assert not desk.agent._core.calls
        assert not desk.agent._core.dialogs
        layer = desk.agent._core.transactions
        # A phone asks now and then whether its server is there.
        assert {method for *_, method in (*layer._clients, *layer._servers)} <= {"OPTIONS"}


def everything_ended(world, pbx, *phones):
    world.run(40.0)
    assert len(pbx.exchange) == 0
    assert len(pbx.booth) == 0
    at_rest(pbx, *phones)


# --- the extensions -----------------------------------------------------------------------------


def test_600_answers_and_sends_back_what_it_hears(world, pbx, ann):
    answered = ann.dial_until("600", CallAnswered)
    assert answered.body == b"answer to offer"
    assert list(pbx.booth.stands.values()) == [(Route.LOOP, "", "10.0.0.1")]
    ann.hang_up(answered.call)
    everything_ended(world, pbx, ann)


def test_601_rings_and_plays_its_announcement(pbx, ann):
    answered = ann.dial_until("601", CallAnswered)
    assert ann.heard_ringing(answered.call) == [180]
    assert [stand[:2] for stand in pbx.booth.stands.values()] == [(Route.CLIP, "welcome")]


def test_602_is_busy(world, pbx, ann):
    ended = ann.dial_until("602", CallEnded)
    assert (ended.status, ended.cause) == (486, FailureCause.BUSY)
    everything_ended(world, pbx, ann)


def test_603_rings_until_the_caller_gives_up(world, pbx, ann):
    call = ann.dial("603")
    world.run(65.0)
    assert set(ann.heard_ringing(call)) == {180}
    assert not ann.answered(call)
    assert ann.hang_up(call).by_us
    everything_ended(world, pbx, ann)


def test_603_does_not_ring_for_ever(world, pbx, ann):
    call = ann.dial("603")
    world.run(400.0)
    assert ann.wait(CallEnded, call).status == 480
    everything_ended(world, pbx, ann)


def test_604_answers_and_hangs_up(world, pbx, ann):
    answered = ann.dial_until("604", CallAnswered)
    began = world.now
    ended = ann.wait(CallEnded, answered.call)
    assert not ended.by_us
    assert world.now - began == pytest.approx(BRIEF_SECONDS, abs=0.1)
    everything_ended(world, pbx, ann)


def test_604_need_not_hang_up_who_has_gone(world, pbx, ann):
    answered = ann.dial_until("604", CallAnswered)
    ann.hang_up(answered.call)
    everything_ended(world, pbx, ann)


def test_605_asks_to_hang_up_and_calls_back(world, pbx, ann):
    answered = ann.dial_until("605", CallAnswered)
    assert [stand[1] for stand in pbx.booth.stands.values()] == ["call_back"]
    ann.hang_up(answered.call)
    hung_up = world.now
    arrived = ann.wait(IncomingCall)
    assert world.now - hung_up == pytest.approx(CALL_BACK_SECONDS, abs=0.1)
    assert arrived.caller.user == "605"
    assert arrived.offer == b"offer of the booth"
    world.until(lambda: ann.of(CallConfirmed))
    assert [stand[1] for stand in pbx.booth.stands.values()] == ["welcome"]
    ann.agent.end(arrived.call, ann.now)
    everything_ended(world, pbx, ann)


def test_605_hangs_up_by_itself_and_still_calls_back(world, pbx, ann):
    answered = ann.dial_until("605", CallAnswered)
    began = world.now
    assert not ann.wait(CallEnded, answered.call).by_us
    assert world.now - began == pytest.approx(NOTICE_SECONDS, abs=0.1)
    assert ann.wait(IncomingCall).caller.user == "605"


def test_605_calls_back_only_who_is_registered(world, pbx, add_phone):
    stranger = add_phone("300", "10.0.0.9")
    assert stranger.dial_until("605", CallEnded).status == 403
    world.run(30.0)
    assert not stranger.of(IncomingCall)
    everything_ended(world, pbx, stranger)


def test_605_does_not_call_who_has_unregistered_meanwhile(world, pbx, ann):
    answered = ann.dial_until("605", CallAnswered)
    ann.hang_up(answered.call)
    ann.agent.unregister("desk", ann.now)
    world.run(30.0)
    assert not ann.of(IncomingCall)
    everything_ended(world, pbx, ann)


def test_605_without_a_free_port_does_not_call(world, pbx, ann):
    answered = ann.dial_until("605", CallAnswered)
    ann.hang_up(answered.call)
    pbx.booth.full = True
    world.run(30.0)
    assert not ann.of(IncomingCall)
    everything_ended(world, pbx, ann)


def test_605_hangs_up_if_the_phone_answers_with_nothing_it_can_speak(world, pbx, ann):
    answered = ann.dial_until("605", CallAnswered)
    ann.hang_up(answered.call)
    ann.manner = "ring"
    arrived = ann.wait(IncomingCall)
    ann.agent.accept(arrived.call, b"video", ann.now)
    assert not ann.wait(CallEnded, arrived.call).by_us
    everything_ended(world, pbx, ann)


@pytest.mark.parametrize("number", ["112", "911"])
def test_an_emergency_number_is_answered_by_words(pbx, add_phone, number):
    nobody = add_phone("300", "10.0.0.9")
    nobody.dial_until(number, CallAnswered)
    assert [stand[1] for stand in pbx.booth.stands.values()] == ["emergency"]


@pytest.mark.parametrize("number", ["600", "601", "604", "605", "911"])
def test_an_offer_with_nothing_in_common_is_refused(world, pbx, ann, number):
    ended = ann.dial_until(number, CallEnded, offer=b"video")
    assert ended.status == 488
    everything_ended(world, pbx, ann)


def test_an_invite_without_an_offer_gets_ours_and_its_answer_counts(world, pbx, ann):
    answered = ann.dial_until("600", CallAnswered, offer=b"")
    assert ann.wait(ReofferReceived, answered.call).body == b"offer of the booth"
    world.run(1.0)
    ann.hang_up(answered.call)
    everything_ended(world, pbx, ann)


def test_an_unknown_number_is_not_found(world, pbx, ann):
    assert ann.dial_until("999999", CallEnded).cause is FailureCause.NOT_FOUND
    everything_ended(world, pbx, ann)


def test_the_echo_is_put_on_hold_and_taken_back(pbx, ann):
    call = ann.dial_until("600", CallAnswered).call
    ann.agent.reoffer(call, b"hold", ann.now)
    assert ann.wait(ReofferAnswered, call).body == b"again hold"
    ann.agent.reoffer(call, b"video", ann.now)
    assert ann.wait(ReofferRejected, call).status == 488
    assert len(pbx.booth) == 1


# --- phone to phone -----------------------------------------------------------------------------


def connected(ann, bob):
    """Ann and Bob talk; the names of the call at her end and at his."""
    answered = ann.dial_until("200", CallAnswered)
    bob.world.until(lambda: bob.of(CallConfirmed))
    return answered.call, bob.last(IncomingCall).call


def test_ann_calls_bob_and_their_descriptions_pass_through(world, pbx, ann, bob):
    here, _ = connected(ann, bob)
    assert ann.heard_ringing(here) == [180]
    assert ann.last(CallAnswered).body == b"answer of 200"
    incoming = bob.last(IncomingCall)
    assert (incoming.caller.user, incoming.offer) == ("100", b"offer")
    assert len(pbx.booth) == 0, "their sound does not pass here"
    ann.hang_up(here)
    everything_ended(world, pbx, ann, bob)
    assert bob.last(CallEnded).cause is None


def test_bob_hangs_up_first(world, pbx, ann, bob):
    here, there = connected(ann, bob)
    bob.agent.end(there, bob.now)
    assert not ann.wait(CallEnded, here).by_us
    everything_ended(world, pbx, ann, bob)


@pytest.mark.parametrize(("manner", "status"), [("busy", 486), ("decline", 603)])
def test_why_bob_does_not_answer_is_passed_on(world, pbx, ann, bob, manner, status):
    bob.manner = manner
    assert ann.dial_until("200", CallEnded).status == status
    everything_ended(world, pbx, ann, bob)


def test_ann_gives_up_while_it_rings(world, pbx, ann, bob):
    bob.manner = "ring"
    progress = ann.dial_until("200", CallProgress)
    ann.hang_up(progress.call)
    world.until(lambda: bob.of(CallEnded))
    assert bob.last(CallEnded).cause is FailureCause.CANCELLED
    everything_ended(world, pbx, ann, bob)


def test_ann_gives_up_at_once(world, pbx, ann, bob):
    ann.hang_up(ann.dial("200"))
    everything_ended(world, pbx, ann, bob)


def test_bob_answers_in_the_moment_in_which_ann_gives_up(world, pbx, ann, bob):
    bob.manner = "ring"
    progress = ann.dial_until("200", CallProgress)
    bob.agent.accept(bob.last(IncomingCall).call, b"answer", bob.now)
    ann.agent.end(progress.call, ann.now)
    everything_ended(world, pbx, ann, bob)


def test_hold_and_resume_pass_through_both_ways(ann, bob):
    here, there = connected(ann, bob)
    ann.agent.reoffer(here, b"hold", ann.now)
    assert ann.wait(ReofferAnswered, here).body == b"yes to hold"
    assert bob.last(ReofferReceived).body == b"hold"
    bob.agent.reoffer(there, b"moved", bob.now)
    assert bob.wait(ReofferAnswered, there).body == b"yes to moved"


def test_a_refused_hold_is_refused_all_the_way(ann, bob):
    bob.manner = "stubborn"
    here, _ = connected(ann, bob)
    ann.agent.reoffer(here, b"hold", ann.now)
    assert ann.wait(ReofferRejected, here).status == 488


def test_a_reinvite_without_an_offer_is_refused_and_the_call_goes_on(world, ann, bob):
    here, _ = connected(ann, bob)
    ann.agent.reoffer(here, b"", ann.now)
    assert ann.wait(ReofferRejected, here).status == 488
    world.run(5.0)
    assert not ann.of(CallEnded)


def test_both_hold_at_once_and_the_call_survives(world, pbx, ann, bob):
    here, there = connected(ann, bob)
    ann.agent.reoffer(here, b"hold a", ann.now)
    bob.agent.reoffer(there, b"hold b", bob.now)
    world.run(60.0)
    assert not ann.of(CallEnded)
    assert not bob.of(CallEnded)
    assert len(pbx.exchange) == 2


def test_digits_by_info_pass_through(world, ann, bob):
    here, _ = connected(ann, bob)
    ann.agent.info_digit(here, "5", 120, ann.now)
    world.until(lambda: bob.of(InfoDigit))
    assert (bob.last(InfoDigit).digit, bob.last(InfoDigit).duration_ms) == ("5", 120)


def test_a_hook_flash_by_info_goes_no_further(world, pbx, ann, bob):
    here, _ = connected(ann, bob)
    for call in list(pbx.exchange._other):
        pbx.exchange.handle(InfoDigit(call, "!", 100), pbx.now)
    world.run(1.0)
    assert not bob.of(InfoDigit)
    assert not ann.of(InfoDigit)
    ann.hang_up(here)


def test_a_phone_that_is_gone_is_not_waited_for_by_name(world, pbx, ann, bob):
    bob.agent.unregister("desk", bob.now)
    world.run(2.0)
    assert ann.dial_until("200", CallEnded).status == 404
    everything_ended(world, pbx, ann, bob)


def test_bob_vanishes_in_the_call_and_ann_is_released(world, pbx, ann, bob):
    here, _ = connected(ann, bob)
    world.silent.add(bob.endpoint)
    ann.agent.reoffer(here, b"hold", ann.now)
    ended = ann.wait(CallEnded, here)
    assert not ended.by_us
    world.run(120.0)
    assert len(pbx.exchange) == 0


def test_a_call_to_oneself_rings_oneself(world, pbx, ann):
    ann.manner = "busy"
    assert ann.dial_until("100", CallEnded).status == 486
    everything_ended(world, pbx, ann)


# --- ways ---------------------------------------------------------------------------------------


def test_a_phone_on_tcp_is_called_over_its_own_connection(world, pbx, ann, add_phone):
    bob = add_phone("200", "10.0.0.3", Transport.TCP).register()
    opened = len(world._far)
    here = ann.dial_until("200", CallAnswered).call
    assert len(world._far) == opened, "no second connection"
    ann.hang_up(here)
    everything_ended(world, pbx, ann)
    at_rest(bob)


def test_a_phone_is_looked_for_where_it_was_before(world, pbx, ann, add_phone):
    old = add_phone("200", "10.0.0.3").register()
    new = add_phone("200", "10.0.0.4", Transport.TCP).register()
    world.silent.add(pbx.endpoint)  # the new phone cannot come back meanwhile
    for flow, _ in list(pbx.agent._core.streams.values()):
        world.close(flow)
    world.run(1.0)
    world.silent.clear()
    world.refusing.add(new.endpoint)
    began = world.now
    answered = ann.dial_until("200", CallAnswered)
    assert world.now - began < 1.0
    assert len(old.of(IncomingCall)) == 1
    assert not new.of(IncomingCall)
    ann.hang_up(answered.call)
    world.run(40.0)
    assert len(pbx.exchange) == 0


def test_over_ipv6_everything_is_the_same(ipv6):
    world, pbx, ann, bob = ipv6
    echo = ann.dial_until("600", CallAnswered)
    assert [stand[2] for stand in pbx.booth.stands.values()] == ["2001:db8::1"]
    ann.hang_up(echo.call)
    here, _ = connected(ann, bob)
    ann.hang_up(here)
    everything_ended(world, pbx, ann, bob)


# --- many ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_thousand_calls_leave_nothing(world, pbx, ann, bob):
    bob.manner = "answer"
    for number in range(1000):
        dialled = ("600", "200", "602", "200", "999", "604", "911", "200")[number % 8]
        call = ann.dial(dialled)
        world.run(0.2)
        if not [each for each in ann.of(CallEnded) if each.call == call]:
            ann.agent.end(call, ann.now)
        world.run(0.1)
        ann.heard.clear()
        bob.heard.clear()
        pbx.heard.clear()
        world.log.clear()
    everything_ended(world, pbx, ann, bob)


def test_calls_survive_a_bad_wire(world, pbx, ann, bob):
    world.wire.loss = 0.15
    world.wire.double = 0.1
    world.wire.jitter = 0.05
    for _ in range(20):
        call = ann.dial("200")
        world.run(15.0)
        ann.agent.end(call, ann.now)
        world.run(5.0)
    world.wire.loss = 0.0
    world.run(120.0)
    everything_ended(world, pbx, ann, bob)
