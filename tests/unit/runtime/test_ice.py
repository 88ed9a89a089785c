"""The way finder in its house: gathered in time, told to the phone, let go of with the sockets."""

import asyncio
import os

import pytest

from firmware.base.tokens import Tokens
from firmware.base.values import replace
from firmware.call.media import Way
from firmware.config.schema import LineSettings, NetworkSettings, Settings, TlsSettings
from firmware.media.messages import Foreign
from firmware.net.locate import Place
from firmware.net.resolver import LookUpError
from firmware.phone import commands as c
from firmware.phone.events import MediaPortRefused, MediaPortReserved, WayFound, WayLost
from firmware.runtime import ice as runtime_ice
from firmware.runtime.asides import aside
from firmware.runtime.ice import WayFinder
from firmware.runtime.performers import perform
from firmware.sdp.ice import Terms, Theirs
from firmware.sip.flow import Endpoint, Transport
from firmware.sip.notifications import CallRef, LineName
from tests.support.certificates import Authority

CALL, OTHER = CallRef("c1"), CallRef("c2")
LINE = LineName("101@pbx")
STREAM = 7
HERE = "127.0.0.45"


class NoNames:
    """No server is known by name."""

    def __init__(self):
        self.asked = []

    async def addresses(self, host):
        self.asked.append(host)
        raise LookUpError(f"{host} is unknown", missing=True)

    async def services(self, name):
        self.asked.append(name)
        return ()


class Sockets:
    def __init__(self):
        self.resolver = NoNames()

    def local_for(self, remote):
        del remote
        return HERE


def settings(ice="on", **network):
    line = LineSettings(user="101", server="pbx", name=LINE, ice=ice)
    return Settings(lines=(line,), network=NetworkSettings(**network))


@pytest.fixture
async def office(house):
    house.ways = WayFinder(house, Sockets(), Tokens(os.urandom(16)))
    house.ways.use(settings())
    yield house
    for call in tuple(house.pairs):
        perform(house, c.FreeMediaPort(call))
    await house.ways.close()


async def reserved(office, until, call=CALL, line=LINE):
    perform(office, c.ReserveMediaPort(call, HERE, line=line))
    before = len(office.inbox.events)
    await until(lambda: len(office.inbox.events) > before or _told(office, call))
    return office.inbox.events[-1]


def _told(office, call):
    return any(getattr(one, "call", None) == call for one in office.inbox.events)


async def test_the_sockets_of_a_line_that_checks_come_with_their_ways(office, until):
    event = await reserved(office, until)
    assert isinstance(event, MediaPortReserved)
    assert [one.address for one in event.ice.candidates] == [
        (HERE, event.port),
        (HERE, event.port + 1),
    ]
    assert len(office.ways) == 1
    perform(office, c.FreeMediaPort(CALL))
    assert len(office.ways) == 0


async def test_another_line_does_without(office, until):
    event = await reserved(office, until, line=LineName("202@pbx"))
    assert event.ice is None
    assert len(office.ways) == 0


async def two_calls(office, until):
    first, second = await reserved(office, until), await reserved(office, until, OTHER)
    office.streams[STREAM], office.streams[STREAM + 1] = CALL, OTHER
    return first, second


def read_by_engine(office):
    """What the engine does: read the sockets, pass up what is no media."""
    loop = asyncio.get_running_loop()
    for stream, call in office.streams.items():
        for sock, control in ((office.pairs[call].rtp, False), (office.pairs[call].rtcp, True)):

            def readable(stream=stream, sock=sock, control=control):
                data, source = sock.recvfrom(2048)
                aside(office, Foreign(stream, data, source, control))

            loop.add_reader(sock, readable)


def stop_reading(office):
    for pair in office.pairs.values():
        asyncio.get_running_loop().remove_reader(pair.rtp)
        asyncio.get_running_loop().remove_reader(pair.rtcp)


def check(office, event, other, stream, *, controlling):
    far = Theirs(other.ice.credentials, other.ice.candidates, ice2=True)
    terms = Terms(event.ice.credentials, far, controlling, muxed=True)
    perform(office, c.CheckWays(event.call, stream, terms))


def found(office, stream):
    ways = [x.way for x in office.inbox.events if isinstance(x, WayFound) and x.stream == stream]
    return ways[-1] if ways else None


async def test_two_calls_of_one_phone_find_each_other(office, until):
    first, second = await two_calls(office, until)
    read_by_engine(office)
    check(office, first, second, STREAM, controlling=True)
    check(office, second, first, STREAM + 1, controlling=False)
    await until(lambda: (found(office, STREAM) or Way(None, "", ("", 0))).nominated)
    await until(lambda: (found(office, STREAM + 1) or Way(None, "", ("", 0))).nominated)
    assert found(office, STREAM).remote == (HERE, second.port)
    stop_reading(office)


async def test_what_becomes_of_a_search_that_finds_nothing_is_told(office, until, monkeypatch):
    monkeypatch.setattr("firmware.net.ice_session.PATIENCE", 0.05)
    first, second = await two_calls(office, until)
    check(office, first, second, STREAM, controlling=True)
    await until(lambda: any(isinstance(x, WayLost) for x in office.inbox.events))
    assert office.inbox.events[-1].stream == STREAM


async def test_sockets_that_are_given_up_while_they_are_gathered(office):
    perform(office, c.ReserveMediaPort(CALL, HERE, line=LINE))
    await asyncio.sleep(0)
    perform(office, c.FreeMediaPort(CALL))
    await asyncio.sleep(0.05)
    assert not office.inbox.events
    assert len(office.ways) == 0


async def test_a_line_that_shows_a_relay_alone_makes_no_call_without_one(office, until):
    office.ways.use(settings("relay"))
    event = await reserved(office, until)
    assert isinstance(event, MediaPortRefused)
    assert "relay" in event.reason


async def test_servers_that_cannot_be_found_are_named_once(office, until, caplog):
    office.ways.use(settings(turn="turn.example", turn_user="u", turn_password="p"))
    await reserved(office, until)
    office.ways.look_up()
    await reserved(office, until, OTHER)
    assert caplog.text.count("way_server") + caplog.text.count("turn.example is unknown") >= 1
    assert len([x for x in caplog.records if "turn.example" in x.getMessage()]) == 1


@pytest.mark.parametrize(
    ("network", "stun", "turn"),
    [
        ({"stun": "192.0.2.1"}, ("192.0.2.1", 3478), None),
        ({"turn": "192.0.2.2:99"}, ("192.0.2.2", 99), ("192.0.2.2", 99, "udp")),
        (
            {"turn": "192.0.2.2", "stun": "192.0.2.1", "turn_transport": "tcp"},
            ("192.0.2.1", 3478),
            ("192.0.2.2", 3478, "tcp"),
        ),
        ({"turn": "t.example", "turn_transport": "tls"}, None, ("t.example", 5349, "tls")),
        ({}, None, None),
    ],
)
async def test_who_is_asked(office, monkeypatch, network, stun, turn):
    """Every TURN server answers what a STUN server does (RFC 8656 §3); §5: its own names in DNS."""

    services = []

    async def locate(server, ways, service):
        del ways
        services.append(service)
        host, _, port = server.partition(":")
        remote = Endpoint(host, int(port or 3478))
        return [Place(Transport.UDP, remote, host, HERE)]

    monkeypatch.setattr(runtime_ice, "locate_stun", locate)
    office.ways.use(settings(**network))
    servers = await office.ways._servers(1.0)
    assert servers.stun == stun
    named = servers.turn and (servers.turn.host, servers.turn.port, servers.turn.transport)
    assert named == turn
    relays = "_turn._tcp" if network.get("turn_transport") == "tcp" else "_turn._udp"
    assert set(services) == {
        relays if kind == "turn" else "_stun._udp" for kind in ("stun", "turn") if kind in network
    }


async def test_the_relay_is_believed_by_the_authorities_of_the_lines_that_use_it(office, tmp_path):
    """One server for the phone; a line that checks no ways has no say in it."""
    files = [Authority(tmp_path / name, name).file for name in ("one", "other")]
    made = settings(turn="t.example", turn_transport="tls", turn_user="u", turn_password="p")
    lines = [
        replace(made.lines[0], name=LineName(str(number)), tls=TlsSettings(ca=str(file)), ice=ice)
        for number, (file, ice) in enumerate(zip(files, ("on", "off"), strict=True))
    ]
    office.ways.use(replace(made, lines=tuple(lines)))
    servers = await office.ways._servers(5.0)
    names = [dict(part[0] for part in one["subject"]) for one in servers.turn.trust.get_ca_certs()]
    assert {"commonName": "one"} in names
    assert {"commonName": "other"} not in names


async def test_an_authority_that_cannot_be_read_leaves_no_relay_and_says_so(office, caplog):
    made = settings(turn="t.example", turn_transport="tls", turn_user="u", turn_password="p")
    line = replace(made.lines[0], tls=TlsSettings(ca="/nowhere/ca.pem"))
    office.ways.use(replace(made, lines=(line,)))
    servers = await office.ways._servers(5.0)
    assert servers.turn is None
    assert "/nowhere/ca.pem" in caplog.text


def asked_of(found, monkeypatch, others):
    """Notes what is asked for other addresses, and answers so."""

    def hosts(*asked):
        found.append(asked)
        return others

    monkeypatch.setattr("firmware.net.ice_hosts.other_hosts", hosts)


async def test_other_addresses_of_the_machine_are_places_too(office, until, monkeypatch):
    """RFC 8445 §5.1.1.1."""
    asked = []
    asked_of(asked, monkeypatch, ("127.0.0.46", "192.0.2.99"))  # the second is not here at all
    office.ways._addresses = lambda: ("127.0.0.46", HERE)
    office.ways.use(settings(bind=(HERE,)))
    event = await reserved(office, until)
    assert [one.host for one in event.ice.candidates] == [HERE, HERE, "127.0.0.46", "127.0.0.46"]
    assert asked == [(HERE, ("127.0.0.46", HERE), (HERE,))]


async def test_a_line_that_shows_a_relay_alone_opens_no_other_sockets(office, until, monkeypatch):
    asked = []
    asked_of(asked, monkeypatch, ("127.0.0.46",))
    office.ways.use(settings("relay"))
    await reserved(office, until)
    assert asked == []


async def test_what_is_no_stun_is_not_ours(office, until):
    await two_calls(office, until)
    office.ways.feed(Foreign(STREAM, b"\x16\xfe\xfd", ("198.51.100.1", 9)))
    office.ways.feed(Foreign(STREAM, b"", ("198.51.100.1", 9)))
    office.ways.feed(Foreign(99, b"\x00\x01", ("198.51.100.1", 9)))
    agent = office.ways._agents[CALL]
    assert agent.refused == 0
    office.ways.feed(Foreign(STREAM, b"\x00\x01", ("198.51.100.1", 9)))
    assert agent.refused == 1
    assert office.ways.figures() == {"stun_refused": 1, "candidates_skipped": 0}
    perform(office, c.FreeMediaPort(CALL))
    assert office.ways.figures()["stun_refused"] == 1, "of calls that are over, too"


def test_a_password_is_not_shown():
    made = replace(settings().network, turn_password="hush")
    assert "hush" not in repr(made)
