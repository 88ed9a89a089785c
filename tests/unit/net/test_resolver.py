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
from firmware.net.resolver import LookUpError, Remembered, Resolver
from firmware.sip.route.target import NaptrRecord, SrvRecord
from tests.support.own_time import own_time

TTL = 60
PATIENCE, SOON = 15.0, 0.4
"""How long an answer is waited for that comes, and one that does not."""


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
        if self.mood == "stumbles":
            self.mood = ""
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif self.mood in ("SERVFAIL", "REFUSED"):
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
    monkeypatch.setattr(module, "LOOKUP_SECONDS", PATIENCE)
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
    server.mood, module.LOOKUP_SECONDS = mood, SOON
    clock.now += 23 * 3600
    assert await resolver.addresses("pbx.example") == good
    clock.now += 2 * 3600
    with pytest.raises(LookUpError, match="no name server answered") as caught:
        await resolver.addresses("pbx.example")
    assert not caught.value.missing


async def test_f14_after_one_silence_the_next_questions_do_not_wait_again(resolver, server, clock):
    await resolver.addresses("pbx.example")
    server.mood, module.LOOKUP_SECONDS = "silent", SOON
    clock.now += 3600
    began = own_time()
    assert await resolver.services("_sip._udp.other.example") == ()
    waited = own_time() - began
    assert await resolver.services("_sip._tcp.other.example") == ()
    assert set(await resolver.addresses("pbx.example")) >= {"192.0.2.1"}
    assert own_time() - began < waited + 0.3
    clock.now += 10
    server.mood, module.LOOKUP_SECONDS = "", PATIENCE
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
    server.mood, module.LOOKUP_SECONDS = "silent", SOON
    module._load_dns()  # in its own thread, but not without a share of the processor
    asking = asyncio.create_task(resolver.addresses("pbx.example"))
    worst = 0.0
    while not asking.done():
        began = own_time()
        await asyncio.sleep(0.01)
        worst = max(worst, own_time() - began)
    with pytest.raises(LookUpError):
        asking.result()
    assert worst < 0.3


async def test_a_changed_network_is_asked_anew_and_old_answers_are_kept_for_silence(
    resolver, server
):
    good = await resolver.addresses("pbx.example")
    resolver.forget()
    await resolver.addresses("pbx.example")
    assert len(server.asked) == 4
    server.mood, module.LOOKUP_SECONDS = "silent", SOON
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
        port = nobody.getsockname()[1] if len(made) <= 2 else server.port
        made[-1].nameservers = ["127.0.0.1"]
        made[-1].nameserver_ports = {"127.0.0.1": port}
        return made[-1]

    monkeypatch.setattr(dns.asyncresolver, "Resolver", configured)
    monkeypatch.setattr(module, "LOOKUP_SECONDS", SOON)
    resolver = Resolver(clock, hosts=tmp_path / "none")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(LookUpError):
            await resolver.addresses("six.example")
    clock.now += 10
    module.LOOKUP_SECONDS = PATIENCE
    assert await resolver.addresses("six.example") == ("2001:db8::6",)


async def test_ten_thousand_names_do_not_fill_the_memory(resolver, monkeypatch):
    async def instantly(_self, _name, _kind):
        return ("192.0.2.1",), 60.0

    monkeypatch.setattr(Resolver, "_query", instantly)
    for number in range(10_000):
        await resolver.addresses(f"n{number}.example")
    assert len(resolver) <= 256


async def test_directions(resolver, server):
    server.zone["pbx.example", "NAPTR"] = [
        '50 60 "s" "SIPS+D2T" "" _sips._tcp.pbx.example.',
        '90 50 "S" "SIP+D2U" "" _sip._udp.pbx.example.',
        '10 10 "u" "E2U+sip" "!^.*$!sip:\\\\1@pbx.example!" .',
    ]
    assert set(await resolver.directions("pbx.example")) >= {
        NaptrRecord(50, 60, "s", "SIPS+D2T", "_sips._tcp.pbx.example"),
        NaptrRecord(90, 50, "S", "SIP+D2U", "_sip._udp.pbx.example"),
    }
    assert await resolver.directions("six.example") == ()


async def test_f14_of_two_name_servers_the_one_that_answers_is_asked_first(server, clock, tmp_path):
    """RFC 4504 §2.2: one that has just failed is not waited for again."""
    loop = asyncio.get_running_loop()
    transport, failing = await loop.create_datagram_endpoint(
        lambda: NameServer(mood="SERVFAIL"), local_addr=("127.0.0.53", 0)
    )
    servers = (("127.0.0.53", failing.port), ("127.0.0.1", server.port))
    resolver = Resolver(clock, servers, tmp_path / "hosts")
    assert await resolver.services("_sip._udp.pbx.example")
    assert len(failing.asked) == 1
    assert await resolver.addresses("six.example") == ("2001:db8::6",)
    assert len(failing.asked) == 1
    transport.close()


async def test_f15_a_name_server_that_stumbles_is_asked_once_more(resolver, server):
    server.mood = "stumbles"
    assert await resolver.services("_sip._udp.pbx.example")
    assert server.asked == [("_sip._udp.pbx.example", "SRV")] * 2


@pytest.mark.parametrize("mood", ["SERVFAIL", "garbage"])
async def test_f15_a_name_server_that_fails_is_asked_twice_and_not_for_ever(resolver, server, mood):
    server.mood, module.LOOKUP_SECONDS = mood, SOON
    assert await resolver.services("_sip._udp.pbx.example") == ()
    assert len(server.asked) <= 4


@pytest.mark.parametrize("rows", [["127.0.0.1"], ["0.0.0.0"], ["224.0.0.1"], ["255.255.255.255"]])
async def test_a22_a_name_does_not_lead_to_a_service_of_this_machine(resolver, server, rows):
    server.zone["forged.example", "A"] = rows
    with pytest.raises(LookUpError, match=r"forged\.example leads to no other machine") as caught:
        await resolver.addresses("forged.example")
    assert caught.value.missing
    server.zone["half.example", "A"] = [*rows, "192.0.2.5"]
    assert await resolver.addresses("half.example") == ("192.0.2.5",)


async def test_a22_localhost_is_this_machine_whatever_a_name_server_says(resolver, server):
    """RFC 6761 §6.3."""
    server.zone["pbx.localhost", "A"] = ["192.0.2.66"]
    assert await resolver.addresses("pbx.localhost") == ("127.0.0.1", "::1")
    assert server.asked == []


class Notebook:
    """Answers over restarts."""

    def __init__(self, known=None):
        self.known = known or {}
        self.loads = 0
        self.kept = []

    def load(self):
        self.loads += 1
        return self.known

    def keep(self, answers):
        self.kept.append(dict(answers))


def remembering(server, clock, tmp_path, notebook):
    return Resolver(clock, (("127.0.0.1", server.port),), tmp_path / "none", recollection=notebook)


SRV = ("_sip._udp.pbx.example", "SRV")


async def test_f14_what_an_earlier_run_was_told_is_good_for_a_day(
    server, clock, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "LOOKUP_SECONDS", 0.4)
    server.mood = "silent"
    notebook = Notebook(
        {
            SRV: Remembered(("10 0 5070 pbx.example.",), 3600.0),
            ("pbx.example", "A"): Remembered(("192.0.2.1",), 23 * 3600.0),
            ("old.example", "A"): Remembered(("192.0.2.7",), 25 * 3600.0),
        }
    )
    resolver = remembering(server, clock, tmp_path, notebook)
    assert await resolver.services(SRV[0]) == (SrvRecord(10, 0, 5070, "pbx.example"),)
    assert await resolver.addresses("pbx.example") == ("192.0.2.1",)
    with pytest.raises(LookUpError, match="no name server answered"):
        await resolver.addresses("old.example")
    assert notebook.loads == 1
    clock.now += 2 * 3600
    with pytest.raises(LookUpError):
        await resolver.addresses("pbx.example")


async def test_f14_while_the_name_server_answers_its_word_counts(server, clock, tmp_path):
    notebook = Notebook({("pbx.example", "A"): Remembered(("192.0.2.99",), 60.0)})
    resolver = remembering(server, clock, tmp_path, notebook)
    assert "192.0.2.99" not in await resolver.addresses("pbx.example")


async def test_f14_good_answers_are_kept_once_and_again_when_they_change(server, clock, tmp_path):
    notebook = Notebook()
    resolver = remembering(server, clock, tmp_path, notebook)
    await resolver.services(SRV[0])
    assert await resolver.services("_sip._tcp.nobody.example") == ()
    assert [sorted(kept) for kept in notebook.kept] == [[SRV]]
    clock.now += TTL + 1
    await resolver.services(SRV[0])
    assert len(notebook.kept) == 1, "the same again: the card is spared"
    server.zone[SRV] = ["5 0 5070 other.example."]
    clock.now += TTL + 1
    await resolver.services(SRV[0])
    assert notebook.kept[-1][SRV].rows == ("5 0 5070 other.example.",)
    clock.now += 3700
    await resolver.services(SRV[0])
    assert len(notebook.kept) == 3, "an hour later, so that its age is right"


async def test_f14_a_name_that_is_gone_is_no_longer_kept(server, clock, tmp_path):
    notebook = Notebook()
    resolver = remembering(server, clock, tmp_path, notebook)
    await resolver.services(SRV[0])
    del server.zone[SRV]
    clock.now += TTL + 1
    await resolver.services(SRV[0])
    assert notebook.kept[-1] == {}


async def test_f14_an_address_reads_no_notebook(server, clock, tmp_path):
    notebook = Notebook()
    await remembering(server, clock, tmp_path, notebook).addresses("192.0.2.1")
    assert notebook.loads == 0


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
