"""Two desks on one wire: whole phones with their SIP stacks, no program and no socket around them.

Time is virtual; audio is judged by what each engine is told: where to send, what, and whether the
microphone is open.
"""

import pytest

from firmware.codec import available
from firmware.media import messages as m
from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone.commands import CallOutcome
from firmware.phone.events import StopAsked
from firmware.phone.view import CallState, Mode
from tests.support.desk_phone import DeskPhone
from tests.support.sip_link import Wire, World

ANN, BOB = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def world():
    return World()


@pytest.fixture
def ann(world):
    return DeskPhone(world, ANN, "101", BOB)


@pytest.fixture
def bob(world):
    return DeskPhone(world, BOB, "201", ANN)


def connect(world, ann, bob):
    """Ann calls Bob and he lifts."""
    ann.lift()
    ann.press("201")
    world.until(lambda: bob.mode is Mode.RINGING)
    bob.lift()
    world.until(lambda: ann.mode is Mode.TALKING)
    world.run(1)


def hear_each_other(ann, bob):
    """Both send to where the other listens, in a codec both know, from an open microphone."""
    for one, other, host in ((ann, bob, BOB), (bob, ann, ANN)):
        (port,) = other.ledger.ports.values()
        assert one.stream.remote == (host, port)
        assert one.stream.direction is m.Direction.SENDRECV
        assert one.ledger.talk.microphone
        assert m.Route.CARD in one.ledger.routes.values()
    best = available(("opus", "g722"))[0].encoding
    assert ann.stream.formats[0].name == bob.stream.formats[0].name == best


def test_desk_lifts_dials_far_end_rings_answers_both_hear_far_end_hangs_up(world, ann, bob):
    ann.lift()
    assert ann.sounds == {"progress": PathName.HANDSET}, "dial tone"
    ann.press("201")
    assert ann.sounds == {}
    world.run(4.5)
    assert bob.mode is Mode.RINGING
    assert bob.sounds == {"ring": PathName.RINGER}
    assert bob.view.front_call.user == "101"
    assert ann.sounds == {"progress": PathName.HANDSET}, "ringback"
    assert ann.view.front_call.state is CallState.RINGING_THERE
    bob.lift()
    world.run(0.5)
    assert (ann.mode, bob.mode) == (Mode.TALKING, Mode.TALKING)
    assert (ann.sounds, bob.sounds) == ({}, {})
    hear_each_other(ann, bob)
    world.run(60)
    bob.put_down()
    world.run(1)
    assert bob.at_rest()
    assert ann.mode is Mode.RELEASED
    assert ann.sounds == {"progress": PathName.HANDSET}, "busy tone"
    ann.put_down()
    world.run(60)
    assert ann.at_rest()
    assert (len(ann.stack), len(bob.stack)) == (0, 0)
    for desk in (ann, bob):
        (record,) = desk.ledger.records
        assert record.outcome is CallOutcome.ANSWERED
        assert 60 < record.seconds < 64


def test_hold_and_resume_are_seen_at_both_ends(world, ann, bob):
    connect(world, ann, bob)
    ann.tell(a.Hold())
    world.run(1)
    assert ann.stream.direction is m.Direction.SENDONLY
    assert bob.stream.direction is m.Direction.RECVONLY
    assert bob.view.front_call.held_by_them
    assert not ann.ledger.talk.microphone
    ann.tell(a.Resume())
    world.run(1)
    hear_each_other(ann, bob)
    assert not bob.view.front_call.held_by_them


def test_both_hold_at_the_same_moment_and_both_get_their_way(world, ann, bob):
    connect(world, ann, bob)
    ann.tell(a.Hold())
    bob.tell(a.Hold())
    world.run(20)
    assert ann.stream.direction is m.Direction.INACTIVE
    assert bob.stream.direction is m.Direction.INACTIVE
    ann.tell(a.Resume())
    world.run(10)
    bob.tell(a.Resume())
    world.run(10)
    hear_each_other(ann, bob)


def test_the_caller_gives_up_and_is_a_missed_call(world, ann, bob):
    ann.lift()
    ann.press("201")
    world.until(lambda: bob.mode is Mode.RINGING)
    ann.put_down()
    world.run(40)
    assert ann.at_rest()
    assert bob.at_rest()
    assert bob.view.missed == 1
    assert (len(ann.stack), len(bob.stack)) == (0, 0)


def test_the_called_side_refuses(world, ann, bob):
    ann.lift()
    ann.press("201")
    world.until(lambda: bob.mode is Mode.RINGING)
    bob.tell(a.HangUp())
    world.run(1)
    assert (ann.mode, ann.view.notice.text) == (Mode.RELEASED, "call_busy")
    assert bob.at_rest()


def test_a_phone_with_all_its_calls_taken_is_busy(world, bob):
    ann = DeskPhone(world, ANN, "101", BOB, max_calls=2)
    bob = DeskPhone(world, BOB, "201", ANN, max_calls=1)
    connect(world, ann, bob)
    ann.tell(a.Dial("201"))
    world.run(2)
    assert ann.view.notice.text == "call_busy"
    assert len(bob.phone) == 1


def test_an_intercom_answers_by_itself(world, ann):
    bob = DeskPhone(world, BOB, "201", ANN, auto_answer="always")
    ann.tell(a.Dial("201"))
    world.run(1)
    assert (ann.mode, bob.mode) == (Mode.TALKING, Mode.TALKING)
    hear_each_other(ann, bob)
    assert bob.ledger.talk.path is PathName.SPEAKER


def test_nobody_at_the_other_end(world, ann):
    ann.lift()
    ann.press("201")
    world.until(lambda: ann.mode is Mode.RELEASED)
    assert ann.view.notice.text == "call_no_answer"
    ann.put_down()
    world.run(60)
    assert ann.at_rest()


def test_stopping_in_a_call_says_goodbye(world, ann, bob):
    connect(world, ann, bob)
    ann.tell(StopAsked())
    world.run(1)
    assert ann.at_rest()
    assert bob.mode is Mode.RELEASED


@pytest.mark.parametrize("seed", range(4))
def test_f24_forty_calls_over_a_bad_wire_leave_nothing_behind(seed):
    world = World(seed=seed, wire=Wire(loss=0.15, double=0.1, jitter=0.2))
    ann = DeskPhone(world, ANN, "101", BOB)
    bob = DeskPhone(world, BOB, "201", ANN, auto_answer="always" if seed % 2 else "never")
    dice = world.random
    for _ in range(40):
        ann.lift()
        ann.press("201#")
        world.run(dice.uniform(0, 8))
        if bob.mode is Mode.RINGING and dice.random() < 0.8:
            bob.lift()
        world.run(dice.uniform(0, 8))
        if dice.random() < 0.4:
            ann.tell(a.Hold())
            world.run(dice.uniform(0, 3))
            ann.tell(a.Resume())
        first, second = (ann, bob) if dice.random() < 0.5 else (bob, ann)
        first.put_down()
        world.run(dice.uniform(0, 3))
        second.put_down()
        world.run(70)
        if not bob.at_rest():
            bob.tell(a.HangUp())
            world.run(70)
    assert ann.at_rest()
    assert bob.at_rest()
    assert (len(ann.stack), len(bob.stack)) == (0, 0)
    outcomes = [record.outcome for record in ann.ledger.records]
    assert len(outcomes) == 40
    assert outcomes.count(CallOutcome.ANSWERED) > 10, "most of them were really calls"
