"""Digits on the way out, as events and as sound."""

import pytest

from firmware.base.tokens import Tokens
from firmware.dsp.tone_probe import dominant_pair
from firmware.media.formats import load
from firmware.media.messages import PayloadFormat
from firmware.media.sending import Sending
from firmware.media.singing import DigitSinger
from firmware.rtp.packet import parse_rtp

PCMU = PayloadFormat(0, "PCMU", 8000)
EVENTS = PayloadFormat(101, "telephone-event", 8000)
SILENT = bytes(320)


@pytest.fixture
def sending():
    sending = Sending(Tokens(b"seed"))
    sending.configure(load(PCMU), EVENTS, 20)
    return sending


def test_a_digit_has_one_timestamp_and_the_speech_after_it_the_right_one(sending):
    first = parse_rtp(sending.packets(SILENT)[0])
    sending.queue_digits("5", 100, 70)
    packets = [parse_rtp(sending.packets(SILENT)[0]) for _ in range(20)]
    events = [packet for packet in packets if packet.payload_type == 101]
    assert {packet.timestamp for packet in events} == {(first.timestamp + 160) & 0xFFFFFFFF}
    assert packets[-1].payload_type == 0
    assert packets[-1].timestamp == (first.timestamp + 20 * 160) & 0xFFFFFFFF


def test_a_new_answer_with_the_same_events_does_not_lose_digits(sending):
    sending.queue_digits("123", 100, 70)
    sending.packets(SILENT)
    sending.configure(load(PCMU), EVENTS, 20)
    packets = [parse_rtp(sending.packets(SILENT)[0]) for _ in range(60)]
    assert {packet.payload[0] for packet in packets if packet.payload_type == 101} == {1, 2, 3}


def test_time_that_passes_in_half_a_packet_is_not_lost(sending):
    sending.configure(load(PCMU), None, 40)
    begin = sending.rtp.timestamp
    assert sending.packets(SILENT) == ()
    sending.skip()
    assert sending.rtp.timestamp == (begin + 2 * 160) & 0xFFFFFFFF


@pytest.mark.parametrize("ptime", [0, -20, 100_000])
def test_a_senseless_ptime_is_bent_into_shape(sending, ptime):
    sending.configure(load(PCMU), None, ptime)
    datagrams = [each for _ in range(50) for each in sending.packets(SILENT)]
    assert datagrams
    assert all(len(each) <= 12 + 1600 for each in datagrams)


@pytest.mark.parametrize(
    ("digit", "pair"),
    [("1", (697, 1209)), ("0", (941, 1336)), ("#", (941, 1477)), ("d", (941, 1633))],
)
def test_a_sung_digit_is_its_two_tones(digit, pair):
    singer = DigitSinger(8000)
    singer.queue(digit + "x", 100, 70)
    sung = b"".join(singer.next_frame() for _ in range(5))
    low, high = dominant_pair(sung, 8000)
    assert low == pytest.approx(pair[0], abs=8)
    assert high == pytest.approx(pair[1], abs=8)
    while singer.active:
        singer.next_frame()


def test_a_codec_nobody_has_is_named():
    assert load(PayloadFormat(97, "speex", 8000)) == "speex/8000 is unknown"
