"""The call flows of RFC 5589 beside those of RFC 5359 §2.4 and §2.5; SIPp plays everybody else.

What goes wrong with a transfer, and what a phone does then: in `sipp/rfc5589`.
"""

from pathlib import Path

import pytest

from firmware.control import schema as s
from firmware.control.errors import RefusedError
from firmware.sip.notifications import CallAnswered, TransferSucceeded
from hal.keys import Key
from tests.support.ground import Ground
from tests.support.stage import Stage

pytestmark = [pytest.mark.interop, pytest.mark.timeout(60)]
SCENARIOS = Path(__file__).parent / "sipp/rfc5589"


@pytest.fixture
def stage(need, tmp_path):
    need("sipp")
    with Ground() as ground:
        made = Stage(tmp_path, ground, SCENARIOS)
        yield made
        made.close()


def calls_bob(phone):
    phone.ask(s.Dial(target="bob"))
    phone.wait_state("talking")


def gone(phone):
    phone.wait("the calls to end", lambda found: not found.calls)


def test_6_1_the_phone_transfers_a_far_end_with_a_gruu(stage):
    """RFC 5589 §6.1, RFC 7647 §4: the REFER goes outside the call, to another place even."""
    gruu = stage.ground.address()
    referred = stage.actor("6_1_transferee_is_referred", at=gruu)
    bob = stage.actor("6_1_transferee_call", gruu=gruu)
    phone = stage.phone("alice")
    calls_bob(phone)
    phone.ask(s.Transfer(target="carol"))
    messages = referred.finish()
    bob.finish()
    gone(phone)
    call = bob.talk()
    proof = f"Target-Dialog: {call.call_id};local-tag={call.actor};remote-tag={call.phone}"
    assert proof in messages


def test_6_1_the_phone_is_transferred_outside_the_call(stage):
    """RFC 5589 §6.1, RFC 4538 §4: the phone is the transferee."""
    there, beside = stage.ground.address(), stage.ground.address()
    carol = stage.actor("6_1_target", at=there)
    phone = stage.phone("alice", auto_answer="always", peers=[there, beside])
    bob = stage.actor("6_1_transferor_call", calls="alice")
    call = bob.talk()
    phone.wait_state("talking")
    dialog = f"{call.call_id};local-tag={call.phone};remote-tag={call.actor}"
    refers = stage.actor(
        "6_1_transferor_refers", at=beside, calls="alice", carol=there, dialog=dialog
    )
    refers.finish()
    bob.finish()
    carol.finish()
    gone(phone)


def test_a19_a_refer_that_knows_no_call_of_ours(stage):
    """RFC 4538 §4: with a call up, and half of its names guessed."""
    there = stage.ground.address()
    phone = stage.phone("alice", auto_answer="always", peers=[there])
    bob = stage.actor("6_1_transferor_call", calls="alice")
    call = bob.talk()
    phone.wait_state("talking")
    dialog = f"{call.call_id};local-tag=guess;remote-tag={call.actor}"
    stage.actor("a19_invented_call", at=there, calls="alice", dialog=dialog).finish()
    assert len(phone.status().calls) == 1
    bob.finish()
    gone(phone)


def test_6_3_the_target_is_busy(stage):
    """RFC 5589 §6.3: told so, back on hold, taken up again."""
    bob = stage.actor("6_3_phone_is_told_of_failure")
    phone = stage.phone("alice")
    calls_bob(phone)
    with pytest.raises(RefusedError, match="carol is busy"):
        phone.ask(s.Transfer(target="carol"))
    assert phone.status().calls[0].held
    phone.ask(s.Resume())
    phone.wait("the resume", lambda found: not found.calls[0].held)
    bob.acknowledged(3)
    phone.ask(s.HangUp())
    bob.finish()
    gone(phone)


def test_6_4_the_target_does_not_answer(stage):
    """RFC 5589 §6.3.2."""
    bob = stage.actor("6_4_phone_hears_nothing_more")
    phone = stage.phone("alice")
    calls_bob(phone)
    with pytest.raises(RefusedError, match="no answer from carol"):
        phone.ask(s.Transfer(target="carol"))
    phone.ask(s.HangUp())
    bob.finish()
    gone(phone)


def test_6_a_transferee_that_knows_no_refer(stage):
    """RFC 3515 §2.5 and RFC 5589 §7.4 have 405 and 501 for it; blind, nobody else could help."""
    bob = stage.actor("6_5_phone_is_refused")
    phone = stage.phone("alice")
    calls_bob(phone)
    with pytest.raises(RefusedError, match=r"bob cannot be transferred \(501\)"):
        phone.ask(s.Transfer(target="carol"))
    phone.ask(s.HangUp())
    bob.finish()
    gone(phone)


def test_6_3_the_phone_is_transferred_in_vain(stage):
    """RFC 5589 §6.3, the phone is the transferee: its NOTIFY says 486, the call is still there."""
    there = stage.ground.address()
    carol = stage.actor("6_3_target_is_busy", at=there)
    phone = stage.phone("bob", auto_answer="always", peers=[there])
    alice = stage.actor("6_3_phone_is_transferred_in_vain", calls="bob", carol=there)
    carol.finish()
    alice.finish()
    gone(phone)


def test_7_6_semi_attended(stage):
    """RFC 5589 §7.6: Carol rings; our call to her is cancelled and Bob sent to her."""
    there = stage.ground.address()
    bob = stage.actor("7_6_transferee")
    carol = stage.actor("7_6_target", at=there)
    phone = stage.phone("alice", peers=[there])
    calls_bob(phone)
    phone.ask(s.Key(key=Key.SOFT_3))
    phone.ask(s.Dial(target=f"sip:carol@{there}:5060"))
    phone.wait("Carol to ring", lambda found: found.calls[-1].state == "ringing_there")
    phone.ask(s.Key(key=Key.SOFT_3))
    carol.finish()
    bob.finish()
    gone(phone)


def test_7_5_by_address_of_record_then_by_contact(stage):
    """RFC 5589 §7.5, figure 10."""
    there = stage.ground.address()
    bob = stage.actor("7_5_transferee")
    carol = stage.actor("7_5_target", at=there)
    with stage.agent(peers=(there,)) as phone:
        transfer(phone, there)
        bob.finish()
        carol.finish()


def test_7_7_fallback_to_basic_transfer(stage):
    """RFC 5589 §7.7: a target that knows no Replaces is simply called."""
    there = stage.ground.address()
    bob = stage.actor("7_7_transferee")
    carol = stage.actor("7_5_target", at=there)
    with stage.agent(peers=(there,)) as phone:
        transfer(phone, there)
        bob.finish()
        carol.finish()


def test_7_3_attended_transfer_between_gruus(stage):
    """RFC 5589 §7.3, figure 7: Target-Dialog for the one call, Replaces for the other."""
    there, gruu = stage.ground.address(), stage.ground.address()
    referred = stage.actor("7_3_transferee_is_referred", at=gruu)
    bob = stage.actor("6_1_transferee_call", gruu=gruu)
    carol = stage.actor("7_3_target", at=there)
    with stage.agent(peers=(there, gruu)) as phone:
        transfer(phone, there)
        referred.finish()
        bob.finish()
        carol.finish()


def test_7_4_recovery_when_one_party_knows_no_refer(stage):
    """RFC 5589 §7.4, figure 8: the other one is asked."""
    there = stage.ground.address()
    bob = stage.actor("7_4_transferee")
    carol = stage.actor("7_4_target", at=there)
    with stage.agent(peers=(there,)) as phone:
        transfer(phone, there)
        bob.finish()
        carol.finish()


def transfer(phone, there):
    """Call Bob and Carol, hold Bob, connect them, and hang up on both."""
    first = phone.call("bob", "out-1")
    phone.until(CallAnswered)
    phone.do(lambda agent, now: agent.reoffer(first, phone.sdp("sendonly"), now))
    second = phone.call(f"sip:carol@{there}:5060", "out-2")
    phone.until(CallAnswered, lambda answered: answered.call == second)
    phone.do(lambda agent, now: agent.transfers.attended(first, second, now))
    phone.until(TransferSucceeded)
    phone.do(lambda agent, now: agent.end(first, now))
    phone.do(lambda agent, now: agent.end(second, now))


def test_a19_what_nobody_can_make_a_phone_do(stage):
    """RFC 3515 §2.4.2: no telephone numbers, no other requests, no emergency calls."""
    phone = stage.phone("bob", auto_answer="always")
    stage.actor("a19_phone_is_asked_too_much", calls="bob").finish()
    gone(phone)
