"""Unguessable tokens from a seed that enters as a value.

The core draws no lots: whoever wires the phone hands in 32 bytes from the operating system, a test
hands in a constant. From then on the tokens are SHA-256 of seed and counter, so a run can be
replayed, and nobody who has seen some tokens can tell the next. `SystemTokens` are for who never
replays.
"""

from collections.abc import Callable

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


class Tokens:
    """A stream of tokens; two streams with one seed give the same tokens."""

    __slots__ = ("_count", "_seed")

    def __init__(self, seed: bytes) -> None:
        """Start a stream; `seed` should hold at least 16 random bytes."""
        self._seed = seed
        self._count = 0

    def octets(self, length: int) -> bytes:
        """`length` bytes (at most 32)."""
        import hashlib  # noqa: PLC0415 - OpenSSL comes along; the audio process does without

        self._count += 1
        return hashlib.sha256(self._seed + self._count.to_bytes(8, "big")).digest()[:length]

    def word(self, bits: int = 80) -> str:
        """A word of `a`-`z` and `2`-`7` that carries at least `bits` bits (at most 160)."""
        octets = self.octets(-(-bits // 8))
        number = int.from_bytes(octets, "big")
        return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(0, bits, 5))

    def integer(self, below: int) -> int:
        """A whole number from 0 to `below` - 1."""
        return int.from_bytes(self.octets(16), "big") % below

    def fraction(self) -> float:
        """A number from 0 up to but not including 1."""
        return self.integer(1 << 53) / (1 << 53)


class SystemTokens(Tokens):
    """Tokens straight from the operating system's `random(length)`."""

    __slots__ = ("_random",)

    def __init__(self, random: Callable[[int], bytes]) -> None:
        super().__init__(b"")
        self._random = random

    def octets(self, length: int) -> bytes:
        """`length` bytes."""
        return self._random(length)
