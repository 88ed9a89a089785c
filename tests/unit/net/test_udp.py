import asyncio
import socket

import pytest

from firmware.net.errors import ListenError, PortTakenError
from firmware.net.udp import UdpSocket
from firmware.sip.flow import Endpoint, Flow, Transport

EVERYWHERE = {"127.0.0.1": "0.0.0.0", "::1": "::"}


@pytest.fixture
async def listening(ear):
    """Our sockets; what they receive and what fails goes to the ear."""
    opened = []

    def listen(host, port=0):
        opened.append(UdpSocket(host, port, ear.stream_message, ear.stream_closed))
        return opened[-1]

    yield listen
    for sock in opened:
        sock.close()


def a_flow(local, remote):
    return Flow(Transport.UDP, Endpoint(*local), Endpoint(*remote))


async def test_a_datagram_names_both_ends(listening, ear, udp_socket, loopback):
    ours, theirs = listening(loopback), udp_socket(loopback)
    theirs.sendto(b"OPTIONS", (loopback, ours.endpoint.port))
    await ear.until(lambda ear: ear.messages)
    far = theirs.getsockname()[:2]
    assert ear.messages == [(b"OPTIONS", a_flow((loopback, ours.endpoint.port), far))]


async def test_an_answer_arrives_where_the_question_came_from(listening, ear, udp_socket, loopback):
    ours, theirs = listening(EVERYWHERE[loopback]), udp_socket(loopback)
    theirs.sendto(b"question", (loopback, ours.endpoint.port))
    await ear.until(lambda ear: ear.messages)
    ours.send(ear.messages[0][1], b"answer")
    assert theirs.recvfrom(100)[1][:2] == (loopback, ours.endpoint.port)


async def test_a_phone_with_many_addresses_answers_from_the_one_it_was_asked_at(
    listening, ear, udp_socket
):
    ours, theirs = listening("0.0.0.0"), udp_socket("127.0.0.1")
    theirs.sendto(b"question", ("127.0.0.77", ours.endpoint.port))
    await ear.until(lambda ear: ear.messages)
    flow = ear.messages[0][1]
    assert flow.local == Endpoint("127.0.0.77", ours.endpoint.port)
    ours.send(flow, b"answer")
    assert theirs.recvfrom(100) == (b"answer", ("127.0.0.77", ours.endpoint.port))


async def test_a_datagram_without_content_and_one_of_64_kb_arrive_whole(listening, ear, udp_socket):
    ours, theirs = listening("127.0.0.1"), udp_socket("127.0.0.1")
    big = b"x" * 65_507
    for data in (b"", big):
        theirs.sendto(data, ("127.0.0.1", ours.endpoint.port))
    await ear.until(lambda ear: len(ear.messages) == 2)
    assert [data for data, _ in ear.messages] == [b"", big]


@pytest.mark.parametrize(
    ("remote", "data", "reason"),
    [
        (("127.0.0.1", 9), b"x" * 70_000, "Message too long"),
        (("127.0.0.1", 0), b"x", "Invalid argument"),
        (("127.0.0.1", 70_000), b"x", "port must be 0-65535"),
        (("255.255.255.255", 5060), b"x", "Permission denied"),
    ],
    ids=["too long", "port 0", "no such port", "broadcast"],
)
async def test_what_the_kernel_refuses_to_send_is_a_failed_flow(
    listening, ear, remote, data, reason
):
    ours = listening("127.0.0.1")
    flow = a_flow(("127.0.0.1", ours.endpoint.port), remote)
    ours.send(flow, data)
    assert ear.closed == []  # never from inside `send`: the caller is in the middle of something
    await ear.until(lambda ear: ear.closed)
    assert ear.closed[0][0] == flow
    assert reason in ear.closed[0][1]


async def test_nobody_at_the_far_end_does_not_deafen_the_socket(listening, ear, udp_socket):
    ours, gone, caller = (
        listening("127.0.0.1"),
        udp_socket("127.0.0.1"),
        udp_socket("127.0.0.1"),
    )
    far = gone.getsockname()
    gone.close()
    ours.send(a_flow(("127.0.0.1", ours.endpoint.port), far), b"hello?")
    caller.sendto(b"hello", ("127.0.0.1", ours.endpoint.port))
    await ear.until(lambda ear: ear.messages)
    assert ear.messages[0][0] == b"hello"


async def test_a_flood_leaves_the_loop_time_for_everything_else(listening, ear, udp_socket):
    ours, theirs = listening("127.0.0.1"), udp_socket("127.0.0.1")
    for _ in range(100):
        theirs.sendto(b"flood", ("127.0.0.1", ours.endpoint.port))
    most = 0
    while len(ear.messages) < 100:
        before = len(ear.messages)
        await asyncio.sleep(0)
        most = max(most, len(ear.messages) - before)
    assert 0 < most <= 8


async def test_a_taken_port_says_who_holds_it(listening, udp_socket, loopback):
    taken = udp_socket(loopback).getsockname()[1]
    with pytest.raises(PortTakenError, match=rf"UDP port {taken} is taken by \S+ \(pid \d+\)"):
        listening(loopback, taken)


async def test_an_address_that_is_still_to_come_can_be_listened_on(listening):
    assert listening("192.0.2.7").endpoint.host == "192.0.2.7"


async def test_what_is_no_address_is_refused_in_words(listening):
    with pytest.raises(ListenError, match=r"cannot listen on nowhere\.invalid UDP port 0: "):
        listening("nowhere.invalid")


async def test_signalling_is_marked_for_the_network(listening):
    sock = listening("127.0.0.1")._socket
    assert sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 24 << 2
