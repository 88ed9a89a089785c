"""Opus (RFC 6716) as RTP carries it (RFC 7587), through the system's libopus by ctypes.

The library is Debian's libopus0. It is loaded with the first Opus call: a phone that speaks only
G.711 never opens it. The binding from PyPI was measured and left out: it starts a process to find
the library, and costs ten times as much to import (docs/dependencies.md).

RTP counts 48,000 ticks a second whatever the samples are (RFC 7587 §4.1), and SDP says two channels
though we speak with one (§7). So the samples have the rate that the sound card has use for.
"""

import ctypes
from functools import lru_cache

from msgspec import Struct

from firmware.codec.protocols import Decoder, Encoder, LibraryMissingError

LIBRARY = "libopus.so.0"
RATES = (16000, 24000, 48000)
COMPLEXITY = 5
"""Of ten: what a Pi has to spare, and hardly to be told from ten by ear."""

BIT_RATE = 32000
_CLOCK = 48000
_VOIP = 2048
_BIT_RATE, _BANDWIDTH, _VBR, _COMPLEXITY = 4002, 4004, 4006, 4010
_FEC, _LOSS, _DTX = 4012, 4014, 4016
_BANDWIDTHS = ((8000, 1101), (12000, 1102), (16000, 1103), (24000, 1104))
"""Samples a second that somebody can play, and the library's name for the band that fills them."""

_FRAMES_MS = (60, 40, 20, 10)
"""Lengths an encoder makes; 2.5 and 5 ms would cost more header than speech."""

_SILK, _HYBRID, _CELT = (480, 960, 1920, 2880), (480, 960), (120, 240, 480, 960)
_FRAME_TICKS = _SILK * 3 + _HYBRID * 2 + _CELT * 4
"""Ticks of a frame by the configuration of RFC 6716 §3.1: three bands, two, four."""
_FRAMES = (1, 2, 2, 0)
"""Frames in a packet by its code; of the last one the next octet tells."""

_LARGEST = 1275
_LONGEST_MS = 120
_LONGEST_TICKS = _CLOCK * _LONGEST_MS // 1000
_GRAIN = 400
"""Frames are multiples of a 400th of a second."""

_LEAST_RATE, _MOST_RATE = 6000, 510000


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    """The library with its signatures.

    Raises:
        LibraryMissingError: it is not there, or is something else.
    """
    try:
        library = ctypes.CDLL(LIBRARY)
        pointer, number, long = ctypes.c_void_p, ctypes.c_int, ctypes.c_int32
        for name, result, arguments in (
            ("opus_encoder_create", pointer, (long, number, number, pointer)),
            ("opus_encoder_destroy", None, (pointer,)),
            ("opus_encoder_ctl", number, (pointer, number, number)),
            ("opus_encode", long, (pointer, ctypes.c_char_p, number, pointer, long)),
            ("opus_decoder_create", pointer, (long, number, pointer)),
            ("opus_decoder_destroy", None, (pointer,)),
            ("opus_decode", number, (pointer, ctypes.c_char_p, long, pointer, number, number)),
        ):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise LibraryMissingError(str(error)) from error
    return library


class Wishes(Struct, frozen=True):
    """What a far end would like to receive (RFC 7587 §6.1); what makes no sense is not believed."""

    fec: bool = False
    dtx: bool = False
    cbr: bool = False
    bit_rate: int = BIT_RATE
    """The most we send, in bits a second."""
    rate: int = _CLOCK
    """Samples a second it can play."""

    @classmethod
    def read(cls, fmtp: str) -> "Wishes":
        """From the parameters of its `a=fmtp`; unknown ones are passed over (RFC 7587 §7.1)."""
        said = dict(_parameters(fmtp))
        most = _number(said.get("maxaveragebitrate", ""), _LEAST_RATE, _MOST_RATE, BIT_RATE)
        return cls(
            fec=said.get("useinbandfec") == "1",
            dtx=said.get("usedtx") == "1",
            cbr=said.get("cbr") == "1",
            bit_rate=min(most, BIT_RATE),
            rate=_number(said.get("maxplaybackrate", ""), 8000, _CLOCK, _CLOCK),
        )


def _parameters(fmtp: str) -> list[tuple[str, str]]:
    pairs = (part.partition("=") for part in fmtp.lower().split(";"))
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _number(text: str, least: int, most: int, usual: int) -> int:
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    return value if least <= value <= most else usual


class _Encoder(Encoder):
    """`encode` gives `b""` for a frame that need not be sent (discontinuous transmission)."""

    __slots__ = ("_ctl", "_destroy", "_encode", "_lengths", "_loss", "_out", "_state")

    def __init__(self, rate: int, wishes: Wishes, *, dtx: bool) -> None:
        library = _library()
        error = ctypes.c_int(0)
        self._state = library.opus_encoder_create(rate, 1, _VOIP, ctypes.byref(error))
        if not self._state:
            raise LibraryMissingError(f"{LIBRARY} makes no encoder: error {error.value}")
        self._destroy = library.opus_encoder_destroy
        self._encode = library.opus_encode
        self._ctl = library.opus_encoder_ctl
        self._out = ctypes.create_string_buffer(_LARGEST)
        self._lengths = frozenset(rate * length // 1000 for length in _FRAMES_MS)
        self._loss = -1
        for request, value in (
            (_COMPLEXITY, COMPLEXITY),
            (_BIT_RATE, wishes.bit_rate),
            (_VBR, not wishes.cbr),
            (_FEC, wishes.fec),
            (_DTX, dtx and wishes.dtx),
        ):
            self._ctl(self._state, request, int(value))
        for playable, bandwidth in _BANDWIDTHS:
            # RFC 7587 §7.1: no more of the band than the far end can play.
            if wishes.rate <= playable:
                self._ctl(self._state, _BANDWIDTH, bandwidth)
                break

    def encode(self, pcm: bytes) -> bytes:
        samples = len(pcm) // 2
        if samples not in self._lengths:
            return b""
        length = self._encode(self._state, pcm, samples, self._out, _LARGEST)
        # One or two octets are a frame without speech, which may stay unsent.
        return ctypes.string_at(self._out, length) if length > 2 else b""

    def expect_loss(self, share: float) -> None:
        """How much of what we send is lost: the more, the more is said twice."""
        loss = min(100, max(0, round(share * 100)))
        if loss != self._loss:
            self._loss = loss
            self._ctl(self._state, _LOSS, loss)

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._destroy(self._state)
            self._state = None


class _Decoder(Decoder):
    __slots__ = ("_decode", "_destroy", "_grain", "_out", "_room", "_state")

    def __init__(self, rate: int) -> None:
        library = _library()
        error = ctypes.c_int(0)
        self._state = library.opus_decoder_create(rate, 1, ctypes.byref(error))
        if not self._state:
            raise LibraryMissingError(f"{LIBRARY} makes no decoder: error {error.value}")
        self._destroy = library.opus_decoder_destroy
        self._decode = library.opus_decode
        self._room = rate * _LONGEST_MS // 1000
        self._grain = rate // _GRAIN
        self._out = ctypes.create_string_buffer(self._room * 2)

    def decode(self, payload: bytes) -> bytes:
        if not payload:  # to the library that would be a loss
            return b""
        return self._take(payload, self._room, fec=0)

    def conceal(self, samples: int) -> bytes:
        return self._take(None, self._whole(samples), fec=0)[: samples * 2]

    def recover(self, payload: bytes, samples: int) -> bytes:
        # RFC 6716 §2.1.7: a packet may hold the one before it again, in less detail. The library
        # conceals by itself if this one does not.
        return self._take(payload, self._whole(samples), fec=1)[: samples * 2] if payload else b""

    def _whole(self, samples: int) -> int:
        """So many samples in whole grains, at most what the buffer holds."""
        return min(-(-samples // self._grain) * self._grain, self._room)

    def _take(self, payload: bytes | None, samples: int, *, fec: int) -> bytes:
        if samples <= 0:
            return b""
        length = len(payload) if payload is not None else 0
        made = self._decode(self._state, payload, length, self._out, samples, fec)
        return ctypes.string_at(self._out, made * 2) if made > 0 else b""

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._destroy(self._state)
            self._state = None


class Opus(Struct, frozen=True):
    """Opus at one of the `RATES`."""

    sample_rate: int = _CLOCK

    def at(self, rate: int) -> "Opus":
        return Opus(next((each for each in RATES if each >= rate), _CLOCK))

    def encoder(self, fmtp: str = "", *, dtx: bool = False) -> _Encoder:
        return _Encoder(self.sample_rate, Wishes.read(fmtp), dtx=dtx)

    def decoder(self) -> _Decoder:
        return _Decoder(self.sample_rate)

    def ticks(self, payload: bytes) -> int:
        if not payload:
            return 0
        first = payload[0]
        # RFC 6716 §3.1: five bits name mode, band and length of a frame, two how many there are.
        frames = _FRAMES[first & 3]
        if not frames:
            # RFC 6716 §3.2.5.
            frames = payload[1] & 63 if len(payload) > 1 else 0
        ticks = _FRAME_TICKS[first >> 3] * frames
        return ticks if ticks <= _LONGEST_TICKS else 0

    def packet(self, samples: int) -> int:
        lengths = (self.sample_rate * length // 1000 for length in _FRAMES_MS)
        return next((each for each in lengths if each <= samples), self.sample_rate // 100)


def load() -> Opus:
    """Opus, once the library has been found.

    Raises:
        LibraryMissingError: it is not there.
    """
    _library()
    return Opus()
