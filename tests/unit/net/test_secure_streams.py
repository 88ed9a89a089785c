"""Two `Streams` on loopback, one the phone's and one the server's, over each kind of connection."""

import asyncio
import contextlib
import itertools
import socket
import subprocess
import sys

import pytest

from firmware.net import stream
from firmware.net.binding import MEDIA, SIGNALLING
from firmware.net.link_error import LinkError
from firmware.net.security import CertificateWatch, Security
from firmware.net.stream import Streams
from firmware.sip.flow import Endpoint, Target, Terms, TlsTerms, Transport
from firmware.sip.notifications import FailureCause
from tests.support.certificates import Authority

HOST = "office.example"
OPTIONS = b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 4\r\n\r\nbody"
NOISES = (b"\0" * 300, b"SIP/2.0 200 OK\r\n\r\n" * 20, b"\xff" * 5000)
KINDS = (Transport.TLS, Transport.WS, Transport.WSS)


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="module")
def certificate(office):
    return office.issue(f"DNS:{HOST}")


@pytest.fixture
def office_and_own(office, certificate):
    return office, certificate


@pytest.fixture
def make_ear(ear):
    return type(ear)


@pytest.fixture
async def phone(ear):
    made = Streams(ear)
    yield made
    await made.close()
    assert len(made) == 0


@pytest.fixture
async def pbx(make_ear):
    made = Streams(make_ear())
    yield made
    await made.close()
    assert len(made) == 0


def own(certificate, ca=""):
    return TlsTerms(str(ca), str(certificate.cert), str(certificate.key))


def terms(transport, office, name=HOST, path="/"):
    tls = TlsTerms(str(office.file)) if transport.secure else None
    return Terms(name, tls, path if transport.web else "")


def target(host, port, transport):
    return Target(transport, Endpoint(host, port), Endpoint(host, 0))


@pytest.mark.parametrize("transport", KINDS)
async def test_messages_go_both_ways(phone, pbx, ear, office_and_own, loopback, transport):
    office, certificate = office_and_own
    port = await pbx.listen(loopback, 0, transport, own(certificate))
    wanted = terms(transport, office)
    flow = await phone.connect(target(loopback, port, transport), wanted)
    assert (flow.transport, flow.terms, flow.remote.port) == (transport, wanted, port)
    assert phone.send(flow, OPTIONS)
    await pbx.sink.until(lambda ear: ear.messages)
    message, back = pbx.sink.messages[0]
    assert (message, back.transport, back.terms) == (OPTIONS, transport, None)
    assert pbx.send(back, OPTIONS)
    await ear.until(lambda ear: ear.messages)
    assert ear.messages == [(OPTIONS, flow)]


@pytest.mark.parametrize("transport", KINDS)
async def test_f25_a_keep_alive_is_answered(phone, pbx, ear, office, certificate, transport):
    # RFC 5626 §4.4.1, RFC 7118 §6
    port = await pbx.listen("127.0.0.1", 0, transport, own(certificate))
    flow = await phone.connect(target("127.0.0.1", port, transport), terms(transport, office))
    phone.send(flow, b"\r\n\r\n")
    await ear.until(lambda ear: ear.messages)
    assert ear.messages == [(b"\r\n", flow)]


@pytest.mark.parametrize("transport", KINDS)
async def test_who_leaves_says_so(phone, pbx, office, certificate, transport):
    port = await pbx.listen("127.0.0.1", 0, transport, own(certificate))
    flow = await phone.connect(target("127.0.0.1", port, transport), terms(transport, office))
    phone.send(flow, OPTIONS)
    await pbx.sink.until(lambda ear: ear.messages)
    phone.close_flow(flow)
    await pbx.sink.until(lambda ear: ear.closed)
    assert pbx.sink.closed[0][1] == "closed by the far end"
    assert not phone.send(flow, OPTIONS)


async def test_f26_a_server_of_another_name_is_left_before_a_word_of_sip(phone, pbx, office, empty):
    port = await pbx.listen("127.0.0.1", 0, Transport.TLS, own(office.issue("DNS:other.example")))
    with pytest.raises(LinkError, match=r"^other\.example$") as caught:
        await phone.connect(target("127.0.0.1", port, Transport.TLS), terms(Transport.TLS, office))
    assert caught.value.cause is FailureCause.CERT_NAME
    await empty(pbx)
    assert pbx.sink.messages == []


async def test_f26_a_server_that_speaks_no_tls_is_not_spoken_to_in_the_clear(phone, pbx, office):
    port = await pbx.listen("127.0.0.1", 0, Transport.TCP)
    with pytest.raises(LinkError):
        await phone.connect(target("127.0.0.1", port, Transport.TLS), terms(Transport.TLS, office))
    assert pbx.sink.messages == []


async def test_a_line_without_its_files_stays_down_with_their_name(phone):
    wanted = Terms(HOST, TlsTerms(ca="/nowhere/ca.pem"))
    with pytest.raises(LinkError, match=r"ca\.pem: No such file") as caught:
        await phone.connect(target("127.0.0.1", 9, Transport.TLS), wanted)
    assert caught.value.cause is FailureCause.TLS_OWN_FILES


@pytest.mark.parametrize("transport", KINDS)
async def test_a13_a_server_that_never_shakes_hands_is_given_up(
    phone, office, transport, monkeypatch
):
    monkeypatch.setattr(stream, "HANDSHAKE_SECONDS", 0.05)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        there = target("127.0.0.1", mute.getsockname()[1], transport)
        with pytest.raises(OSError, match=r"silent|^$"):
            await phone.connect(there, terms(transport, office))


@pytest.mark.parametrize("transport", [Transport.TCP, *KINDS])
async def test_a13_idle_connections_make_room_for_who_speaks(
    phone, pbx, office, certificate, transport, monkeypatch
):
    """Two hundred that say nothing: the phone keeps its 64 places, and the next caller gets one."""
    port = await pbx.listen("127.0.0.1", 0, transport, own(certificate))
    idle = []
    for _ in range(200):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        idle.append(writer)
    try:
        assert len(pbx) <= stream.MOST_CONNECTIONS
        known = terms(transport, office) if transport is not Transport.TCP else None
        flow = await phone.connect(target("127.0.0.1", port, transport), known)
        phone.send(flow, OPTIONS)
        await pbx.sink.until(lambda ear: ear.messages)
    finally:
        for writer in idle:
            writer.close()


@pytest.mark.parametrize("transport", KINDS)
async def test_a13_a_handshake_in_drops_is_cut_off(pbx, certificate, wire, transport, monkeypatch):
    monkeypatch.setattr(stream, "HANDSHAKE_SECONDS", 0.1)
    port = await pbx.listen("127.0.0.1", 0, transport, own(certificate))
    reader, writer = await wire("127.0.0.1", port)
    first = b"\x16\x03\x01\x02\x00" if transport.secure else b"GET / HTTP/1.1\r\n"
    writer.write(first)
    async with asyncio.timeout(20):
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read(100) == b""
    assert len(pbx) == 0


@pytest.mark.parametrize(
    "noise_at",
    list(itertools.product(KINDS, NOISES)),
    ids=lambda each: f"{each[0].value}-{each[1][:3]!r}",
)
async def test_noise_at_the_door_ends_that_connection_only(
    phone, pbx, office_and_own, wire, noise_at, monkeypatch
):
    office, certificate = office_and_own
    transport, noise = noise_at
    port = await pbx.listen("127.0.0.1", 0, transport, own(certificate))
    flow = await phone.connect(target("127.0.0.1", port, transport), terms(transport, office))
    monkeypatch.setattr(stream, "HANDSHAKE_SECONDS", 0.5)
    reader, writer = await wire("127.0.0.1", port)
    writer.write(noise)
    async with asyncio.timeout(20):
        with contextlib.suppress(ConnectionResetError):
            while await reader.read(4096):
                pass
    phone.send(flow, OPTIONS)
    await pbx.sink.until(lambda ear: ear.messages)
    assert len(pbx) == 1


async def test_f25_what_is_sent_and_not_acknowledged_ends_the_connection(phone, pbx):
    port = await pbx.listen("127.0.0.1", 0)
    flow = await phone.connect(target("127.0.0.1", port, Transport.TCP))
    sock = phone._open[flow.number]._transport.get_extra_info("socket")
    assert sock.getsockopt(socket.IPPROTO_TCP, 18) == 30_000  # TCP_USER_TIMEOUT


@pytest.mark.parametrize("transport", [Transport.TCP, *KINDS])
async def test_both_ends_mark_what_they_send(make_ear, office, certificate, loopback, transport):
    # RFC 2474 §3; what RFC 4594 §4.1 asks for speech, and what is used instead of its §4.2.
    assert (SIGNALLING, MEDIA) == (24, 46)
    one, other = Streams(make_ear(), dscp=40), Streams(make_ear(), dscp=24)
    try:
        port = await other.listen(loopback, 0, transport, own(certificate))
        known = terms(transport, office) if transport is not Transport.TCP else None
        flow = await one.connect(target(loopback, port, transport), known)
        one.send(flow, OPTIONS)
        await other.sink.until(lambda ear: ear.messages)
        (near,), (far,) = one._open.values(), other._open.values()
        assert [_code_point(end) for end in (near, far)] == [40, 24]
    finally:
        await one.close()
        await other.close()


def _code_point(connection):
    sock = connection._transport.get_extra_info("socket")
    if sock.family == socket.AF_INET6:
        return sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS) >> 2
    return sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) >> 2


def test_a_phone_by_udp_loads_nothing_of_all_this():
    code = (
        "import sys, firmware.runtime.signalling\n"
        "rooms = ('security', 'tls', 'websocket', 'clock')\n"
        "assert not {f'firmware.net.{room}' for room in rooms} & set(sys.modules)\n"
        "assert not {'websockets', 'firmware.sip.route.certificates'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


class TestContexts:
    async def test_one_is_kept_until_a_file_changes(self, office, tmp_path):
        security = Security()
        one, other = office.issue(f"DNS:{HOST}"), office.issue(f"DNS:{HOST}")
        cert, key = tmp_path / "own.pem", tmp_path / "own.key"
        made = []
        for each in (one, one, other):
            cert.write_bytes(each.cert.read_bytes())
            key.write_bytes(each.key.read_bytes())
            tls = TlsTerms(str(office.file), str(cert), str(key))
            made.append(await security._context(tls, server=False))
            if each is one:
                made.append(await security._context(tls, server=False))
        assert made[0] is made[1]
        assert made[-1] is not made[0]

    async def test_another_name_is_another_flow(self, phone, pbx, office):
        # RFC 5923 §8.1: what was verified for one name says nothing about another.
        port = await pbx.listen(
            "127.0.0.1", 0, Transport.TLS, own(office.issue("DNS:a.example", "DNS:b.example"))
        )
        there = target("127.0.0.1", port, Transport.TLS)
        flows = [
            await phone.connect(there, terms(Transport.TLS, office, name))
            for name in ("a.example", "b.example")
        ]
        assert flows[0].terms != flows[1].terms


class TestOwnCertificate:
    """F27."""

    @pytest.mark.parametrize(("ends", "days"), [(29.5, 29), (0.5, 0), (-2, 0), (31, None)])
    async def test_f27_a_certificate_of_ours_that_ends_soon_is_spoken_of(self, office, ends, days):
        certificate = office.issue("DNS:phone.example", begins=-10, ends=ends)
        security, said = Security(), []
        watch = CertificateWatch(security, lambda file, left: said.append((file, left)))
        watch.look()
        await security._context(own(certificate), server=False)
        watch.look()
        watch.look()
        assert said == ([] if days is None else [(str(certificate.cert), days)])
        watch._next_day()
        assert len(said) == (0 if days is None else 2)
        watch.stop()

    async def test_f27_one_that_was_renewed_is_spoken_of_no_more(self, office, tmp_path):
        cert, key = tmp_path / "own.pem", tmp_path / "own.key"
        security, said = Security(), []
        watch = CertificateWatch(security, lambda _, left: said.append(left))
        for days in (5.5, 80.5):
            made = office.issue("DNS:phone.example", ends=days)
            cert.write_bytes(made.cert.read_bytes())
            key.write_bytes(made.key.read_bytes())
            tls = TlsTerms(str(office.file), str(cert), str(key))
            await security._context(tls, server=False)
            watch.look()
        watch._next_day()
        watch.stop()
        assert said == [5, 80]
