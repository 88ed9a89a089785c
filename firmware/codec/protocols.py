"""What a codec is to the rest of the phone. A codec file takes these and knows no other codec.

PCM is 16 bit signed mono in native byte order. What most codecs do not do has its answer here.
"""

from typing import Protocol


class LibraryMissingError(ImportError):
    """A system library that a codec stands on is not there, or is something else."""


class Encoder(Protocol):
    """One direction of one stream; has a memory, so each stream has its own."""

    __slots__ = ()

    def encode(self, pcm: bytes) -> bytes:
        """PCM at the codec's `sample_rate` as one payload; `b""`: nothing need be sent."""
        ...

    def expect_loss(self, share: float) -> None:
        """So much of what was sent is lost on the way (0 to 1); most codecs cannot help it."""
        return


class Decoder(Protocol):
    """The other direction."""

    __slots__ = ()

    def decode(self, payload: bytes) -> bytes:
        """Whatever the payload holds as PCM; a payload that makes no sense gives `b""`."""
        ...

    def conceal(self, samples: int) -> bytes:
        """So many samples in place of a lost packet; `b""`: the codec has no way of its own."""
        return b""

    def recover(self, payload: bytes, samples: int) -> bytes:
        """So many samples of the packet lost before `payload`, as far as that one tells of it.

        To be called before `payload` itself is decoded; `b""`: the codec repeats nothing.
        """
        return b""


class Codec(Protocol):
    """A loaded codec."""

    @property
    def sample_rate(self) -> int:
        """Samples a second of the PCM on both sides."""
        ...

    def at(self, rate: int) -> "Codec":
        """The same codec with the PCM that goes best with a card of so many samples a second."""
        ...

    def encoder(self, fmtp: str = "", *, dtx: bool = False) -> Encoder:
        """A fresh encoder for what the far end's `a=fmtp` asks; `dtx`: it may leave silence out."""
        ...

    def decoder(self) -> Decoder:
        """A fresh decoder."""
        ...

    def ticks(self, payload: bytes) -> int:
        """How long a payload plays, in ticks of the RTP clock; 0 if it makes no sense."""
        ...

    def packet(self, samples: int) -> int:
        """How many samples go into one packet if about so many are wanted: whole, and in an MTU."""
        ...
