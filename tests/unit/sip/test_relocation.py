"""The phone's address changes while it talks, rings, calls or is registered (F9)."""

import pytest

from firmware.sip.flow import Transport
from firmware.sip.message import Request
from firmware.sip.notifications import (
    AddressChanged,
    CallEnded,
    CallRef,
    FailureCause,
    IncomingCall,
    OfferWanted,
    RegistrationChanged,
    RegistrationState,
    ReofferAnswered,
)
from firmware.sip.relocation import LONGEST_SEARCH

OLD, NEW = "192.0.2.1", "198.51.100.7"
OUT = CallRef("out")


def contact_in(request):
    return request.headers.get("Contact")


def test_f09_a_call_goes_on_from_the_new_address(talking, sip):
    world, left, right, out, arrived = talking
    left.moves_to(NEW)
    world.run(0.1)
    assert left.of(AddressChanged) == [AddressChanged(out, NEW)]
    left.agent.reoffer(out, b"v=0 from the new address", world.now)
    right.script = lambda heard: (
        right.agent.answer_reoffer(arrived, sip.ANSWER, right.now)
        if type(heard).__name__ == "ReofferReceived"
        else None
    )
    world.run(0.5)
    assert left.of(ReofferAnswered)
    invite = next(
        data for _, sender, _, data in reversed(world.log)
        if data.startswith(b"INVITE") and sender == f"{NEW}:5060"
    )  # fmt: skip
    assert f"@{NEW}:5060".encode() in invite.partition(b"Contact:")[2].splitlines()[0]
    # RFC 3261 §12.2.2: the far end's requests come to the new target now.
    right.agent.end(arrived, world.now)
    world.run(0.5)
    assert left.last(CallEnded).call == out


def test_f09_an_address_more_moves_nothing(talking):
    world, left, _, _, _ = talking
    left.agent.network_changed(world.now, frozenset({OLD, NEW}))
    world.run(1.0)
    assert not left.of(AddressChanged)


def test_f08_a_machine_without_any_address_waits_for_one(talking):
    world, left, _, _, _ = talking
    left.agent.network_changed(world.now, frozenset())
    world.run(5.0)
    left.agent.network_changed(world.now, frozenset({OLD}))
    world.run(5.0)
    assert not left.of(AddressChanged)
    assert not left.of(CallEnded)


def test_f09_a_call_for_which_there_is_no_way_is_said_so(world, sip):
    desk, pbx = sip.Desk(world, OLD), sip.Pbx(world)
    world.names["pbx.example"] = [(Transport.UDP, pbx.endpoint)]
    desk.line("pbx.example")
    pbx.reply = lambda message: (
        [sip.answer_to(message, 200, ("Contact", "<sip:bob@pbx.example>"))]
        if isinstance(message, Request) and message.method == "INVITE"
        else []
    )
    desk.script = lambda heard: (
        desk.agent.offer(OUT, sip.OFFER, desk.now) if isinstance(heard, OfferWanted) else None
    )
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(1.0)
    world.names["pbx.example"] = FailureCause.NO_NETWORK
    desk.moves_to(NEW)
    world.run(LONGEST_SEARCH - 2)
    assert not desk.of(AddressChanged)
    world.run(4.0)
    assert desk.of(AddressChanged) == [AddressChanged(OUT, "")]


def test_f09_a_way_that_is_found_late_is_taken(world, sip, talking):
    world, left, _, out, _ = talking
    look, world.lookup = world.lookup, lambda _effect: FailureCause.NO_NETWORK
    left.moves_to(NEW)
    world.run(5.0)
    assert not left.of(AddressChanged)
    world.lookup = look
    world.run(1.5)
    assert left.of(AddressChanged) == [AddressChanged(out, NEW)]


def test_f09_a_call_that_rings_here_ends_when_its_caller_cannot_be_answered(world, pair):
    left, right = pair
    left.agent.invite(OUT, left.agent._core.lines and next(iter(left.agent._core.lines)), "600",
                      world.now)  # fmt: skip
    world.run(0.1)
    arrived = right.last(IncomingCall).call
    right.agent.ring(arrived, world.now)
    world.run(0.1)
    right.moves_to(NEW)
    world.run(0.1)
    assert right.last(CallEnded).call == arrived
    assert right.last(CallEnded).cause is FailureCause.SESSION_LOST


def test_f09_a_call_being_placed_starts_again_from_the_new_address(world, desk, pbx, sip):
    desk.script = lambda heard: (
        desk.agent.offer(OUT, heard.local.encode(), desk.now)
        if isinstance(heard, OfferWanted)
        else None
    )
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.1)
    desk.moves_to(NEW)
    world.run(0.1)
    first, second = pbx.requests("INVITE")
    assert (first.body, second.body) == (OLD.encode(), NEW.encode())
    assert NEW in contact_in(second)
    assert not desk.of(CallEnded)


def test_f09_the_new_contact_is_registered_and_the_old_one_removed(registered):
    world, desk, pbx = registered
    began = world.now
    desk.moves_to(NEW)
    world.until(lambda: any(NEW in contact_in(each) for each in pbx.requests("REGISTER")), 15)
    assert world.now - began < 2.0
    world.run(1.0)
    assert desk.last(RegistrationChanged).state is RegistrationState.REGISTERED
    removal = pbx.requests("REGISTER")[-1]
    assert OLD in contact_in(removal)
    assert "expires=0" in contact_in(removal)
    world.run(60.0)
    assert len(pbx.requests("REGISTER")) == 3, "and no storm"


def test_a_connection_from_an_address_that_is_gone_is_closed_whoever_opened_it(world, sip):
    desk = sip.Desk(world, OLD)
    desk.line(sip.PBX, register=False, transport=Transport.TCP)
    caller = sip.Desk(world, sip.PBX)
    caller.line(OLD, register=False, transport=Transport.TCP)
    caller.agent.invite(OUT, sip.LINE, "101", world.now)
    world.run(0.1)
    caller.agent.offer(OUT, sip.OFFER, world.now)
    world.run(0.1)
    assert len(desk.agent._core.streams) == 1
    desk.agent.network_changed(world.now, frozenset({NEW}))
    world.run(0.1)
    assert not desk.agent._core.streams
    assert desk.of(CallEnded)


def test_f52_moving_ten_thousand_times_leaves_nothing(talking, sip):
    world, left, _, out, _ = talking
    for number in range(1000):
        left.moves_to(f"10.0.{number // 250}.{number % 250 + 1}")
        world.run(0.1)
        left.heard.clear()
        left.effects.clear()
    left.agent.end(out, world.now)
    world.run(70.0)
    left.agent.set_lines((), world.now)
    world.run(70.0)
    assert len(left.agent) == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "fe80::1%eth0", "::1"])
def test_addresses_that_nobody_announces_are_not_thought_gone(world, sip, host):
    desk = sip.Desk(world, host)
    desk.agent.network_changed(world.now, frozenset({NEW}))
    assert desk.agent._core.has_address(host)
    assert not desk.agent._core.has_address(OLD)
