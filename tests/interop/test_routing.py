"""Domains and their servers: dnsmasq says where two Kamailios are, one dies and comes back."""

import contextlib
import socket
import threading
import time

import pytest

from firmware.control import schema as s
from tests.support.kamailio import Kamailio
from tests.support.names import NameServer, start_coturn
from tests.support.namespace import end
from tests.support.own_time import HeldUp
from tests.support.phone import Phone, line
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.interop, pytest.mark.timeout(180)]

DOMAIN = "pbx.example"


@pytest.fixture
def names(need, network, tmp_path):
    need("dnsmasq")
    server = NameServer(network, tmp_path / "dns")
    yield server
    server.close()


@pytest.fixture
def two(need, network, tmp_path, names):
    """Two Kamailios of one domain, the first preferred."""
    need("kamailio")
    first = Kamailio(network, tmp_path / "first")
    second = Kamailio(network, tmp_path / "second")
    names.start(*zone(first, second))
    return first, second


def zone(first, second, transport="udp"):
    return (
        f"host-record=one.{DOMAIN},{first.address}",
        f"host-record=two.{DOMAIN},{second.address}",
        f"srv-host=_sip._{transport}.{DOMAIN},one.{DOMAIN},5060,10,0",
        f"srv-host=_sip._{transport}.{DOMAIN},two.{DOMAIN},5060,20,0",
    )


@pytest.fixture
def make_phone(network, tmp_path):
    phones = []
    addresses = iter([network.party() for _ in range(2)])

    def make(user, **more):
        lines = line(user, DOMAIN, realm="office.example", **more)
        phone = Phone(tmp_path / user, lines, namespace=network, address=next(addresses))
        phones.append(phone)
        return phone

    yield make
    for phone in reversed(phones):
        phone.close()
        assert "Traceback" not in phone.log()


def talk(alice, bob):
    alice.ask(s.Dial(target="102"))
    alice.wait_state("talking")
    alice.wait("sound", lambda found: found.calls[0].rtp and found.calls[0].rtp.received > 20)
    alice.ask(s.HangUp())
    alice.wait_state("idle")
    bob.wait("the end of the call", lambda found: not found.calls)


def test_f16_a_call_goes_through_the_second_server_and_later_through_the_first(
    make_phone, names, two
):
    first, second = two
    names.start(*zone(first, second, "tcp"))
    alice = make_phone("101", transport="tcp")
    bob = make_phone("102", transport="tcp", auto_answer="always")
    alice.wait_registered()
    bob.wait_registered()
    assert first.knows("101")
    assert not second.knows("101")
    talk(alice, bob)

    end(first.process)
    wait_for("both at the second", lambda: second.knows("101") and second.knows("102"), 30)
    talk(alice, bob)

    # A call that is up by the second is not touched when the first comes back.
    alice.ask(s.Dial(target="102"))
    alice.wait_state("talking")
    first.start()
    wait_for("both at the first", lambda: first.knows("101") and first.knows("102"), 110)
    status = alice.status()
    assert status.state == "talking"
    heard = status.calls[0].rtp.received
    alice.wait("more sound", lambda found: found.calls[0].rtp.received > heard + 50)
    alice.ask(s.HangUp())
    bob.wait("the end of the call", lambda found: not found.calls)
    talk(alice, bob)


def test_f16_p04_over_datagrams_a_dead_server_is_noticed_and_the_next_one_asked(make_phone, two):
    first, second = two
    phone = make_phone("101")
    phone.wait_registered()
    assert first.knows("101")
    # Only a server that has answered a probe is missed; the first comes within half a minute.
    until = time.monotonic() + 31
    wait_for("the first probe", lambda: time.monotonic() > until, 35)
    end(first.process)
    began = time.monotonic()
    wait_for("the phone at the second", lambda: second.knows("101"), 60)
    assert time.monotonic() - began < 60, "P4"


def test_the_domain_says_by_naptr_how_it_wants_to_be_reached(make_phone, names, two):
    """RFC 3263 §4.1, as Debian's dnsmasq writes the records."""
    first, second = two
    names.start(
        *zone(first, second, "tcp"),
        f"naptr-record={DOMAIN},20,50,s,SIP+D2U,,_sip._udp.{DOMAIN}",
        f"naptr-record={DOMAIN},10,50,s,SIP+D2T,,_sip._tcp.{DOMAIN}",
    )
    phone = make_phone("101", transport="auto")
    phone.wait_registered()
    assert first.knows("101")
    assert "query[NAPTR] pbx.example" in names.log()
    assert "query[SRV] _sip._tcp.pbx.example" in names.log()
    assert "query[SRV] _sip._udp.pbx.example" not in names.log()


def test_f14_a_phone_that_starts_while_the_name_server_is_down_knows_where_its_server_was(
    make_phone, names, two
):
    first, _ = two
    phone = make_phone("101")
    phone.wait_registered()
    kept = phone.folder / "state" / "deskphone"
    wait_for("the answers on disk", lambda: list(kept.rglob("names.json")))
    phone.close()
    names.stop()
    began = time.monotonic()
    phone.start()
    phone.wait_registered()
    assert time.monotonic() - began < 15.0
    assert first.knows("101")


def test_coturn_tells_the_phone_where_it_is_seen(need, network, tmp_path):
    """A phone without NAT is seen where it is; it says so, and nothing changes (RFC 8489)."""
    need("turnserver", "kamailio")
    server = start_coturn(network, tmp_path / "turn")
    kamailio = Kamailio(network, tmp_path / "kamailio")
    address = network.party()
    rows = f'stun = "{server}"\n\n{line("101", kamailio.server)}'  # the [network] table goes on
    phone = Phone(tmp_path / "phone", rows, namespace=network, address=address)
    try:
        phone.wait_registered()
        seen = f"sees {address}:5060 as {address}:5060"
        wait_for("the answer of coturn", lambda: seen in phone.log())
        assert kamailio.knows("101")
    finally:
        phone.close()


class Router:
    """A router with port translation, on real sockets: one phone inside, one server outside."""

    def __init__(self, inside: socket.socket, outside: socket.socket, server: str) -> None:
        self._inside, self._outside, self._server = inside, outside, server
        self._phone: tuple[str, int] | None = None
        self._stop = threading.Event()
        for sock, work in ((inside, self._outward), (outside, self._inward)):
            sock.settimeout(0.2)
            threading.Thread(target=self._pump, args=(sock, work), daemon=True).start()

    def close(self) -> None:
        self._stop.set()
        for sock in (self._inside, self._outside):
            sock.close()

    def _pump(self, sock, work):
        while not self._stop.is_set():
            with contextlib.suppress(OSError):
                work(*sock.recvfrom(65535))

    def _outward(self, data, source):
        self._phone = source
        self._outside.sendto(data, (self._server, 5060))

    def _inward(self, data, _source):
        if self._phone is not None:
            self._inside.sendto(data, self._phone)


def test_f55_behind_a_router_kamailio_knows_the_outer_address_and_calls_arrive(
    need, network, tmp_path
):
    """RFC 3581: what `rport` says is registered, with Kamailio as it is, without any NAT helper."""
    need("kamailio")
    kamailio = Kamailio(network, tmp_path / "kamailio")
    inner, outer, address = network.party(), network.party(), network.party()
    sockets = [network.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    sockets[0].bind((inner, 5060))
    sockets[1].bind((outer, 23456))
    router = Router(*sockets, kamailio.address)
    phone = Phone(
        tmp_path / "phone", line("101", f"{inner}:5060"), namespace=network, address=address
    )
    try:
        phone.wait_registered()
        # Kamailio passes the question on to the Contact it has; only the outer one leads back.
        wait_for("an answer through the router", lambda: kamailio.knows("101"))
        assert "Traceback" not in phone.log()
    finally:
        phone.close()
        router.close()


BROKEN = "2001:db8:66::9"


def break_ipv6(network, how):
    """An address and a default route by IPv6, and behind them nothing: silence, or a refusal."""
    network.run("ip", "-6", "addr", "add", "2001:db8:66::1/64", "dev", "v1", "nodad")
    if how == "silence":  # a neighbour that is not there takes everything
        words = ("neigh", "add", BROKEN, "lladdr", "02:00:00:00:00:01", "dev", "v1")
    else:
        words = ("route", "add", how, f"{BROKEN}/128")
    assert network.run("ip", "-6", *words).returncode == 0


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("how", ["silence", "unreachable"])
def test_f54_broken_ipv6_beside_ipv4_costs_a_second_or_two(
    need, network, tmp_path, names, how, transport
):
    """RFC 8305 §5 on real sockets: the name has both addresses, the phone is everywhere."""
    need("kamailio")
    kamailio = Kamailio(network, tmp_path / "kamailio")
    break_ipv6(network, how)
    names.start(f"host-record=pbx.{DOMAIN},{kamailio.address},{BROKEN}")
    rows = line("101", f"pbx.{DOMAIN}:5060", transport=transport, realm="office.example")
    began, held = time.monotonic(), HeldUp()
    phone = Phone(tmp_path / "phone", rows, namespace=network, address="", port=5070)
    try:
        phone.wait_registered()
        assert time.monotonic() - began < 6.0 + held.seconds(phone.pid)
        assert kamailio.knows("101")
        assert "Traceback" not in phone.log()
    finally:
        phone.close()


class LinkLocal(threading.Thread):
    """A registrar at a link-local address; says 200 to everything, and notes what it was told."""

    def __init__(self, network, kind):
        super().__init__(daemon=True)
        network.party()
        found = network.run("ip", "-6", "-o", "addr", "show", "dev", "v1", "scope", "link").stdout
        self.address = found.split()[3].partition("/")[0]
        index = int(network.run("ip", "-o", "link", "show", "dev", "v1").stdout.partition(":")[0])
        self.heard = []
        self._socket = network.socket(socket.AF_INET6, kind)
        # A veth's address is tentative for a moment (RFC 4862 §5.4).
        wait_for("the address", lambda: self._bind(index))
        self._socket.settimeout(0.2)
        self._stream = kind is socket.SOCK_STREAM
        self._end = threading.Event()
        self.start()

    def _bind(self, index):
        try:
            self._socket.bind((self.address, 5060, 0, index))
        except OSError:
            return False
        return True

    def run(self):
        if self._stream:
            self._socket.listen()
        while not self._end.is_set():
            with contextlib.suppress(TimeoutError):
                if self._stream:
                    self._serve(self._socket.accept()[0])
                else:
                    data, source = self._socket.recvfrom(65535)
                    self._socket.sendto(self._answer(data), source)

    def _serve(self, connection):
        connection.settimeout(0.2)
        with connection:
            while not self._end.is_set():
                with contextlib.suppress(TimeoutError):
                    data = connection.recv(65535)
                    if not data:
                        return
                    connection.sendall(self._answer(data) if data.strip() else b"\r\n")

    def _answer(self, data):
        text = data.decode()
        self.heard.append(text)
        names = ("Via:", "From:", "To:", "Call-ID:", "CSeq:", "Contact:")
        rows = [row for row in text.split("\r\n") if row.startswith(names)]
        return "\r\n".join(["SIP/2.0 200 OK", *rows, "Content-Length: 0", "", ""]).encode()

    def close(self):
        self._end.set()
        self.join(5)
        self._socket.close()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_f54_a_registrar_at_a_link_local_address(network, tmp_path, transport):
    """RFC 4007 §11, RFC 6874 §4: the zone finds the interface and stands in no message."""
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    registrar = LinkLocal(network, kind)
    server = f"[{registrar.address}%v1]:5060"
    rows = line("101", server, transport=transport)
    phone = Phone(tmp_path / "phone", rows, namespace=network, address="", port=5070)
    try:
        phone.wait_registered()
        assert f"REGISTER sip:[{registrar.address}]:5060" in registrar.heard[0]
        assert not any("%" in text for text in registrar.heard)
        assert "Traceback" not in phone.log()
    finally:
        phone.close()
        registrar.close()


LOAD = 25


def test_tcp_calls_through_kamailio_do_not_fail_while_addresses_come_and_go(
    need, network, tmp_path
):
    """Calls over a connection whose address stays are not touched by a change elsewhere."""
    need("kamailio")
    kamailio = Kamailio(network, tmp_path / "kamailio")
    addresses = [network.party() for _ in range(2)]
    alice, bob = (
        Phone(
            tmp_path / user,
            line(user, kamailio.server, transport="tcp", auto_answer="always"),
            namespace=network,
            address=address,
            loop=True,
        )
        for user, address in zip(("101", "102"), addresses, strict=True)
    )
    try:
        alice.wait_registered()
        bob.wait_registered()
        for number in range(LOAD):
            if number % 4 == 0:
                network.party()  # an address more, as from a cable that is plugged in
            alice.ask(s.Dial(target="102"))
            alice.wait_state("talking")
            alice.ask(s.HangUp())
            alice.wait_state("idle")
            bob.wait("the end of the call", lambda found: not found.calls)
        assert all(row.outcome == "answered" for row in calls(alice))
    finally:
        bob.close()
        alice.close()


def calls(phone):
    return phone.ask(s.Calls(limit=200), s.CallsReply).log
