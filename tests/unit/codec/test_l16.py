"""L16: samples as they are, in network byte order, in packets that fit (RFC 3551 §4.5.11)."""

from array import array

import pytest

from firmware.codec import CODECS, find
from firmware.codec.l16 import L16

SAMPLES = array("h", [0, 1, -1, 256, 32767, -32768])


def network_order(samples: array) -> bytes:
    return b"".join(sample.to_bytes(2, "big", signed=True) for sample in samples)


def test_samples_go_out_in_network_byte_order_and_come_back():
    payload = L16(16000).encoder().encode(SAMPLES.tobytes())
    assert payload == network_order(SAMPLES)
    assert L16(16000).decoder().decode(payload) == SAMPLES.tobytes()


def test_both_channels_of_a_stereo_payload_are_heard_and_ours_goes_into_both():
    left_and_right = array("h", [1000, 3000, -1000, -3000])
    payload = network_order(left_and_right)
    assert array("h", L16(44100, 2).decoder().decode(payload)) == array("h", [2000, -2000])
    both = L16(44100, 2).encoder().encode(array("h", [5, -6]).tobytes())
    assert both == network_order(array("h", [5, 5, -6, -6]))


@pytest.mark.parametrize("octets", range(8))
def test_half_a_sample_at_the_end_is_left_out(octets):
    for channels in (1, 2):
        whole = octets // (2 * channels)
        assert len(L16(44100, channels).decoder().decode(bytes(octets))) == whole * 2


@pytest.mark.parametrize(
    ("rate", "channels", "wanted_ms", "samples"),
    [
        (8000, 1, 20, 160),
        (8000, 1, 60, 480),
        (16000, 1, 20, 320),
        (16000, 1, 60, 640),
        (44100, 1, 20, 441),
        (44100, 1, 10, 441),
        (44100, 2, 20, 294),
        (48000, 1, 60, 480),
    ],
)
def test_a_packet_fits_into_an_ethernet_frame(rate, channels, wanted_ms, samples):
    codec = L16(rate, channels)
    assert codec.packet(rate * wanted_ms // 1000) == samples
    assert samples * 2 * channels <= 1400


def test_the_static_numbers_of_rfc_3551_are_those_of_44100():
    assert (CODECS["l16/44100/2"].number, CODECS["l16/44100"].number) == (10, 11)
    assert find("L16", 44100, 2) is CODECS["l16/44100/2"]
    assert find("L16", 44100, 1) is CODECS["l16/44100"]
