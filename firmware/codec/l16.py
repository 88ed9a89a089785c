"""L16: samples as they are, 16 bit in network byte order (RFC 3551 §4.5.11).

For a studio line or a tester next door: nothing is lost and nothing is saved. A packet must fit
into an Ethernet frame, so the faster rates go in packets shorter than 20 ms.
"""

import sys

from msgspec import Struct

from firmware.base.pcm import audioop
from firmware.codec.protocols import Decoder, Encoder

_SWAPS = sys.byteorder == "little"
_MOST_OCTETS = 1400
"""Of a payload: 1,500 less IPv6, UDP, RTP and what SRTP appends."""

_PIECES = (1, 2, 3, 4)
"""Into how many packets 20 ms may be cut."""


class _Encoder(Encoder):
    __slots__ = ("_stereo",)

    def __init__(self, channels: int) -> None:
        self._stereo = channels == 2

    def encode(self, pcm: bytes) -> bytes:
        pcm = pcm[: len(pcm) & ~1]
        if self._stereo:
            pcm = audioop.tostereo(pcm, 2, 1.0, 1.0)
        return audioop.byteswap(pcm, 2) if _SWAPS else pcm


class _Decoder(Decoder):
    __slots__ = ("_octets", "_stereo")

    def __init__(self, channels: int) -> None:
        self._stereo = channels == 2
        self._octets = 2 * channels

    def decode(self, payload: bytes) -> bytes:
        whole = len(payload) - len(payload) % self._octets
        pcm = audioop.byteswap(payload[:whole], 2) if _SWAPS else payload[:whole]
        return audioop.tomono(pcm, 2, 0.5, 0.5) if self._stereo else pcm


class L16(Struct, frozen=True):
    """L16 at one rate, of one channel or two; our own side of it is always mono."""

    sample_rate: int
    channels: int = 1

    def at(self, rate: int) -> "L16":
        return self

    def encoder(self, fmtp: str = "", *, dtx: bool = False) -> _Encoder:
        return _Encoder(self.channels)

    def decoder(self) -> _Decoder:
        return _Decoder(self.channels)

    def ticks(self, payload: bytes) -> int:
        return len(payload) // (2 * self.channels)

    def packet(self, samples: int) -> int:
        if samples * 2 * self.channels <= _MOST_OCTETS:
            return samples
        frame = self.sample_rate // 50
        if samples > frame:
            tens = _MOST_OCTETS // (2 * self.channels) // (frame // 2)
            if tens >= 2:
                return tens * (frame // 2)
        pieces = next(n for n in _PIECES if frame // n * 2 * self.channels <= _MOST_OCTETS)
        return frame // pieces
