"""Every service of RFC 5359 in which a phone takes part; SIPp plays everybody else.

The scenario files in `sipp/rfc5359` hold what the others say and what the phone has to say. The
phone is the whole program, or the user agent alone where the desk phone has no key for what the
person does. What is not played, and why, is in `tests/support/sipp_flows.py`.
"""

from pathlib import Path

import pytest

from firmware.control import schema as s
from firmware.sip.invite.replaces import Replaces
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    EventReceived,
    SubscriptionChanged,
    SubscriptionProgress,
    SubscriptionRef,
    TransferSucceeded,
)
from firmware.sip.told import MessageOutcome, MessageRef
from tests.support.agent_phone import LINE
from tests.support.ground import Ground
from tests.support.stage import Stage

pytestmark = [pytest.mark.interop, pytest.mark.timeout(60)]
SCENARIOS = Path(__file__).parent / "sipp/rfc5359"


@pytest.fixture
def stage(need, tmp_path):
    need("sipp")
    with Ground() as ground:
        made = Stage(tmp_path, ground, SCENARIOS)
        yield made
        made.close()


def talking(phone):
    return phone.wait("a call", lambda status: [c for c in status.calls if c.state == "talking"])


def gone(phone):
    return phone.wait("the end of every call", lambda status: not status.calls)


# --- hold ---------------------------------------------------------------------------------------


def test_2_1_call_hold_the_phone_is_held(stage):
    """RFC 5359 §2.1."""
    phone = stage.phone("alice", auto_answer="always")
    bob = stage.actor("2_1_phone_is_held", calls="alice")
    phone.wait("the hold", lambda status: any(call.held_by_them for call in status.calls))
    bob.finish()
    gone(phone)


def test_2_1_call_hold_the_phone_holds(stage):
    """RFC 5359 §2.1."""
    alice = stage.actor("2_1_phone_holds")
    phone = stage.phone("bob")
    phone.ask(s.Dial(target="alice"))
    talking(phone)
    phone.ask(s.Hold())
    phone.wait("the hold", lambda status: status.calls[0].held)
    phone.ask(s.Resume())
    phone.wait("the end of the hold", lambda status: not status.calls[0].held)
    alice.acknowledged(3)
    phone.ask(s.HangUp())
    alice.finish()


def test_2_2_consultation_hold(stage):
    """RFC 5359 §2.2."""
    carol = stage.actor("2_2_carol")
    there = stage.ground.address()
    phone = stage.phone("bob", peers=[there], auto_answer="always")
    alice = stage.actor("2_2_alice", at=there, calls="bob")
    first = talking(phone).calls[0].id
    phone.ask(s.Hold())
    phone.wait("the hold", lambda status: status.calls[0].held)
    phone.ask(s.Dial(target="carol"))
    phone.wait(
        "Carol", lambda status: any(c.id != first and c.state == "talking" for c in status.calls)
    )
    phone.ask(s.HangUp())
    carol.finish()
    phone.wait("only Alice", lambda status: [call.id for call in status.calls] == [first])
    phone.ask(s.Resume(call=first))
    phone.wait("the end of the hold", lambda status: not status.calls[0].held)
    alice.acknowledged(2)
    phone.ask(s.HangUp())
    alice.finish()


def test_2_3_music_on_hold(stage):
    """RFC 5359 §2.3: the phone is Alice."""
    music, again = stage.ground.address(), stage.ground.address()
    phone = stage.phone("alice", auto_answer="always", peers=[music, again])
    bob = stage.actor("2_3_bob", calls="alice")
    phone.wait("the hold", lambda status: any(call.held_by_them for call in status.calls))
    server = stage.actor("2_3_music", at=music, calls="alice", replaces=bob.talk().replaces())
    bob.finish()
    replaces = server.talk().replaces()
    stage.actor("2_3_bob_again", at=again, calls="alice", replaces=replaces).finish()
    server.finish()
    gone(phone)


# --- transfer -----------------------------------------------------------------------------------


def test_2_4_unattended_transfer_the_phone_transfers(stage):
    """RFC 5359 §2.4: the phone is Bob."""
    alice = stage.actor("2_4_alice")
    phone = stage.phone("bob")
    phone.ask(s.Dial(target="alice"))
    talking(phone)
    phone.ask(s.Transfer(target="carol"))
    alice.finish()
    gone(phone)


def test_2_4_unattended_transfer_the_phone_is_transferred(stage):
    """RFC 5359 §2.4: the phone is Alice."""
    there = stage.ground.address()
    carol = stage.actor("2_4_carol", at=there)
    phone = stage.phone("alice", auto_answer="always", peers=[there])
    bob = stage.actor("2_4_bob", calls="alice", carol=there)
    bob.finish()
    carol.finish()
    gone(phone)


def test_2_4_unattended_transfer_the_phone_is_the_target(stage):
    """RFC 5359 §2.4: the phone is Carol."""
    phone = stage.phone("carol", auto_answer="always")
    stage.actor("2_4_phone_is_carol", calls="carol").finish()
    gone(phone)


def test_2_5_attended_transfer_the_phone_transfers(stage):
    """RFC 5359 §2.5: the phone is Bob."""
    there = stage.ground.address()
    alice = stage.actor("2_5_alice")
    carol = stage.actor("2_5_phone_consults", at=there)
    with stage.agent(peers=(there,)) as phone:
        first = phone.call("alice", "out-1")
        phone.until(CallAnswered)
        second = phone.call(f"sip:carol@{there}:5060", "out-2")
        phone.until(CallAnswered, lambda answered: answered.call == second)
        phone.do(lambda agent, now: agent.transfers.attended(first, second, now))
        phone.until(TransferSucceeded)
        phone.do(lambda agent, now: agent.end(first, now))
        alice.finish()
        carol.finish()
        phone.until(CallEnded, lambda ended: ended.call == second)


def test_2_5_attended_transfer_the_phone_is_transferred(stage):
    """RFC 5359 §2.5: the phone is Alice."""
    there = stage.ground.address()
    carol = stage.actor("2_5_carol", at=there)
    phone = stage.phone("alice", auto_answer="always", peers=[there])
    replaces = "12345600%40biloxi.example.com%3Bto-tag%3D314159%3Bfrom-tag%3D1234567"
    stage.actor("2_5_bob", calls="alice", carol=there, replaces=replaces).finish()
    carol.finish()
    gone(phone)


def test_2_5_attended_transfer_the_phone_is_the_target(stage):
    """RFC 5359 §2.5: the phone is Carol."""
    there = stage.ground.address()
    phone = stage.phone("carol", auto_answer="always", peers=[there])
    bob = stage.actor("2_5_phone_is_carol_bob", calls="carol")
    replaces = bob.talk().replaces()
    talking(phone)
    stage.actor("2_5_phone_is_carol_alice", at=there, calls="carol", replaces=replaces).finish()
    bob.finish()
    gone(phone)


def test_2_6_transfer_by_instant_message_the_phone_is_alice(stage):
    """RFC 5359 §2.6."""
    there = stage.ground.address()
    phone = stage.phone("alice", auto_answer="always", peers=[there])
    bob = stage.actor("2_6_bob", calls="alice")
    replaces = bob.talk().replaces()
    talking(phone)
    stage.actor("2_6_carol", at=there, calls="alice", replaces=replaces).finish()
    bob.finish()
    gone(phone)


def test_2_6_transfer_by_instant_message_the_phone_tells(stage):
    """RFC 5359 §2.6: the phone is Bob."""
    carol = stage.actor("2_6_phone_tells")
    text = "call sip:alice@atlanta.example.com?Replaces=12345600%3Bto-tag%3Da%3Bfrom-tag%3Db"
    with stage.agent() as phone:
        ref = MessageRef("one")
        phone.do(lambda agent, now: agent.messages.send(ref, LINE, "carol", text, now))
        assert phone.until(MessageOutcome).cause is None
        carol.finish()


# --- forwarding ---------------------------------------------------------------------------------


@pytest.mark.parametrize("flow", ["2_7", "2_8", "2_9"])
def test_2_7_2_8_2_9_a_call_that_is_forwarded_is_answered(stage, flow):
    """RFC 5359 §2.7, §2.8, §2.9: the phone is Alice."""
    others = stage.actor(f"{flow}_phone_calls")
    phone = stage.phone("alice")
    phone.ask(s.Dial(target="bob"))
    talking(phone)
    phone.ask(s.HangUp())
    others.finish()


def test_2_8_call_forwarding_busy_the_phone_is_b1(stage):
    """RFC 5359 §2.8."""
    there = stage.ground.address()
    phone = stage.phone("b1", auto_answer="always", max_calls=1, peers=[there])
    bob = stage.actor("2_2_carol")
    phone.ask(s.Dial(target="carol"))
    talking(phone)
    stage.actor("2_8_phone_is_b1", at=there, calls="b1").finish()
    phone.ask(s.HangUp())
    bob.finish()


@pytest.mark.parametrize(("flow", "missed"), [("2_9", 1), ("2_12", 0)])
def test_2_9_2_12_the_call_goes_elsewhere(stage, flow, missed):
    """RFC 5359 §2.9, §2.12: the phone is B1; what was answered elsewhere is not missed."""
    phone = stage.phone("b1")
    proxy = stage.actor(f"{flow}_phone_is_b1", calls="b1")
    phone.wait_state("ringing")
    proxy.finish()
    gone(phone)
    assert phone.status().missed == missed


def test_2_12_find_me_the_phone_is_alice(stage):
    """RFC 5359 §2.12."""
    proxy = stage.actor("2_12_phone_calls")
    phone = stage.phone("alice")
    phone.ask(s.Dial(target="bob"))
    talking(phone)
    proxy.finish()
    gone(phone)


# --- conference ---------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["alice", "carol"])
def test_2_10_three_way_conference(stage, who):
    """RFC 5359 §2.10: the phone is Alice, or Carol; the focus is somebody else."""
    phone = stage.phone(who, auto_answer="always")
    bob = stage.actor(f"2_10_phone_is_{who}", calls=who)
    talking(phone)
    bob.finish()
    gone(phone)


def test_2_10_three_way_conference_the_phone_mixes(stage):
    """RFC 5359 §2.10: the phone is Bob; it mixes, but does not say isfocus (RFC 4579)."""
    carol = stage.actor("2_10_phone_is_bob_carol")
    there = stage.ground.address()
    phone = stage.phone("bob", peers=[there], auto_answer="always")
    alice = stage.actor("2_2_alice", at=there, calls="bob")
    first = talking(phone).calls[0].id
    phone.ask(s.Hold())
    phone.wait("the hold", lambda status: status.calls[0].held)
    phone.ask(s.Dial(target="carol"))
    phone.wait(
        "Carol", lambda status: any(c.id != first and c.state == "talking" for c in status.calls)
    )
    phone.ask(s.Conference(on=True))
    phone.wait("all together", lambda status: not any(call.held for call in status.calls))
    carol.finish()
    phone.wait("only Alice", lambda status: [call.id for call in status.calls] == [first])
    phone.ask(s.HangUp())
    alice.finish()


def test_2_11_third_party_joins_the_phone_is_alice(stage):
    """RFC 5359 §2.11: whom she has called becomes a focus."""
    bob = stage.actor("2_11_phone_is_alice")
    phone = stage.phone("alice")
    phone.ask(s.Dial(target="bob"))
    talking(phone)
    bob.finish()
    gone(phone)


def test_2_11_third_party_joins_the_phone_is_carol(stage):
    """RFC 5359 §2.11: Join is a header like others to the user agent; no key makes it."""
    bob = stage.actor("2_11_phone_is_carol")
    join = "12345600@atlanta.example.com;from-tag=1234567;to-tag=23431"
    with stage.agent(user="carol") as phone:
        phone.call("bob", headers=(("Join", join), ("Require", "join")))
        phone.until(CallAnswered)
        bob.finish()
        phone.until(CallEnded)


# --- screening ----------------------------------------------------------------------------------


def test_2_13_incoming_call_screening(stage):
    """RFC 5359 §2.13: 305 to her own proxy, then 407, then 403; the announcement is not fetched."""
    there = stage.ground.address()
    bob = stage.actor("2_13_bob", at=there, proxy=stage.pbx)
    screen = stage.actor("2_13_proxy")
    phone = stage.phone("alice", peers=[there])
    phone.ask(s.Dial(target=f"sip:bob@{there}:5060"))
    bob.finish()
    screen.finish()
    phone.wait("the call list", lambda _: phone.ask(s.Calls(), s.CallsReply).log)
    assert phone.ask(s.Calls(), s.CallsReply).log[0].outcome == "failed"


def test_2_14_outgoing_call_screening(stage):
    """RFC 5359 §2.14."""
    screen = stage.actor("2_14_proxy")
    phone = stage.phone("alice")
    phone.ask(s.Dial(target="bob"))
    screen.finish()
    phone.wait("the call list", lambda _: phone.ask(s.Calls(), s.CallsReply).log)
    assert phone.ask(s.Calls(), s.CallsReply).log[0].outcome == "failed"


# --- park, pickup, redial, click to dial ---------------------------------------------------------


def test_2_15_call_park_the_phone_is_parked(stage):
    """RFC 5359 §2.15: the phone is Alice."""
    park, carol = stage.ground.address(), stage.ground.address()
    phone = stage.phone("alice", auto_answer="always", peers=[park, carol])
    bob = stage.actor("2_15_bob", calls="alice")
    replaces = bob.talk().replaces()
    talking(phone)
    server = stage.actor("2_15_park", at=park, calls="alice", replaces=replaces)
    bob.finish()
    replaces = server.talk().replaces()
    stage.actor("2_15_carol", at=carol, calls="alice", replaces=replaces).finish()
    server.finish()
    gone(phone)


def watch(phone, target):
    """Watch somebody's calls; returns the first one that is there."""
    ref = SubscriptionRef("watched")
    phone.do(
        lambda agent, now: agent.subscriptions.subscribe(ref, LINE, "dialog", now, target=target)
    )
    news = phone.until(EventReceived, lambda event: event.document.dialogs)
    return ref, news.document.dialogs[0]


def stop_watching(phone, ref):
    phone.do(lambda agent, now: agent.subscriptions.unsubscribe(ref, now))
    phone.until(SubscriptionChanged, lambda changed: changed.progress is SubscriptionProgress.ENDED)


TAKEN = {
    "2_15": ("2_15_phone_is_carol_park", "2_15_phone_is_carol_alice"),
    "2_16": ("2_16_bob", "2_16_alice"),
}


@pytest.mark.parametrize("flow", TAKEN)
def test_2_15_2_16_the_phone_takes_a_call_from_elsewhere(stage, flow):
    """RFC 5359 §2.15 (the phone is Carol), §2.16 (it is Bill)."""
    there = stage.ground.address()
    watched_name, alice_name = TAKEN[flow]
    watched = stage.actor(watched_name, alice=there)
    alice = stage.actor(alice_name, at=there)
    with stage.agent(peers=(there,)) as phone:
        ref, dialog = watch(phone, "bob")
        stop_watching(phone, ref)
        watched.finish()
        replaces = Replaces(dialog.call_id, dialog.remote_tag, dialog.local_tag, flow == "2_16")
        call = phone.call(f"sip:alice@{there}:5060", replaces=replaces)
        phone.until(CallAnswered)
        phone.do(lambda agent, now: agent.end(call, now))
        alice.finish()


def test_2_16_call_pickup_the_phone_is_alice(stage):
    """RFC 5359 §2.16: somebody takes the call before it is answered."""
    there = stage.ground.address()
    phone = stage.phone("alice", peers=[there])
    bob = stage.actor("2_16_phone_is_alice_bob")
    phone.ask(s.Dial(target="bob"))
    phone.wait("Bob to ring", lambda status: status.calls[0].state == "ringing_there")
    replaces = bob.talk().replaces(early=True)
    stage.actor("2_16_phone_is_alice_bill", at=there, calls="alice", replaces=replaces).finish()
    bob.finish()
    gone(phone)


def test_2_17_automatic_redial(stage):
    """RFC 5359 §2.17."""
    busy = stage.actor("2_17_bob_busy")
    with stage.agent() as phone:
        phone.call("bob", "out-1")
        assert phone.until(CallEnded).status == 486
        busy.finish()
        watched = stage.actor("2_17_bob_watched", alice=stage.desk)
        ref, _ = watch(phone, "bob")
        phone.until(EventReceived, lambda event: not event.document.dialogs)
        stop_watching(phone, ref)
        watched.finish()
        free = stage.actor("2_17_bob_free")
        call = phone.call("bob", "out-2")
        phone.until(CallAnswered)
        phone.do(lambda agent, now: agent.end(call, now))
        free.finish()


def test_2_18_a19_click_to_dial_is_refused(stage):
    """RFC 5359 §2.18: nobody on the network makes the phone (Bob) call somebody."""
    phone = stage.phone("bob")
    stage.actor("2_18_pc", calls="bob").finish()
    assert not phone.status().calls


def test_2_18_click_to_dial_where_the_server_may_ask(stage):
    """RFC 5359 §2.18: the phone is Bob; Carol is called when somebody answers the beep."""
    there = stage.ground.address()
    carol = stage.actor("2_4_carol", at=there)
    phone = stage.phone("bob", click_to_dial=True)
    server = stage.actor("2_18_pc_may", calls="bob", carol=there)
    phone.wait("the wish on the screen", lambda status: "carol" in status.reason)
    assert not phone.status().calls
    phone.ask(s.Answer())
    server.finish()
    carol.finish()
    gone(phone)
