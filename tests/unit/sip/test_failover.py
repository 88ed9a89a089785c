"""Servers that die, come back, are slow or busy: the next one is asked, and the best one again."""

import pytest

from firmware.sip.flow import Endpoint, Transport
from firmware.sip.message import Request
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallRef,
    FailureCause,
    IncomingCall,
    OfferWanted,
    RegistrationChanged,
    RegistrationState,
)

UDP, TCP = Transport.UDP, Transport.TCP
REGISTERED = RegistrationState.REGISTERED
NAME = "pbx.example"
OUT = CallRef("out")


@pytest.fixture
def two(world, desk, sip):
    """A domain with two servers; gives the first and the second."""

    def make(transport=UDP, **more):
        first, second = sip.Pbx(world, "192.0.2.66"), sip.Pbx(world, "192.0.2.67")
        world.names[NAME] = [(transport, first.endpoint), (transport, second.endpoint)]
        desk.line(NAME, transport=transport, **more)
        desk.script = lambda heard: (
            desk.agent.offer(heard.call, sip.OFFER, desk.now)
            if isinstance(heard, OfferWanted)
            else None
        )
        return first, second

    return make


def die(world, node):
    world.silent.add(node.endpoint)
    world.refusing.add(node.endpoint)


def live(world, node):
    world.silent.discard(node.endpoint)
    world.refusing.discard(node.endpoint)


def registered_at(world, desk, node, sip):
    desk.agent.register(sip.LINE, world.now)
    before = len(node.requests("REGISTER"))
    world.until(lambda: len(node.requests("REGISTER")) > before, 40)
    world.run(0.1)
    return desk.last(RegistrationChanged).state is REGISTERED


def test_f16_the_dead_server_is_remembered_and_not_waited_for_again(world, desk, sip, two):
    first, second = two()
    die(world, first)
    began = world.now
    assert registered_at(world, desk, second, sip)
    assert 3.9 < world.now - began < 4.5
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    began = world.now
    world.until(lambda: second.requests("INVITE"), 5)
    assert world.now - began < 0.1


def test_f16_while_the_preferred_server_stays_dead_it_is_tried_ever_more_seldom(
    world, desk, sip, two
):
    first, second = two()
    die(world, first)
    assert registered_at(world, desk, second, sip)
    sent = desk.transmitted
    world.run(3000.0)
    assert len(second.requests("REGISTER")) < 12
    assert desk.last(RegistrationChanged).state is REGISTERED
    # Three or four datagrams for each try of the dead one, and keep-alives.
    assert desk.transmitted - sent < 12 * 6 + 3000 / 24 + 10


def test_f16_a_call_by_a_registrar_that_has_died_goes_by_the_next_one(world, desk, sip, two):
    first, second = two()
    assert registered_at(world, desk, first, sip)
    die(world, first)
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    began = world.now
    world.until(lambda: second.requests("INVITE"), 10)
    assert world.now - began < 5.0
    assert second.requests("INVITE")[0].headers.get("CSeq") == "2 INVITE"


def test_f16_a_single_silent_server_has_all_its_time(world, desk, sip):
    """RFC 3261 §17.1.1.2: 64 times T1 where there is nobody else to ask."""
    world.names[NAME] = [(UDP, Endpoint("192.0.2.66", 5060))]
    desk.line(NAME)
    desk.agent.register(sip.LINE, world.now)
    world.run(31.0)
    assert desk.last(RegistrationChanged).state is not RegistrationState.FAILED
    world.run(2.0)
    assert desk.last(RegistrationChanged).state is RegistrationState.FAILED


def test_f16_a_provisional_answer_ends_the_impatience(world, desk, sip, two):
    first, second = two()
    first.reply = lambda message: [sip.answer_to(message, 100)]
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(30.0)
    assert not second.requests("INVITE")


def test_f22_a_server_that_wakes_up_after_we_went_on_is_cancelled(world, desk, sip, two):
    """RFC 3261 §9.1: no phone of the first server goes on ringing."""
    first, second = two()
    second.reply = lambda message: [sip.answer_to(message, 180)]
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.until(lambda: second.requests("INVITE"), 10)
    first.tell(sip.answer_to(first.requests("INVITE")[0], 180), desk)
    world.run(1.0)
    cancel = first.requests("CANCEL")[0]
    assert cancel.headers.get("Via") == first.requests("INVITE")[0].headers.get("Via")
    assert not second.requests("CANCEL")


def test_f22_a_late_answer_of_the_first_server_is_acknowledged_and_ended(world, desk, sip, two):
    """RFC 3261 §13.2.2.4: the second server's call is not touched."""
    first, second = two()
    contact = ("Contact", "<sip:bob@192.0.2.66:5060>")
    second.reply = lambda message: [sip.answer_to(message, 180)]
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.until(lambda: second.requests("INVITE"), 10)
    first.tell(sip.answer_to(first.requests("INVITE")[0], 200, contact), desk)
    world.run(1.0)
    assert first.requests("ACK")
    assert first.requests("BYE")
    assert not desk.of(CallAnswered)
    assert not desk.of(CallEnded)


def test_f54_a_family_that_leads_nowhere_costs_a_second_and_a_half(world, sip):
    desk = sip.Desk(world, "192.0.2.1")
    desk.also_at("2001:db8::1")
    pbx = sip.Pbx(world, "192.0.2.9")
    world.names[NAME] = [(UDP, Endpoint("2001:db8::9", 5060)), (UDP, pbx.endpoint)]
    desk.line(NAME)
    desk.agent.register(sip.LINE, world.now)
    world.run(1.4)
    assert not pbx.inbox
    world.run(0.2)
    assert desk.last(RegistrationChanged).state is REGISTERED


def test_f54_connections_by_both_families_are_raced(world, sip):
    """RFC 8305 §5: a quarter of a second, and the loser is closed when it stands at last."""
    desk = sip.Desk(world, "192.0.2.1")
    desk.also_at("2001:db8::1")
    pbx, slow = sip.Pbx(world, "192.0.2.9"), sip.Pbx(world, "2001:db8::9")
    world.slow[slow.endpoint] = 5.0
    world.names[NAME] = [(TCP, slow.endpoint), (TCP, pbx.endpoint)]
    desk.line(NAME, transport=TCP)
    desk.agent.register(sip.LINE, world.now)
    world.run(0.2)
    assert not pbx.inbox
    world.run(0.1)
    assert desk.last(RegistrationChanged).state is REGISTERED
    world.run(10.0)
    assert not slow.inbox
    assert len(desk.agent) == 4  # one stream, its beat, and the clocks of beat and refresh


def test_f54_a_refusal_by_the_first_family_starts_the_second_at_once(world, sip):
    desk = sip.Desk(world, "192.0.2.1")
    desk.also_at("2001:db8::1")
    pbx = sip.Pbx(world, "192.0.2.9")
    world.names[NAME] = [(TCP, Endpoint("2001:db8::9", 5060)), (TCP, pbx.endpoint)]
    desk.line(NAME, transport=TCP)
    desk.agent.register(sip.LINE, world.now)
    world.run(0.1)
    assert desk.last(RegistrationChanged).state is REGISTERED


def test_f54_a_first_family_that_is_fast_is_raced_by_nobody(world, sip):
    desk = sip.Desk(world, "192.0.2.1")
    desk.also_at("2001:db8::1")
    pbx, six = sip.Pbx(world, "192.0.2.9"), sip.Pbx(world, "2001:db8::9")
    world.names[NAME] = [(TCP, six.endpoint), (TCP, pbx.endpoint)]
    desk.line(NAME, transport=TCP)
    desk.agent.register(sip.LINE, world.now)
    world.run(5.0)
    assert six.requests("REGISTER")
    assert not pbx.flows


def test_f52_ten_thousand_calls_past_a_dead_server_leave_nothing(world, desk, sip, two):
    first, second = two(register=False)
    die(world, first)
    second.reply = lambda message: (
        [sip.answer_to(message, 486)]
        if isinstance(message, Request) and message.method == "INVITE"
        else []
    )
    for number in range(1000):
        desk.agent.invite(CallRef(f"out-{number}"), sip.LINE, "600", world.now)
        world.run(40.0)
        desk.heard.clear()
        second.inbox.clear()
    world.run(400.0)
    desk.agent.set_lines((), world.now)
    world.run(40.0)
    assert len(desk.agent) == 0


def test_f16_the_preferred_server_is_used_again_soon_after_it_is_back(world, desk, sip, two):
    first, second = two()
    die(world, first)
    assert registered_at(world, desk, second, sip)
    live(world, first)
    world.until(lambda: first.requests("REGISTER"), 150)
    world.run(1.0)
    assert desk.last(RegistrationChanged).state is REGISTERED
    count = len(first.requests("REGISTER")) + len(second.requests("REGISTER"))
    world.run(600.0)
    assert len(first.requests("REGISTER")) + len(second.requests("REGISTER")) == count


def test_f16_going_back_to_the_preferred_server_drops_no_call(world, desk, sip, two):
    first, second = two(TCP)
    die(world, first)
    assert registered_at(world, desk, second, sip)
    answers = {"INVITE": ("Contact", "<sip:bob@192.0.2.67:5060;transport=tcp>")}
    register = second.reply

    def reply(message):
        if isinstance(message, Request) and message.method in ("INVITE", "BYE"):
            row = answers.get(message.method)
            return [sip.answer_to(message, 200, *([row] if row else []))]
        return register(message)

    second.reply = reply
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.until(lambda: desk.of(CallAnswered), 5)
    live(world, first)
    world.until(lambda: first.requests("REGISTER"), 150)
    world.run(300.0)
    assert not desk.of(CallEnded)
    desk.agent.end(OUT, world.now)
    world.run(1.0)
    assert second.requests("BYE")


def test_f18_a_busy_server_is_left_alone_for_the_time_it_says(world, desk, sip, two):
    """RFC 3261 §21.5.4, RFC 3263 §4.3: Retry-After is about that server only."""
    first, second = two()
    first.verdicts = [lambda request: sip.answer_to(request, 503, ("Retry-After", "100"))]
    assert registered_at(world, desk, second, sip)
    for _ in range(3):
        desk.agent.register(sip.LINE, world.now)
        world.run(30.0)
    assert len(first.requests("REGISTER")) == 1
    world.run(60.0)
    assert len(first.requests("REGISTER")) == 2, "and used again when that is over"


def test_a_line_may_leave_it_to_the_domain_how_to_be_reached(world, sip):
    """RFC 3263 §4.1: no transport is asked for; what the domain says is used."""
    desk, pbx = sip.Desk(world, "192.0.2.1"), sip.Pbx(world)
    world.names[NAME] = [(TCP, pbx.endpoint)]
    desk.line(NAME, any_transport=True)
    asked = []
    look = world.lookup
    world.lookup = lambda effect: (asked.append(effect.transport), look(effect))[1]
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert asked == [None]
    assert desk.last(RegistrationChanged).state is REGISTERED
    assert pbx.contact().endswith(";transport=tcp")
    assert desk.last(RegistrationChanged).where == NAME


def test_a22_a_call_that_leads_to_ourselves_ends_as_a_loop(world, sip):
    """RFC 3261 §16.3, §21.4.19: 482, one INVITE, and no bell here."""
    desk = sip.Desk(world, "192.0.2.1")
    desk.line(sip.PBX, register=False, peers=("192.0.2.1",), accept_any_user=True)
    desk.agent.invite(OUT, sip.LINE, "sip:600@192.0.2.1", world.now)
    world.run(0.1)
    desk.agent.offer(OUT, sip.OFFER, world.now)
    world.run(40.0)
    assert desk.last(CallEnded).status == 482
    assert not desk.of(IncomingCall)
    assert sum(data.startswith(b"INVITE") for *_, data in world.log) == 1


class TestALineThatStandsNowhere:
    """F16: without a registration to say which of its homes is alive, a request tries them all."""

    @pytest.fixture
    def homes(self, world, desk, sip):
        """A line with three homes; gives those that stand for them."""

        def make(transport=UDP, **how):
            nodes = [sip.Pbx(world, f"192.0.2.{host}") for host in (66, 67, 68)]
            desk.line("192.0.2.66", transport=transport, password="secret", **how)
            desk.script = lambda heard: (
                desk.agent.offer(heard.call, sip.OFFER, desk.now)
                if isinstance(heard, OfferWanted)
                else None
            )
            return nodes

        return make

    @pytest.mark.parametrize("transport", [UDP, TCP])
    @pytest.mark.parametrize("register", [True, False])
    def test_f16_a_call_goes_by_the_next_registrar(
        self, world, desk, sip, homes, transport, register
    ):
        first, second, third = homes(
            transport, registrars=("192.0.2.67", "192.0.2.68"), register=register
        )
        die(world, first)
        die(world, second)
        began = world.now
        desk.agent.invite(OUT, sip.LINE, "600", world.now)
        world.until(lambda: third.requests("INVITE"), 20)
        assert world.now - began < 9.0
        (invite,) = third.requests("INVITE")
        assert invite.uri.startswith("sip:600@192.0.2.68")
        assert "<sip:101@192.0.2.68>" in invite.headers.get("From")
        third.say(answered(sip, invite), third.flows[-1])
        world.until(lambda: desk.of(CallAnswered), 2)

    def test_f16_a_call_goes_by_the_next_outbound_proxy(self, world, desk, sip, homes):
        first, second, third = homes(proxy="192.0.2.67", proxies=("192.0.2.68",))
        die(world, second)
        desk.agent.invite(OUT, sip.LINE, "600", world.now)
        world.until(lambda: third.requests("INVITE"), 20)
        (invite,) = third.requests("INVITE")
        assert invite.uri == "sip:600@192.0.2.66"
        assert invite.headers.get("Route") == "<sip:192.0.2.68;lr>"
        assert not first.inbox

    def test_f16_a_proxy_that_says_503_sends_us_to_the_next(self, world, desk, sip, homes):
        _, second, third = homes(proxy="192.0.2.67", proxies=("192.0.2.68",))
        second.reply = lambda message: (
            [sip.answer_to(message, 503)] if message.method == "INVITE" else []
        )
        desk.agent.invite(OUT, sip.LINE, "600", world.now)
        world.until(lambda: third.requests("INVITE"), 1)

    def test_f16_when_all_are_dead_the_call_ends_with_the_reason(self, world, desk, sip, homes):
        for node in homes(registrars=("192.0.2.67", "192.0.2.68")):
            die(world, node)
        desk.agent.invite(OUT, sip.LINE, "600", world.now)
        world.until(lambda: desk.of(CallEnded), 60)
        assert desk.last(CallEnded).cause is FailureCause.NO_ANSWER
        world.run(60.0)
        assert len(desk.agent) == 0

    def test_a_call_to_somebody_elsewhere_has_one_way_without_proxies(
        self, world, desk, sip, homes
    ):
        first, second, third = homes(registrars=("192.0.2.67", "192.0.2.68"))
        desk.agent.invite(OUT, sip.LINE, "sip:alice@192.0.2.99", world.now)
        world.until(lambda: desk.of(CallEnded), 60)
        assert not [node for node in (first, second, third) if node.inbox]

    def test_f16_a_subscription_looks_for_a_home_as_well(self, world, desk, sip, homes):
        first, second, _ = homes(registrars=("192.0.2.67", "192.0.2.68"))
        die(world, first)
        desk.agent.subscriptions.subscribe("mwi", sip.LINE, "message-summary", world.now)
        world.until(lambda: second.requests("SUBSCRIBE"), 20)


def answered(sip, invite):
    response = sip.answer_to(
        *(invite, 200, ("Contact", "<sip:b@192.0.2.68>"), ("Content-Type", "application/sdp"))
    )
    response.body = sip.ANSWER
    return response
