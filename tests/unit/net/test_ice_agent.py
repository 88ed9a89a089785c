"""An agent on real sockets of loopback: what it gathers, whom it hears, what it refuses."""

import asyncio
import contextlib
import os
import socket
from itertools import pairwise

import pytest
from aioice import stun

from firmware.base.tokens import Tokens
from firmware.net.ice_agent import IceAgent
from firmware.net.ice_places import RTO, Base, Servers, read
from firmware.net.ice_relay import Relay, RelayError, TurnServer
from firmware.net.media_ports import MediaPorts
from firmware.runtime.ice import GATHERING
from firmware.sdp.ice import Credentials, Terms, Theirs
from tests.support.virtual_loop import in_no_time

HERE = "127.0.0.43"
OTHER = "127.0.0.44"


@pytest.fixture
def ports():
    return MediaPorts(42000, 42999, Tokens(os.urandom(16)))


@pytest.fixture
def until():
    """Wait for what other sockets bring about."""

    async def wait(true_of):
        async with asyncio.timeout(20):
            while not true_of():  # noqa: ASYNC110 - no event of ours says so
                await asyncio.sleep(0.005)

    return wait


@pytest.fixture
async def make(ports):
    """Agents with their sockets; all is let go of."""
    with agents(ports) as agent:
        yield agent


@contextlib.contextmanager
def agents(ports):
    """Makes them on the loop that runs."""
    made = []

    def agent(**more):
        pair = ports.reserve(HERE)
        one = IceAgent(pair, Tokens(os.urandom(16)), lambda: one.news.append(one.way), **more)
        one.news, one.pair = [], pair
        made.append(one)
        return one

    yield agent
    for one in made:
        one.close()
        one.pair.close()


GRACE = 0.03
"""What a kernel that is busy may take for a packet over loopback, where time is virtual."""


def hand_over(agent):
    """What the audio process does from now on: read, and pass STUN up."""
    loop = asyncio.get_running_loop()
    for sock, control in ((agent.pair.rtp, False), (agent.pair.rtcp, True)):

        def readable(sock=sock, control=control):
            data, source = sock.recvfrom(2048)
            agent.receive(data, source, control=control)

        loop.add_reader(sock, readable)
        agent.news.append(None)


def let_go(agent):
    loop = asyncio.get_running_loop()
    loop.remove_reader(agent.pair.rtp)
    loop.remove_reader(agent.pair.rtcp)


def begin(one, other, *, controlling, muxed=True):
    ours, theirs = one.ours, other.ours
    far = Theirs(theirs.credentials, theirs.candidates, ice2=True)
    one.begin(Terms(ours.credentials, far, controlling, muxed))


async def two(make, **more):
    a, b = make(**more), make(**more)
    for each in (a, b):
        await each.gather(Servers(), 0.1)
        hand_over(each)
    return a, b


@pytest.mark.parametrize("muxed", [True, False])
async def test_two_ends_find_each_other(make, until, muxed):
    a, b = await two(make)
    begin(b, a, controlling=False, muxed=muxed)
    begin(a, b, controlling=True, muxed=muxed)
    await until(lambda: a.way and a.way.nominated and b.way and b.way.nominated)
    assert a.way.remote == (HERE, b.pair.port)
    assert a.way.remote_rtcp == (HERE, b.pair.port + (not muxed))
    assert a.way.kind == "host"
    assert [one.port for one in a.way.theirs] == [b.pair.port, b.pair.port + 1][: 2 - muxed]
    for each in (a, b):
        let_go(each)


async def test_checks_that_outrun_the_answer_are_answered_and_kept(make, until):
    """RFC 8445 §7.3."""
    a, b = await two(make)
    begin(b, a, controlling=False)
    await until(lambda: len(a._early) > 0)
    begin(a, b, controlling=True)
    await until(lambda: a.way and a.way.nominated)
    assert not a._early
    for each in (a, b):
        let_go(each)


async def test_a_restart_keeps_the_old_way_until_there_is_a_new_one(make, until):
    """RFC 8445 §12.1, RFC 8839 §4.4.3.1.1."""
    a, b = await two(make)
    begin(b, a, controlling=False)
    begin(a, b, controlling=True)
    await until(lambda: a.way and a.way.nominated and b.way and b.way.nominated)
    old = a.way
    a.ours, b.ours = a.ours.restarted, b.ours.restarted
    begin(a, b, controlling=True)
    assert a.way == old
    begin(b, a, controlling=False)
    await until(lambda: a.way.nominated and a.way.ours == a.ours.credentials)
    for each in (a, b):
        let_go(each)


async def test_a_restart_that_the_far_end_checks_before_its_answer_is_here(make, until):
    """RFC 8445 §7.3: half a second would pass until it asks again."""
    a, b = await two(make)
    begin(b, a, controlling=False)
    begin(a, b, controlling=True)
    await until(lambda: a.way and a.way.nominated and b.way and b.way.nominated)
    a.ours, b.ours = a.ours.restarted, b.ours.restarted
    begin(b, a, controlling=False)
    await until(lambda: len(a._early) > 0)
    assert a.refused == 0
    begin(a, b, controlling=True)
    await until(lambda: a.way.nominated and a.way.ours == a.ours.credentials)
    for each in (a, b):
        let_go(each)


class StunServer:
    """Answers after `silent` questions, from `lies` if given."""

    def __init__(self, seen, silent=0):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HERE, 0))
        self.socket.setblocking(False)  # noqa: FBT003 - the socket's own signature
        self.seen, self.silent, self.asked = seen, silent, 0
        asyncio.get_running_loop().add_reader(self.socket, self._readable)

    def _readable(self):
        data, source = self.socket.recvfrom(2048)
        self.asked += 1
        if self.asked <= self.silent:
            return
        question = stun.parse_message(data)
        answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, question.transaction_id)
        answer.attributes["XOR-MAPPED-ADDRESS"] = self.seen or source
        self.socket.sendto(bytes(answer), source)

    def close(self):
        asyncio.get_running_loop().remove_reader(self.socket)
        self.socket.close()


@pytest.mark.parametrize("silent", [0, 2])
async def test_where_a_server_sees_us_is_a_place(make, silent):
    """RFC 8445 §5.1.1.2."""
    server = StunServer(("203.0.113.7", 1234), silent)
    agent = make()
    ours = await agent.gather(Servers(server.socket.getsockname()), 20.0)
    server.close()
    kinds = [(one.kind, one.component) for one in ours.candidates]
    assert kinds == [("host", 1), ("host", 2), ("srflx", 1), ("srflx", 2)]
    assert ours.default(1) == ("203.0.113.7", 1234)
    assert ours.candidates[2].related == (HERE, agent.pair.port)


def test_a_server_is_asked_again_after_half_a_second_and_not_before(ports, monkeypatch):
    """RFC 8445 §14.3."""
    asked, send = {}, Base.send

    def seen(base, data, remote):
        now = asyncio.get_running_loop().time()
        asked.setdefault(stun.parse_message(data).transaction_id, []).append(now)
        send(base, data, remote)

    async def gathering():
        server = StunServer(("203.0.113.7", 1234), silent=2)
        with agents(ports) as make:
            ours = await make().gather(Servers(server.socket.getsockname()), GATHERING)
        server.close()
        return ours

    monkeypatch.setattr(Base, "send", seen)
    ours = in_no_time(gathering(), GRACE)
    assert [one.kind for one in ours.candidates].count("srflx") == 2, "one lost word costs nothing"
    assert RTO == 0.5
    for moments in asked.values():
        assert len(moments) == 2
        assert moments[1] - moments[0] == pytest.approx(RTO)


def test_servers_are_asked_one_question_after_the_other(ports, monkeypatch):
    """RFC 8445 §5.1.1, §14.2: hosts are there; each further question 50 ms after the last one."""
    asked, send = {}, Base.send

    def now():
        return asyncio.get_running_loop().time()

    def seen(base, data, remote):
        asked.setdefault(stun.parse_message(data).transaction_id, now())
        send(base, data, remote)

    async def relayed(*_what):
        asked[len(asked)] = now()
        raise RelayError("all places are taken")

    async def gathering():
        server = StunServer(("203.0.113.7", 1234))
        address = server.socket.getsockname()
        with agents(ports) as make:
            ours = await make().gather(Servers(address, TurnServer(*address, "u", "p")), 2.0)
        server.close()
        return ours

    monkeypatch.setattr(Base, "send", seen)
    monkeypatch.setattr(Relay, "allocate", relayed)
    ours = in_no_time(gathering(), GRACE)
    moments = sorted(asked.values())
    assert len(moments) == 4, "two sockets, seen and relayed"
    assert all(b - a > 0.049 for a, b in pairwise(moments))
    assert [one.kind for one in ours.candidates] == ["host", "host", "srflx", "srflx"]


class TestOtherAddresses:
    """A machine with several: a place on each, and the call's own is worth most."""

    async def test_each_address_is_a_place_and_is_seen_somewhere(self, make, ports):
        """RFC 8445 §5.1.1.1, §5.1.1.2, §5.1.1.3."""
        server = StunServer(None)
        server.seen = ("203.0.113.7", 1234)
        other = ports.reserve(OTHER)
        agent = make(others=(other,))
        ours = await agent.gather(Servers(server.socket.getsockname()), 20.0)
        server.close()
        places = [(one.kind, one.component, one.host) for one in ours.candidates]
        assert places[:4] == [
            *(("host", 1, HERE), ("host", 2, HERE)),
            *(("host", 1, OTHER), ("host", 2, OTHER)),
        ]
        assert [one.related for one in ours.candidates[4:]] == [
            *((HERE, agent.pair.port), (HERE, agent.pair.port + 1)),
            *((OTHER, other.port), (OTHER, other.port + 1)),
        ]
        ranks = [one.priority for one in ours.candidates if one.component == 1]
        assert len(set(ranks)) == len(ranks)
        assert ranks == sorted(ranks, reverse=True)
        foundations = {(one.foundation, one.kind, one.host) for one in ours.candidates[:4]}
        assert len(foundations) == 2
        assert len({one.foundation for one in ours.candidates}) == 4

    def test_who_does_without_checks_is_told_the_call_s_own_place(self, ports):
        """What comes elsewhere unchecked would not be heard."""

        async def gathering():
            server = StunServer(("203.0.113.7", 1234), silent=2)  # the call's own sockets
            with agents(ports) as make:
                agent = make(others=(ports.reserve(OTHER),))
                ours = await agent.gather(Servers(server.socket.getsockname()), 0.4)
            server.close()
            return ours, agent.pair.port

        ours, port = in_no_time(gathering(), GRACE)
        assert [one.kind for one in ours.candidates].count("srflx") == 2
        assert ours.default(1) == (HERE, port)

    @pytest.mark.parametrize("muxed", [True, False])
    async def test_a_way_over_another_address_carries_sound_both_ways(
        self, make, ports, until, muxed
    ):
        """The engine keeps its sockets: to it the way is a far end on this machine."""
        other = ports.reserve(OTHER)
        a, b = make(others=(other,)), make()
        for each in (a, b):
            await each.gather(Servers(), 0.05)
        hand_over(b)  # nothing comes to a's own address
        begin(b, a, controlling=False, muxed=muxed)
        begin(a, b, controlling=True, muxed=muxed)
        await until(lambda: a.way and a.way.nominated and b.way and b.way.nominated)
        assert {one.host for one in a.way.local} == {OTHER}
        assert b.way.remote == (OTHER, other.port)
        let_go(b)
        loop = asyncio.get_running_loop()
        a.pair.rtp.sendto(b"\x80 hello", a.way.remote)
        heard, source = await asyncio.wait_for(loop.sock_recvfrom(b.pair.rtp, 100), 10)
        assert (heard, source) == (b"\x80 hello", b.way.remote)
        back = []
        while b"\x80 you too" not in back:
            b.pair.rtp.sendto(b"\x80 you too", b.way.remote)
            back.append(await asyncio.wait_for(loop.sock_recv(a.pair.rtp, 2000), 10))

    async def test_a08_what_comes_there_unchecked_is_not_heard(self, make, ports):
        other = ports.reserve(OTHER)
        agent = make(others=(other,))
        await agent.gather(Servers(), 0.05)
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        stranger.sendto(b"\x80 listen to me", (OTHER, other.port))
        await asyncio.sleep(0.05)
        with pytest.raises(BlockingIOError):
            agent.pair.rtp.recv(100)
        stranger.close()

    async def test_its_sockets_end_with_the_agent(self, make, ports):
        other = ports.reserve(OTHER)
        agent = make(others=(other,))
        await agent.gather(Servers(), 0.05)
        agent.close()
        assert (other.rtp.fileno(), other.rtcp.fileno()) == (-1, -1)


async def test_without_a_gateway_there_is_no_second_place(make):
    """RFC 8445 §5.1.3."""
    server = StunServer(None)
    ours = await make().gather(Servers(server.socket.getsockname()), 20.0)
    server.close()
    assert {one.kind for one in ours.candidates} == {"host"}


def test_servers_that_are_silent_hold_up_nothing(ports):
    """No longer than was said: somebody waits for the call to leave."""

    async def gathering(silent):
        nowhere = TurnServer(*silent, "u", "p")
        with agents(ports) as make:
            ours = await make().gather(Servers(silent, nowhere), 0.2)
        return ours, asyncio.get_running_loop().time()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((HERE, 0))
        ours, took = in_no_time(gathering(silent.getsockname()), GRACE)
    assert took == pytest.approx(0.2)
    assert [one.kind for one in ours.candidates] == ["host", "host"]


async def test_a_server_that_refuses_is_named(make):
    closed = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    closed.bind((HERE, 0))
    nobody = TurnServer(*closed.getsockname(), "u", "p", "tcp")
    agent = make()
    await agent.gather(Servers(turn=nobody), 20.0)
    assert agent.trouble
    closed.close()


async def test_who_shows_a_relay_alone_shows_nothing_else(make):
    agent = make(relay_only=True)
    ours = await agent.gather(Servers(), 0.1)
    assert ours.candidates == ()


def check(agent, *, name=None, password=None, method=stun.Method.BINDING):
    """A check as a far end would send it."""
    mine = agent.ours.credentials
    message = stun.Message(method, stun.Class.REQUEST)
    message.attributes["USERNAME"] = f"{name or mine.ufrag}:far"
    message.attributes["PRIORITY"] = 5
    message.add_message_integrity((password or mine.password).encode())
    return bytes(message)


async def test_a02_who_does_not_know_our_password_gets_no_answer(make):
    agent = make()
    await agent.gather(Servers(), 0.05)
    sent = []
    for base in agent._places.bases:
        base.send = lambda data, remote: sent.append((data, remote))
    stranger = ("198.51.100.1", 9)
    for data in (
        check(agent, password="x" * 24),
        check(agent, name="nobody"),
        bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST)),
        check(agent, method=stun.Method.ALLOCATE),
    ):
        agent.receive(data, stranger, control=False)
    assert (sent, agent.refused) == ([], 4)
    agent.receive(check(agent), stranger, control=False)
    assert len(sent) == 1


async def test_a02_nor_does_one_who_knows_the_names_in_a_call(make):
    """RFC 8489 §9.1.3: names are no secret, they stand in every check."""
    agent = make()
    ours = await agent.gather(Servers(), 0.05)
    far = Theirs(Credentials("far", "f" * 24), ())
    agent.begin(Terms(ours.credentials, far, controlling=True, muxed=True))
    sent = []
    agent._places.bases[0].send = lambda data, remote: sent.append((data, remote))
    agent.receive(check(agent, password="x" * 24), ("198.51.100.1", 9), control=False)
    assert (sent, agent.refused, agent.way) == ([], 1, None)
    agent.receive(check(agent), ("198.51.100.1", 9), control=False)
    assert sent


def bent():
    """STUN that is none: cut, lengthened, with attributes that lie about their length."""
    whole = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    whole.attributes |= {"USERNAME": "a:b", "PRIORITY": 1, "ICE-CONTROLLING": 1}
    whole.add_message_integrity(b"k")
    data = bytes(whole)
    yield b""
    yield from (data[:size] for size in range(len(data)))
    for place in range(len(data)):
        for octet in (0, 1, 0x7F, 0xFF):
            yield data[:place] + bytes([octet]) + data[place + 1 :]
    for kind in (0x0001, 0x0006, 0x0008, 0x0009, 0x000D, 0x0020, 0x0024, 0x8029, 0x8028):
        for length in (0, 1, 2, 3, 5, 7, 9, 0xFFFF):
            head = kind.to_bytes(2, "big") + length.to_bytes(2, "big") + b"\xff" * min(length, 12)
            head += bytes(-len(head) % 4)
            yield data[:2] + len(head).to_bytes(2, "big") + data[4:20] + head


async def test_p01_bent_stun_is_counted_and_nothing_else(make):
    agent = make()
    await agent.gather(Servers(), 0.05)
    count = 0
    for data in bent():
        agent.receive(data, ("198.51.100.1", 9), control=False)
        read(data)
        count += 1
    assert agent.refused == count


async def test_what_is_over_takes_nothing_more(make):
    agent = make()
    ours = await agent.gather(Servers(), 0.05)
    agent.close()
    agent.begin(Terms(ours.credentials, Theirs(ours.credentials, ()), controlling=True, muxed=True))
    agent.receive(check(agent), ("198.51.100.1", 9), control=False)
    assert agent.way is None
