"""Phones send each other on through the practice exchange."""

import pytest

from firmware.sip.notifications import (
    CallAnswered,
    CallRef,
    IncomingCall,
    TransferAsked,
    TransferFailed,
    TransferProgress,
    TransferSucceeded,
)
from tests.unit.lab.conftest import Phone

NEW = CallRef("new")


@pytest.fixture
def cid(world, pbx):
    return Phone(world, pbx, "300", "10.0.0.4").register()


@pytest.fixture
def call(ann, bob):
    """Ann has called Bob; gives her name for the call."""
    return ann.dial_until("200", CallAnswered).call


def follows(phone):
    """A phone does what the REFER asks for; gives what that was."""
    phone.world.run(0.2)
    asked = phone.last(TransferAsked)
    phone.agent.transfers.follow(asked.transfer, NEW, phone.now)
    phone.world.run(0.5)
    return asked


def test_a_refer_goes_on_to_the_other_phone_and_its_news_come_back(ann, bob, cid, call):
    cid.manner = "ring"
    ann.agent.transfers.blind(call, "300", ann.now)
    asked = follows(bob)
    assert (asked.target.user, asked.referrer.user) == ("300", "100")
    assert ann.last(TransferProgress).status == 180
    cid.agent.accept(cid.last(IncomingCall).call, b"answer", cid.now)
    ann.world.run(0.5)
    assert bob.last(CallAnswered).call == NEW
    assert ann.of(TransferSucceeded) == [TransferSucceeded(call)]


def test_a_phone_that_stays_where_it_is(ann, bob, call):
    ann.agent.transfers.blind(call, "300", ann.now)
    ann.world.run(0.2)
    bob.agent.transfers.refuse(bob.last(TransferAsked).transfer, 603, bob.now)
    ann.world.run(0.5)
    assert ann.last(TransferFailed).status == 603


def test_a_call_that_takes_the_place_of_another(ann, bob, cid, call):
    """RFC 3891 §3: it goes on to the very phone that has the call."""
    second = ann.dial_until("300", CallAnswered).call
    ann.agent.transfers.attended(call, second, ann.now)
    assert follows(bob).replaces
    taken, arrived = [x.call for x in cid.of(IncomingCall)]
    assert cid.last(IncomingCall).replaces == taken
    assert bob.last(CallAnswered).call == NEW
    cid.agent.end(taken, cid.now)
    ann.world.run(0.5)
    assert ann.of(TransferSucceeded) == [TransferSucceeded(call)]
    assert arrived != taken


def test_the_exchange_itself_goes_nowhere(ann, pbx):
    """600 is an extension, not somebody who could be sent away."""
    call = ann.dial_until("600", CallAnswered).call
    ann.agent.transfers.blind(call, "200", ann.now)
    ann.world.run(0.5)
    assert ann.last(TransferFailed).status == 603
    assert len(pbx.agent.transfers) == 0
