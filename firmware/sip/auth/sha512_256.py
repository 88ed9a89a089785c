"""SHA-512/256 for a Python whose hashes come without OpenSSL (FIPS 180-4 section 6.7).

A response to a challenge is five blocks of it, a tenth of a millisecond each; a phone that loaded
OpenSSL for a server that may ask for this hash would pay 3 MB. Where `hashlib` has it, that is
used (`digest`).
"""

from functools import cache
from itertools import count, islice

_MASK = (1 << 64) - 1
_BLOCK = 128
_ROUNDS = 80
_START = (  # section 5.3.6.2
    *(0x22312194FC2BF72C, 0x9F555FA3C84C64C2, 0x2393B86B6F53B151, 0x963877195940EABD),
    *(0x96283EE2A88EFFE3, 0xBE5E1E2553863992, 0x2B0199FC2C85B8AA, 0x0EB72DDC81C52CA2),
)


def sha512_256(data: bytes) -> str:
    """The hash in lower-case hexadecimal."""
    size = len(data)
    data += b"\x80" + bytes(-(size + 17) % _BLOCK) + (8 * size).to_bytes(16)
    state: tuple[int, ...] = _START
    for at in range(0, len(data), _BLOCK):
        mixed = _compress(state, data[at : at + _BLOCK])
        state = tuple((old + new) & _MASK for old, new in zip(state, mixed, strict=True))
    return "".join(f"{word:016x}" for word in state[:4])


@cache
def _constants() -> tuple[int, ...]:
    """The first 64 bits of the fractions of the cube roots of the 80 first primes (4.2.3)."""
    primes = (n for n in count(2) if all(n % d for d in range(2, int(n**0.5) + 1)))
    return tuple(_cube_root(prime << 192) & _MASK for prime in islice(primes, _ROUNDS))


def _cube_root(value: int) -> int:
    """The largest whole number whose cube is not above `value`, by Newton from above."""
    root = 1 << -(-value.bit_length() // 3)
    while (better := (2 * root + value // (root * root)) // 3) < root:
        root = better
    return root


def _turned(word: int, places: int) -> int:
    return (word >> places | word << 64 - places) & _MASK


def _schedule(block: bytes) -> list[int]:
    """The words of the rounds (section 6.4.2, step 1)."""
    words = [int.from_bytes(block[at : at + 8]) for at in range(0, _BLOCK, 8)]
    for at in range(16, _ROUNDS):
        early, late = words[at - 15], words[at - 2]
        near = _turned(early, 1) ^ _turned(early, 8) ^ early >> 7
        far = _turned(late, 19) ^ _turned(late, 61) ^ late >> 6
        words.append((words[at - 16] + near + words[at - 7] + far) & _MASK)
    return words


def _compress(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    """Eighty rounds (section 6.4.2, steps 2 and 3)."""
    a, b, c, d, e, f, g, h = state
    for word, constant in zip(_schedule(block), _constants(), strict=True):
        choice = e & f ^ ~e & g
        first = h + (_turned(e, 14) ^ _turned(e, 18) ^ _turned(e, 41)) + choice + constant + word
        majority = a & b ^ a & c ^ b & c
        second = (_turned(a, 28) ^ _turned(a, 34) ^ _turned(a, 39)) + majority
        a, b, c, d, e, f, g, h = (first + second) & _MASK, a, b, c, (d + first) & _MASK, e, f, g
    return a, b, c, d, e, f, g, h
