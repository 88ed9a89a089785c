"""Every basic call flow of RFC 3665 that a phone takes part in; SIPp plays everybody else.

The scenario files in `sipp/rfc3665` hold what the others say and what the phone has to say; a test
makes the phone do what the person does. The phone is Alice or Bob, as the name of the file says.
It is the whole program except where a flow needs names that only this test knows. What is not
played, and why, is in `tests/support/sipp_flows.py`.
"""

from pathlib import Path

import pytest

from firmware.control import schema as s
from firmware.sip.notifications import CallAnswered, CallEnded
from tests.support.ground import Ground
from tests.support.stage import Stage

pytestmark = [pytest.mark.interop, pytest.mark.timeout(60)]
SCENARIOS = Path(__file__).parent / "sipp/rfc3665"


@pytest.fixture
def stage(need, tmp_path):
    need("sipp")
    with Ground() as ground:
        made = Stage(tmp_path, ground, SCENARIOS)
        yield made
        made.close()


# --- registration -------------------------------------------------------------------------------


def test_2_1_successful_new_registration(stage):
    """RFC 3665 §2.1."""
    registrar = stage.actor("2_1_phone_registers")
    phone = stage.phone("bob", register=True)
    phone.wait_registered()
    registrar.finish()
    assert phone.status().lines[0].expires_in > 3000


def test_2_2_update_of_contact_list(stage):
    """RFC 3665 §2.2."""
    registrar = stage.actor("2_2_phone_updates")
    phone = stage.phone("bob", register=True)
    registrar.finish()
    phone.wait_registered()


def test_2_4_cancellation_of_registration(stage):
    """RFC 3665 §2.4."""
    registrar = stage.actor("2_4_phone_leaves")
    phone = stage.phone("bob", register=True)
    phone.wait_registered()
    phone.close()
    registrar.finish()


def test_2_5_unsuccessful_registration(stage):
    """RFC 3665 §2.5."""
    registrar = stage.actor("2_5_phone_is_refused")
    phone = stage.phone("bob", register=True)
    phone.wait("the reason", lambda found: "password" in found.lines[0].reason.lower())
    registrar.finish()


# --- sessions: the phone is Alice ---------------------------------------------------------------

TALKS = {
    "3_1_phone_calls": {},
    "3_2_phone_calls": {},
    "3_3_phone_calls": {},
}


@pytest.mark.parametrize("flow", TALKS)
def test_3_1_3_2_3_3_alice_calls_and_bob_hangs_up(stage, flow):
    """RFC 3665 §3.1, §3.2, §3.3."""
    others = stage.actor(flow)
    phone = stage.phone("alice", **TALKS[flow])
    phone.ask(s.Dial(target="bob"))
    others.finish()
    phone.wait("the end of the call", lambda status: not status.calls)
    (row,) = phone.ask(s.Calls(), s.CallsReply).log
    assert (row.direction, row.outcome) == ("out", "answered")


def test_3_4_successful_session_with_proxy_failure(stage):
    """RFC 3665 §3.4: proxy 1 says nothing, so the call goes through proxy 2."""
    hosts = stage.folder / "hosts"
    first = stage.ground.address()
    hosts.write_text(f"{first} biloxi.example.com\n{stage.pbx} biloxi.example.com\n")
    proxy_1 = stage.ground.socket(first, port=5060)
    proxy_2 = stage.actor("3_4_phone_calls")
    with stage.agent("biloxi.example.com:5060", hosts=hosts) as phone:
        phone.call("bob")
        phone.until(CallAnswered)
        proxy_2.finish()
        phone.until(CallEnded)
    assert proxy_1.recv(4096).startswith(b"INVITE sip:bob@")


def test_3_5_session_through_a_sip_alg(stage):
    """RFC 3665 §3.5."""
    gateway = stage.actor("3_5_phone_calls")
    phone = stage.phone("alice", "biloxi.example.com", proxy=f"{stage.pbx}:5060", peers=[stage.pbx])
    phone.ask(s.Dial(target="bob"))
    gateway.finish()
    phone.wait("the end of the call", lambda status: not status.calls)


def test_3_6_session_via_redirect_and_proxy_servers(stage):
    """RFC 3665 §3.6."""
    proxy = stage.ground.address()
    redirect = stage.actor("3_6_redirect", proxy=proxy)
    there = stage.actor("3_6_proxy", at=proxy)
    phone = stage.phone("alice", peers=[proxy])
    phone.ask(s.Dial(target="bob"))
    redirect.finish()
    there.finish()
    phone.wait("the end of the call", lambda status: not status.calls)


def test_3_8_unsuccessful_no_answer(stage):
    """RFC 3665 §3.8: Alice gives up."""
    others = stage.actor("3_8_phone_calls")
    phone = stage.phone("alice")
    phone.ask(s.Dial(target="bob"))
    phone.wait("the far end to ring", lambda status: status.calls[0].state == "ringing_there")
    phone.ask(s.HangUp())
    others.finish()
    phone.wait("the end of the call", lambda status: not status.calls)


@pytest.mark.parametrize(
    ("flow", "said"),
    [("3_9", "busy"), ("3_10", "does not answer"), ("3_11", "does not answer")],
)
def test_3_9_3_10_3_11_a_call_that_nobody_takes_says_why(stage, flow, said):
    """RFC 3665 §3.9, §3.10, §3.11."""
    others = stage.actor(f"{flow}_phone_calls")
    phone = stage.phone("alice")
    phone.ask(s.Dial(target="bob"))
    others.finish()
    rows = phone.wait("the call list", lambda _: phone.ask(s.Calls(), s.CallsReply).log)
    (row,) = phone.ask(s.Calls(), s.CallsReply).log
    assert said in f"{row.outcome} {row.reason}".lower(), rows


# --- sessions: the phone is Bob -----------------------------------------------------------------


@pytest.mark.parametrize("flow", ["3_1", "3_2", "3_6"])
def test_3_1_3_2_3_6_alice_calls_the_phone_and_it_hangs_up(stage, flow):
    """RFC 3665 §3.1, §3.2 and, with the SDP in the ACK, §3.6."""
    phone = stage.phone("bob")
    others = stage.actor(f"{flow}_phone_is_called", calls="bob")
    phone.wait_state("ringing")
    phone.ask(s.Answer())
    phone.wait("the call", lambda status: status.calls and status.calls[0].state == "talking")
    phone.ask(s.HangUp())
    others.finish()


def test_3_7_session_with_re_invite(stage):
    """RFC 3665 §3.7: Alice has a new address; the BYE goes there."""
    moved = stage.ground.address()
    phone = stage.phone("bob", auto_answer="always", peers=[moved])
    there = stage.actor("3_7_new_place", at=moved)
    alice = stage.actor("3_7_phone_is_called", calls="bob", moved=moved)
    alice.finish()
    phone.ask(s.HangUp())
    there.finish()


def test_3_7_session_with_a_re_invite_of_ours(stage):
    """RFC 3665 §3.7: the phone is the one that moves its media."""
    others = stage.actor("3_7_phone_moves")
    with stage.agent() as phone:
        call = phone.call("bob")
        phone.until(CallAnswered)
        phone.do(lambda agent, now: agent.reoffer(call, phone.sdp(port=40010), now))
        others.finish()
        phone.until(CallEnded)


def test_3_8_unsuccessful_no_answer_of_ours(stage):
    """RFC 3665 §3.8: the caller gives up while the phone rings."""
    phone = stage.phone("bob")
    alice = stage.actor("3_8_phone_is_called", calls="bob")
    phone.wait_state("ringing")
    alice.finish()
    phone.wait("the end of the call", lambda status: not status.calls)
    assert phone.status().missed == 1


def test_3_9_unsuccessful_busy_here(stage):
    """RFC 3665 §3.9: as many calls as there may be."""
    elsewhere = stage.ground.address()
    phone = stage.phone("bob", auto_answer="always", max_calls=1, peers=[elsewhere])
    first = stage.actor("a_call_that_stays", at=elsewhere, calls="bob")
    phone.wait("the first call", lambda status: status.calls and status.calls[0].duration > 0)
    stage.actor("3_9_phone_is_called", calls="bob").finish()
    phone.ask(s.HangUp())
    first.finish()
