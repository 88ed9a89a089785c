"""A server that asks for a call, outside of any (RFC 5359 §2.18): who may, and what is told."""

import pytest

from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallRef,
    DialAsked,
    FailureCause,
    IncomingCall,
    TransferAsked,
)
from tests.support.sip_link import LINE
from tests.unit.sip.transfer.conftest import ANSWER, HOSTS, Party, aor

NEW = CallRef("new")
TARGET = ("Refer-To", f"<{aor('103')}>")
BY = ("Referred-By", "Boss <sip:boss@192.0.2.2>")


@pytest.fixture
def open_desk(desk):
    """A desk whose server, and nobody else, may ask for calls: 102's address is that server."""
    desk.line(HOSTS["102"], "101", register=False, peers=(HOSTS["103"],), click_to_dial=True)
    return desk


def asks(far, *rows, user="101"):
    far.ask("REFER", *(rows or (TARGET, BY)), to=f"<{aor(user)}>", call_id="click")


def test_the_server_asks_and_hears_how_it_goes(world, open_desk, far):
    """RFC 3515 §2.4.4: 200, NOTIFY 100, 180, 200; the call itself stays."""
    bob = Party(world, "103")
    asks(far)
    asked = open_desk.last(DialAsked)
    assert (asked.line, asked.target.user, asked.referrer.name) == (LINE, "103", "Boss")
    assert not open_desk.of(TransferAsked)
    assert not far.requests("NOTIFY")
    open_desk.agent.transfers.follow(asked.transfer, NEW, world.now)
    world.run(0.1)
    call = bob.last(IncomingCall).call
    bob.agent.accept(call, ANSWER, world.now)
    world.run(0.5)
    assert open_desk.last(CallAnswered).call == NEW
    notify = far.requests("NOTIFY")[0]
    assert b"SIP/2.0 100" in notify.body
    open_desk.agent.end(NEW, world.now)
    world.run(400)
    assert len(open_desk.agent.transfers) == 0


def test_a19_a_peer_is_not_the_server(desk, far):
    """A19: whoever may ring the phone may not make it call."""
    desk.line("192.0.2.9", "101", register=False, peers=(HOSTS["102"],), click_to_dial=True)
    asks(far)
    assert far.responses(403)
    assert not desk.of(DialAsked)


def test_a19_it_is_off_unless_it_is_set(desk, far):
    desk.line(HOSTS["102"], "101", register=False)
    asks(far)
    assert far.responses(403)
    assert not desk.of(DialAsked)


def test_a19_nobody_elses_call_is_taken_by_a_click(open_desk, far):
    """RFC 3891 §3 belongs to transfers."""
    asks(far, ("Refer-To", f"<{aor('103')}?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2>"))
    assert far.responses(403)
    assert not open_desk.of(DialAsked)


@pytest.mark.parametrize("wrong", ["<http://x>", "<sip:a@b;method=BYE>", "garbage<", "<tel:0900>"])
def test_a19_nothing_but_calls(open_desk, far, wrong):
    """RFC 3515 §2.4.2."""
    asks(far, ("Refer-To", wrong))
    assert not open_desk.of(DialAsked)
    assert not far.responses(200)


def test_what_nobody_decides_is_declined(world, open_desk, far):
    asks(far)
    world.run(20)
    assert far.responses(603)
    transfer = open_desk.last(DialAsked).transfer
    open_desk.agent.transfers.follow(transfer, NEW, world.now)
    world.run(0.1)
    ended = open_desk.last(CallEnded)
    assert (ended.call, ended.cause) == (NEW, FailureCause.CANCELLED)
    assert len(open_desk.agent.transfers) == 0


def test_a_reference_to_this_very_phone_is_a_loop(open_desk, far):
    """RFC 3261 §16.3: we would call ourselves."""
    own = open_desk.agent._core.lines[LINE].contact_user
    asks(far, ("Refer-To", f"<sip:{own}@{HOSTS['101']}>"))
    assert far.responses(482)
    assert not open_desk.of(DialAsked)
