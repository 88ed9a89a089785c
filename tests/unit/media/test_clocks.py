"""Speech on RTP clocks other than 8,000: the delay is counted in its own ticks from the start."""

import pytest

from firmware.codec import CODECS, available
from firmware.dsp.tone_probe import dominant
from firmware.media.messages import PayloadFormat
from firmware.media.reception import Reception
from firmware.rtp.packet import RtpPacket

THERE = ("192.0.2.9", 4000)
ROWS = available(tuple(CODECS))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_steady_far_end_is_heard_whole_and_soon(row, sine):
    codec = row.load().at(16000)
    rate, encoder = codec.sample_rate, codec.encoder()
    samples = codec.packet(rate // 50)
    pieces = rate // 50 // samples
    ticks = samples * row.rtp_clock // rate
    tone = sine(450, 3, rate)
    packets = [
        encoder.encode(tone[at : at + samples * 2]) for at in range(0, len(tone), samples * 2)
    ]
    reception = Reception(16000)
    reception.expect((PayloadFormat(96, row.encoding, row.rtp_clock, row.channels),))
    heard = b""
    for frame in range(len(packets) // pieces):
        now = 100.0 + frame * 0.02
        for number in range(frame * pieces, (frame + 1) * pieces):
            packet = RtpPacket(96, number & 0xFFFF, number * ticks, 7, packets[number])
            reception.receive(packet, THERE, now)
        heard += reception.hear(now + 0.005)
    buffer = reception.buffer
    assert buffer.delay_ms < 50
    assert (buffer.lost, buffer.late, buffer.cut, buffer.restarts) == (0, 0, 0, 0)
    assert buffer.concealed <= 6
    assert len(buffer) <= 2 * pieces + 1
    hertz, level = dominant(heard[-rate:], rate)
    assert hertz == pytest.approx(450, rel=0.01)
    assert level > -16


def test_another_clock_in_the_middle_begins_a_schedule_of_its_own():
    reception = Reception(16000)
    pcmu, wide = PayloadFormat(0, "PCMU", 8000), PayloadFormat(97, "L16", 16000)
    reception.expect((pcmu, wide))
    now, stamp = 100.0, 0
    for number in range(200):
        wideband = number >= 100
        payload = bytes(640) if wideband else b"\xff" * 160
        packet = RtpPacket(97 if wideband else 0, number, stamp, 7, payload)
        reception.receive(packet, THERE, now)
        reception.hear(now + 0.005)
        now += 0.02
        stamp += 320 if wideband else 160
    assert reception.buffer.delay_ms < 50
    assert reception.codec == "L16"
