"""RTCP extended reports."""

import pytest
from msgspec import structs

from firmware.rtp.rtcp import ExtendedReport, ReceiverReport, parse_rtcp, write_rtcp
from firmware.rtp.xr import VoipMetrics, read_blocks, write_metrics

METRICS = VoipMetrics(
    ssrc=0xAABBCCDD,
    lost=12 / 256,
    discarded=3 / 256,
    burst_density=0.5,
    gap_density=1 / 256,
    burst_ms=120,
    gap_ms=4000,
    round_trip_ms=80,
    end_system_ms=75,
    signal_level=None,
    echo_loss=43,
    noise_level=-60,
    gmin=16,
    rating=88,
    listening=4.3,
    conversation=4.1,
    buffer_nominal_ms=40,
    buffer_most_ms=60,
    buffer_limit_ms=220,
)


def test_the_block_has_the_octets_of_rfc_3611():
    """RFC 3611 §4.7. Its bf: RFC 3611 §4.7.6."""
    assert write_metrics(METRICS) == bytes.fromhex(
        "07000008 aabbccdd 0c038001 00780fa0 0050004b 7fc42b10 587f2b29 bf000028 003c00dc"
    )


@pytest.mark.parametrize(
    "metrics",
    [
        METRICS,
        structs.replace(METRICS, rating=None, listening=None, conversation=None),
        structs.replace(METRICS, signal_level=-20, noise_level=None),
    ],
)
def test_what_is_written_is_read_again(metrics):
    """RFC 3611 §2."""
    packets = (ReceiverReport(7), ExtendedReport(9, (metrics,)))
    assert parse_rtcp(write_rtcp(packets)) == packets


def test_figures_beyond_their_fields_are_cut_and_not_wrapped():
    wild = structs.replace(
        METRICS, lost=9.0, burst_ms=10**6, gap_ms=-5, noise_level=-500, rating=400, listening=99.0
    )
    (read,) = read_blocks(write_metrics(wild))
    assert (read.lost, read.burst_ms, read.gap_ms) == (255 / 256, 65535, 0)
    assert (read.noise_level, read.rating, read.listening) == (-128, 100, 5.0)


def test_blocks_of_other_kinds_are_stepped_over():
    """RFC 3611 §3: a receiver passes over block types that it does not know."""
    other = bytes.fromhex("04000002 0123456789abcdef")
    assert read_blocks(other + write_metrics(METRICS) + other) == (METRICS,)


def test_what_is_cut_off_or_of_another_length_is_left_out():
    whole = write_metrics(METRICS)
    for end in range(len(whole)):
        assert read_blocks(whole[:end]) == ()
    assert read_blocks(b"\x07\x00\x00\x01" + bytes(4)) == ()
    assert parse_rtcp(bytes.fromhex("80cf0000 80cf0000")) is None
