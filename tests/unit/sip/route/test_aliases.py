"""Connections that lead back to who opened them, for what they have proved to be (RFC 5923 §5)."""

import pytest

from firmware.sip.flow import Endpoint, Flow, Target, Terms, TlsTerms, Transport
from firmware.sip.message import Headers, Request
from firmware.sip.route.aliases import Aliases, offers_alias
from firmware.sip.transaction.keys import read_arrival

HERE, THERE = Endpoint("192.0.2.1", 5061), Endpoint("192.0.2.9", 40000)
PEER = Flow(Transport.TLS, HERE, THERE, 7, None, ("far.example",))


def arrival(via, flow=PEER):
    headers = Headers(
        [
            ("Via", f"SIP/2.0/TLS {via}"),
            ("From", "<sips:a@far.example>;tag=1"),
            ("To", "<sips:b@x>"),
            ("Call-ID", "c"),
            ("CSeq", "1 INVITE"),
        ]
    )
    return read_arrival(Request("INVITE", "sips:b@x", headers), flow)


def target(port=5061, transport=Transport.TLS, host="192.0.2.9"):
    return Target(transport, Endpoint(host, port), HERE)


TERMS = Terms("far.example", TlsTerms())


@pytest.fixture
def aliases():
    made = Aliases()
    made.note(arrival("p1.far.example;branch=z9hG4bKx;alias"))
    return made


def test_it_leads_to_the_advertised_port_of_where_it_came_from(aliases):
    # RFC 5923 §8.2: without a port it is 5061.
    assert aliases.find(target(), TERMS) is PEER
    aliases.note(arrival("p1.far.example:5999;branch=z9hG4bKx;alias"))
    assert aliases.find(target(5999), TERMS) is PEER


@pytest.mark.parametrize(
    ("wanted", "terms"),
    [
        (target(5062), TERMS),
        (target(host="192.0.2.10"), TERMS),
        (target(transport=Transport.WSS), TERMS),
        (target(), Terms("other.example", TlsTerms())),
        (target(), None),
    ],
)
def test_for_nobody_else(aliases, wanted, terms):
    # RFC 5923 §8.2, §9.2
    assert aliases.find(wanted, terms) is None


def test_who_shows_no_certificate_or_does_not_offer_it_is_called_back_anew():
    aliases = Aliases()
    aliases.note(arrival("p1.far.example;branch=z9hG4bKx"))
    unknown = Flow(Transport.TLS, HERE, THERE, 8)
    aliases.note(arrival("p1.far.example;branch=z9hG4bKx;alias", unknown))
    assert len(aliases) == 0


def test_a_connection_that_is_gone_leads_nowhere(aliases):
    aliases.drop(PEER)
    assert aliases.find(target(), TERMS) is None
    assert len(aliases) == 0


def test_ten_thousand_peers_do_not_fill_the_table(aliases):
    for number in range(10_000):
        flow = Flow(Transport.TLS, HERE, Endpoint("192.0.2.9", 1024 + number), number, None, ("x",))
        aliases.note(arrival(f"p:{number % 65_000 + 1};branch=z9hG4bKx;alias", flow))
    assert len(aliases) <= 64


@pytest.mark.parametrize(
    ("transport", "tls", "listening", "offers"),
    [
        (Transport.TLS, TlsTerms(cert="own.pem"), HERE, True),
        (Transport.TLS, TlsTerms(cert="own.pem"), Endpoint("192.0.2.1", 41000), False),
        (Transport.TLS, TlsTerms(), HERE, False),
        (Transport.WSS, TlsTerms(cert="own.pem"), HERE, False),
    ],
)
def test_we_offer_ours_only_with_a_certificate_and_a_door(transport, tls, listening, offers):
    # RFC 5923 §8.1
    flow = Flow(transport, Endpoint("192.0.2.1", 41000), THERE, 9, Terms("far.example", tls))
    assert offers_alias(flow, listening) is offers


def test_a_call_back_goes_over_the_connection_the_peer_opened(world, desk, pbx, sip):
    from firmware.sip.writer import write  # noqa: PLC0415
    from tests.support.sip_link import LINE, ref  # noqa: PLC0415

    desk.line(pbx.endpoint.host, transport=Transport.TLS, register=False)
    world.names["far.example"] = [(Transport.TLS, Endpoint(pbx.endpoint.host, 5061))]
    theirs = Flow(Transport.TLS, desk.endpoint, pbx.endpoint, 77, None, ("far.example",))
    ask = sip.request("OPTIONS", "sip:101@192.0.2.1")
    ask.headers.set("Via", f"SIP/2.0/TLS {pbx.endpoint.host}:5061;branch=z9hG4bKalias;alias")
    desk.agent.receive(write(ask), theirs, world.now)
    desk.agent.invite(ref("back"), LINE, "sips:bob@far.example", world.now)
    world.run(0.2)
    desk.agent.offer(ref("back"), b"v=0", world.now)
    sent = [each for each in desk.agent.take_effects() if getattr(each, "flow", None) == theirs]
    assert any(b"INVITE sips:bob@far.example" in each.data for each in sent)
    desk.agent.flow_failed(theirs, "closed", world.now)
    assert len(desk.agent._core.aliases) == 0
