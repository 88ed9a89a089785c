"""What every row of CODECS must keep, whatever codec it is."""

import pytest

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
    with pytest.raises(CodecUnavailableError, match=row.package or "not in this version"):
        row.load()


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_found_by_what_sdp_calls_it(row):
    assert find(row.encoding.swapcase(), row.rtp_clock) is row
    assert find(row.encoding, row.rtp_clock + 1) is None


@pytest.mark.parametrize("row", ROWS)
def test_a_static_number_is_below_96(row):
    assert row.number is None or 0 <= row.number < 96
    assert row.name == row.name.lower()


@pytest.mark.parametrize("row", LOADED)
@pytest.mark.parametrize("milliseconds", [10, 20, 30, 40, 60])
def test_a_frame_of_any_usual_length_comes_back_at_its_length(row, milliseconds):
    codec = row.load()
    pcm = bytes(row.sample_rate * milliseconds // 1000 * 2)
    payload = codec.encoder().encode(pcm)
    assert len(codec.decoder().decode(payload)) == len(pcm)
    assert codec.ticks(payload) == row.rtp_clock * milliseconds // 1000


@pytest.mark.parametrize("row", LOADED)
def test_a_tone_arrives_at_its_pitch_and_level(row):
    codec = row.load()
    encoder, decoder = codec.encoder(), codec.decoder()
    tone, samples = Tone((1000,), -20, row.sample_rate), row.sample_rate // 50
    heard = b"".join(decoder.decode(encoder.encode(tone.block(samples))) for _ in range(20))
    hertz, level = dominant(heard[len(heard) // 2 :], row.sample_rate)
    assert hertz == pytest.approx(1000, rel=0.002)
    assert level == pytest.approx(-20, abs=1)


@pytest.mark.parametrize("row", LOADED)
@pytest.mark.parametrize("payload", [b"", b"\x00", b"\xff" * 7, bytes(range(256)) * 8])
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
