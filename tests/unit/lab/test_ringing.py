"""Several phones of one user at the practice exchange; calls without an offer; texts."""

import pytest

from firmware.sip.notifications import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallProgress,
    IncomingCall,
    MessageOutcome,
    MessageReceived,
    ReofferAnswered,
    ReofferReceived,
)
from firmware.sip.told import MessageRef
from tests.support.sip_link import LINE
from tests.unit.lab.test_exchange import everything_ended


@pytest.fixture
def second(bob, add_phone):
    """Bob's other phone."""
    del bob
    return add_phone("200", "10.0.0.5").register()


def soon(phone, kind):
    """What it has heard, or hears within a second."""
    phone.world.run(1.0)
    return phone.last(kind)


def answer(phone):
    phone.agent.accept(phone.last(IncomingCall).call, b"answer of the second", phone.now)


def test_every_phone_rings_and_the_first_has_the_call(world, pbx, ann, bob, second):
    """RFC 3261 §16.7 step 10, RFC 3326 §2: the other is told that the call is answered."""
    bob.manner = second.manner = "ring"
    call = ann.dial("200")
    world.run(1.0)
    assert len(bob.of(IncomingCall)) == len(second.of(IncomingCall)) == 1
    assert 180 in ann.heard_ringing(call)
    answer(second)
    assert ann.wait(CallAnswered, call).body == b"answer of the second"
    ended = soon(bob, CallEnded)
    assert ended.answered_elsewhere
    ann.hang_up(call)
    soon(second, CallEnded)
    everything_ended(world, pbx, ann, bob, second)


def test_both_are_lifted_in_the_same_moment(world, pbx, ann, bob, second):
    call = ann.dial("200")
    ann.wait(CallAnswered, call)
    world.run(2.0)
    assert len(ann.answered(call)) == 1
    assert len(bob.of(CallEnded)) + len(second.of(CallEnded)) == 1
    ann.hang_up(call)
    everything_ended(world, pbx, ann, bob, second)


def test_a_caller_who_gives_up_silences_all(world, pbx, ann, bob, second):
    bob.manner = second.manner = "ring"
    call = ann.dial("200")
    world.run(1.0)
    ann.hang_up(call)
    assert not soon(bob, CallEnded).answered_elsewhere
    soon(second, CallEnded)
    everything_ended(world, pbx, ann, bob, second)


@pytest.mark.parametrize(
    ("manners", "status"),
    [(("busy", "busy"), 486), (("decline", "ring"), 603), (("busy", "decline"), 603)],
)
def test_why_nobody_answers(world, pbx, ann, bob, second, manners, status):  # noqa: PLR0917 - phones
    """RFC 3261 §16.7 step 5, step 6: a decline is for all, else the best is passed on."""
    bob.manner, second.manner = manners
    assert ann.dial_until("200", CallEnded).status == status
    everything_ended(world, pbx, ann, bob, second)


def test_one_is_busy_and_the_other_still_rings(world, pbx, ann, bob, second):
    bob.manner, second.manner = "busy", "ring"
    call = ann.dial("200")
    world.run(1.0)
    answer(second)
    ann.wait(CallAnswered, call)
    ann.hang_up(call)
    everything_ended(world, pbx, ann, bob, second)


def test_hold_works_between_those_who_talk(ann, bob, second):
    bob.manner = "ring"
    call = ann.dial_until("200", CallAnswered).call
    ann.agent.reoffer(call, b"hold", ann.now)
    assert ann.wait(ReofferAnswered, call).body == b"yes to hold"
    assert not bob.of(ReofferReceived)
    assert second.of(ReofferReceived)


def test_one_phone_that_came_back_rings_once(pbx, ann, bob, world):
    """RFC 5626 §4.1: its instance ID says that it is the same."""
    line = bob.agent._core.lines[LINE]
    assert line.instance_id
    line.contact_user = "another-user-of-the-same-phone"
    bob.agent.register(LINE, bob.now)
    world.run(1.0)
    assert len(pbx.registrar.listing(world.now)) == 2
    assert len(pbx.registrar.places_of("200", world.now)) == 1
    ann.dial_until("200", CallAnswered)
    assert len(bob.of(IncomingCall)) == 1


def test_a_phone_that_unregistered_does_not_ring(world, ann, bob, second):
    second.agent.unregister(LINE, second.now)
    world.run(1.0)
    ann.dial_until("200", CallAnswered)
    assert bob.of(IncomingCall)
    assert not second.of(IncomingCall)


def test_a_call_without_an_offer_takes_the_phones(world, pbx, ann, bob):
    """RFC 3261 §13.2.2.4: Bob's offer in the 2xx, Ann's answer in the ACK."""
    call = ann.dial_until("200", CallAnswered, offer=b"").call
    assert ann.last(ReofferReceived).body == b"answer of 200"
    confirmed = soon(bob, CallConfirmed)
    assert confirmed.body == b"yes to answer of 200"
    ann.hang_up(call)
    soon(bob, CallEnded)
    everything_ended(world, pbx, ann, bob)


def test_a_call_without_an_offer_to_two_phones(world, pbx, ann, bob, second):
    bob.manner = second.manner = "ring"
    call = ann.dial("200", offer=b"")
    world.run(1.0)
    answer(second)
    ann.wait(CallAnswered, call)
    assert soon(second, CallConfirmed).body == b"yes to answer of the second"
    assert soon(bob, CallEnded).answered_elsewhere
    ann.hang_up(call)
    everything_ended(world, pbx, ann, bob, second)


def test_a_caller_without_an_offer_gives_up(world, pbx, ann, bob):
    bob.manner = "ring"
    call = ann.dial("200", offer=b"")
    world.run(1.0)
    ann.hang_up(call)
    everything_ended(world, pbx, ann, bob)


def test_a_caller_who_wants_an_offer_while_it_rings(world, pbx, ann, bob):
    """RFC 3262 §5: Require: 100rel without an offer; Bob's comes with his 180."""
    bob.manner = "ring"
    bob.script = _offering(bob)
    ann.offered = b""
    call = "ann-offers"
    ann.agent.invite(call, LINE, "200", ann.now, headers=(("Require", "100rel"),))
    world.run(1.0)
    assert ann.last(ReofferReceived).body == b"offer of bob"
    bob.agent.accept(bob.last(IncomingCall).call, b"", bob.now)
    ann.wait(CallAnswered, call)
    assert soon(bob, ReofferAnswered).body == b"yes to offer of bob"
    ann.hang_up(call)
    soon(bob, CallEnded)
    everything_ended(world, pbx, ann, bob)


def _offering(phone):
    def react(notification):
        if isinstance(notification, IncomingCall):
            assert notification.ring_with_offer
            phone.agent.ring(notification.call, phone.now, b"offer of bob")
        else:
            phone.react(notification)

    return react


# --- texts --------------------------------------------------------------------------------------


def text(phone, target, words, **how):
    ref = MessageRef(f"m{phone.now}")
    phone.agent.messages.send(ref, LINE, target, words, phone.now, **how)
    return phone.wait(MessageOutcome)


def test_a_text_goes_to_every_phone_of_a_user(pbx, ann, bob, second):
    """RFC 3428 §4: in the name of its sender."""
    assert text(ann, "200", "lunch?").cause is None
    for phone in (bob, second):
        received = phone.last(MessageReceived)
        assert (received.text, received.sender.user) == ("lunch?", "100")
    assert len(pbx.exchange) == 0


@pytest.mark.parametrize(("target", "status"), [("999", 404), ("600", 200)])
def test_a_text_to_nobody(pbx, ann, target, status):
    assert text(ann, target, "hello").status == status
    assert len(pbx.exchange) == 0


def test_a_text_to_a_phone_that_is_gone(world, pbx, ann, bob):
    world.silent.add(bob.endpoint)
    assert text(ann, "200", "hello").status == 500
    world.run(40.0)
    assert len(pbx.exchange) == 0


def test_a_text_in_a_call(ann, bob):
    call = ann.dial_until("200", CallAnswered).call
    assert text(ann, "", "the number is 17", call=call).cause is None
    received = soon(bob, MessageReceived)
    assert received.text == "the number is 17"
    assert received.call == bob.last(IncomingCall).call


def test_who_is_registered(world, pbx, ann, bob, second):
    rows = pbx.registrar.listing(world.now)
    assert [row.split()[:2] for row in rows] == [["100", "udp"], ["200", "udp"], ["200", "udp"]]
    assert pbx.registrar.next_end(world.now) > world.now
    assert ann
    for phone in (bob, second):
        phone.agent.unregister(LINE, phone.now)
    world.run(1.0)
    assert len(pbx.registrar.listing(world.now)) == 1


def test_early_sound_of_one_phone_only(world, ann, bob, second):
    """Of several phones none speaks before it is lifted."""
    bob.manner = second.manner = "ring"
    call = ann.dial("200")
    world.run(1.0)
    bob.agent.ring(bob.last(IncomingCall).call, bob.now, b"early")
    world.run(1.0)
    assert not [x for x in ann.of(CallProgress) if x.call == call and x.body]
