"""A client and little servers on loopback that do what is said of them."""

import asyncio

import pytest

from firmware.net.dns_client import DnsClient, DnsError, SilentError, configured
from firmware.net.dns_wire import question

GOOD = bytes.fromhex("c00c 0001 0001 0000003c 0004 c0000207")  # an A record: 192.0.2.7, a minute


def reply(query, *, flags=0x8180, count=1, record=GOOD):
    head = query[:2] + flags.to_bytes(2) + b"\0\1" + count.to_bytes(2) + bytes(4)
    return head + query[12:] + record


class Server(asyncio.DatagramProtocol):
    """Answers each query with what `answers(query)` gives, in order."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    def connection_made(self, transport):
        self.transport = transport

    @property
    def place(self):
        return self.transport.get_extra_info("sockname")

    def datagram_received(self, data, source):
        self.asked.append((data, source))
        for answer in self.answers(data):
            self.transport.sendto(answer, source)


@pytest.fixture
async def serve():
    made = []

    async def start(answers):
        _, server = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Server(answers), local_addr=("127.0.0.1", 0)
        )
        made.append(server)
        return server

    yield start
    for server in made:
        server.transport.close()


async def test_an_answer(serve):
    server = await serve(lambda query: [reply(query)])
    answer = await DnsClient([server.place]).ask("pbx.example", "A", 1.0)
    assert (answer.rows, answer.ttl) == (("192.0.2.7",), 60.0)


async def test_a22_what_answers_something_else_is_not_heard(serve):
    """RFC 5452 §9."""

    def forgers(query):
        other = question(int.from_bytes(query[:2]), "other.example", "A")
        forged = GOOD[:-1] + b"\x66"
        number = bytes((query[0] ^ 1, query[1])) + query[2:]
        return [b"", b"\xff" * 40, query, reply(number, record=forged), reply(other), reply(query)]

    server = await serve(forgers)
    answer = await DnsClient([server.place]).ask("pbx.example", "A", 1.0)
    assert answer.rows == ("192.0.2.7",)


async def test_a22_each_question_has_a_number_and_a_port_of_its_own(serve):
    """RFC 5452 §9.2."""
    server = await serve(lambda query: [reply(query)])
    client = DnsClient([server.place])
    for _ in range(12):
        await client.ask("pbx.example", "A", 1.0)
    assert len({query[:2] for query, _ in server.asked}) > 8
    assert len({source for _, source in server.asked}) > 8


async def test_f14_whoever_answered_is_asked_first_the_next_time(serve):
    """RFC 4504 §2.2."""
    failing = await serve(lambda query: [reply(query, flags=0x8182, count=0, record=b"")])
    server = await serve(lambda query: [reply(query)])
    client = DnsClient([failing.place, server.place])
    for _ in range(3):
        assert (await client.ask("pbx.example", "A", 1.0)).rows
    assert (len(failing.asked), len(server.asked)) == (1, 3)


async def test_f15_servers_that_refuse_are_not_asked_again(serve):
    servers = [await serve(lambda query: [reply(query, flags=0x8185, count=0)]) for _ in range(2)]
    with pytest.raises(DnsError) as caught:
        await DnsClient([each.place for each in servers]).ask("pbx.example", "A", 1.0)
    assert not isinstance(caught.value, SilentError)
    assert [len(each.asked) for each in servers] == [1, 1]


async def test_f15_silence_is_told_from_refusal(serve):
    server = await serve(lambda _query: [])
    with pytest.raises(SilentError):
        await DnsClient([server.place]).ask("pbx.example", "A", 0.05)


async def test_f15_a_damaged_answer_leads_to_the_next_server(serve):
    broken = await serve(lambda query: [reply(query, record=b"\xc0\xff")])
    server = await serve(lambda query: [reply(query)])
    answer = await DnsClient([broken.place, server.place]).ask("pbx.example", "A", 1.0)
    assert answer.rows == ("192.0.2.7",)


async def test_nobody_to_ask_is_no_answer():
    with pytest.raises(DnsError, match="there is no server"):
        await DnsClient([]).ask("pbx.example", "A", 1.0)


@pytest.mark.parametrize(
    "said", [b"", b"\0", b"\0\5abc", b"\0\5abcde"], ids=["nothing", "half", "cut", "noise"]
)
async def test_f15_a_long_answer_that_does_not_come_is_a_failure(serve, said):
    """RFC 7766 §5."""

    async def stream(reader, writer):
        await reader.read(2)
        writer.write(said)
        writer.close()

    server = await serve(lambda query: [reply(query, flags=0x8380, count=0, record=b"")])
    tcp = await asyncio.start_server(stream, *server.place)
    with pytest.raises(DnsError) as caught:
        await DnsClient([server.place]).ask("pbx.example", "A", 1.0)
    assert not isinstance(caught.value, SilentError)
    tcp.close()
    await tcp.wait_closed()


def test_servers_are_those_of_resolv_conf(tmp_path):
    file = tmp_path / "resolv.conf"
    file.write_text(
        "# nameserver 192.0.2.9\n\nsearch lan\nnameserver 192.0.2.1\nnameserver\n"
        "nameserver\tfe80::1%eth0 # the router\nnameserver resolver.example\noptions rotate\n"
    )
    assert configured(file) == (("192.0.2.1", 53), ("fe80::1%eth0", 53))
    assert configured(tmp_path / "none") == ()
