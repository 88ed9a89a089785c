"""`ctl transfer` is answered when it is known how the transfer went."""

import asyncio

import pytest

from firmware.control import schema as s
from firmware.control.errors import RefusedError
from firmware.media.messages import EngineReady, PathName
from firmware.phone.commands import FollowTransfer, RefuseTransfer, TransferCall
from firmware.phone.events import Started
from firmware.runtime.desk import Desk
from firmware.runtime.performers import perform
from firmware.runtime.trace import Trace
from firmware.sip import notifications as n
from firmware.sip.errors import LocalError
from firmware.sip.notifications import CallRef, FailureCause, Party
from tests.support.desk import sdp
from tests.unit.runtime.conftest import LINE, Part

ANN, CALL = Party("Ann", "201", "sip:201@pbx"), CallRef("in-1")


@pytest.fixture
async def desk(loop, house):
    """Ann is on the line."""
    loop.inbox.put(Started((PathName.HANDSET, PathName.SPEAKER, PathName.RINGER)))
    loop.inbox.put(EngineReady(1, realtime=True))
    house.agent.transfers = Part()
    desk = Desk(loop, house, Trace(), None)
    await comes(desk, loop, CALL)
    return desk


async def comes(desk, loop, call):
    loop.inbox.put(n.IncomingCall(call, LINE, ANN, "100", sdp(), "127.0.0.1"))
    await desk.handle(s.Answer(call=call))
    loop.inbox.put(n.CallConfirmed(call))


def agrees(loop):
    """Every far end agrees to the hold."""
    for call in loop.phone.state.calls:
        if call.reoffering:
            loop.inbox.put(n.ReofferAnswered(call.ref, sdp(direction="recvonly")))


async def asks(desk, loop, **wish):
    task = asyncio.create_task(desk.handle(s.Transfer(**wish)))
    await asyncio.sleep(0)
    agrees(loop)
    await asyncio.sleep(0)
    assert not task.done()
    return task


async def test_a_transfer_that_succeeds(desk, loop, house):
    task = await asks(desk, loop, target="204")
    assert house.agent.transfers.asked[-1][:3] == ("blind", CALL, "204")
    loop.inbox.put(n.TransferProgress(CALL, 180))
    loop.inbox.put(n.TransferSucceeded(CALL))
    assert await task is None
    assert loop.view.calls == ()


async def test_a_transfer_that_fails_says_why(desk, loop):
    task = await asks(desk, loop, target="204")
    loop.inbox.put(n.TransferFailed(CALL, FailureCause.BUSY, 486, reached=True))
    with pytest.raises(RefusedError, match="transfer_busy"):
        await task
    assert loop.view.front_call.held


async def test_two_calls_are_connected(desk, loop, house):
    second = CallRef("in-2")
    await comes(desk, loop, second)
    task = await asks(desk, loop)
    assert ("attended", CALL, second) == house.agent.transfers.asked[-1][:3]
    loop.inbox.put(n.TransferSucceeded(CALL))
    assert await task is None
    assert loop.view.calls == ()


async def test_whoever_asks_may_go_away(desk, loop):
    """Nothing goes on watching for a client that has gone."""
    before = len(loop._watchers)
    task = await asks(desk, loop, target="204")
    task.cancel()
    await asyncio.wait([task])
    assert len(loop._watchers) == before


def test_a_target_that_cannot_be_called_is_not_reached(house):
    house.agent.transfers = Refusing()
    perform(house, TransferCall(CALL, "with space"))
    perform(house, TransferCall(CALL, "103", CallRef("in-2")))
    causes = [event.cause for event in house.inbox.events]
    assert causes == [FailureCause.OTHER] * 2


def test_a_call_that_cannot_be_placed_ends_before_it_began(house):
    house.agent.transfers = Refusing()
    perform(house, FollowTransfer(n.TransferRef("t"), CallRef("out-1")))
    (ended,) = house.inbox.events
    assert (ended.call, ended.by_us) == ("out-1", False)


def test_what_the_phone_decides_about_a_refer(house):
    house.agent.transfers = Part()
    perform(house, FollowTransfer(n.TransferRef("t"), CallRef("out-1")))
    perform(house, RefuseTransfer(n.TransferRef("u"), 403))
    assert [row[:3] for row in house.agent.transfers.asked] == [
        ("follow", "t", "out-1"),
        ("refuse", "u", 403),
    ]


class Refusing:
    """Transfers that never work."""

    def __getattr__(self, name):
        def refuse(*_args):
            raise LocalError("it cannot be")

        return refuse
