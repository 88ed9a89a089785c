"""Reliable provisional answers, UPDATE, session timers and glare between SIPp and the whole phone.

The scenario files in `sipp/call_extensions` hold what SIPp says and what the phone has to say.
"""

from pathlib import Path

import pytest

from firmware.control import schema as s
from tests.support.ground import Ground
from tests.support.stage import Stage

pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]
SCENARIOS = Path(__file__).parent / "sipp/call_extensions"


@pytest.fixture
def stage(need, tmp_path):
    need("sipp")
    with Ground() as ground:
        made = Stage(tmp_path, ground, SCENARIOS)
        yield made
        made.close()


def called(stage, flow, **more):
    """SIPp calls the phone, which is answered by its person."""
    phone = stage.phone("bob", **more)
    alice = stage.actor(flow, calls="bob")
    phone.wait_state("ringing")
    phone.ask(s.Answer())
    alice.finish()
    phone.wait("the end of the call", lambda status: not status.calls)


def calls(stage, flow, **more):
    """The phone calls SIPp."""
    bob = stage.actor(flow)
    phone = stage.phone("alice", **more)
    phone.ask(s.Dial(target="bob"))
    return bob, phone


def over(bob, phone):
    bob.finish()
    phone.wait("the end of the call", lambda status: not status.calls)
    (row,) = phone.ask(s.Calls(), s.CallsReply).log
    assert row.outcome == "answered"
    return row


def test_the_caller_insists_on_reliable_answers(stage):
    """RFC 3262 §3."""
    called(stage, "prack_phone_is_called")


def test_the_offer_is_in_the_183_and_the_answer_in_the_prack(stage):
    """RFC 3262 §5."""
    called(stage, "prack_phone_offers")


def test_the_callee_answers_reliably_before_it_lifts(stage):
    """RFC 3262 §4."""
    over(*calls(stage, "prack_phone_calls"))


def test_the_callee_updates_its_media_early_and_late(stage):
    """RFC 3311 §5.2."""
    over(*calls(stage, "update_phone_calls"))


def test_the_caller_holds_and_resumes_by_update(stage):
    """RFC 3311 §5.2."""
    called(stage, "update_phone_is_called")


def test_a_session_that_is_too_short_for_the_phone(stage):
    """RFC 4028 §9."""
    phone = stage.phone("bob", auto_answer="always")
    stage.actor("timer_phone_is_called", calls="bob").finish()
    phone.wait("the end of the call", lambda status: not status.calls)


def test_a_session_that_is_too_short_for_the_callee(stage):
    """RFC 4028 §7.3."""
    over(*calls(stage, "timer_phone_calls"))


def test_the_phone_refreshes(stage):
    """RFC 4028 §10."""
    over(*calls(stage, "timer_phone_refreshes"))


def test_f24_nobody_refreshes(stage):
    """RFC 4028 §10: a call whose BYE was lost does not stay for ever."""
    bob, phone = calls(stage, "timer_phone_gives_up")
    over(bob, phone)


def test_an_empty_reinvite_gets_our_offer(stage):
    """RFC 3261 §14.2."""
    over(*calls(stage, "late_offer_phone_calls"))


def test_f22_a_hold_that_meets_another_is_tried_again(stage):
    """RFC 3261 §14.1."""
    bob, phone = calls(stage, "glare_phone_holds")
    phone.wait_state("talking")
    phone.ask(s.Hold())
    over(bob, phone)
