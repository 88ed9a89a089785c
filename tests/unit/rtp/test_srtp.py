import json
import struct
from pathlib import Path

import pytest

from firmware.base.suites import SUITES
from firmware.rtp import srtp
from firmware.rtp.srtp import Guard, Heard, Keys, guess
from tests.support import srtp_reference as reference

VECTORS = json.loads((Path(__file__).parents[2] / "data/srtp/vectors.json").read_text())
CM = "AES_CM_128_HMAC_SHA1_80"


def octets(suite, fill):
    return bytes((fill + i) & 255 for i in range(SUITES[suite].octets))


def pair(suite=CM):
    """A desk and its far end."""
    here, there = octets(suite, 1), octets(suite, 101)
    desk, far = Guard(), Guard()
    desk.use(Keys(suite, here, there))
    far.use(Keys(suite, there, here))
    return desk, far


def speech(number, ssrc=0x5EED, text=b"good morning"):
    return struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, number * 160, ssrc) + text


def report(ssrc=0x5EED):
    return struct.pack("!BBHI", 0x80, 201, 1, ssrc)


def heard_after(guard, packets):
    return [guard.open(packet) is not None for packet in packets]


# The vectors of RFC 3711


def test_the_counter_mode_of_the_rfc():
    """RFC 3711 §4.1.1. RFC 3711 §B.2."""
    row = VECTORS["rfc3711_B2"]
    stream = reference.counter_mode(
        bytes.fromhex(row["session_key"]), bytes.fromhex(row["iv"]), 16 * 0xFF02
    )
    for place, block in row["keystream"].items():
        assert stream[16 * int(place, 16) :][:16] == bytes.fromhex(block)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("rtp_cipher_key", 0),
        ("rtp_auth_key", 1),
        ("rtp_salt", 2),
        ("rtcp_cipher_key", 3),
        ("rtcp_auth_key", 4),
        ("rtcp_salt", 5),
    ],
)
def test_the_keys_derived_in_the_rfc(name, label):
    """RFC 3711 §4.3.1. RFC 3711 §B.3."""
    row = VECTORS["rfc3711_B3"]
    wanted = bytes.fromhex(row[name])
    key, salt = bytes.fromhex(row["master_key"]), bytes.fromhex(row["master_salt"])
    assert reference.derive(key, salt, label, len(wanted)) == wanted


# RFC 7714 §16, §17


@pytest.mark.parametrize(("size", "name"), [(16, "rtp_128"), (32, "rtp_256")])
def test_the_gcm_packets_of_the_rfc(size, name):
    """RFC 7714 §16.1.1, RFC 7714 §16.2.2."""
    row = VECTORS["rfc7714"]
    plain, salt = bytes.fromhex(row["rtp_plain"]), bytes.fromhex(row["salt"])
    assert reference.gcm_rtp(bytes(range(size)), salt, plain, 0).hex() == row[name]


def test_the_gcm_report_of_the_rfc():
    """RFC 7714 §17.1."""
    row = VECTORS["rfc7714"]
    plain, salt = bytes.fromhex(row["rtcp_plain"]), bytes.fromhex(row["salt"])
    sealed = reference.gcm_rtcp(bytes(range(16)), salt, plain, row["rtcp_index"])
    assert sealed.hex() == row["rtcp_128"]


@pytest.mark.parametrize("suite", SUITES)
def test_what_leaves_is_what_the_rfcs_say(suite):
    """RFC 3711 §3.1, RFC 7714 §8.2, RFC 7714 §9.4; lengths: RFC 7714 §14.1.

    SRTCP has 80 bits of proof in each: RFC 4568 §6.2.2.
    """
    desk, _ = pair(suite)
    key = octets(suite, 1)
    for number in (0xFFFE, 0xFFFF, 0x10000, 0x10001):
        packet = speech(number)
        assert desk.seal(packet) == reference.seal(suite, key, packet, number >> 16)
    for index in (1, 2):
        sealed = desk.seal_control(report())
        assert sealed == reference.seal_control(suite, key, report(), index)


@pytest.mark.parametrize(
    ("suite", "row"),
    [(CM, "libsrtp_srtp_validate"), ("AEAD_AES_128_GCM", "libsrtp_srtp_validate_gcm")],
)
def test_the_packets_that_libsrtp_knows(suite, row):
    """RFC 4568 §6.2: key and salt in one, as RFC 7714 §14.1 has them too."""
    key = bytes.fromhex(VECTORS[row]["master_key_and_salt"])
    guard = Guard()
    guard.use(Keys(suite, key, key))
    plain = bytes.fromhex(VECTORS[row]["srtp_plaintext_ref"])
    control = bytes.fromhex(VECTORS[row]["rtcp_plaintext_ref"])
    assert guard.seal(plain).hex() == VECTORS[row]["srtp_ciphertext"]
    assert guard.seal_control(control).hex() == VECTORS[row]["srtcp_ciphertext"]
    assert guard.open(bytes.fromhex(VECTORS[row]["srtp_ciphertext"])) == plain
    assert guard.open_control(bytes.fromhex(VECTORS[row]["srtcp_ciphertext"])) == control


# Between two ends


@pytest.mark.parametrize("suite", SUITES)
def test_both_hear_each_other(suite):
    desk, far = pair(suite)
    assert far.open(desk.seal(speech(7))) == speech(7)
    assert desk.open(far.seal(speech(9, 0xFA2))) == speech(9, 0xFA2)
    assert far.open_control(desk.seal_control(report())) == report()
    assert desk.refused == far.refused == 0


def test_a10_of_what_shares_a_port_each_proves_itself_in_its_own_way():
    """RFC 5761 §4; what is neither RTP nor RTCP is no matter of keys (RFC 7983 §7)."""
    desk, far = pair()
    assert far.open_any(desk.seal(speech(1))) == speech(1)
    assert far.open_any(desk.seal_control(report())) == report()
    assert far.open_any(speech(2)) == far.open_any(report()) == b""
    assert far.refused == 2
    for other in (b"", b"\x00\x01stun", b"\x16dtls"):
        assert far.open_any(other) == other
    assert far.refused == 2


@pytest.mark.parametrize("suite", SUITES)
def test_a10_what_does_not_prove_itself_is_counted_and_dropped(suite):
    desk, far = pair(suite)
    good = desk.seal(speech(7))
    bent = good[:20] + bytes([good[20] ^ 1]) + good[21:]
    for datagram in (bent, good[:-1], good + b"x", speech(8), good[:12], b"", b"\x80" * 3000):
        assert far.open(datagram) is None
    control = desk.seal_control(report())
    for datagram in (control[:-1], report(), b"\x80\xc9", b""):
        assert far.open_control(datagram) is None
    assert far.refused == 11
    assert far.open(good) == speech(7)


def test_a10_a_packet_is_heard_once():
    desk, far = pair()
    sealed = [desk.seal(speech(number)) for number in range(10)]
    assert all(heard_after(far, sealed))
    assert not any(heard_after(far, sealed))
    again = desk.seal_control(report())
    assert far.open_control(again) is not None
    assert far.open_control(again) is None
    assert far.refused == 11


def test_a10_one_key_cannot_fill_the_memory_with_sources():
    desk, far = pair()
    heard = heard_after(far, [desk.seal(speech(1, ssrc)) for ssrc in range(1, 101)])
    assert heard.count(True) == 32
    assert far.open(desk.seal(speech(2, 5))) == speech(2, 5)


def test_packets_that_overtake_are_heard():
    desk, far = pair()
    first, *others = [desk.seal(speech(number)) for number in range(0xFFF0, 0x10010)]
    assert all(heard_after(far, [first, *others[::-1]]))


# Keys change


def test_a_kept_key_keeps_its_count():
    desk, _ = pair()
    for number in range(0xFFF0, 0x10005):
        desk.seal(speech(number))
    assert desk.use(desk.keys) is False
    assert desk.seal(speech(0x10800)) == reference.seal(CM, octets(CM, 1), speech(0x10800), 1)


def test_packets_under_way_are_heard_when_the_far_end_takes_another_key():
    """RFC 4568 §7.1.4."""
    desk, far = pair()
    late = desk.seal(speech(1))
    desk.use(Keys(CM, octets(CM, 50), octets(CM, 101)))
    far.use(Keys(CM, octets(CM, 101), octets(CM, 50)))
    assert far.open(late) is not None
    assert far.open(desk.seal(speech(2))) is not None
    # Once the new key was seen the old one is worth nothing.
    other, _ = pair()
    assert far.open(other.seal(speech(3))) is None


def test_a_key_that_comes_back_asks_for_another_ssrc():
    """RFC 3711 §9.1."""
    desk, _ = pair()
    first = desk.keys
    assert desk.use(Keys(CM, octets(CM, 50), octets(CM, 101))) is False
    assert desk.use(first) is True
    desk.forget()
    assert desk.use(first) is True


def test_nothing_leaves_and_nothing_is_heard_without_a_key():
    guard = Guard()
    assert guard.seal(speech(1)) is guard.seal_control(report()) is None
    assert guard.open(speech(1)) is guard.open_control(report()) is None
    assert guard.heard(1, 1) is None


# Another engine goes on


def sealed_from(suite, first, count):
    """Packets of a far end that has sent since its number 0."""
    key = octets(suite, 1)
    return [
        reference.seal(suite, key, speech(number), number >> 16)
        for number in range(first, first + count)
    ]


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("last", [0x10005, 0x1FFF0, 0x1FFFF, 0x25000])
def test_a_new_engine_hears_on_past_65536_packets(suite, last):
    """RFC 3711 §3.3.1: without the counter every packet would fail."""
    keys = Keys(suite, octets(suite, 101), octets(suite, 1))
    (played,) = sealed_from(suite, last, 1)
    gap = sealed_from(suite, last + 1, 40)
    lost, second = Guard(), Guard()
    lost.use(keys)
    assert not any(heard_after(lost, gap))
    second.use(keys, Heard(0x5EED, last))
    assert second.open(played) is None, "the last engine heard this one"
    assert all(heard_after(second, gap[20:]))
    assert second.heard(0x5EED, (last + 40) & 0xFFFF) == Heard(0x5EED, last + 40)


def test_a_call_of_more_than_65536_packets_and_an_engine_that_died_in_it():
    desk, far = pair()
    for number in range(0x10000 + 50):
        sealed = desk.seal(speech(number))
        assert far.open(sealed) is not None
    heard = far.heard(0x5EED, 49)
    assert heard == Heard(0x5EED, 0x10000 + 49)
    after = Guard()
    after.use(far.keys, heard)
    assert after.open(desk.seal(speech(0x10000 + 60))) is not None


def test_the_count_is_told_before_anything_was_heard_again():
    _, far = pair()
    far.use(Keys(CM, octets(CM, 101), octets(CM, 77)), Heard(5, 0x30001))
    assert far.heard(5, 9) == Heard(5, 0x30001)


def test_the_count_of_a_stream_that_ran():
    desk, far = pair()
    for number in range(0xFF00, 0x10100):
        far.open(desk.seal(speech(number)))
    assert far.heard(0x5EED, 0xFF) == Heard(0x5EED, 0x100FF)


@pytest.mark.parametrize("late", [[], [0xFFFF]])
def test_the_count_is_that_of_the_speech_though_something_else_rolled_it_over(late):
    """A keepalive of no agreed type (RFC 6263 §4.6) may be the packet that passes 65,535."""
    desk, far = pair()
    sealed = {number: desk.seal(speech(number)) for number in range(0xFF00, 0x10002)}
    for number in (*(each for each in sealed if each not in late), *late):
        assert far.open(sealed[number]) is not None
    heard = far.heard(0x5EED, 0xFFFE)
    assert heard == Heard(0x5EED, 0xFFFE)
    after = Guard()
    after.use(far.keys, heard)
    assert after.open(desk.seal(speech(0x10003))) is not None


@pytest.mark.parametrize(
    ("highest", "sequence", "index"),
    [
        (0x10005, 6, 0x10006),
        (0x1FFFF, 0, 0x20000),
        (0x20001, 0xFFFF, 0x1FFFF),
        (5, 0xFFF0, 0xFFF0),
        (0x18000, 0x7FFF, 0x17FFF),
    ],
)
def test_the_index_a_sequence_number_stands_for(highest, sequence, index):
    """RFC 3711 §3.3.1."""
    assert guess(highest, sequence) == index


def test_a24_keys_do_not_print():
    keys = Keys(CM, b"here" * 8, b"there" * 6)
    assert repr(keys) == str(keys) == f"Keys({CM})"
    assert "here" not in f"{(keys,)}"


def test_the_library_is_loaded_once():
    assert srtp.load() is srtp.load()


@pytest.mark.parametrize("suite", SUITES)
def test_the_name_of_the_only_key_is_skipped(suite):
    """RFC 3711 §3.1, RFC 4568 §6.1: `|1:4` puts four octets into each packet."""
    desk, _ = pair(suite)
    far = Guard()
    far.use(Keys(suite, octets(suite, 101), octets(suite, 1), mki=4))
    name = (1).to_bytes(4)
    tag = {"AES_CM_128_HMAC_SHA1_80": 10, "AES_CM_128_HMAC_SHA1_32": 4}.get(suite, 0)
    sealed, control = desk.seal(speech(1)), desk.seal_control(report())
    end = len(sealed) - tag
    assert far.open(sealed[:end] + name + sealed[end:]) == speech(1)
    end = len(control) - (10 if tag else 0)
    assert far.open_control(control[:end] + name + control[end:]) == report()
    assert far.open(b"") is far.open(b"\x80" * 7) is None
