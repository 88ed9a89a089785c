"""MILENAGE: the functions f1 to f5 of a SIM card (3GPP TS 35.206), with the block cipher they need.

A challenge costs five encryptions of sixteen octets, so a small AES-128 of our own (FIPS 197,
encryption only) serves, and no cryptographic library is loaded for it. It is not for bulk data and
does not hide its running time: the key is the line's own, and nobody else runs code here.
"""

from typing import Final

from msgspec import Struct

_BLOCK: Final = 16


def _make_sbox() -> bytes:
    """The S-box of FIPS 197, clause 5.1.1, from inverses in GF(2^8)."""
    box = bytearray(256)
    p = q = 1
    while True:
        p = p ^ (p << 1) & 0xFF ^ (0x1B if p & 0x80 else 0)  # times 3
        for shift in (1, 2, 4):  # divided by 3
            q ^= q << shift & 0xFF
        if q & 0x80:
            q ^= 0x09
        rotated = q
        for turn in range(1, 5):
            rotated ^= (q << turn | q >> (8 - turn)) & 0xFF
        box[p] = rotated ^ 0x63
        if p == 1:
            break
    box[0] = 0x63
    return bytes(box)


_SBOX: Final = _make_sbox()
# FIPS 197, clause 5.1.2: octet n of the new state is octet n + 4·(n mod 4) of the old one.
_SHIFT: Final = tuple((n + 4 * (n % 4)) % _BLOCK for n in range(_BLOCK))


def _double(octet: int) -> int:
    return (octet << 1 ^ 0x1B) & 0xFF if octet & 0x80 else octet << 1


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _round_keys(key: bytes) -> list[bytes]:
    words = [key[at : at + 4] for at in range(0, _BLOCK, 4)]
    constant = 1
    for at in range(4, 44):
        word = words[-1]
        if at % 4 == 0:
            turned = bytes(_SBOX[octet] for octet in (*word[1:], word[0]))
            word = bytes((turned[0] ^ constant,)) + turned[1:]
            constant = _double(constant)
        words.append(_xor(words[at - 4], word))
    return [b"".join(words[at : at + 4]) for at in range(0, 44, 4)]


def _mix(state: bytes) -> bytes:
    mixed = bytearray()
    for at in range(0, _BLOCK, 4):
        column = state[at : at + 4]
        every = column[0] ^ column[1] ^ column[2] ^ column[3]
        for row in range(4):
            pair = _double(column[row] ^ column[(row + 1) % 4])
            mixed.append(column[row] ^ every ^ pair)
    return bytes(mixed)


def encrypt(key: bytes, block: bytes) -> bytes:
    """One block of 16 octets under a key of 16 octets."""
    keys = _round_keys(key)
    state = _xor(block, keys[0])
    for number in range(1, 11):
        state = bytes(_SBOX[state[place]] for place in _SHIFT)
        if number < 10:
            state = _mix(state)
        state = _xor(state, keys[number])
    return state


class Vector(Struct, frozen=True):
    """What a card makes of a RAND: octet strings of 8, 16, 16, 6 and 6."""

    res: bytes
    ck: bytes
    ik: bytes
    ak: bytes
    ak_star: bytes


def opc_of(key: bytes, op: bytes) -> bytes:
    """OPc from the operator's OP (TS 35.206, clauses 4.1 and 8.2)."""
    return _xor(encrypt(key, op), op)


def _turned(block: bytes, octets: int) -> bytes:
    return block[octets:] + block[:octets]


def f1(key: bytes, opc: bytes, rand: bytes, sqn: bytes, amf: bytes) -> tuple[bytes, bytes]:
    """MAC-A and MAC-S, 8 octets each."""
    temp = encrypt(key, _xor(rand, opc))
    given = (sqn + amf) * 2
    out = encrypt(key, _xor(_turned(_xor(given, opc), 8), temp))
    out = _xor(out, opc)
    return out[:8], out[8:]


def f2345(key: bytes, opc: bytes, rand: bytes) -> Vector:
    """RES, CK, IK, AK and AK* of a RAND."""
    temp = _xor(encrypt(key, _xor(rand, opc)), opc)

    def out(octets: int, constant: int) -> bytes:
        block = _turned(temp, octets)
        block = block[:-1] + bytes((block[-1] ^ constant,))
        return _xor(encrypt(key, block), opc)

    first = out(0, 1)
    return Vector(first[8:], out(4, 2), out(8, 4), first[:6], out(12, 8)[:6])
