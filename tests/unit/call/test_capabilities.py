"""What we offer follows the settings and what this machine can load."""

from firmware.call.capabilities import capabilities_of, capabilities_with, payload_format
from firmware.codec import CODECS, available
from firmware.config.schema import AudioSettings
from firmware.media.messages import PayloadFormat
from firmware.sdp.description import STATIC_FORMATS, Format


def test_the_order_is_the_settings_order():
    capabilities = capabilities_of(AudioSettings(codecs=("pcma", "g722", "pcmu")))
    assert [(x.number, x.name, x.clock) for x in capabilities.formats] == [
        (8, "PCMA", 8000),
        (9, "G722", 8000),
        (0, "PCMU", 8000),
    ]
    assert capabilities.dtmf


def test_what_cannot_be_loaded_is_left_out():
    capabilities = capabilities_of(AudioSettings(codecs=("nonsense", "pcmu")))
    assert [x.name for x in capabilities.formats] == ["PCMU"]


def test_no_two_formats_share_a_number():
    """RFC 3551 §3: what has no number gets one from 96 up; RFC 3551 §6."""
    formats = capabilities_of(AudioSettings()).formats
    assert len({x.number for x in formats}) == len(formats)
    for each in formats:
        assert each.number >= 96 or STATIC_FORMATS[each.number].name == each.name


def test_the_engine_gets_the_same_format():
    assert payload_format(Format(96, "opus", 48000, 2, "useinbandfec=1")) == PayloadFormat(
        96, "opus", 48000, 2, "useinbandfec=1"
    )


def test_every_codec_there_is_can_be_offered_at_once():
    can = capabilities_with(tuple(CODECS))
    assert len({x.number for x in can.formats}) == len(can.formats) == len(available(tuple(CODECS)))
    assert not can.leave_out_silence


def test_who_leaves_silence_out_says_so_and_offers_comfort_noise_where_a_codec_has_none():
    """RFC 7587 §6.1, RFC 3389 §5.1."""
    audio = AudioSettings(codecs=("opus", "l16/16000", "pcmu"), leave_out_silence=True)
    can = capabilities_of(audio)
    fmtp = {x.name: x.fmtp for x in can.formats}
    assert fmtp.get("opus", "useinbandfec=1;usedtx=1") == "useinbandfec=1;usedtx=1"
    assert (fmtp["L16"], fmtp["PCMU"]) == ("", "")
    assert can.noise_clocks == {16000, 8000}
    assert can.leave_out_silence
