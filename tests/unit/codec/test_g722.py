"""G.722: wideband, two samples an octet, a clock of half its sampling rate."""

import pytest

from firmware.base.pcm import audioop
from firmware.codec.g722 import G722_CODEC
from firmware.dsp.level import level_of
from firmware.dsp.tone_probe import dominant, tone_level
from firmware.dsp.tones import Tone


def through(pcm: bytes) -> bytes:
    encoder, decoder = G722_CODEC.encoder(), G722_CODEC.decoder()
    return b"".join(
        decoder.decode(encoder.encode(pcm[place : place + 640]))
        for place in range(0, len(pcm), 640)
    )


@pytest.mark.parametrize("frequency", [300, 1000, 3000, 5000, 6500])
def test_a_tone_keeps_its_pitch_and_level_up_to_seven_kilohertz(frequency):
    heard = through(Tone((frequency,), -20, 16000).block(16000))[6400:]
    hertz, level = dominant(heard, 16000)
    assert hertz == pytest.approx(frequency, rel=0.001)
    assert level == pytest.approx(-20, abs=1.5)


def test_little_else_is_heard_besides_the_tone():
    heard = through(Tone((1000,), -12, 16000).block(16000))[6400:]
    everything, alone = level_of(heard), tone_level(heard, 16000, 1000)
    assert everything == pytest.approx(alone, abs=0.05)


def test_samples_are_sixteen_bit_and_not_octets():
    # The library takes bytes as 8-bit samples; then the pitch would double and the level be gone.
    pcm = Tone((1000,), -20, 16000).block(320)
    assert len(G722_CODEC.encoder().encode(pcm)) == 160
    heard = through(Tone((1000,), -20, 16000).block(3200))
    assert audioop.rms(heard[3200:], 2) == pytest.approx(32768 * 10 ** (-20 / 20), rel=0.1)


def test_each_stream_has_its_own_memory():
    loud = Tone((1000,), -6, 16000).block(320)
    first, second = G722_CODEC.encoder(), G722_CODEC.encoder()
    first.encode(loud)
    assert second.encode(loud) == G722_CODEC.encoder().encode(loud)


def test_an_odd_sample_at_the_end_is_left_out():
    assert len(G722_CODEC.encoder().encode(bytes(642))) == 160
    assert G722_CODEC.encoder().encode(b"") == b""


def test_twenty_milliseconds_are_160_ticks_of_the_8000_clock():
    assert G722_CODEC.ticks(bytes(160)) == 160
