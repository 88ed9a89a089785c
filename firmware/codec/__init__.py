"""Speech codecs: one file and one row of CODECS each.

A row says all that an offer, a bill of costs and the audio engine need to know before a codec is
loaded; `load()` brings the codec itself, or says which Debian or Python package is missing. PCM is
16 bit signed mono in native byte order at the codec's `sample_rate`.

A codec is a file and a row: the file takes its protocols from `protocols` and knows no other codec,
the contract tests run over every row. Payload numbers are those of RFC 3551 §6.
"""

from collections.abc import Callable

from msgspec import Struct

from firmware.codec.protocols import Codec, Decoder, Encoder

__all__ = [
    "CODECS",
    "Codec",
    "CodecError",
    "CodecRow",
    "CodecUnavailableError",
    "Decoder",
    "Encoder",
    "available",
    "find",
]


class CodecError(Exception):
    """Root of what can go wrong with a codec."""


class CodecUnavailableError(CodecError, ImportError):
    """A codec cannot be loaded; `package` brings its library."""

    def __init__(self, codec: str, package: str) -> None:
        super().__init__(f"codec {codec} needs the package {package}")
        self.codec = codec
        self.package = package


class CodecRow(Struct, frozen=True):
    """What is known of a codec without loading it.

    `name` is the word of deskphone.toml, `encoding` that of `a=rtpmap`. `rtp_clock` and `channels`
    are what SDP says, which need not be the truth: G.722 has 16,000 samples and a clock of 8,000
    (RFC 3551 §4.5.2), Opus always says two channels (RFC 7587 §7). `number` is the static payload
    type, None if it has none. `frame_cost` is microseconds to encode and decode 20 ms on a PC;
    `package` brings the library, and is empty if none is needed. `fmtp` is what we would like to
    receive, `quiet_fmtp` what is added to it where silence may be left out. `own_silence`: the
    codec has words of its own for silence, so comfort noise is not for it.
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
    quiet_fmtp: str = ""
    own_silence: bool = False

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
    from firmware.codec import opus  # noqa: PLC0415 - loaded on demand

    return opus.load()


def _l16(rate: int, channels: int = 1) -> Callable[[], Codec]:
    def load() -> Codec:
        from firmware.codec.l16 import L16  # noqa: PLC0415 - loaded on demand

        return L16(rate, channels)

    return load


CODECS: dict[str, CodecRow] = {
    row.name: row
    for row in (
        CodecRow(
            *("opus", "opus", 48000, 48000, 2, None, 170.0, "libopus0", "useinbandfec=1", _opus),
            quiet_fmtp="usedtx=1",
            own_silence=True,
        ),
        CodecRow("g722", "G722", 16000, 8000, 1, 9, 24.0, "G722", "", _g722),
        CodecRow("pcmu", "PCMU", 8000, 8000, 1, 0, 0.5, "audioop-lts", "", _pcmu),
        CodecRow("pcma", "PCMA", 8000, 8000, 1, 8, 0.5, "audioop-lts", "", _pcma),
        CodecRow("l16/8000", "L16", 8000, 8000, 1, None, 0.3, "", "", _l16(8000)),
        CodecRow("l16/16000", "L16", 16000, 16000, 1, None, 0.5, "", "", _l16(16000)),
        CodecRow("l16/44100", "L16", 44100, 44100, 1, 11, 1.0, "", "", _l16(44100)),
        CodecRow("l16/44100/2", "L16", 44100, 44100, 2, 10, 2.0, "", "", _l16(44100, 2)),
        CodecRow("l16/48000", "L16", 48000, 48000, 1, None, 1.0, "", "", _l16(48000)),
    )
}


def find(encoding: str, clock: int, channels: int | None = None) -> CodecRow | None:
    """The row for an `a=rtpmap`: encoding name (case does not matter), clock, channels if known."""
    wanted = encoding.lower()
    for row in CODECS.values():
        same = row.encoding.lower() == wanted and row.rtp_clock == clock
        if same and channels in (None, row.channels):
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
