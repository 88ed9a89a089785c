"""What this phone can speak: the codecs of the settings that load on this machine, as SDP formats.

A codec whose library is missing is left out of every offer; `config` notes it and the log names
the package. Payload numbers: RFC 3551 §6 where they are static, else from 96 up (§3).
"""

from firmware.codec import available
from firmware.config.schema import AudioSettings
from firmware.media.messages import PayloadFormat
from firmware.sdp.description import Format
from firmware.sdp.negotiate import Capabilities

_FIRST_DYNAMIC = 96


def capabilities_of(audio: AudioSettings) -> Capabilities:
    """The speech formats in the order of the settings, and DTMF as telephone-events."""
    formats: list[Format] = []
    dynamic = _FIRST_DYNAMIC
    for row in available(audio.codecs):
        number = row.number
        if number is None:
            number, dynamic = dynamic, dynamic + 1
        formats.append(Format(number, row.encoding, row.rtp_clock, row.channels, row.fmtp))
    return Capabilities(tuple(formats))


def payload_format(item: Format) -> PayloadFormat:
    """The format as the audio engine takes it."""
    return PayloadFormat(item.number, item.name, item.clock, item.channels, item.fmtp)
