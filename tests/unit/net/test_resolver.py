"""The resolver asks a real little name server on loopback."""

import asyncio
import socket
import sys
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from firmware.net import resolver as module
from firmware.net.resolver import LookUpError, Resolver
from firmware.sip.target import SrvRecord

TTL = 60


@dataclass
class NameServer(asyncio.DatagramProtocol):
    """Knows `zone`: (name, type) → rows; `mood` is what it does instead of answering well."""

    zone: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    mood: str = ""
    port: int = 0

    def connection_made(self, transport):
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data, source):
        answer = self.answer(data, udp=True)
        if answer:
            self.transport.sendto(answer, source)

    async def serve_tcp(self, reader, writer):
        size = int.from_bytes(await reader.readexactly(2), "big")
        answer = self.answer(await reader.readexactly(size), udp=False)
        writer.write(len(answer).to_bytes(2, "big") + answer)
        await writer.drain()
        writer.close()

    def answer(self, data, *, udp):
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = str(question.name).rstrip("."), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        if self.mood == "silent":
            return b""
        if self.mood == "garbage":
            return b"\xff" * 40
        reply = dns.message.make_response(query)
        if self.mood in ("SERVFAIL", "REFUSED"):
            reply.set_rcode(dns.rcode.from_text(self.mood))
        elif self.mood == "truncated" and udp:
            reply.flags |= dns.flags.TC
        elif (rows := self.zone.get((name, kind))) is not None:
            reply.answer.append(dns.rrset.from_text_list(question.name, TTL, "IN", kind, rows))
        elif not any(known == name for known, _ in self.zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()


@pytest.fixture
async def server():
    loop = asyncio.get_running_loop()
    for _ in range(20):  # UDP and TCP on one port
        transport, made = await loop.create_datagram_endpoint(
            NameServer, local_addr=("127.0.0.1", 0)
        )
        try:
            tcp = await asyncio.start_server(made.serve_tcp, "127.0.0.1", made.port)
            break
        except OSError:
            transport.close()
    made.zone = {
        ("pbx.example", "A"): ["192.0.2.1", "192.0.2.2"],
        ("pbx.example", "AAAA"): ["2001:db8::1"],
        ("six.example", "AAAA"): ["2001:db8::6"],
        ("_sip._udp.pbx.example", "SRV"): ["10 0 5070 pbx.example.", "20 5 5080 six.example."],
    }
    yield made
    transport.close()
    tcp.close()
    await tcp.wait_closed()


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def resolver(server, clock, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LOOKUP_SECONDS", 0.4)
    hosts = tmp_path / "hosts"
    hosts.write_text(
        "127.0.0.1 localhost\n::1 localhost\n"
        "192.0.2.9 Door.lan door # the gate\nnot-an-address x\n\n"
    )
    return Resolver(clock, (("127.0.0.1", server.port),), hosts)


async def test_a_name_has_its_ipv4_addresses_first(resolver):
    found = await resolver.addresses("pbx.example")
    assert set(found[:2]) == {"192.0.2.1", "192.0.2.2"}
    assert found[2:] == ("2001:db8::1",)


async def test_a_name_with_ipv6_only(resolver):
    assert await resolver.addresses("six.example") == ("2001:db8::6",)


async def test_service_records(resolver):
    assert set(await resolver.services("_sip._udp.pbx.example")) == {
        SrvRecord(10, 0, 5070, "pbx.example"),
        SrvRecord(20, 5, 5080, "six.example"),
    }
    assert await resolver.services("_sip._tcp.pbx.example") == ()


@pytest.mark.parametrize(
    ("literal", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
    ],
)
async def test_f14_an_address_needs_no_name_server(resolver, server, literal, address):
    server.mood = "silent"
    assert await resolver.addresses(literal) == (address,)
    assert server.asked == []


async def test_the_hosts_file_goes_first(resolver, server):
    assert await resolver.addresses("door.LAN") == ("192.0.2.9",)
    assert await resolver.addresses("localhost") == ("127.0.0.1", "::1")
    assert server.asked == []


async def test_an_answer_lives_as_long_as_it_says(resolver, server, clock):
    await resolver.addresses("pbx.example")
    clock.now += TTL - 1
    await resolver.addresses("PBX.example.")
    assert sorted(server.asked) == [("pbx.example", "A"), ("pbx.example", "AAAA")]
    clock.now += 2
    await resolver.addresses("pbx.example")
    assert len(server.asked) == 4


@pytest.mark.parametrize("mood", ["SERVFAIL", "REFUSED", "garbage", "silent"])
async def test_f14_a_name_that_was_known_is_known_for_a_day(resolver, server, clock, mood):
    good = await resolver.addresses("pbx.example")
    server.mood = mood
    clock.now += 23 * 3600
    assert await resolver.addresses("pbx.example") == good
    clock.now += 2 * 3600
    with pytest.raises(LookUpError, match="no name server answered") as caught:
        await resolver.addresses("pbx.example")
    assert not caught.value.missing


async def test_f14_after_one_silence_the_next_questions_do_not_wait_again(resolver, server, clock):
    await resolver.addresses("pbx.example")
    server.mood = "silent"
    clock.now += 3600
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await resolver.services("_sip._udp.other.example") == ()
    waited = loop.time() - began
    assert await resolver.services("_sip._tcp.other.example") == ()
    assert set(await resolver.addresses("pbx.example")) >= {"192.0.2.1"}
    assert loop.time() - began < waited + 0.3
    clock.now += 10
    server.mood = ""
    assert await resolver.services("_sip._udp.pbx.example")


async def test_f15_a_name_that_does_not_exist_is_said_to_be_missing(resolver, server):
    for _ in range(2):
        with pytest.raises(LookUpError, match=r"nobody\.example not found") as caught:
            await resolver.addresses("nobody.example")
        assert caught.value.missing
    assert len(server.asked) == 2  # the second time it was remembered


async def test_f15_a_removed_name_is_not_served_from_memory(resolver, server, clock):
    await resolver.addresses("pbx.example")
    server.zone.clear()
    clock.now += TTL + 1
    with pytest.raises(LookUpError) as caught:
        await resolver.addresses("pbx.example")
    assert caught.value.missing


async def test_f15_a_truncated_answer_is_asked_for_again_over_tcp(resolver, server):
    server.mood = "truncated"
    assert set(await resolver.addresses("pbx.example")) >= {"192.0.2.1", "192.0.2.2"}
    assert server.asked.count(("pbx.example", "A")) == 2


async def test_f15_a_slow_name_server_does_not_stop_the_loop(resolver, server):
    server.mood = "silent"
    asking = asyncio.create_task(resolver.addresses("pbx.example"))
    loop, worst = asyncio.get_running_loop(), 0.0
    while not asking.done():
        began = loop.time()
        await asyncio.sleep(0.01)
        worst = max(worst, loop.time() - began)
    with pytest.raises(LookUpError):
        asking.result()
    assert worst < 0.3  # the first question imports the library


async def test_a_changed_network_is_asked_anew_and_old_answers_are_kept_for_silence(
    resolver, server
):
    good = await resolver.addresses("pbx.example")
    resolver.forget()
    await resolver.addresses("pbx.example")
    assert len(server.asked) == 4
    server.mood = "silent"
    resolver.forget()
    assert set(await resolver.addresses("pbx.example")) == set(good)


async def test_no_name_server_at_all_is_no_network(clock, tmp_path, monkeypatch):
    import dns.asyncresolver  # noqa: PLC0415 - only here

    def nothing(*_args, **_more):
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.asyncresolver, "Resolver", nothing)
    with pytest.raises(LookUpError) as caught:
        await Resolver(clock, hosts=tmp_path / "none").addresses("pbx.example")
    assert not caught.value.missing


async def test_name_servers_are_read_again_after_a_failure(clock, tmp_path, server, monkeypatch):
    import dns.asyncresolver  # noqa: PLC0415 - only here

    made = []  # A and AAAA are asked side by side: two at first
    real = dns.asyncresolver.Resolver

    def configured(*_args, **_more):
        made.append(real(configure=False))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
            nobody.bind(("127.0.0.1", 0))
            dead = nobody.getsockname()[1]
        made[-1].nameservers = ["127.0.0.1"]
        made[-1].nameserver_ports = {"127.0.0.1": dead if len(made) <= 2 else server.port}
        return made[-1]

    monkeypatch.setattr(dns.asyncresolver, "Resolver", configured)
    monkeypatch.setattr(module, "LOOKUP_SECONDS", 0.4)
    resolver = Resolver(clock, hosts=tmp_path / "none")
    with pytest.raises(LookUpError):
        await resolver.addresses("six.example")
    clock.now += 10
    assert await resolver.addresses("six.example") == ("2001:db8::6",)


async def test_ten_thousand_names_do_not_fill_the_memory(resolver, monkeypatch):
    async def instantly(_self, _name, _kind):
        return ("192.0.2.1",), 60.0

    monkeypatch.setattr(Resolver, "_query", instantly)
    for number in range(10_000):
        await resolver.addresses(f"n{number}.example")
    assert len(resolver) <= 256


ASK = """
import asyncio, sys, threading
from firmware.net.resolver import LookUpError, Resolver

async def main():
    resolver = Resolver(asyncio.get_running_loop().time, (("127.0.0.1", int(sys.argv[1])),))
    here = threading.current_thread()
    await asyncio.to_thread(int)

    class Watch:
        def find_spec(name, path, target=None):
            if threading.current_thread() is here:
                print(name, file=sys.stderr)

    sys.meta_path.insert(0, Watch)
    print(len(await resolver.services("_sip._udp.pbx.example")), end=" ")
    print(len(await resolver.addresses("pbx.example")), end=" ")
    try:
        await resolver.addresses("nowhere.example")
    except LookUpError as error:
        print(error, end="")

asyncio.run(main())
"""


async def test_what_a_look_up_needs_is_loaded_beside_the_loop(server):
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ASK, str(server.port)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, loaded_on_the_loop = await started.communicate()
    assert said.decode() == "2 3 nowhere.example not found"
    assert loaded_on_the_loop.decode().splitlines() == []
