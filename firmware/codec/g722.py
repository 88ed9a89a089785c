"""G.722: 7 kHz speech in 64 kbit/s by two sub-bands (ITU-T G.722), through the package G722.

RTP clock: 8,000 by a mistake that RFC 3551 §4.5.2 keeps for ever; the speech has 16,000 samples a
second, so an octet is two samples and one tick.
"""

from array import array

from G722 import G722
from msgspec import Struct

from firmware.codec.protocols import Decoder, Encoder

SAMPLE_RATE = 16000
_BIT_RATE = 64000


class _Encoder(Encoder):
    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state = G722(SAMPLE_RATE, _BIT_RATE)

    def encode(self, pcm: bytes) -> bytes:
        # Two samples make an octet. The library takes bytes as 8-bit samples, hence the array.
        whole = len(pcm) & ~3
        samples = array("h", pcm if whole == len(pcm) else pcm[:whole])
        return bytes(self._state.encode(samples))


class _Decoder(Decoder):
    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state = G722(SAMPLE_RATE, _BIT_RATE)

    def decode(self, payload: bytes) -> bytes:
        if not payload:
            return b""
        pcm: bytes = self._state.decode(payload).tobytes()
        return pcm


class _G722Codec(Struct, frozen=True):
    sample_rate: int = SAMPLE_RATE

    def at(self, rate: int) -> "_G722Codec":
        return self

    def encoder(self, fmtp: str = "", *, dtx: bool = False) -> _Encoder:
        return _Encoder()

    def decoder(self) -> _Decoder:
        return _Decoder()

    def ticks(self, payload: bytes) -> int:
        return len(payload)

    def packet(self, samples: int) -> int:
        return samples


G722_CODEC = _G722Codec()
