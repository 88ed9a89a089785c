"""Two user agents on real sockets of loopback: register, call, hang up."""

import asyncio
import logging
import socket
from dataclasses import dataclass, field

import pytest

from firmware.base.tokens import Tokens
from firmware.net.errors import ListenError, PortTakenError
from firmware.net.resolver import LookUpError, Resolver
from firmware.net.security import Security
from firmware.net.sip_driver import SipDriver
from firmware.net.stream import Door
from firmware.sip.account import Account
from firmware.sip.agent import AgentSettings, UserAgent
from firmware.sip.flow import Flow, TlsTerms, Transport
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallRef,
    CertificateEnds,
    FailureCause,
    IncomingCall,
    LineName,
    OfferWanted,
    RegistrationChanged,
    RegistrationState,
    RequestReceived,
)
from tests.support.certificates import Authority

LINE, CALL = LineName("desk"), CallRef("c1")
SDP = b"v=0\r\n"


@dataclass
class Party:
    """One user agent with its driver; `heard` are its notifications."""

    settings: AgentSettings
    seed: bytes
    resolver: Resolver
    heard: list = field(default_factory=list)
    traced: list[tuple[bool, bytes, Flow]] = field(default_factory=list)

    def __post_init__(self):
        tokens = Tokens(self.seed * 16)
        self.contacts = []
        self.agent = UserAgent(self.settings, tokens)
        self.driver = SipDriver(
            self.agent, self.resolver, tokens, self.notified, lambda *row: self.traced.append(row)
        )
        self._news = asyncio.Event()

    @property
    def now(self):
        return asyncio.get_running_loop().time()

    def have(self, server, **more):
        self.agent.set_lines((Account(LINE, "101", server, "101", **more),), self.now)

    def notified(self, thing):
        self.heard.append(thing)
        self._news.set()
        match thing:
            case RequestReceived(key, request):
                contact = request.headers.get("Contact")
                self.contacts.append(contact.partition("<")[2].partition(">")[0])
                granted = (("Contact", f"<{self.contacts[-1]}>;expires=60"),)
                self.agent.respond(key, 200, self.now, granted)
            case IncomingCall(call):
                self.agent.ring(call, self.now)
                self.agent.accept(call, SDP, self.now)
            case OfferWanted(call):
                self.agent.offer(call, SDP, self.now)

    async def hears(self, kind, **facts):
        """The first notification of a kind with these facts."""
        async with asyncio.timeout(5):
            while True:
                for thing in self.heard:
                    if isinstance(thing, kind) and all(
                        getattr(thing, key) == value for key, value in facts.items()
                    ):
                        return thing
                self._news.clear()
                await self._news.wait()


@pytest.fixture
async def parties(tmp_path):
    """Makes parties; they are closed after the test."""
    made = []

    def make(*, pbx=False):
        settings = (
            AgentSettings("pbx", hand_up=frozenset({"REGISTER"}), open_house=True)
            if pbx
            else AgentSettings("phone")
        )
        loop = asyncio.get_running_loop()
        names = Resolver(loop.time, (("127.0.0.1", 1),), tmp_path / "hosts")
        made.append(Party(settings, b"%d" % len(made), names))
        return made[-1]

    yield make
    for party in made:
        await party.driver.close()


def at(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@pytest.fixture
async def pair(parties, loopback):
    """A phone and its PBX, both listening on loopback."""
    phone, pbx = parties(), parties(pbx=True)
    for party in (phone, pbx):
        await party.driver.listen((loopback,), 0)
    server = at(loopback, pbx.driver.port)
    pbx.agent.set_lines(
        (Account(LINE, "pbx", server, register=False, accept_any_user=True),), pbx.now
    )
    phone.server = server
    return phone, pbx


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
async def test_a_phone_registers_calls_and_hangs_up(pair, transport):
    phone, pbx = pair
    phone.have(phone.server, transport=transport)
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    await phone.hears(RegistrationChanged, state=RegistrationState.REGISTERED)
    assert len(pbx.contacts) == 1

    phone.agent.invite(CALL, LINE, "600", phone.now)
    phone.driver.settle()
    assert (await phone.hears(CallAnswered)).body == SDP
    assert (await pbx.hears(IncomingCall)).offer == SDP
    phone.agent.end(CALL, phone.now)
    phone.driver.settle()
    await pbx.hears(CallEnded)
    await phone.hears(CallEnded)
    assert {flow.transport for _, data, flow in phone.traced if len(data) > 4} == {transport}
    assert {sent for sent, _, _ in phone.traced} == {True, False}


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
async def test_the_pbx_calls_the_phone_back_the_way_it_registered(pair, transport):
    phone, pbx = pair
    phone.have(phone.server, transport=transport)
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    await phone.hears(RegistrationChanged, state=RegistrationState.REGISTERED)

    pbx.agent.invite(CALL, LINE, pbx.contacts[0], pbx.now)
    pbx.driver.settle()
    await pbx.hears(CallAnswered)
    pbx.agent.end(CALL, pbx.now)
    pbx.driver.settle()
    await phone.hears(CallEnded)


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("office"))


async def secure_line(pair, office, transport, *names, **more):
    """The PBX opens a door with a certificate for names, the phone gets a line to it."""
    phone, pbx = pair
    own = office.issue(*names, **more)
    door = Door(transport, 0, TlsTerms(cert=str(own.cert), key=str(own.key)))
    await pbx.driver.open_door(door)
    host = phone.server.rpartition(":")[0]
    tls = TlsTerms(ca=str(office.file), server_name="pbx.example")
    phone.have(f"{host}:{pbx.driver.port_of(transport)}", transport=transport, tls=tls)
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    return phone, pbx


@pytest.mark.parametrize("transport", [Transport.TLS, Transport.WS, Transport.WSS])
async def test_calls_go_over_every_secure_transport(pair, office, transport):
    phone, pbx = await secure_line(pair, office, transport, "DNS:pbx.example")
    await phone.hears(RegistrationChanged, state=RegistrationState.REGISTERED)
    phone.agent.invite(CALL, LINE, "600", phone.now)
    phone.driver.settle()
    assert (await phone.hears(CallAnswered)).body == SDP
    phone.agent.end(CALL, phone.now)
    phone.driver.settle()
    await pbx.hears(CallEnded)
    assert {flow.transport for _, data, flow in phone.traced if len(data) > 4} == {transport}


async def test_the_pbx_calls_a_phone_back_over_the_connection_it_opened(pair, office):
    phone, pbx = await secure_line(pair, office, Transport.TLS, "DNS:pbx.example")
    await phone.hears(RegistrationChanged, state=RegistrationState.REGISTERED)
    pbx.agent.invite(CALL, LINE, pbx.contacts[0], pbx.now)
    pbx.driver.settle()
    await pbx.hears(CallAnswered)
    assert {flow.transport for _, data, flow in pbx.traced if len(data) > 4} == {Transport.TLS}


async def test_f26_the_driver_says_whose_certificate_it_was(pair, office):
    phone, pbx = await secure_line(pair, office, Transport.TLS, "DNS:other.example")
    failed = await phone.hears(RegistrationChanged, state=RegistrationState.FAILED)
    assert (failed.cause, failed.phrase) == (FailureCause.CERT_NAME, "other.example")
    assert not pbx.heard


async def test_f11_the_driver_waits_for_the_clock_that_a_certificate_waits_for(pair, office):
    pair[0].driver._streams.security = Security(lambda: False)
    phone, _ = await secure_line(pair, office, Transport.TLS, "DNS:pbx.example", begins=2)
    failed = await phone.hears(RegistrationChanged, state=RegistrationState.FAILED)
    assert failed.cause is FailureCause.CLOCK_NOT_SET
    phone.heard.clear()
    phone.driver._clock_watch._was_set()  # what the watch does when it is set
    again = await phone.hears(RegistrationChanged, state=RegistrationState.FAILED)
    assert again.cause is FailureCause.CLOCK_NOT_SET, "it was tried again at once"


async def test_f27_a_client_certificate_that_ends_soon_is_news(pair, office):
    phone, pbx = pair
    soon = office.issue("DNS:phone.example", ends=5)
    tls = TlsTerms(cert=str(soon.cert), key=str(soon.key))
    await phone.driver.open_door(Door(Transport.TLS, 0, tls))
    assert await phone.hears(CertificateEnds) == CertificateEnds(str(soon.cert), 4)
    del pbx


async def test_a_server_that_is_not_there_is_refused_at_once_over_tcp(parties):
    phone = parties()
    await phone.driver.listen(("127.0.0.1",), 0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    phone.have(f"127.0.0.1:{port}", transport=Transport.TCP)
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    failed = await phone.hears(RegistrationChanged, state=RegistrationState.FAILED)
    assert failed.cause is FailureCause.REFUSED
    assert failed.retry_in > 0


async def test_f07_without_a_route_the_line_says_no_network(parties):
    phone = parties()
    await phone.driver.listen(("127.0.0.1",), 0)
    phone.have("[2001:db8::1]:5060")  # no IPv6 socket to send from
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    failed = await phone.hears(RegistrationChanged, state=RegistrationState.FAILED)
    assert failed.cause is FailureCause.NO_NETWORK


@pytest.mark.parametrize(
    ("missing", "cause"),
    [(True, FailureCause.NAME_NOT_FOUND), (False, FailureCause.NO_NETWORK)],
)
async def test_f14_f15_a_name_without_address_is_told_apart_from_a_dead_name_server(
    parties, missing, cause
):
    class Names:
        async def services(self, _name):
            return ()

        async def addresses(self, name):
            raise LookUpError(f"{name}: no", missing=missing)

    phone = parties()
    phone.driver._resolver = Names()
    await phone.driver.listen(("127.0.0.1",), 0)
    phone.have("pbx.invalid")
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    failed = await phone.hears(RegistrationChanged, state=RegistrationState.FAILED)
    assert failed.cause is cause


async def test_one_port_for_udp_and_tcp_on_every_address(parties):
    phone = parties()
    await phone.driver.listen(("127.0.0.1", "::1"), 0)
    port = phone.driver.port
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(family, kind) as sock, pytest.raises(OSError, match="in use"):
                sock.bind((host, port))


async def test_a_free_port_is_free_on_udp_and_tcp(parties, monkeypatch):
    phone, first = parties(), []
    bind = phone.driver._streams.listen

    async def taken_at_first(host, port):
        first.append(port)
        if len(first) <= 2:
            raise PortTakenError(f"TCP port {port} is taken")
        return await bind(host, port)

    monkeypatch.setattr(phone.driver._streams, "listen", taken_at_first)
    await phone.driver.listen(("127.0.0.1", "::1"), 0)
    assert len(set(first)) >= 3
    assert len(phone.driver._udp) == 2


async def test_a_taken_port_is_an_error_and_leaves_nothing_bound(parties, udp_socket):
    taken = udp_socket("127.0.0.1").getsockname()[1]
    phone = parties()
    with pytest.raises(PortTakenError, match=f"UDP port {taken} is taken by"):
        await phone.driver.listen(("127.0.0.2", "127.0.0.1"), taken)
    udp_socket("127.0.0.2", taken)


async def test_f54_a_machine_without_ipv6_has_a_phone_all_the_same(parties, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    from firmware.net import sip_driver  # noqa: PLC0415 - its name is replaced

    real = sip_driver.UdpSocket

    def no_ipv6(host, *rest):
        if ":" in host:
            raise ListenError("Address family not supported by protocol")
        return real(host, *rest)

    monkeypatch.setattr(sip_driver, "UdpSocket", no_ipv6)
    phone = parties()
    await phone.driver.listen(("0.0.0.0", "::"), 0)
    assert phone.driver.port
    assert "this machine has no IPv6" in caplog.text
    with pytest.raises(ListenError):
        await parties().driver.listen(("::1",), 0)


async def test_after_closing_nothing_is_performed(pair):
    phone, _ = pair
    phone.have(phone.server, transport=Transport.TCP)
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    await phone.hears(RegistrationChanged, state=RegistrationState.REGISTERED)
    await phone.driver.close()
    count, tasks = len(phone.traced), asyncio.all_tasks()
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    assert asyncio.all_tasks() == tasks  # nobody is left to do it later
    assert len(phone.traced) == count
    assert phone.driver._timer is None or phone.driver._timer.cancelled()


# --- F43: a fault in the stack or above it ------------------------------------------------------


class PlantedError(RuntimeError):
    """A fault that was planted."""


def broken(*_anything):
    raise PlantedError


@pytest.fixture
async def registered(pair):
    """A registered phone and its PBX."""
    phone, pbx = pair
    phone.have(phone.server)
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    await phone.hears(RegistrationChanged, state=RegistrationState.REGISTERED)
    phone.heard.clear()
    return phone, pbx


def planted(monkeypatch, target, name, times=1):
    """Let a method fail so many times after it has done its work."""
    real, left = getattr(target, name), [times]

    def fails(*given):
        done = real(*given)
        if left[0]:
            left[0] -= 1
            raise PlantedError
        return done

    monkeypatch.setattr(target, name, fails)


async def until(true):
    """Wait for something that wakes nobody."""
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - a counter sets no event
            await asyncio.sleep(0.01)


async def hangs_up(phone, pbx):
    """A whole call."""
    phone.agent.invite(CALL, LINE, "600", phone.now)
    phone.driver.settle()
    await phone.hears(CallAnswered)
    phone.agent.end(CALL, phone.now)
    phone.driver.settle()
    await phone.hears(CallEnded)


async def test_f43_a_message_at_which_the_stack_fails_costs_that_message(
    registered, monkeypatch, caplog
):
    phone, pbx = registered
    receive = phone.agent.receive

    def chokes(data, flow, now):
        if data.startswith(b"MESSAGE"):
            raise PlantedError
        receive(data, flow, now)

    monkeypatch.setattr(phone.agent, "receive", chokes)
    pbx.driver._udp[0].send(
        next(flow for sent, _, flow in pbx.traced if sent),
        b"MESSAGE sip:101@x SIP/2.0\r\n\r\n",
    )
    await hangs_up(phone, pbx)
    assert phone.driver.failures == 1
    assert "MESSAGE sip:101@x" in caplog.text
    assert "PlantedError" in caplog.text
    assert phone.driver._timer is not None


async def test_f43_what_a_failing_input_caused_is_still_performed(registered, monkeypatch):
    phone, pbx = registered
    planted(monkeypatch, phone.agent, "receive", times=100)
    await hangs_up(phone, pbx)
    assert phone.driver.failures >= 3, "180, 200 and the 200 of BYE"


async def test_f43_a_failing_timer_is_armed_again_and_does_not_turn_hot(registered, monkeypatch):
    phone, _ = registered
    rung = []

    def rings(now):
        rung.append(now)
        raise PlantedError

    monkeypatch.setattr(phone.agent, "fire_timers", rings)
    monkeypatch.setattr(phone.agent, "next_deadline", lambda: phone.now)
    phone.driver.settle()
    await until(lambda: len(rung) >= 3)
    assert rung[2] - rung[0] > 0.15
    assert phone.driver.failures == len(rung)


async def test_f43_one_notification_that_fails_does_not_swallow_the_next(registered, monkeypatch):
    phone, _ = registered
    monkeypatch.setattr(phone.driver, "_notify", broken)
    phone.agent.invite(CALL, LINE, "600", phone.now)
    phone.driver.settle()
    await until(lambda: phone.driver.failures)
    monkeypatch.setattr(phone.driver, "_notify", phone.notified)
    phone.agent.end(CALL, phone.now)
    phone.driver.settle()
    await phone.hears(CallEnded)


async def test_f43_one_effect_that_fails_does_not_hold_up_the_others(registered, monkeypatch):
    phone, pbx = registered
    planted(monkeypatch, phone.driver, "_transmit")
    await hangs_up(phone, pbx)
    assert phone.driver.failures == 1


@pytest.mark.parametrize(
    ("transport", "part"), [(Transport.UDP, "_resolver"), (Transport.TCP, "_streams")]
)
async def test_f43_a_task_that_dies_is_counted_and_the_line_tries_again(
    pair, monkeypatch, caplog, transport, part
):
    phone, _ = pair
    monkeypatch.setattr(phone.driver, part, None)  # whatever is asked of it fails
    phone.have(f"localhost:{phone.server.rpartition(':')[2]}", transport=transport)
    if part == "_streams":
        phone.have(phone.server, transport=transport)
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    failed = await phone.hears(RegistrationChanged, state=RegistrationState.FAILED)
    assert failed.retry_in > 0
    assert phone.driver.failures == 1
    assert "AttributeError" in caplog.text
    monkeypatch.undo()


GARBAGE = {
    "noise": b"\xff" * 400 + b"\r\n\r\n",
    "HTTP": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "half a message": b"SIP/2.0 200 OK\r\nVia: SIP",
    "a length that is none": b"SIP/2.0 200 OK\r\nContent-Length: -7\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
async def test_f21_a_server_that_answers_each_register_with_garbage_is_asked_ever_less(
    parties, answer
):
    """It takes the connection, reads, says something that is no SIP, and hangs up."""
    connections = []

    async def serve(reader, writer):
        connections.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    phone = parties()
    await phone.driver.listen(("127.0.0.1",), 0)
    phone.have(at(*server.sockets[0].getsockname()), transport=Transport.TCP)
    phone.agent.register(LINE, phone.now)
    waits = []
    async with server:
        for attempt in range(1, 4):
            phone.driver.settle()
            failed = await phone.hears(RegistrationChanged, state=RegistrationState.FAILED)
            assert len(connections) == attempt, "one connection for each attempt"
            waits.append(failed.retry_in)
            phone.heard.clear()
            phone.agent.fire_timers(phone.now + failed.retry_in)
    assert waits[0] >= 4.0
    assert waits[2] > waits[1] > waits[0]
