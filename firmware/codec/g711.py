"""G.711: eight bits a sample, logarithmic, in the mu-law and the A-law (ITU-T G.711).

The arithmetic is audioop's, in C. RTP sees one octet a sample (RFC 3551 §4.5.14).
"""

from collections.abc import Callable

from msgspec import Struct

from firmware.base.pcm import SAMPLE_BYTES, audioop
from firmware.codec.protocols import Decoder, Encoder

_WIDTH = SAMPLE_BYTES


class _Coder(Encoder, Decoder):
    """Both directions: a companding law has no memory."""

    __slots__ = ("_compress", "_expand")

    def __init__(
        self, compress: Callable[[bytes, int], bytes], expand: Callable[[bytes, int], bytes]
    ) -> None:
        self._compress = compress
        self._expand = expand

    def encode(self, pcm: bytes) -> bytes:
        return self._compress(pcm, _WIDTH)

    def decode(self, payload: bytes) -> bytes:
        return self._expand(payload, _WIDTH)


class G711(Struct, frozen=True):
    """One of the two laws as a codec."""

    coder: _Coder
    sample_rate: int = 8000

    def at(self, rate: int) -> "G711":
        return self

    def encoder(self, fmtp: str = "", *, dtx: bool = False) -> _Coder:
        return self.coder

    def decoder(self) -> _Coder:
        return self.coder

    def ticks(self, payload: bytes) -> int:
        return len(payload)

    def packet(self, samples: int) -> int:
        return samples


MU_LAW = G711(_Coder(audioop.lin2ulaw, audioop.ulaw2lin))
A_LAW = G711(_Coder(audioop.lin2alaw, audioop.alaw2lin))
