"""From a payload format of the SDP to a codec that is loaded, or to the reason why not. Pure."""

from msgspec import Struct

from firmware.codec import Codec, CodecUnavailableError, find
from firmware.media.messages import PayloadFormat

USUAL_RATE = 16000
"""Samples a second of most cards."""


class Speech(Struct, frozen=True):
    """A payload type that is speech, with its codec."""

    number: int
    name: str
    clock: int
    rate: int
    """Samples a second of its PCM."""
    codec: Codec
    fmtp: str = ""
    """What the far end would like to receive."""


def load(payload: PayloadFormat, rate: int = USUAL_RATE) -> Speech | str:
    """The speech of a payload format, or a clause that says why this machine cannot speak it.

    `rate` is that of the sound card: a codec that can choose is loaded for it.
    """
    row = find(payload.name, payload.clock, payload.channels)
    if row is None:
        return f"{payload.name}/{payload.clock} is unknown"
    try:
        codec = row.load().at(rate)
    except CodecUnavailableError as error:
        return str(error)
    number, rate = payload.number, codec.sample_rate
    return Speech(number, row.encoding, payload.clock, rate, codec, payload.fmtp)


def is_events(payload: PayloadFormat) -> bool:
    """Whether a format is telephone-event (RFC 4733 §7.1.1)."""
    return payload.name.lower() == "telephone-event"


def is_comfort_noise(payload: PayloadFormat) -> bool:
    """Whether a format is comfort noise (RFC 3389 §5)."""
    return payload.name.lower() == "cn"
