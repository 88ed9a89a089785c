"""What orders and reports are made of: paths, formats, tones, cards. Pure values."""

import enum

import msgspec

from hal.card_spec import Control

CARD_RATE = 16000
"""What cards are asked for, in samples a second: enough for every wideband codec."""


class PathName(enum.Enum):
    """A way to a person's ear and mouth."""

    HANDSET = "handset"
    HEADSET = "headset"
    SPEAKER = "speaker"
    RINGER = "ringer"


class Route(enum.Enum):
    """What the near end of a stream is."""

    CARD = "card"
    """The sound card of the talk path: the call in front."""
    NULL = "null"
    """Silence out, nothing heard: a call held in the background."""
    LOOP = "loop"
    """What the far end says goes back to it."""
    CLIP = "clip"
    """A loaded clip is sent (see `LoadClip`)."""


class PayloadFormat(msgspec.Struct, frozen=True, array_like=True):
    """One RTP payload type as negotiated: number, encoding name, RTP clock, channels, fmtp."""

    number: int
    name: str
    clock: int
    channels: int = 1
    fmtp: str = ""


class ToneSegment(msgspec.Struct, frozen=True, array_like=True):
    """`seconds` of the given frequencies (Hz) at `level` dBov each; no frequencies = silence.

    `seconds` = 0 means: until stopped.
    """

    frequencies: tuple[float, ...]
    seconds: float
    level: float = -19.0


class Card(msgspec.Struct, frozen=True, array_like=True):
    """`hal.card_spec.CardSpec` as it crosses the socket."""

    kind: str
    device: str = ""
    play: str = ""
    record: str = ""
    mixer: tuple[Control, ...] = ()


class Microphone(msgspec.Struct, frozen=True, array_like=True):
    """What is done to a path's microphone: gains in dB, the rest by libspeexdsp.

    `echo` cancels what the card's own loudspeaker says, `noise` suppresses what is no speech,
    `level` is automatic gain. `sidetone_db` is how much of it the person hears, 0 = nothing.
    """

    gain_db: float = 0.0
    sidetone_db: float = 0.0
    echo: bool = False
    noise: bool = False
    level: bool = False


class Levels(msgspec.Struct, frozen=True, array_like=True):
    """What is heard of a far end, in dBm0, and what it hears of itself, in dB below; None: unknown.

    `speech` is without its pauses, `noise` those alone, `echo_loss` as RFC 3611 §4.7.4 has it.
    """

    speech: int | None = None
    noise: int | None = None
    echo_loss: int | None = None
