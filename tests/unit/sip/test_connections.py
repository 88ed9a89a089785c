"""Connections of a line: opened and shared under its terms only, lost without a storm."""

import pytest

from firmware.sip.effects import OpenFlow, ResolveTarget
from firmware.sip.flow import Endpoint, Flow, Terms, TlsTerms, Transport
from firmware.sip.notifications import FailureCause, LineName, OfferWanted, RegistrationChanged
from firmware.sip.notifications import RegistrationState as State
from tests.support.sip_link import LINE, World, ref

SECURE = TlsTerms(ca="ca.pem", cert="own.pem", key="own.key")


@pytest.fixture
def opened(world, monkeypatch):
    """Every connection that was asked for, as (transport, terms)."""
    found = []
    connect = World.connect

    def watch(self, node, target, terms=None):
        found.append((target.transport, terms))
        return connect(self, node, target, terms)

    monkeypatch.setattr(World, "connect", watch)
    return found


def registered(world, desk, pbx, **more):
    desk.line(pbx.endpoint.host, **more)
    desk.agent.register(LINE, world.now)
    world.run(0.5)
    assert desk.last(RegistrationChanged).state is State.REGISTERED
    return pbx.requests("REGISTER")[-1]


class TestTerms:
    def test_a_line_opens_its_connection_under_its_own_terms(self, world, desk, pbx, opened):
        world.names["pbx.example"] = [(Transport.TLS, pbx.endpoint)]
        desk.line("pbx.example", transport=Transport.TLS, tls=SECURE)
        desk.agent.register(LINE, world.now)
        world.run(0.5)
        # RFC 5922 §7.3: the name is the one that was asked for, not what the DNS made of it.
        assert opened == [(Transport.TLS, Terms("pbx.example", SECURE))]

    def test_a_server_name_of_its_own_goes_before_the_servers(self, world, desk, pbx, opened):
        tls = TlsTerms(server_name="sip.example")
        registered(world, desk, pbx, transport=Transport.TLS, tls=tls)
        assert opened[0][1] == Terms("sip.example", tls)

    def test_two_lines_of_one_server_share_a_connection_under_the_same_terms_only(
        self, world, desk, pbx, opened
    ):
        # RFC 5923 §8.1
        from firmware.sip.account import Account  # noqa: PLC0415

        host = pbx.endpoint.host
        others = {"b": {}, "c": {"tls": TlsTerms(server_name="other.example")}}
        accounts = [Account(LINE, "101", host, transport=Transport.TLS)]
        accounts += [
            Account(LineName(name), f"10{name}", host, transport=Transport.TLS, **more)
            for name, more in others.items()
        ]
        desk.agent.set_lines(tuple(accounts), world.now)
        for account in accounts:
            desk.agent.register(account.line, world.now)
            world.run(0.5)
        assert [terms.name for _, terms in opened] == [host, "other.example"]

    def test_a_connection_that_somebody_else_opened_is_not_taken_for_ours(
        self, world, desk, pbx, opened
    ):
        # RFC 5923 §9.1: nobody has verified who it is.
        theirs = Flow(Transport.TLS, desk.endpoint, pbx.endpoint, 77)
        desk.agent.receive(b"\r\n", theirs, world.now)
        registered(world, desk, pbx, transport=Transport.TLS)
        assert len(opened) == 1

    def test_whom_a_line_trusts_holds_for_others_but_not_its_own_certificate(
        self, world, desk, pbx, opened
    ):
        registered(world, desk, pbx, transport=Transport.TLS, tls=SECURE)
        world.names["far.example"] = [(Transport.TLS, Endpoint("192.0.2.77", 5061))]
        desk.agent.invite(ref("one"), LINE, "sips:bob@far.example", world.now)
        world.run(0.5)
        assert opened[-1] == (Transport.TLS, Terms("far.example", TlsTerms(ca="ca.pem")))


class TestNeverInTheClear:
    """F26."""

    @pytest.mark.parametrize("target", ["bob", "sip:bob@198.51.100.7", "sip:b@c.example"])
    @pytest.mark.parametrize("suffix", ["", ";transport=udp", ";transport=tcp"])
    @pytest.mark.parametrize("transport", [Transport.TLS, Transport.WSS])
    def test_f26_what_a_secure_line_sends_goes_over_tls(
        self, world, desk, target, suffix, transport
    ):
        desk.line("192.0.2.9", transport=transport, register=False)
        if not target.startswith("sip:"):
            suffix = ""
        desk.agent.invite(ref("one"), LINE, target + suffix, world.now)
        (asked,) = [each for each in desk.agent.take_effects() if isinstance(each, ResolveTarget)]
        assert asked.transport is transport

    def test_f26_a_refused_certificate_is_the_reason_and_nothing_else_is_tried(
        self, world, desk, pbx
    ):
        desk.line("192.0.2.9", transport=Transport.TLS)
        desk.agent.register(LINE, world.now)
        (asked,) = desk.agent.take_effects()
        desk._resolved(asked)
        (wanted,) = [each for each in desk.agent.take_effects() if isinstance(each, OpenFlow)]
        cause = FailureCause.CERT_NAME
        desk.agent.flow_refused(wanted.query, "other.example", world.now, cause)
        world.run(0.1)
        failed = desk.last(RegistrationChanged)
        assert (failed.state, failed.cause) == (State.FAILED, cause)
        assert failed.phrase == "other.example"
        assert failed.retry_in >= 60, "only a person can mend it"
        world.run(50)
        assert not pbx.inbox

    def test_f11_a_clock_that_was_not_set_is_tried_again_the_moment_it_is(self, world, desk, pbx):
        assert not pbx.inbox
        desk.line("192.0.2.9", transport=Transport.TLS)
        desk.agent.register(LINE, world.now)
        (asked,) = desk.agent.take_effects()
        desk._resolved(asked)
        (wanted,) = [each for each in desk.agent.take_effects() if isinstance(each, OpenFlow)]
        cause = FailureCause.CLOCK_NOT_SET
        desk.agent.flow_refused(wanted.query, "not valid yet", world.now, cause)
        world.run(0.1)
        assert desk.last(RegistrationChanged).cause is cause
        desk.agent.clock_set(world.now)
        world.run(0.5)
        assert desk.last(RegistrationChanged).state is State.REGISTERED

    def test_f11_a_clock_that_is_set_troubles_nobody_else(self, world, desk, pbx):
        registered(world, desk, pbx)
        desk.agent.clock_set(world.now)
        world.run(0.5)
        assert len(pbx.requests("REGISTER")) == 1

    @pytest.mark.parametrize("lost_with", [FailureCause.TLS_WANTS_CERT, None])
    def test_f26_tls_1_3_refuses_our_certificate_after_the_connection_stood(
        self, world, desk, pbx, lost_with
    ):
        pbx.reply = lambda _: []
        desk.line("192.0.2.9", transport=Transport.TLS)
        desk.agent.register(LINE, world.now)
        world.run(0.1)
        ((flow, _),) = desk.agent._core.streams.values()
        desk.agent.flow_failed(flow, "it wants a certificate of ours", world.now, lost_with)
        world.run(0.1)
        assert desk.last(RegistrationChanged).cause is (lost_with or FailureCause.REFUSED)


class TestOurAddress:
    def test_over_tls_it_is_the_connection_itself_unless_we_listen(self, world, desk, pbx):
        register = registered(world, desk, pbx, transport=Transport.TLS)
        assert register.headers.get("Via").startswith("SIP/2.0/TLS ")
        assert ";transport=tls" in register.headers.get("Contact")

    @pytest.mark.parametrize("transport", [Transport.WS, Transport.WSS])
    def test_over_a_websocket_it_is_a_name_that_leads_nowhere(self, world, desk, pbx, transport):
        # RFC 7118 §5.1, §5.2, §B.1: WS or WSS in the Via, `ws` in every URI.
        register = registered(world, desk, pbx, transport=transport)
        via, contact = register.headers.get("Via"), register.headers.get("Contact")
        assert via.startswith(f"SIP/2.0/{transport.value.upper()} ")
        host = via.split()[1].partition(";")[0]
        assert host.endswith(".invalid")
        assert len(host) > 12
        assert f"@{host};transport=ws" in contact
        assert register.uri == "sip:192.0.2.9;transport=ws"

    def test_the_name_stays_the_same(self, world, desk, pbx):
        first = registered(world, desk, pbx, transport=Transport.WS)
        desk.agent.register(LINE, world.now)
        world.run(0.5)
        second = pbx.requests("REGISTER")[-1]
        assert second.headers.get("Contact") == first.headers.get("Contact")


class TestStorms:
    def test_f21_a_server_that_sends_garbage_after_each_registration_is_left_alone(
        self, world, desk, pbx
    ):
        """It says 200 and then something that is not SIP: the connection ends, again and again."""
        desk.line("192.0.2.9", transport=Transport.TCP)
        desk.agent.register(LINE, world.now)
        for _ in range(600):
            world.run(1.0)
            for flow, _ in list(desk.agent._core.streams.values()):
                world.close(flow)
        count = len(pbx.requests("REGISTER"))
        assert 8 <= count <= 25, "in ten minutes"

    @pytest.mark.parametrize("transport", [Transport.TCP, Transport.TLS])
    def test_f21_a_server_that_hangs_up_on_each_register_is_asked_ever_less(
        self, world, desk, pbx, transport
    ):
        pbx.reply = lambda _: world.later(0.0, lambda: world.close(pbx.flows[-1])) or []
        desk.line("192.0.2.9", transport=transport)
        desk.agent.register(LINE, world.now)
        world.run(600.0)
        assert 8 <= len(pbx.requests("REGISTER")) <= 17
        assert len({flow.number for flow in pbx.flows}) == len(pbx.requests("REGISTER"))

    def test_f21_one_loss_after_a_long_time_is_mended_at_once(self, world, desk, pbx):
        registered(world, desk, pbx, transport=Transport.TCP)
        for _ in range(3):
            world.run(300)
            ((flow, _),) = desk.agent._core.streams.values()
            world.close(flow)
            world.run(3)
            assert desk.last(RegistrationChanged).state is State.REGISTERED
        assert len(pbx.requests("REGISTER")) == 4


def long_call(desk, world, octets, target="bob"):
    """A call whose offer has so many octets."""
    desk.agent.invite(ref("long"), LINE, target, world.now)
    world.run(0.2)
    assert desk.of(OfferWanted)
    desk.agent.offer(ref("long"), b"v" * octets, world.now)
    world.run(0.5)


class TestTooLongForADatagram:
    """F28, RFC 3261 §18.1.1."""

    def test_f28_a_short_invite_stays_a_datagram(self, world, desk, pbx, opened):
        registered(world, desk, pbx)
        long_call(desk, world, 300)
        (invite,) = pbx.requests("INVITE")
        assert invite.headers.get("Via").startswith("SIP/2.0/UDP")
        assert not opened

    def test_f28_a_long_one_goes_by_tcp_and_its_via_says_so(self, world, desk, pbx, opened):
        registered(world, desk, pbx)
        long_call(desk, world, 1500)
        (invite,) = pbx.requests("INVITE")
        assert invite.headers.get("Via").startswith("SIP/2.0/TCP")
        assert opened == [(Transport.TCP, None)]

    def test_f28_where_tcp_is_refused_it_goes_as_a_datagram_and_that_is_remembered(
        self, world, desk, pbx, opened
    ):
        registered(world, desk, pbx)
        world.refusing.add(pbx.endpoint)
        for count in (1, 2):
            long_call(desk, world, 1500)
            invite = pbx.requests("INVITE")[-1]
            assert invite.headers.get("Via").startswith("SIP/2.0/UDP")
            desk.agent.end(ref("long"), world.now)
            world.run(40)
            assert len(opened) == 1, f"asked again by call {count}"

    def test_f28_where_nobody_answers_tcp_a_person_waits_two_seconds(
        self, world, desk, pbx, monkeypatch
    ):
        registered(world, desk, pbx)
        monkeypatch.setattr(type(desk), "_open", lambda *_: None)
        long_call(desk, world, 1500)
        assert not pbx.requests("INVITE")
        world.run(2)
        assert pbx.requests("INVITE")[0].headers.get("Via").startswith("SIP/2.0/UDP")

    def test_f28_a_connection_that_comes_too_late_serves_the_next_request(
        self, world, desk, pbx, monkeypatch
    ):
        registered(world, desk, pbx)
        held = []
        monkeypatch.setattr(type(desk), "_open", lambda _, effect: held.append(effect))
        long_call(desk, world, 1500)
        world.run(3)
        monkeypatch.undo()
        desk._open(held[0])
        world.run(0.1)
        assert len(desk.agent._core.streams) == 1
        assert len(pbx.requests("INVITE")) >= 1

    def test_f28_a_reset_connection_lets_the_datagram_try(self, world, desk, pbx):
        registered(world, desk, pbx)
        pbx.reply = lambda message: [] if message.method == "INVITE" else pbx.register(message)
        long_call(desk, world, 1500)
        ((flow, _),) = desk.agent._core.streams.values()
        world.close(flow)
        world.run(0.5)
        ways = [each.headers.get("Via").split()[0] for each in pbx.requests("INVITE")]
        assert ways == ["SIP/2.0/TCP", "SIP/2.0/UDP"]

    def test_f28_a_hung_up_call_leaves_nothing_while_it_waits_for_tcp(
        self, world, desk, pbx, monkeypatch
    ):
        registered(world, desk, pbx)
        monkeypatch.setattr(type(desk), "_open", lambda *_: None)
        long_call(desk, world, 1500)
        desk.agent.end(ref("long"), world.now)
        world.run(5)
        assert not pbx.requests("INVITE")
