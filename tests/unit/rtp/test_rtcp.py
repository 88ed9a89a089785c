"""RTCP: compound packets, and garbage that looks like them."""

import pytest

from firmware.rtp.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    SourceDescription,
    is_rtcp,
    parse_rtcp,
    write_rtcp,
)

BLOCK = ReportBlock(0xAABBCCDD, 64, 12, 70000, 33, 0x11112222, 65536)
REPORT = SenderReport(7, 0x0123456789ABCDEF, 4800, 30, 4800, (BLOCK,))


def test_a_sender_report_has_the_octets_of_rfc_3550():
    assert write_rtcp((REPORT,)) == bytes.fromhex(
        "81c8000c 00000007 01234567 89abcdef 000012c0 0000001e 000012c0"
        "aabbccdd 4000000c 00011170 00000021 11112222 00010000"
    )


@pytest.mark.parametrize(
    "packets",
    [
        (REPORT, SourceDescription(7, "k2x7q"), Goodbye((7,))),
        (ReceiverReport(9), SourceDescription(9, "")),
        (ReceiverReport(9, (BLOCK, BLOCK)), Goodbye((9, 10), "good night")),
        (SourceDescription(1, "ä" * 20), SourceDescription(2, "abc")),
    ],
)
def test_a_compound_packet_is_read_as_it_was_written(packets):
    """RFC 3550 §6.1, RFC 3550 §6.4.2, RFC 3550 §6.5, RFC 3550 §6.6."""
    data = write_rtcp(packets)
    assert len(data) % 4 == 0
    assert is_rtcp(data)
    assert parse_rtcp(data) == packets


def test_a_negative_loss_stays_negative():
    # Doubled packets make more arrive than were sent (RFC 3550 §6.4.1).
    block = ReportBlock(1, 0, -3, 5, 0, 0, 0)
    assert parse_rtcp(write_rtcp((ReceiverReport(2, (block,)),))) == (ReceiverReport(2, (block,)),)


def test_feedback_and_what_applications_say_is_stepped_over():
    other = bytes.fromhex("80cd0001 00000007 80cc0001 00000007")
    data = write_rtcp((ReceiverReport(7),)) + other + write_rtcp((Goodbye((7,)),))
    assert parse_rtcp(data) == (ReceiverReport(7), Goodbye((7,)))


def test_a_packet_of_reduced_size_needs_no_report_before_it():
    """RFC 5506."""
    assert parse_rtcp(write_rtcp((Goodbye((7,)),))) == (Goodbye((7,)),)


def test_names_other_than_the_canonical_one_are_stepped_over():
    # SSRC, CNAME "ab", NAME "x", end, padded to a word
    chunk = bytes.fromhex("00000007 0102 6162 0201 7800")
    assert parse_rtcp(bytes.fromhex("81ca0003") + chunk) == (SourceDescription(7, "ab"),)


def test_padding_is_allowed_at_the_end_only():
    body = write_rtcp((ReceiverReport(7),))
    padded = b"\xa0\xc9\x00\x02" + body[4:] + b"\0\0\0\4"
    assert parse_rtcp(padded) == (ReceiverReport(7),)
    assert parse_rtcp(padded + body) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x81\xc8\x00\x0c",
        bytes(200),
        b"\x81\xc8\x00\x06" + bytes(24),  # says one block, has none
        b"\x81\xc9\xff\xff" + bytes(40),  # longer than the datagram
        b"\xa0\xc9\x00\x01" + b"\0\0\0\xff",  # padding beyond the packet
        b"\x9f\xcb\x00\x01" + bytes(4),  # thirty-one good-byes in one word
        b"\x80\xc9\x00\x01" + bytes(4) + b"\x80\xc9",  # half a packet behind
    ],
)
def test_what_contradicts_itself_is_nothing(data):
    assert parse_rtcp(data) is None


def test_speech_is_not_mistaken_for_a_report():
    """RFC 5761 §4."""
    assert not is_rtcp(b"\x80\x00" + bytes(170))
    assert not is_rtcp(b"\x80\xe5" + bytes(170))  # marker and payload type 101


def test_more_items_than_five_bits_hold_are_our_own_mistake():
    with pytest.raises(ValueError, match="five bits"):
        write_rtcp((Goodbye(tuple(range(32))),))
