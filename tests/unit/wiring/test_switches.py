"""Cradle switch and headset socket: of either kind, bouncing, moved at the wrong time."""

import pytest

from firmware.wiring.evidence import Answer
from hal.board_spec import Contact, HeadsetSpec, HookSpec
from hal.events import HeadsetPlugged, HookLifted, HookReplaced
from tests.unit.wiring.conftest import Builder, board

HOOK, SOCKET = "GPIO 17 (pin 11)", "GPIO 27 (pin 13)"


def desk(lifted=Contact.OPEN, plugged=Contact.CLOSED):
    hook = HookSpec(17, lifted, lockout_ms=50, flash_max_ms=500)
    return board(keypad=None, hook=hook, headset=HeadsetSpec(27, plugged))


@pytest.mark.parametrize(("contact", "right"), [(Contact.OPEN, "closed"), (Contact.CLOSED, "open")])
def test_a_hook_that_is_reversed_is_turned_round(contact, right):
    builder = Builder(desk(lifted=contact), hook=(False, True)).go()
    told = {"pins": HOOK, "table": "hook", "right": right}
    assert builder.found == [("hook_reversed", told)]
    assert builder.learned == {"hook.lifted": right}


@pytest.mark.parametrize(("told", "right"), [((True, False), "closed"), ((False, True), "open")])
def test_a_hook_of_unknown_kind_is_found_out_without_a_complaint(told, right):
    builder = Builder(desk(lifted=Contact.AUTO), hook=told).go()
    assert builder.found == []
    assert builder.learned == {"hook.lifted": right}


@pytest.mark.parametrize(
    ("told", "text"),
    [((None, None), "silent"), ((True, None), "once"), ((None, False), "once")],
)
@pytest.mark.parametrize("switch", ["hook", "headset"])
def test_a_switch_that_is_silent_or_sticks(switch, told, text):
    assert Builder(desk(), **{switch: told}).go().texts == [f"{switch}_{text}"]


def test_a_hook_that_bounces_gets_a_longer_lockout():
    builder = Builder(desk(), hook=([True, False, True], False)).go()
    assert builder.found == [("hook_bounces", {"pins": HOOK})]
    assert builder.learned == {"hook.lockout_ms": 100}


def test_a_reversed_hook_tells_at_the_start_that_it_is_lifted():
    builder = Builder(desk(), hook=(False, True))
    builder.give(HookLifted(builder.now))
    assert builder.go().learned == {"hook.lifted": "closed"}


def test_a_handset_that_was_lifted_before_it_was_asked_for_is_lifted_again():
    builder = Builder(desk())
    builder.move("hook", on=True)
    builder.go()
    assert builder.found == []
    assert "lift_again" in builder.asked


def test_a_handset_that_is_put_down_and_lifted_when_it_should_be_lifted():
    """One who does both says nothing wrong of the switch: he is asked once more."""
    builder = Builder(desk())
    builder.now += 2
    builder.walk.expire(builder.now)
    builder.drain()
    for event in (HookLifted, HookReplaced):
        builder.give(event(builder.now))
    assert builder.go().found == []


def test_a_handset_that_is_put_down_too_soon_is_put_down_again():
    builder = Builder(desk())
    act = builder.act

    def hasty(step):
        act(step)
        if step._switch == "hook" and step._on:
            builder.now = builder.walk.deadline
            builder.walk.expire(builder.now)
            builder.move("hook", on=False)

    builder.act = hasty
    builder.go()
    assert builder.found == []


@pytest.mark.parametrize(("plugged", "right"), [(Contact.OPEN, "closed"), (Contact.CLOSED, "open")])
def test_a_headset_socket_whose_contact_is_reversed_is_turned_round(plugged, right):
    builder = Builder(desk(plugged=plugged), headset=(False, True))
    builder.give(HeadsetPlugged(builder.now))  # nothing is plugged in, and it says so
    builder.go()
    assert builder.found == [("headset_reversed", {"pins": SOCKET, "right": right})]
    assert builder.learned == {"headset.plugged": right}


def test_a_builder_without_a_headset_skips_it():
    builder = Builder(desk())
    act = builder.act
    builder.act = lambda step: act(step) if step._switch == "hook" else builder.give(Answer.SKIP)
    builder.go()
    assert builder.found == []
    assert {what.text for what in builder.walk.evidence.skipped} == {"board.test.headset"}


def test_a_board_without_a_socket_asks_for_no_headset():
    builder = Builder(board(keypad=None)).go()
    assert builder.asked == ["lift", "replace"]


def test_nothing_happens_is_an_answer_and_yes_is_none():
    builder = Builder(desk())
    builder.now += 2
    builder.walk.expire(builder.now)
    builder.drain()
    before = builder.walk.deadline
    builder.give(Answer.YES)
    assert builder.walk.deadline == before
    builder.give(Answer.NO)
    assert builder.walk.deadline == builder.now


def test_one_who_takes_his_time_between_two_moves():
    builder = Builder(desk())
    builder.move("hook", on=True)
    move = builder.move

    def slowly(switch, *, on):
        builder.now += 2.5
        builder.walk.expire(builder.now)
        move(switch, on=on)

    builder.move = slowly
    assert builder.go().found == []
