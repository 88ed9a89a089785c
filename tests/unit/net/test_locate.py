import pytest

from firmware.base.tokens import Tokens
from firmware.net.locate import locate, locate_stun
from firmware.net.resolver import LookUpError
from firmware.sip.effects import QueryId, ResolveTarget
from firmware.sip.flow import Transport
from firmware.sip.route.target import NaptrRecord, SrvRecord

UDP, TCP, TLS = Transport.UDP, Transport.TCP, Transport.TLS


class Names:
    """What a resolver would say."""

    def __init__(self, services=None, hosts=None, directions=None):
        self._services = services or {}
        self._hosts = hosts or {}
        self._directions = directions or {}
        self.asked = []

    async def directions(self, name):
        return tuple(self._directions.get(name, ()))

    async def services(self, name):
        return tuple(self._services.get(name, ()))

    async def addresses(self, name):
        self.asked.append(name)
        found = self._hosts.get(name)
        if found is None:
            raise LookUpError(f"{name} not found", missing=True)
        if not found:
            raise LookUpError(f"{name}: no name server answered", missing=False)
        return found


def ours(remote):
    return "2001:db8::99" if remote.is_ipv6 else "192.0.2.99"


async def where(
    names, host="pbx.example", port=None, transport=UDP, *, secure=False, ours=ours, **more
):
    effect = ResolveTarget(QueryId(1), host, port, transport, secure)
    found = await locate(effect, names, Tokens(b"seed" * 8), ours, **more)
    return [(place.transport.value, str(place.remote)) for place in found]


async def test_f16_services_are_tried_by_priority_each_at_its_port_and_address():
    """RFC 3263 §4."""
    names = Names(
        {
            "_sip._udp.pbx.example": (
                SrvRecord(20, 0, 5080, "spare.example"),
                SrvRecord(10, 0, 5070, "first.example"),
            )
        },
        {"first.example": ("192.0.2.1", "2001:db8::1"), "spare.example": ("192.0.2.2",)},
    )
    assert await where(names) == [
        ("udp", "[2001:db8::1]:5070"),
        ("udp", "192.0.2.1:5070"),
        ("udp", "192.0.2.2:5080"),
    ]


async def test_f16_a_service_host_without_address_is_passed_over():
    names = Names(
        {
            "_sip._udp.pbx.example": (
                SrvRecord(10, 0, 5070, "gone.example"),
                SrvRecord(20, 0, 5080, "spare.example"),
            )
        },
        {"spare.example": ("192.0.2.2",)},
    )
    assert await where(names) == [("udp", "192.0.2.2:5080")]


async def test_without_services_the_name_itself_is_the_host():
    assert await where(Names(hosts={"pbx.example": ("192.0.2.1",)})) == [("udp", "192.0.2.1:5060")]


async def test_a_port_says_that_there_is_no_service_to_ask_for():
    names = Names(
        {"_sip._udp.pbx.example": (SrvRecord(1, 1, 1, "wrong"),)}, {"pbx.example": ("192.0.2.1",)}
    )
    assert await where(names, port=5555) == [("udp", "192.0.2.1:5555")]


async def test_an_open_transport_takes_the_first_that_has_a_service():
    names = Names(
        {"_sip._tcp.pbx.example": (SrvRecord(1, 1, 5066, "tcp.example"),)},
        {"tcp.example": ("192.0.2.4",)},
    )
    assert await where(names, transport=None) == [("tcp", "192.0.2.4:5066")]


async def test_a_domain_that_says_it_has_no_telephony_is_believed():
    names = Names(
        {"_sip._udp.pbx.example": (SrvRecord(0, 0, 0, ""),)}, {"pbx.example": ("192.0.2.1",)}
    )
    with pytest.raises(LookUpError, match=r"pbx\.example offers no telephony") as caught:
        await where(names)
    assert caught.value.missing


@pytest.mark.parametrize(("known", "missing"), [(None, True), ((), False)])
async def test_a_failure_says_whether_the_name_or_the_name_server_is_missing(known, missing):
    with pytest.raises(LookUpError) as caught:
        await where(Names(hosts={"pbx.example": known}))
    assert caught.value.missing is missing


async def test_a22_a_domain_cannot_send_us_to_a_hundred_places():
    many = tuple(SrvRecord(1, 1, 5060, f"h{n}.example") for n in range(100))
    names = Names(
        {"_sip._udp.pbx.example": many},
        {f"h{n}.example": tuple(f"192.0.{n}.{m}" for m in range(5)) for n in range(100)},
    )
    assert len(await where(names)) == 16


DIRECTIONS = {
    "pbx.example": (
        NaptrRecord(90, 50, "s", "SIP+D2T", "_sip._tcp.pbx.example"),
        NaptrRecord(100, 50, "s", "SIP+D2U", "_sip._udp.elsewhere.example"),
        NaptrRecord(50, 50, "s", "SIPS+D2T", "_sips._tcp.pbx.example"),
    )
}
THREE = {
    "_sips._tcp.pbx.example": (SrvRecord(1, 1, 5061, "a.example"),),
    "_sip._tcp.pbx.example": (SrvRecord(1, 1, 5066, "a.example"),),
    "_sip._udp.elsewhere.example": (SrvRecord(1, 1, 5077, "a.example"),),
    "_sip._udp.pbx.example": (SrvRecord(1, 1, 5088, "a.example"),),
}


@pytest.mark.parametrize(
    ("transport", "secure", "supported", "expected"),
    [
        (None, False, (UDP, TCP, TLS), [("tls", "192.0.2.1:5061")]),
        (None, False, (UDP, TCP), [("tcp", "192.0.2.1:5066")]),
        (None, False, (UDP,), [("udp", "192.0.2.1:5077")]),
        (None, True, (UDP, TCP), [("tls", "192.0.2.1:5061")]),
        (UDP, False, (UDP, TCP, TLS), [("udp", "192.0.2.1:5088")]),
    ],
)
async def test_the_domain_says_by_naptr_how_it_wants_to_be_reached(
    transport, secure, supported, expected
):
    """RFC 3263 §4.1: the domain's favourite among what we speak; a named transport is not asked."""
    names = Names(THREE, {"a.example": ("192.0.2.1",)}, DIRECTIONS)
    assert await where(names, transport=transport, secure=secure, supported=supported) == expected


async def test_directions_that_are_not_for_us_are_as_if_there_were_none():
    """RFC 3263 §4.1: without NAPTR records for us the services are asked for directly."""
    directions = {"pbx.example": (NaptrRecord(1, 1, "u", "E2U+sip", ""),)}
    names = Names(THREE, {"a.example": ("192.0.2.1",)}, directions)
    assert await where(names, transport=None) == [("udp", "192.0.2.1:5088")]


async def test_f54_where_there_is_no_ipv6_its_addresses_come_last():
    names = Names(hosts={"pbx.example": ("2001:db8::1", "192.0.2.1")})
    found = await where(names, ours=lambda remote: None if remote.is_ipv6 else "192.0.2.99")
    assert found == [("udp", "192.0.2.1:5060"), ("udp", "[2001:db8::1]:5060")]


async def test_a22_a_domain_cannot_have_us_ask_for_a_hundred_names():
    many = tuple(SrvRecord(1, 1, 5060, f"h{n}.example") for n in range(100))
    names = Names({"_sip._udp.pbx.example": many})
    with pytest.raises(LookUpError):
        await where(names)
    assert len(names.asked) == 8


class Ways:
    """Ways to everywhere."""

    def __init__(self, names):
        self.resolver = names

    local_for = staticmethod(ours)


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("stun.example", ["192.0.2.7:3479"]),
        ("plain.example", ["192.0.2.8:3478"]),
        ("stun.example:3480", ["192.0.2.9:3480"]),
        ("192.0.2.10", ["192.0.2.10:3478"]),
        ("[2001:db8::7]:3481", ["[2001:db8::7]:3481"]),
    ],
)
async def test_where_a_stun_server_is_asked(server, expected):
    """RFC 8489 §8.1: SRV only for a name without port."""
    names = Names(
        {"_stun._udp.stun.example": (SrvRecord(1, 1, 3479, "one.example"),)},
        {
            "one.example": ("192.0.2.7",),
            "plain.example": ("192.0.2.8",),
            "stun.example": ("192.0.2.9",),
            **{each: (each,) for each in ("192.0.2.10", "2001:db8::7")},
        },
    )
    found = await locate_stun(server, Ways(names))
    assert [str(place.remote) for place in found] == expected


async def test_where_a_relay_is_asked():
    """RFC 8656 §5: the ports are those of STUN, the names in the DNS its own."""
    names = Names(
        {
            "_stun._udp.pbx.example": (SrvRecord(1, 1, 3479, "seen.example"),),
            "_turn._udp.pbx.example": (SrvRecord(1, 1, 3480, "relay.example"),),
        },
        {
            "seen.example": ("192.0.2.7",),
            "relay.example": ("192.0.2.8",),
            "plain.example": ("192.0.2.9",),
        },
    )
    for server, expected in (
        ("pbx.example", "192.0.2.8:3480"),
        ("plain.example", "192.0.2.9:3478"),
        ("plain.example:443", "192.0.2.9:443"),
    ):
        found = await locate_stun(server, Ways(names), "_turn._udp")
        assert [str(place.remote) for place in found] == [expected]
