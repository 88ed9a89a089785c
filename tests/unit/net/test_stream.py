import asyncio
import socket

import pytest

from firmware.net import stream
from firmware.net.errors import PortTakenError
from firmware.net.link_error import LinkError
from firmware.net.stream import Streams
from firmware.sip.flow import Endpoint, Target, Transport
from tests.support.moved_clock import movable

OPTIONS = b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 4\r\n\r\nbody"


@pytest.fixture
async def streams(ear):
    """Our connections."""
    made = Streams(ear)
    yield made
    await made.close()
    assert len(made) == 0


@pytest.fixture
async def listener():
    """A far end: `start(host)` gives its port; its connections are closed after the test."""
    servers, writers = [], []
    arrived = asyncio.Queue()

    async def accept(reader, writer):
        writers.append(writer)
        await arrived.put((reader, writer))

    async def start(host):
        server = await asyncio.start_server(accept, host, 0)
        servers.append(server)
        return server.sockets[0].getsockname()[1]

    start.arrived = arrived
    yield start
    for writer in writers:
        writer.close()
    for server in servers:
        server.close()


def target(host, port, transport=Transport.TCP, local=None):
    return Target(transport, Endpoint(host, port), Endpoint(local or host, 5060))


async def hung_up(reader):
    """Whether the phone has closed the connection."""
    async with asyncio.timeout(20):
        try:
            return await reader.read(1) == b""
        except ConnectionError:
            return True


async def test_a_message_names_its_connection(streams, ear, wire, loopback):
    port = await streams.listen(loopback, 0)
    _, writer = await wire(loopback, port)
    writer.write(OPTIONS)
    await ear.until(lambda ear: ear.messages)
    data, flow = ear.messages[0]
    assert data == OPTIONS
    assert flow.transport is Transport.TCP
    assert flow.local == Endpoint(loopback, port)
    assert flow.remote == Endpoint(*writer.get_extra_info("sockname")[:2])


async def test_two_connections_have_two_numbers_and_answers_find_theirs(streams, ear, wire):
    port = await streams.listen("127.0.0.1", 0)
    ends = [await wire("127.0.0.1", port) for _ in range(2)]
    for _, writer in ends:
        writer.write(OPTIONS)
    await ear.until(lambda ear: len(ear.messages) == 2)
    flows = {flow.remote.port: flow for _, flow in ear.messages}
    assert len({flow.number for flow in flows.values()}) == 2
    for reader, writer in ends:
        own = writer.get_extra_info("sockname")[1]
        assert streams.send(flows[own], b"for %d" % own)
        assert await reader.readexactly(len(b"for %d" % own)) == b"for %d" % own


async def test_we_connect_from_the_address_that_the_target_names(streams, ear, listener):
    port = await listener("127.0.0.1")
    flow = await streams.connect(target("127.0.0.1", port, local="127.0.0.5"))
    assert flow.local.host == "127.0.0.5"
    _, writer = await listener.arrived.get()
    assert writer.get_extra_info("peername") == ("127.0.0.5", flow.local.port)


async def test_ipv6_connects_too(streams, ear, listener):
    port = await listener("::1")
    flow = await streams.connect(target("::1", port))
    reader, writer = await listener.arrived.get()
    streams.send(flow, OPTIONS)
    assert await reader.readexactly(len(OPTIONS)) == OPTIONS
    writer.write(OPTIONS)
    await ear.until(lambda ear: ear.messages)
    assert ear.messages[0] == (OPTIONS, flow)


async def test_a_refused_connection_is_an_os_error(streams):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        # It is ours and nobody listens there.
        with pytest.raises(ConnectionRefusedError):
            await streams.connect(target("127.0.0.1", port))


async def test_nobody_answering_takes_no_longer_than_the_limit(streams, monkeypatch):
    monkeypatch.setattr(stream, "CONNECT_SECONDS", 0.1)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        # A full backlog drops SYNs: the first connections stand, then one hangs.
        tries = [streams.connect(target("127.0.0.1", port)) for _ in range(5)]
        results = await asyncio.gather(*tries, return_exceptions=True)
    assert any(isinstance(result, TimeoutError) for result in results)


@pytest.mark.parametrize("transport", [Transport.TLS, Transport.WS, Transport.WSS])
async def test_what_asks_for_tls_never_travels_in_the_clear(streams, listener, transport):
    port = await listener("127.0.0.1")
    with pytest.raises(LinkError, match="nothing says whom to trust"):
        await streams.connect(target("127.0.0.1", port, transport))
    assert listener.arrived.empty()


async def test_a_taken_port_says_who_holds_it(streams, ear):
    port = await streams.listen("127.0.0.1", 0)
    other = Streams(ear)
    with pytest.raises(PortTakenError, match=rf"TCP port {port} is taken by \S+ \(pid \d+\)"):
        await other.listen("127.0.0.1", port)


async def test_f21_a_message_may_come_in_single_letters(streams, ear, wire):
    port = await streams.listen("127.0.0.1", 0)
    _, writer = await wire("127.0.0.1", port)
    for letter in OPTIONS * 2:
        writer.write(bytes([letter]))
        await writer.drain()
    await ear.until(lambda ear: len(ear.messages) == 2)
    assert [data for data, _ in ear.messages] == [OPTIONS, OPTIONS]


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"\x00" * 100,
        OPTIONS.replace(b"4\r", b"four\r"),
        OPTIONS.replace(b"4\r", b"99999999\r"),
        b"OPTIONS " + b"x" * 70_000,
    ],
    ids=["TLS", "zeros", "wrong length", "huge length", "endless line"],
)
async def test_f21_garbage_ends_its_connection_and_no_other(streams, ear, wire, garbage):
    port = await streams.listen("127.0.0.1", 0)
    reader, writer = await wire("127.0.0.1", port)
    _, other = await wire("127.0.0.1", port)
    writer.write(garbage)
    assert await hung_up(reader)
    await ear.until(lambda ear: ear.closed)
    assert ear.closed[0][1] == "it sent something that is not SIP"
    other.write(OPTIONS)
    await ear.until(lambda ear: any(data == OPTIONS for data, _ in ear.messages))
    assert len(streams) == 1


async def test_f21_half_a_message_at_the_end_is_dropped(streams, ear, wire):
    port = await streams.listen("127.0.0.1", 0)
    _, writer = await wire("127.0.0.1", port)
    writer.write(OPTIONS[:-1])
    writer.close()
    await ear.until(lambda ear: ear.closed)
    assert ear.messages == []
    assert ear.closed[0][1] == "closed by the far end"


async def test_a13_drops_of_a_message_do_not_buy_time(streams, ear, wire, monkeypatch):
    monkeypatch.setattr(stream, "HALF_MESSAGE_SECONDS", 0.3)
    port = await streams.listen("127.0.0.1", 0)
    reader, writer = await wire("127.0.0.1", port)

    async def drip():
        for letter in OPTIONS:
            writer.write(bytes([letter]))
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    assert await hung_up(reader)
    assert not dripping.done(), "it waited for the whole message"
    dripping.cancel()
    assert ear.closed[0][1] == "it was silent too long"


async def test_a13_whole_messages_do_buy_time(streams, ear, wire, monkeypatch):
    monkeypatch.setattr(stream, "HALF_MESSAGE_SECONDS", 60.0)
    move = movable()
    port = await streams.listen("127.0.0.1", 0)
    _, writer = await wire("127.0.0.1", port)
    for number in range(1, 7):  # never between two messages: half of the next is always there
        writer.write(OPTIONS[10:] if ear.messages else OPTIONS)
        writer.write(OPTIONS[:10])
        await ear.until(lambda ear, number=number: len(ear.messages) == number)
        move(20.0)
        await asyncio.sleep(0.001)  # turns of the loop: what is due is done
    assert ear.closed == []


async def test_a13_strangers_that_say_nothing_are_sent_away(streams, ear, wire, monkeypatch):
    monkeypatch.setattr(stream, "STRANGER_IDLE_SECONDS", 0.1)
    port = await streams.listen("127.0.0.1", 0)
    reader, _ = await wire("127.0.0.1", port)
    assert await hung_up(reader)


async def test_a_connection_of_ours_may_be_silent(streams, ear, wire, listener, monkeypatch):
    monkeypatch.setattr(stream, "STRANGER_IDLE_SECONDS", 0.05)
    port = await listener("127.0.0.1")
    flow = await streams.connect(target("127.0.0.1", port))
    stranger, _ = await wire("127.0.0.1", await streams.listen("127.0.0.1", 0))
    assert await hung_up(stranger)  # it came later, so ours has been silent for longer
    assert flow not in [closed for closed, _ in ear.closed]
    assert streams.send(flow, b"still there")


async def test_a13_two_hundred_silent_strangers_are_capped_and_ours_still_opens(
    streams, ear, wire, listener
):
    port = await streams.listen("127.0.0.1", 0)
    ends = [await wire("127.0.0.1", port) for _ in range(200)]
    assert all([await hung_up(reader) for reader, _ in ends[: -stream.MOST_CONNECTIONS]])
    assert len(streams) == stream.MOST_CONNECTIONS
    flow = await streams.connect(target("127.0.0.1", await listener("127.0.0.1")))
    assert streams.send(flow, OPTIONS)


async def test_a13_a_full_house_of_silent_strangers_makes_room_for_who_speaks(streams, ear, wire):
    port = await streams.listen("127.0.0.1", 0)
    friend, speaks = await wire("127.0.0.1", port)
    speaks.write(OPTIONS)
    await ear.until(lambda ear: ear.messages)
    ends = [await wire("127.0.0.1", port) for _ in range(stream.MOST_CONNECTIONS - 1)]
    for reader, writer in ends:  # a ping is not a word
        writer.write(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"\r\n"
    _, late = await wire("127.0.0.1", port)
    late.write(OPTIONS)
    await ear.until(lambda ear: len(ear.messages) == 2)
    assert await hung_up(ends[0][0]), "the oldest of the silent"
    assert [reason for _, reason in ear.closed] == ["it said nothing and another wanted its place"]
    speaks.write(OPTIONS)
    await ear.until(lambda ear: len(ear.messages) == 3)
    assert len(streams) == stream.MOST_CONNECTIONS
    assert not friend.at_eof()


async def test_a13_when_everybody_speaks_a_newcomer_is_turned_away(streams, ear, wire, monkeypatch):
    monkeypatch.setattr(stream, "MOST_CONNECTIONS", 3)
    port = await streams.listen("127.0.0.1", 0)
    for number in range(1, 4):
        _, writer = await wire("127.0.0.1", port)
        writer.write(OPTIONS)
        await ear.until(lambda ear, number=number: len(ear.messages) == number)
    reader, _ = await wire("127.0.0.1", port)
    assert await hung_up(reader)
    assert ear.closed == []
    assert len(streams) == 3


async def test_a_peer_that_does_not_read_is_dropped_before_it_fills_the_memory(streams, ear, wire):
    port = await streams.listen("127.0.0.1", 0)
    _, writer = await wire("127.0.0.1", port)
    writer.transport.pause_reading()
    writer.write(OPTIONS)
    await ear.until(lambda ear: ear.messages)
    flow = ear.messages[0][1]
    sent = 0
    while not ear.closed:
        streams.send(flow, b"x" * 65536)
        sent += 65536
        await asyncio.sleep(0)
        assert sent < 64 << 20
    assert ear.closed[0][1] == "it does not read"
    assert not streams.send(flow, b"x")


async def test_a_ping_is_answered_and_a_pong_passed_on(streams, ear, wire):
    port = await streams.listen("127.0.0.1", 0)
    reader, writer = await wire("127.0.0.1", port)
    writer.write(b"\r\n\r\n")
    assert await reader.readexactly(2) == b"\r\n"
    writer.write(b"\r\n")
    await ear.until(lambda ear: ear.messages)
    assert ear.messages[0][0] == b"\r\n"


async def test_after_closing_nothing_more_is_heard_of_what_had_arrived(streams, ear, wire):
    class Curt(type(ear)):
        def stream_message(self, data, flow):
            super().stream_message(data, flow)
            streams.close_flow(flow)

    streams.sink = curt = Curt()
    port = await streams.listen("127.0.0.1", 0)
    reader, writer = await wire("127.0.0.1", port)
    writer.write(OPTIONS * 50)
    assert await hung_up(reader)
    await curt.until(lambda ear: ear.closed)
    assert len(curt.messages) == 1
    assert curt.closed[0][1] == "closed by us"


async def test_three_hundred_connections_leave_nothing_behind(streams, ear, listener):
    port = await listener("127.0.0.1")
    for _ in range(300):
        flow = await streams.connect(target("127.0.0.1", port))
        streams.close_flow(flow)
    await ear.until(lambda ear: len(ear.closed) == 300)
    assert len(streams) == 0


async def test_a_connection_of_ours_that_nobody_uses_is_closed(streams, ear, listener, monkeypatch):
    monkeypatch.setattr(stream, "OWN_IDLE_SECONDS", 60.0)
    move = movable()
    port = await listener("127.0.0.1")
    idle = await streams.connect(target("127.0.0.1", port))
    used = await streams.connect(target("127.0.0.1", port))
    while not ear.closed:
        streams.send(used, OPTIONS)
        move(20.0)
        await asyncio.sleep(0.001)  # turns of the loop: what is due is done
    assert [flow for flow, _ in ear.closed] == [idle]
