"""Handshakes: off the loop, taken up again, cut off in each of their phases."""

import asyncio
import contextlib
import socket
import struct
import threading

import pytest

from firmware.net import security as security_room
from firmware.net.link_error import LinkError
from firmware.net.security import Security
from firmware.net.stream import Streams
from firmware.net.stream import _Connection as Connection
from firmware.net.tls import Ticket, TlsLayer, server_context
from firmware.sip.flow import Endpoint, Target, Terms, TlsTerms, Transport
from firmware.sip.notifications import FailureCause
from tests.support.certificates import Authority

HOST = "office.example"
HERE = "127.0.0.1"
WORD = b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="module")
def certificate(office):
    return office.issue(f"DNS:{HOST}")


@pytest.fixture(scope="module")
def wanted(office):
    return Terms(HOST, TlsTerms(ca=str(office.file)))


def own(certificate):
    return TlsTerms(cert=str(certificate.cert), key=str(certificate.key))


def target(port, transport=Transport.TLS, host=HERE):
    return Target(transport, Endpoint(host, port), Endpoint(host, 0))


@pytest.fixture
async def phone(ear):
    made = Streams(ear)
    yield made
    await made.close()
    assert len(made) == 0


@pytest.fixture
async def pbx(ear):
    made = Streams(type(ear)())
    yield made
    await made.close()


async def spoken(phone, pbx, ear, port, wanted):
    """A connection on which both sides have said a word."""
    flow = await phone.connect(target(port), wanted)
    phone.send(flow, WORD)
    await pbx.sink.until(lambda far: far.messages)
    pbx.send(pbx.sink.messages.pop()[1], WORD)
    await ear.until(lambda near: near.messages)
    ear.messages.clear()
    return flow, phone._open[flow.number]._pipe._secure


class TestOffTheLoop:
    async def test_no_step_of_a_handshake_is_done_on_the_loop(
        self, phone, pbx, ear, certificate, wanted, monkeypatch
    ):
        where = []
        feed = TlsLayer.feed

        def noted(layer, data):
            shaking = not layer.ready
            where.append((shaking, threading.current_thread() is threading.main_thread()))
            return feed(layer, data)

        monkeypatch.setattr(TlsLayer, "feed", noted)
        port = await pbx.listen(HERE, 0, Transport.TLS, own(certificate))
        await spoken(phone, pbx, ear, port, wanted)
        assert {on_loop for shaking, on_loop in where if shaking} == {False}
        assert {on_loop for shaking, on_loop in where if not shaking} == {True}

    async def test_what_arrives_during_a_step_waits_for_its_end(
        self, phone, pbx, certificate, wanted, monkeypatch
    ):
        """A server that sends its flight in pieces, the phone slow to chew each."""
        feed, slow = TlsLayer.feed, threading.Event()

        def chew(layer, data):
            if not layer.ready:
                slow.wait(0.01)
            return feed(layer, data)

        monkeypatch.setattr(TlsLayer, "feed", chew)
        port = await pbx.listen(HERE, 0, Transport.TLS, own(certificate))
        async with crumbling(port) as crumbs:
            flow = await phone.connect(target(crumbs), wanted)
            phone.send(flow, WORD)
            await pbx.sink.until(lambda far: far.messages)

    async def test_f26_a_last_word_before_the_end_is_still_heard(self, phone, wanted, monkeypatch):
        """An alert and the end of the connection in one go: the reason is not lost."""
        feed, closed = TlsLayer.feed, threading.Event()

        def late(layer, data):
            closed.wait(20)
            return feed(layer, data)

        monkeypatch.setattr(TlsLayer, "feed", late)
        monkeypatch.setattr(
            Connection,
            "connection_lost",
            lambda one, exc, lost=Connection.connection_lost: (lost(one, exc), closed.set()),
        )
        with listening() as server:
            opening = asyncio.ensure_future(phone.connect(target(server.getsockname()[1]), wanted))
            far, _ = await asyncio.get_running_loop().sock_accept(server)
            await asyncio.get_running_loop().sock_recv(far, 65536)
            far.send(b"\x15\x03\x03\x00\x02\x02\x46")  # alert: protocol_version
            far.close()
            with pytest.raises(LinkError) as caught:
                await opening
        assert caught.value.cause is FailureCause.TLS_TOO_OLD
        assert len(phone) == 0

    async def test_a13_a_connection_that_is_closed_during_a_step_is_gone(
        self, phone, wanted, empty, monkeypatch
    ):
        """Given up while its thread is busy: nothing touches the layers twice at once."""
        busy, free = threading.Event(), threading.Event()

        def stuck(layer, data):
            del layer, data
            busy.set()
            free.wait(20)
            raise LinkError(FailureCause.TLS_FAILED, "too late to be heard")

        monkeypatch.setattr(TlsLayer, "feed", stuck)
        with listening() as server:
            opening = asyncio.ensure_future(phone.connect(target(server.getsockname()[1]), wanted))
            far, _ = await asyncio.get_running_loop().sock_accept(server)
            far.send(b"\x16\x03\x03")
            await asyncio.to_thread(busy.wait, 20)
            opening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await opening
            free.set()
            await empty(phone)
            far.close()


class TestTakenUpAgain:
    async def test_the_second_connection_takes_up_the_session_of_the_first(
        self, phone, pbx, ear, certificate, wanted
    ):
        port = await pbx.listen(HERE, 0, Transport.TLS, own(certificate))
        found = []
        for _ in range(3):
            flow, layer = await spoken(phone, pbx, ear, port, wanted)
            found.append(layer.resumed)
            phone.close_flow(flow)
        assert found == [False, True, True]

    async def test_a_server_that_has_forgotten_it_is_met_anew(
        self, phone, pbx, ear, certificate, wanted
    ):
        """A PBX that restarted has other keys for its tickets: a whole handshake, no failure."""
        port = await pbx.listen(HERE, 0, Transport.TLS, own(certificate))
        flow, _ = await spoken(phone, pbx, ear, port, wanted)
        phone.close_flow(flow)
        await pbx.deafen()
        pbx.security = Security()
        assert await pbx.listen(HERE, port, Transport.TLS, own(certificate)) == port
        _, layer = await spoken(phone, pbx, ear, port, wanted)
        assert not layer.resumed

    async def test_f26_another_name_or_another_line_does_not_take_it_up(
        self, phone, pbx, ear, office, wanted
    ):
        both = office.issue(f"DNS:{HOST}", "DNS:other.example")
        port = await pbx.listen(HERE, 0, Transport.TLS, own(both))
        await spoken(phone, pbx, ear, port, wanted)
        elsewhere = Terms("other.example", wanted.tls)
        stricter = Terms(
            HOST, TlsTerms(ca=str(office.file), cert=str(both.cert), key=str(both.key))
        )
        for terms in (elsewhere, stricter):
            _, layer = await spoken(phone, pbx, ear, port, terms)
            assert not layer.resumed

    def test_f26_no_session_outlives_the_certificate_or_an_hour(self, office):
        for days, longest in ((0.01, 0.01 * 86400), (30, 3600)):
            ended = office.issue(f"DNS:{HOST}", ends=days)
            kept = ticket_from(office, ended)
            assert kept.until - kept.session.time <= longest + 2
            now = [kept.until - 1.0]
            room = Security(wall=lambda now=now: now[0])
            place = (1, HOST, Endpoint(HERE, 5061))
            room._keep(place, kept)
            assert room._session(place) is kept.session
            assert room._session(place) is None, "each is used once"
            room._keep(place, kept)
            now[0] += 2.0
            assert room._session(place) is None
            room.close()

    def test_what_is_kept_is_bounded(self, office, certificate):
        kept, room = ticket_from(office, certificate), Security()
        for port in range(100):
            room._keep((1, HOST, Endpoint(HERE, port)), kept)
        assert len(room._tickets) == security_room._MOST_TICKETS
        room.close()


def ticket_from(office, certificate) -> Ticket:
    from firmware.net.tls import client_context  # noqa: PLC0415 - only here

    kept: list[Ticket] = []
    context = client_context(TlsTerms(ca=str(office.file)))
    near = TlsLayer(context, HOST, clock_is_set=lambda: True, keep=kept.append)
    far = TlsLayer(server_context(own(certificate)), server=True)
    near.begin()
    for _ in range(4):
        far.feed(near.take())
        near.feed(far.take())
    far.wrap(b"x")
    near.feed(far.take())
    return kept[0]


@contextlib.contextmanager
def listening():
    with socket.create_server((HERE, 0)) as server:
        server.setblocking(False)  # noqa: FBT003 - as socket wants it
        yield server


@contextlib.asynccontextmanager
async def crumbling(port):
    """A port that hands everything on to `port`, and back in pieces of some octets."""

    async def pump(reader, writer, size):
        with contextlib.suppress(OSError):
            while data := await reader.read(size):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader, writer):
        other, back = await asyncio.open_connection(HERE, port)
        await asyncio.gather(pump(reader, back, 65536), pump(other, writer, 100))

    server = await asyncio.start_server(serve, HERE, 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


def reset(sock):
    """Close with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def flight_of(certificate, hello):
    """What a server answers to a ClientHello."""
    layer = TlsLayer(server_context(own(certificate)), server=True)
    layer.feed(hello)
    return layer.take()


PHASES = ["at once", "after our hello", "half its flight", "after its flight"]
_REFUSED_WORDS = ("Connection reset by peer", "closed by the far end")


@pytest.fixture
def patient(monkeypatch):
    """A handshake that says nothing more is waited for as if for ever."""
    monkeypatch.setattr("firmware.net.stream.HANDSHAKE_SECONDS", 600.0)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("how", ["reset", "end"])
@pytest.mark.parametrize("phase", PHASES)
async def test_f25_a_handshake_cut_off_in_each_phase_is_a_refusal_at_once(
    phone, certificate, wanted, empty, phase, how
):
    loop = asyncio.get_running_loop()
    with listening() as server:
        opening = asyncio.ensure_future(phone.connect(target(server.getsockname()[1]), wanted))
        far, _ = await loop.sock_accept(server)
        if phase != PHASES[0]:
            flight = flight_of(certificate, await loop.sock_recv(far, 65536))
            size = {PHASES[2]: len(flight) // 2, PHASES[3]: len(flight)}.get(phase, 0)
            await loop.sock_sendall(far, flight[:size])
            if phase == PHASES[3]:
                await loop.sock_recv(far, 65536)  # the client's last word
        reset(far) if how == "reset" else far.close()
        if phase == PHASES[3]:
            await gone(opening, phone, empty)
            return
        with pytest.raises(OSError) as caught:  # noqa: PT011 - by its words, below
            async with asyncio.timeout(20):
                await opening
    assert str(caught.value) in _REFUSED_WORDS or caught.value.strerror in _REFUSED_WORDS
    assert len(phone) == 0


async def gone(opening, phone, empty):
    """With TLS 1.3 our side is ready by then: the connection stood for a moment."""
    with contextlib.suppress(OSError):
        await opening
    await empty(phone)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"SIP/2.0 400 Bad Request\r\n\r\n",
        b"220 mail ready\r\n",
    ],
    ids=["HTTP", "SIP", "mail"],
)
async def test_f26_what_is_no_tls_is_called_so(phone, wanted, said):
    loop = asyncio.get_running_loop()
    with listening() as server:
        opening = asyncio.ensure_future(phone.connect(target(server.getsockname()[1]), wanted))
        far, _ = await loop.sock_accept(server)
        await loop.sock_recv(far, 65536)
        await loop.sock_sendall(far, said)
        with pytest.raises(LinkError, match="it speaks no TLS on this port") as caught:
            await opening
        far.close()
    assert caught.value.cause is FailureCause.TLS_FAILED


_SAVE_SYN, _SAVED_SYN = 27, 28  # linux/tcp.h


@pytest.mark.parametrize("host", [HERE, "::1"])
async def test_the_first_packet_of_a_connection_bears_our_mark(ear, host):
    """RFC 2474 §3: also the SYN, which asks the same switches for the same haste."""
    phone = Streams(ear, dscp=40)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        server.setsockopt(socket.IPPROTO_TCP, _SAVE_SYN, 1)
        server.setblocking(False)  # noqa: FBT003 - as socket wants it
        await phone.connect(target(server.getsockname()[1], Transport.TCP, host))
        far, _ = await asyncio.get_running_loop().sock_accept(server)
        syn = far.getsockopt(socket.IPPROTO_TCP, _SAVED_SYN, 200)
        far.close()
    octets = int.from_bytes(syn[:2], "big")
    assert (octets >> 4 & 0xFF if ":" in host else octets & 0xFF) >> 2 == 40
    await phone.close()
