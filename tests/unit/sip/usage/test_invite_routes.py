"""Which way an INVITE takes, and as whom: emergency, proxies, connections, families."""

from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.notifications import (
    CallEnded,
    CallRef,
    FailureCause,
    Party,
)

OUT = CallRef("out")


def test_an_emergency_call_says_so_and_needs_no_registration(world, desk, pbx, sip):
    desk.agent.invite(OUT, sip.LINE, "112", world.now, emergency=True)
    world.run(0.01)
    desk.agent.offer(OUT, sip.OFFER, world.now)
    world.run(0.1)
    assert pbx.requests("INVITE")[0].headers.get("Priority") == "emergency"


def test_p10_an_emergency_call_goes_out_while_dns_is_down(world, desk, pbx, sip):
    world.names["pbx.example"] = [(Transport.UDP, pbx.endpoint)]
    desk.line("pbx.example")
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    desk.agent.unregister(sip.LINE, world.now)
    world.run(1.0)
    world.names["pbx.example"] = FailureCause.NO_NETWORK
    desk.agent.invite(OUT, sip.LINE, "112", world.now, emergency=True)
    world.run(0.01)
    desk.agent.offer(OUT, sip.OFFER, world.now)
    world.run(0.1)
    assert pbx.requests("INVITE")


def test_another_caller_may_be_shown(world, desk, pbx, sip):
    caller = Party("Bob", "102", "sip:102@pbx.example")
    desk.agent.invite(OUT, sip.LINE, "600", world.now, caller=caller)
    world.run(0.01)
    desk.agent.offer(OUT, sip.OFFER, world.now)
    world.run(0.1)
    sender = pbx.requests("INVITE")[0].headers.get("From")
    assert sender.startswith('"Bob" <sip:102@pbx.example>;tag=')


def test_a_caller_that_is_no_address_is_replaced_by_the_line(world, desk, pbx, sip):
    desk.agent.invite(OUT, sip.LINE, "600", world.now, caller=Party("X", "", "not a uri"))
    world.run(0.01)
    desk.agent.offer(OUT, sip.OFFER, world.now)
    world.run(0.1)
    assert pbx.requests("INVITE")[0].headers.get("From").startswith('"X" <sip:101@192.0.2.9>')


def test_calls_through_an_outbound_proxy_carry_it_as_route(world, desk, sip):
    proxy = sip.Pbx(world, "192.0.2.50")
    desk.line("pbx.example", proxy="192.0.2.50")
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.01)
    desk.agent.offer(OUT, sip.OFFER, world.now)
    world.run(0.1)
    invite = proxy.requests("INVITE")[0]
    assert invite.uri == "sip:600@pbx.example"
    assert invite.headers.get("Route") == "<sip:192.0.2.50;lr>"


def test_a_call_over_tcp_uses_the_connection_of_the_registration(world, sip):
    desk, pbx = sip.Desk(world, "192.0.2.1"), sip.Pbx(world)
    desk.line(sip.PBX, transport=Transport.TCP)
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.01)
    desk.agent.offer(OUT, sip.OFFER, world.now)
    world.run(0.1)
    assert len({flow.number for flow in pbx.flows}) == 1
    contact = pbx.requests("INVITE")[0].headers.get("Contact")
    assert contact.endswith("@192.0.2.1:5060;transport=tcp>")


def test_a_datagram_that_cannot_be_sent_ends_the_call_with_the_reason(world, desk, sip):
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.01)
    desk.agent.offer(OUT, sip.OFFER, world.now)
    world.run(0.01)
    flow = Flow(Transport.UDP, desk.endpoint, Endpoint(sip.PBX, 5060))
    desk.agent.flow_failed(flow, "Network is unreachable", world.now)
    world.run(0.1)
    ended = desk.last(CallEnded)
    assert (ended.cause, ended.phrase) == (FailureCause.NO_NETWORK, "Network is unreachable")


def test_a_call_for_which_nothing_is_offered_ends(world, desk, sip):
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(40.0)
    assert desk.last(CallEnded).cause is FailureCause.OTHER
    assert len(desk.agent) == 0


def test_the_transport_of_the_line_is_asked_for(world, desk, sip):
    desk.agent.take_effects()
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    (asked,) = desk.agent.take_effects()
    assert asked.transport is Transport.UDP
