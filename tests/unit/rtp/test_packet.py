"""RTP packets: the fixed header, its adornments, and what is none."""

import struct

import pytest

from firmware.rtp.packet import RtpPacket, parse_rtp, write_rtp

SPEECH = RtpPacket(0, 4711, 160, 0xDEADBEEF, b"\xd5" * 160)


def test_a_speech_packet_has_the_header_of_rfc_3550():
    """RFC 3550 §5.1."""
    data = write_rtp(SPEECH)
    assert data[:12] == bytes.fromhex("80 00 1267 000000a0 deadbeef")
    assert parse_rtp(data) == SPEECH


def test_the_marker_is_the_top_bit_of_the_payload_type():
    marked = RtpPacket(101, 1, 2, 3, b"x", marker=True)
    assert write_rtp(marked)[1] == 0x80 | 101
    assert parse_rtp(write_rtp(marked)) == marked


@pytest.mark.parametrize(
    "packet",
    [
        RtpPacket(8, 65535, 2**32 - 1, 2**32 - 1, b""),
        RtpPacket(9, 0, 0, 0, b"x", csrcs=(1, 2, 3)),
        RtpPacket(0, 1, 2, 3, b"x", extension=(0xBEDE, b"")),
        RtpPacket(0, 1, 2, 3, b"speech", csrcs=tuple(range(15)), extension=(1, b"abcdefgh")),
    ],
)
def test_what_is_written_is_read(packet):
    assert parse_rtp(write_rtp(packet)) == packet


def test_padding_is_taken_off():
    data = bytearray(write_rtp(SPEECH)) + b"\0\0\0\4"
    data[0] |= 0x20
    assert parse_rtp(bytes(data)) == SPEECH


def test_padding_extension_and_contributors_together():
    """RFC 3550 §5.1."""
    plain = RtpPacket(0, 1, 2, 3, b"speech", csrcs=(7, 8), extension=(9, b"wxyz"))
    data = bytearray(write_rtp(plain)) + b"\0\2"
    data[0] |= 0x20
    assert parse_rtp(bytes(data)) == plain


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "nothing"),
        (write_rtp(SPEECH)[:11], "shorter than a header"),
        (b"\x40" + write_rtp(SPEECH)[1:], "version 1"),
        (b"\x00" + write_rtp(SPEECH)[1:], "a STUN message"),
        (b"\x16" + write_rtp(SPEECH)[1:], "a DTLS record"),
        (b"\x80\xc8" + write_rtp(SPEECH)[2:], "an RTCP sender report"),
        (b"\x8f" + write_rtp(SPEECH)[1:40], "more contributors than octets"),
        (b"\x90" + write_rtp(SPEECH)[1:12], "an extension that is not there"),
        (b"\x90" + write_rtp(SPEECH)[1:12] + b"\0\0\xff\xff" + bytes(8), "an extension too long"),
        (b"\xa0" + write_rtp(SPEECH)[1:12] + b"\xff", "padding longer than the packet"),
        (b"\xa0" + write_rtp(SPEECH)[1:12] + b"\x00", "padding of no octets"),
    ],
)
def test_what_contradicts_itself_is_no_packet(data, why):
    assert parse_rtp(data) is None, why


def test_misuse_by_our_own_code_raises():
    with pytest.raises(struct.error):
        write_rtp(RtpPacket(0, 65536, 0, 0, b""))
    with pytest.raises(ValueError, match="16 contributors"):
        write_rtp(RtpPacket(0, 1, 0, 0, b"", csrcs=tuple(range(16))))
    with pytest.raises(ValueError, match="whole words"):
        write_rtp(RtpPacket(0, 1, 0, 0, b"", extension=(1, b"abc")))
