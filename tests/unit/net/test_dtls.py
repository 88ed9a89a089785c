"""Handshakes between two ends in memory; the wire is a list."""

import pytest
from OpenSSL import SSL

from firmware.base.suites import SUITES
from firmware.net.dtls import Association, Identity, datagrams_of, make_identity
from firmware.rtp.srtp import Guard
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def here():
    return make_identity()


@pytest.fixture(scope="module")
def there():
    return make_identity()


def prints(identity):
    name, digest = identity.fingerprint.split()
    return ((name, bytes.fromhex(digest.replace(":", ""))),)


def ends(here, there, wanted=None):
    """The desk waits, the far end begins (RFC 5763 §5)."""
    desk = Association(here, wanted or prints(there), active=False)
    far = Association(there, prints(here), active=True)
    far.start()
    return desk, far


def carry(desk, far, lose=lambda _data: False):
    """Everything that wants to be sent arrives, but what is lost."""
    seen = []
    for _ in range(20):
        moved = [(desk, data) for data in far.take()] + [(far, data) for data in desk.take()]
        if not moved:
            return seen
        for end, data in moved:
            seen.append(data)
            if not lose(data):
                end.feed(data)
    raise AssertionError("they never rest")


def test_both_ends_come_to_the_same_keys(here, there):
    """RFC 5764 §4.2. RFC 5764 §4.1.2: profiles."""
    desk, far = ends(here, there)
    datagrams = carry(desk, far)
    assert desk.over
    assert far.over
    assert desk.failure == far.failure == ""
    assert (desk.keys.send, desk.keys.receive) == (far.keys.receive, far.keys.send)
    assert desk.keys.send != desk.keys.receive
    assert len(desk.keys.send) == SUITES[desk.keys.suite].octets
    assert all(len(data) <= 1200 for data in datagrams)
    one, other = Guard(), Guard()
    one.use(desk.keys)
    other.use(far.keys)
    packet = bytes.fromhex("80000001000000a000005eed") + b"hello"
    assert other.open(one.seal(packet)) == packet


def test_the_certificates_of_two_runs_are_two(here, there):
    """RFC 5763 §8: and say nothing of who we are."""
    assert here.fingerprint != there.fingerprint
    assert here.fingerprint.startswith("sha-256 ")
    assert len(here.fingerprint) == len("sha-256 ") + 32 * 3 - 1
    assert repr(here) == f"Identity({here.fingerprint})"


def test_a_certificate_that_was_not_announced_is_refused(here, there):
    """RFC 5763 §5."""
    desk, far = ends(here, there, (("sha-256", b"\0" * 32),))
    carry(desk, far)
    assert desk.keys is None
    assert desk.failure == "the far end's certificate is not the one it announced"


def test_who_shows_no_certificate_at_all_is_refused(here, there):
    """RFC 5763 §5: both sides have one."""
    bare = SSL.Context(SSL.DTLS_METHOD)
    bare.set_tlsext_use_srtp(b"SRTP_AEAD_AES_128_GCM")
    desk, far = ends(here, Identity(bare, there.fingerprint))
    carry(desk, far)
    assert desk.keys is None
    assert desk.failure


def test_one_of_several_announced_certificates_is_enough(here, there):
    desk, far = ends(here, there, (("sha-512", b"\0" * 64), *prints(there)))
    carry(desk, far)
    assert desk.keys is not None


def test_what_was_lost_is_sent_again(here, there):
    """RFC 6347 §4.2.4; OpenSSL's first clock is a second, here it is not waited for."""
    desk, far = ends(here, there)
    assert far.next_timer() == pytest.approx(1.0, abs=0.1)
    carry(desk, far, lose=lambda _data: True)
    assert not desk.over
    desk.give_up()
    assert desk.failure == "the far end does not answer the handshake"
    assert desk.next_timer() is None


NOISE = [
    b"",
    b"\x16",
    b"\x16\xfe\xfd" + bytes(10),
    b"\x16\xfe\xfd" + bytes(8) + b"\xff\xff" + b"short",
    b"\x17\xfe\xfd" + bytes(8) + b"\0\x05hello",
    b"\x15\xfe\xfd" + bytes(8) + b"\0\x02\x02\x28",
    b"\x80" * 100,
    b"\x16" * 20000,
]


@pytest.mark.parametrize("noise", NOISE, ids=range(len(NOISE)))
def test_p02_noise_after_the_handshake_changes_nothing(here, there, noise):
    desk, far = ends(here, there)
    carry(desk, far)
    keys = desk.keys
    for _ in range(3):
        desk.feed(noise)
    assert desk.keys is keys
    assert desk.failure == ""
    assert carry(desk, far) is not None


@pytest.mark.parametrize("noise", [*NOISE[:5], *NOISE[6:]], ids=range(len(NOISE) - 1))
def test_p02_noise_before_the_handshake_is_no_part_of_it(here, there, noise):
    desk, far = ends(here, there)
    desk.feed(noise)
    far.feed(noise)
    carry(desk, far)
    assert desk.keys is not None


def test_who_missed_our_last_words_hears_them_again(here, there):
    """RFC 6347 §4.2.4: the last flight has no clock, the far end asks by repeating its own."""
    desk, far = ends(here, there)
    carry(desk, far, lose=lambda _data: desk.keys is not None)
    assert desk.keys is not None
    assert far.keys is None
    # OpenSSL looks at a clock of its own.
    wait_for("its first clock", lambda: far.next_timer() <= 0, 5)
    far.fire()
    carry(desk, far)
    assert far.keys.receive == desk.keys.send


def test_octets_are_cut_where_records_end():
    """A record never spans two datagrams, and a datagram takes as many as fit (RFC 6347 §4.1.1).

    The header: RFC 6347 §4.1.
    """

    def record(size):
        return b"\x16\xfe\xfd" + bytes(8) + size.to_bytes(2) + bytes(size)

    assert datagrams_of(b"") == []
    assert datagrams_of(record(10) + record(20)) == [record(10) + record(20)]
    assert datagrams_of(record(700) + record(600)) == [record(700), record(600)]
    assert datagrams_of(record(10) + b"\x16\xfe") == [record(10)]
