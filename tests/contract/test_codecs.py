"""What every row of CODECS must keep, whatever codec it is."""

from array import array

import pytest

from firmware.base.pcm import audioop
from firmware.codec import CODECS, CodecRow, CodecUnavailableError, available, find
from firmware.dsp.tone_probe import dominant
from firmware.dsp.tones import Tone


def loaded(row: CodecRow):
    try:
        return row.load()
    except CodecUnavailableError:
        return None


ROWS = [pytest.param(row, id=name) for name, row in CODECS.items()]
LOADED = [pytest.param(row, id=name) for name, row in CODECS.items() if loaded(row)]


def test_the_codecs_every_phone_must_speak_are_there():
    assert {"pcmu", "pcma", "g722"} <= {param.id for param in LOADED}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_loads_or_names_the_package_that_is_missing(row):
    if (codec := loaded(row)) is not None:
        assert codec.sample_rate == row.sample_rate
        return
    with pytest.raises(CodecUnavailableError, match=row.package):
        row.load()


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_found_by_what_sdp_calls_it(row):
    assert find(row.encoding.swapcase(), row.rtp_clock, row.channels) is row
    assert find(row.encoding, row.rtp_clock + 1) is None
    assert find(row.encoding, row.rtp_clock, row.channels + 5) is None


def test_opus_says_two_channels_whatever_it_carries():
    """RFC 7587 §7."""
    assert find("opus", 48000, 2) is CODECS["opus"]
    assert find("opus", 48000, 1) is None


@pytest.mark.parametrize("row", ROWS)
def test_a_static_number_is_below_96(row):
    assert row.number is None or 0 <= row.number < 96
    assert row.name == row.name.lower()


@pytest.mark.parametrize("row", LOADED)
@pytest.mark.parametrize("milliseconds", [10, 20, 30, 40, 50, 60])
def test_a_packet_of_any_usual_length_comes_back_at_its_length(row, milliseconds):
    codec = row.load()
    samples = codec.packet(row.sample_rate * milliseconds // 1000)
    assert 0 < samples <= row.sample_rate * milliseconds // 1000
    pcm = bytes(samples * 2)
    payload = codec.encoder().encode(pcm)
    assert 0 < len(payload) <= 1400
    assert len(codec.decoder().decode(payload)) == len(pcm)
    assert codec.ticks(payload) == samples * row.rtp_clock // row.sample_rate


@pytest.mark.parametrize("row", LOADED)
@pytest.mark.parametrize("milliseconds", [10, 20, 30, 40, 60])
def test_packets_fill_frames_or_frames_fill_packets(row, milliseconds):
    # What is sent is cut from frames of 20 ms: no sample may wait for ever.
    codec = row.load()
    samples, frame = codec.packet(row.sample_rate * milliseconds // 1000), row.sample_rate // 50
    assert samples % (frame // 2) == 0 or frame % samples == 0


@pytest.mark.parametrize("row", LOADED)
@pytest.mark.parametrize("rate", [8000, 16000, 24000, 44100, 48000, 96000])
def test_a_codec_for_a_card_speaks_at_the_rate_it_says(row, rate):
    codec = row.load().at(rate)
    assert codec.sample_rate in {8000, 16000, 24000, 44100, 48000}
    pcm = bytes(codec.packet(codec.sample_rate // 50) * 2)
    assert len(codec.decoder().decode(codec.encoder().encode(pcm))) == len(pcm)


@pytest.mark.parametrize("row", LOADED)
def test_silence_stays_silence(row):
    codec = row.load()
    encoder, decoder = codec.encoder(), codec.decoder()
    pcm = bytes(codec.packet(row.sample_rate // 50) * 2)
    heard = b"".join(decoder.decode(encoder.encode(pcm)) for _ in range(20))
    # The A-law has no code for zero; eight is its smallest step.
    assert max(map(abs, array("h", heard))) <= 8


@pytest.mark.parametrize("row", LOADED)
def test_f35_full_scale_is_loud_and_does_not_wrap(row):
    codec = row.load()
    encoder, decoder = codec.encoder(), codec.decoder()
    half = row.sample_rate // 400
    wave = array("h", [32767] * half + [-32768] * half) * 4
    samples = codec.packet(row.sample_rate // 50)
    pcm = wave.tobytes()[: samples * 2]
    heard = b"".join(decoder.decode(encoder.encode(pcm)) for _ in range(20))[-samples * 4 :]
    said = pcm * 2
    assert audioop.rms(heard, 2) > 16000
    # What wraps changes its sign and no longer follows what was said.
    follows = max(
        audioop.findfactor(heard[shift * 2 :], said[: len(heard) - shift * 2])
        for shift in range(0, 2 * half, 2)
    )
    assert follows > 0.5


@pytest.mark.parametrize("row", LOADED)
@pytest.mark.parametrize("octets", [2, 4, 6, 10, 14, 318, 322, 638, 642, 1922])
def test_pcm_of_an_unusual_length_is_no_error(row, octets):
    codec = row.load()
    encoder = codec.encoder()
    assert isinstance(encoder.encode(bytes(octets)), bytes)
    pcm = bytes(codec.packet(row.sample_rate // 50) * 2)
    assert encoder.encode(pcm)


@pytest.mark.parametrize("row", LOADED)
def test_each_stream_has_a_memory_of_its_own_and_a_fresh_one_is_a_reset(row):
    codec = row.load()
    samples = codec.packet(row.sample_rate // 50)
    tone = Tone((700,), -10, row.sample_rate).block(samples)
    fresh = codec.encoder().encode(tone)
    used = codec.encoder()
    for _ in range(5):
        used.encode(Tone((1900,), -3, row.sample_rate).block(samples))
    assert codec.encoder().encode(tone) == fresh
    first = codec.decoder().decode(fresh)
    codec.decoder().decode(used.encode(tone))
    assert codec.decoder().decode(fresh) == first


@pytest.mark.parametrize("row", LOADED)
def test_what_a_codec_invents_has_the_length_that_is_missing_or_there_is_nothing(row):
    codec = row.load()
    encoder, decoder = codec.encoder("useinbandfec=1"), codec.decoder()
    encoder.expect_loss(0.1)
    samples = codec.packet(row.sample_rate // 50)
    tone = Tone((700,), -10, row.sample_rate)
    decoder.decode(encoder.encode(tone.block(samples)))
    encoder.encode(tone.block(samples))
    following = encoder.encode(tone.block(samples))
    for pcm in (decoder.conceal(samples), decoder.recover(following, samples)):
        assert len(pcm) in (0, samples * 2)
    for nonsense in (b"", b"\xff" * 3, bytes(300)):
        assert len(decoder.recover(nonsense, samples)) in (0, samples * 2)
    assert len(decoder.decode(following)) == samples * 2


@pytest.mark.parametrize("row", LOADED)
@pytest.mark.parametrize(
    "fmtp",
    ["", ";;;", "=", "a=b=c", "maxaveragebitrate=-1;maxplaybackrate=9999999999999999", "²=²"],
)
def test_any_wish_of_the_far_end_is_taken_or_passed_over(row, fmtp):
    codec = row.load()
    pcm = bytes(codec.packet(row.sample_rate // 50) * 2)
    assert codec.encoder(fmtp).encode(pcm)


@pytest.mark.parametrize("row", LOADED)
def test_a_tone_arrives_at_its_pitch_and_level(row):
    codec = row.load()
    encoder, decoder = codec.encoder(), codec.decoder()
    tone, samples = Tone((1000,), -20, row.sample_rate), codec.packet(row.sample_rate // 50)
    heard = b"".join(decoder.decode(encoder.encode(tone.block(samples))) for _ in range(30))
    hertz, level = dominant(heard[len(heard) // 2 :], row.sample_rate)
    assert hertz == pytest.approx(1000, rel=0.002)
    assert level == pytest.approx(-20, abs=1)


@pytest.mark.parametrize("row", LOADED)
@pytest.mark.parametrize("payload", [b"", b"\x00", b"\xff", b"\xff" * 7, bytes(range(256)) * 8])
def test_any_payload_is_decoded_without_an_error(row, payload):
    codec = row.load()
    assert isinstance(codec.decoder().decode(payload), bytes)
    assert codec.ticks(payload) >= 0


@pytest.mark.parametrize("row", LOADED)
def test_nothing_gives_nothing(row):
    codec = row.load()
    assert codec.decoder().decode(b"") == b""
    assert codec.encoder().encode(b"") == b""


def test_available_keeps_the_wanted_order_and_leaves_out_what_is_not_there():
    assert [row.name for row in available(("pcma", "nonsense", "pcmu"))] == ["pcma", "pcmu"]
