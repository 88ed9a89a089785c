import socket

import pytest

from firmware.base.tokens import Tokens
from firmware.net.errors import NoMediaPortError
from firmware.net.media_ports import MediaPorts
from tests.support.left_open import open_now, opened_since


@pytest.fixture
def ports():
    """A range of media ports; every pair it gives is closed after the test."""
    pairs = []

    class Counted(MediaPorts):
        def reserve(self, address, **more):
            pairs.append(super().reserve(address, **more))
            return pairs[-1]

    yield lambda first, last, seed=b"s" * 16: Counted(first, last, Tokens(seed))
    for pair in pairs:
        pair.close()


def free_range(count, host="127.0.0.1"):
    """The first of `count` neighbouring free ports, even."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for first in range(42_000, 60_000, count):
        taken = []
        try:
            for port in range(first, first + count):
                sock = socket.socket(family, socket.SOCK_DGRAM)
                taken.append(sock)
                sock.bind((host, port))
        except OSError:
            continue
        else:
            return first
        finally:
            for sock in taken:
                sock.close()
    raise AssertionError("no free ports on this machine")


def test_a_pair_is_an_even_port_and_the_next_one(ports, loopback):
    """RFC 3550 §11."""
    pair = ports(40_000, 40_999).reserve(loopback)
    assert pair.address == loopback
    assert pair.port % 2 == 0
    assert pair.rtp.getsockname()[:2] == (loopback, pair.port)
    assert pair.rtcp.getsockname()[:2] == (loopback, pair.port + 1)


def test_speech_goes_first_through_the_network(ports):
    pair = ports(40_000, 40_999).reserve("127.0.0.1")
    for sock in (pair.rtp, pair.rtcp):
        assert sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 46 << 2
        assert not sock.getblocking()


def test_the_mark_of_speech_can_be_set():
    """RFC 4504 §2.12: as the network here wants it."""
    pair = MediaPorts(41_000, 41_999, Tokens(b"a mark"), dscp=34).reserve("127.0.0.32")
    assert pair.rtp.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 34 << 2
    pair.close()


def test_every_pair_of_the_range_is_used_and_then_none_is_left(ports):
    first = free_range(8, "127.0.0.31")
    some = ports(first, first + 7)
    taken = {some.reserve("127.0.0.31").port for _ in range(4)}
    assert taken == {first, first + 2, first + 4, first + 6}
    with pytest.raises(NoMediaPortError, match=rf"all media ports {first}-{first + 7} are taken"):
        some.reserve("127.0.0.31")


def test_a_pair_that_was_given_back_is_there_again(ports):
    first = free_range(2, "127.0.0.32")
    one = ports(first, first + 1)
    one.reserve("127.0.0.32").close()
    assert one.reserve("127.0.0.32").port == first


def test_a_taken_rtcp_port_spoils_its_pair_only(ports, udp_socket):
    first = free_range(4, "127.0.0.33")
    udp_socket("127.0.0.33", first + 1)
    assert ports(first, first + 3).reserve("127.0.0.33").port == first + 2


def test_an_odd_range_begins_and_ends_even(ports):
    first = free_range(6, "127.0.0.34")
    assert ports(first + 1, first + 4).reserve("127.0.0.34").port == first + 2


def test_a_range_without_a_pair_is_refused_when_a_call_comes(ports):
    with pytest.raises(NoMediaPortError):
        ports(40_001, 40_001).reserve("127.0.0.1")


def test_an_address_that_is_not_ours_is_refused_in_words(ports):
    with pytest.raises(NoMediaPortError, match=r"192\.0\.2\.1: Cannot assign"):
        ports(40_000, 40_999).reserve("192.0.2.1")


def test_a08_two_phones_do_not_begin_at_the_same_port(ports):
    begins = {ports(40_000, 40_999, bytes([n]) * 16).reserve("127.0.0.35").port for n in range(8)}
    assert len(begins) > 4


def test_ten_thousand_calls_leave_no_descriptor(ports):

    some = MediaPorts(40_000, 40_999, Tokens(b"s" * 16))
    before = open_now()
    for _ in range(10_000):
        some.reserve("127.0.0.36").close()
    assert opened_since(before) == []


def test_p10_an_emergency_takes_any_pair_of_the_machine_when_the_range_is_used_up(ports):
    first = free_range(2, "127.0.0.34")
    one = ports(first, first + 1)
    assert one.reserve("127.0.0.34", anywhere=True).port == first
    beyond = one.reserve("127.0.0.34", anywhere=True)
    assert beyond.port not in (first, first + 1)
    assert beyond.port % 2 == 0
    assert beyond.rtcp.getsockname() == ("127.0.0.34", beyond.port + 1)


def test_not_even_an_emergency_can_use_an_address_that_is_not_ours(ports):
    with pytest.raises(NoMediaPortError, match=r"192\.0\.2\.1: "):
        ports(40_000, 40_999).reserve("192.0.2.1", anywhere=True)
