"""From a payload format of the SDP to a codec that is loaded, or to the reason why not. Pure."""

from msgspec import Struct

from firmware.codec import Codec, CodecUnavailableError, find
from firmware.media.messages import PayloadFormat


class Speech(Struct, frozen=True):
    """A payload type that is speech, with its codec."""

    number: int
    name: str
    clock: int
    rate: int
    """Samples a second of its PCM."""
    codec: Codec


def load(payload: PayloadFormat) -> Speech | str:
    """The speech of a payload format, or a clause that says why this machine cannot speak it."""
    row = find(payload.name, payload.clock)
    if row is None:
        return f"{payload.name}/{payload.clock} is unknown"
    try:
        codec = row.load()
    except CodecUnavailableError as error:
        return str(error)
    return Speech(payload.number, row.encoding, payload.clock, codec.sample_rate, codec)


def is_events(payload: PayloadFormat) -> bool:
    """Whether a format is telephone-event (RFC 4733 §7.1.1)."""
    return payload.name.lower() == "telephone-event"


def is_comfort_noise(payload: PayloadFormat) -> bool:
    """Whether a format is comfort noise (RFC 3389 §5)."""
    return payload.name.lower() == "cn"
