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
    """What the settings ask for, and DTMF as telephone-events."""
    return capabilities_with(audio.codecs, leave_out_silence=audio.leave_out_silence)


def capabilities_with(codecs: tuple[str, ...], *, leave_out_silence: bool = False) -> Capabilities:
    """Those of the named codecs that load on this machine, in the order given."""
    formats: list[Format] = []
    dynamic = _FIRST_DYNAMIC
    rows = available(codecs)
    for row in rows:
        number = row.number
        if number is None:
            number, dynamic = dynamic, dynamic + 1
        wishes = (row.fmtp, row.quiet_fmtp if leave_out_silence else "")
        fmtp = ";".join(filter(None, wishes))
        formats.append(Format(number, row.encoding, row.rtp_clock, row.channels, fmtp))
    return Capabilities(
        tuple(formats),
        leave_out_silence=leave_out_silence,
        noise_clocks=frozenset(row.rtp_clock for row in rows if not row.own_silence),
    )


def payload_format(item: Format) -> PayloadFormat:
    """The format as the audio engine takes it."""
    return PayloadFormat(item.number, item.name, item.clock, item.channels, item.fmtp)
