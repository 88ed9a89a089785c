"""Speech codecs: one file and one row of CODECS each.

A row says all that an offer, a bill of costs and the audio engine need to know before a codec is
loaded; `load()` brings the codec itself, or says which Debian or Python package is missing. PCM is
16 bit signed mono in native byte order at the codec's `sample_rate`.

Codecs are structural: a codec file imports nothing from here, so that codecs stay strangers to
each other. Payload numbers are those of RFC 3551 §6.
"""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct


class CodecError(Exception):
    """Root of what can go wrong with a codec."""


class CodecUnavailableError(CodecError, ImportError):
    """A codec cannot be loaded; `package` brings its library, empty: this version has no such."""

    def __init__(self, codec: str, package: str) -> None:
        why = f"needs the package {package}" if package else "is not in this version"
        super().__init__(f"codec {codec} {why}")
        self.codec = codec
        self.package = package


class Encoder(Protocol):
    """One direction of one stream; has a memory, so each stream has its own."""

    def encode(self, pcm: bytes) -> bytes:
        """PCM at the codec's `sample_rate` as one payload."""
        ...


class Decoder(Protocol):
    """The other direction."""

    def decode(self, payload: bytes) -> bytes:
        """Whatever the payload holds as PCM; a payload that makes no sense gives `b""`."""
        ...


class Codec(Protocol):
    """A loaded codec."""

    @property
    def sample_rate(self) -> int:
        """Samples a second of the PCM on both sides."""
        ...

    def encoder(self) -> Encoder:
        """A fresh encoder."""
        ...

    def decoder(self) -> Decoder:
        """A fresh decoder."""
        ...

    def ticks(self, payload: bytes) -> int:
        """How long a payload plays, in ticks of the RTP clock; 0 if it makes no sense."""
        ...


class CodecRow(Struct, frozen=True):
    """What is known of a codec without loading it.

    `name` is the word of deskphone.toml, `encoding` that of `a=rtpmap`. `rtp_clock` and `channels`
    are what SDP says, which need not be the truth: G.722 has 16,000 samples and a clock of 8,000
    (RFC 3551 §4.5.2), Opus always says two channels (RFC 7587 §7). `number` is the static payload
    type, None if it has none. `frame_cost` is microseconds to encode and decode 20 ms on a PC;
    `package` brings the library, and is empty as long as this version has no such codec.
    """

    name: str
    encoding: str
    sample_rate: int
    rtp_clock: int
    channels: int
    number: int | None
    frame_cost: float
    package: str
    fmtp: str
    loader: Callable[[], Codec]

    def load(self) -> Codec:
        """The codec.

        Raises:
            CodecUnavailableError: its library is not there.
        """
        try:
            return self.loader()
        except ImportError as error:
            raise CodecUnavailableError(self.name, self.package) from error


# Each loader imports its own codec when it is asked for: an audio process that speaks only G.711
# keeps the other libraries out of its memory.
def _pcmu() -> Codec:
    from firmware.codec.g711 import MU_LAW  # noqa: PLC0415 - loaded on demand

    return MU_LAW


def _pcma() -> Codec:
    from firmware.codec.g711 import A_LAW  # noqa: PLC0415 - loaded on demand

    return A_LAW


def _g722() -> Codec:
    from firmware.codec.g722 import G722_CODEC  # noqa: PLC0415 - loaded on demand

    return G722_CODEC


def _opus() -> Codec:
    raise ImportError("no Opus in this release")


CODECS: dict[str, CodecRow] = {
    row.name: row
    for row in (
        CodecRow("opus", "opus", 48000, 48000, 2, None, 200.0, "", "useinbandfec=1", _opus),
        CodecRow("g722", "G722", 16000, 8000, 1, 9, 24.0, "G722", "", _g722),
        CodecRow("pcmu", "PCMU", 8000, 8000, 1, 0, 0.5, "audioop-lts", "", _pcmu),
        CodecRow("pcma", "PCMA", 8000, 8000, 1, 8, 0.5, "audioop-lts", "", _pcma),
    )
}


def find(encoding: str, clock: int) -> CodecRow | None:
    """The row for an `a=rtpmap` encoding name (case does not matter) and clock."""
    wanted = encoding.lower()
    for row in CODECS.values():
        if row.encoding.lower() == wanted and row.rtp_clock == clock:
            return row
    return None


def available(names: tuple[str, ...]) -> tuple[CodecRow, ...]:
    """The rows of `names` that load on this machine, in the order given; unknown names drop out."""
    rows = (CODECS[name] for name in names if name in CODECS)
    return tuple(row for row in rows if _loads(row))


def _loads(row: CodecRow) -> bool:
    try:
        row.load()
    except CodecUnavailableError:
        return False
    return True
