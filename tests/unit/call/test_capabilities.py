"""What we offer follows the settings and what this machine can load."""

from firmware.call.capabilities import capabilities_of, payload_format
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
