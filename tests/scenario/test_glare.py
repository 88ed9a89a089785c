"""Both ends do something at the same moment: hold by the hook, hang up, answer and give up."""

import pytest

from firmware.media import messages as m
from firmware.phone import actions as a
from firmware.phone.view import Mode
from firmware.sip.notifications import LineName
from hal.events import HookFlash
from tests.support.desk_phone import DeskPhone
from tests.support.sip_link import World

ANN, BOB, CAROL = "192.0.2.1", "192.0.2.2", "192.0.2.3"


@pytest.fixture
def talking():
    """Ann talks with Bob; she has a second line, for Carol."""
    world = World(3)
    ann = DeskPhone(world, ANN, "101", BOB, more_lines={LineName("second"): CAROL})
    bob = DeskPhone(world, BOB, "201", ANN)
    ann.lift()
    ann.press("201")
    world.until(lambda: bob.mode is Mode.RINGING)
    bob.lift()
    world.until(lambda: ann.mode is Mode.TALKING)
    world.run(1)
    return world, ann, bob


def flash(phone):
    phone.tell(HookFlash(phone.now))


def hold(phone):
    phone.tell(a.Hold())


def with_bob(ann):
    return next(call for call in ann.phone.state.calls if call.remote.user == "201")


def test_a_flash_for_the_caller_who_waits_meets_a_hold_from_the_other_side(talking):
    """RFC 3261 §14.1, §14.2: the re-INVITEs meet, each is tried again, neither gets lost."""
    world, ann, bob = talking
    carol = DeskPhone(world, CAROL, "301", ANN)
    carol.lift()
    carol.press("101")
    world.until(lambda: bool(ann.phone.state.ringing))
    flash(ann)
    hold(bob)
    world.run(8)
    assert with_bob(ann).held
    assert bob.phone.state.calls[0].held
    assert bob.stream.direction is m.Direction.INACTIVE
    assert carol.stream.direction is m.Direction.SENDRECV
    flash(ann)
    bob.tell(a.Resume())
    world.run(8)
    assert not with_bob(ann).held
    assert bob.stream.direction is m.Direction.SENDRECV
    assert carol.stream.direction is m.Direction.RECVONLY
    for phone in (ann, bob, carol):
        phone.put_down()
    world.run(120)
    assert len(bob.stack) == len(carol.stack) == 0


@pytest.mark.parametrize("gap", [0.0, 0.004, 0.006, 0.02])
def test_one_holds_while_the_other_hangs_up(talking, gap):
    world, ann, bob = talking
    hold(ann)
    world.run(gap)
    bob.put_down()
    world.run(60)
    assert len(ann.phone) == len(bob.phone) == 0
    ann.put_down()
    world.run(120)
    assert ann.at_rest()
    assert bob.at_rest()
    assert len(ann.stack) == len(bob.stack) == 0


@pytest.mark.parametrize("gap", [0.0, 0.004, 0.006, 0.011, 0.02])
def test_f40_the_caller_gives_up_while_the_callee_lifts(gap):
    """RFC 3261 §9.1: CANCEL and 200 cross; nobody is left with half a call."""
    world = World(5)
    ann, bob = DeskPhone(world, ANN, "101", BOB), DeskPhone(world, BOB, "201", ANN)
    ann.lift()
    ann.press("201")
    world.until(lambda: bob.mode is Mode.RINGING)
    bob.lift()
    world.run(gap)
    ann.put_down()
    world.run(60)
    assert len(ann.phone) == len(bob.phone) == 0
    bob.put_down()
    world.run(120)
    assert ann.at_rest()
    assert bob.at_rest()
    assert len(ann.stack) == len(bob.stack) == 0
