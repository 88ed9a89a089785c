"""AKA: what a line with a SIM card's key makes of a challenge (RFC 3310, RFC 4169).

The nonce carries RAND and AUTN. The card first proves the network (the MAC in AUTN), then looks at
the sequence number: one it has seen is answered with AUTS, from which the network learns where the
card is, instead of a response. The password of the digest is RES, or in version 2 what HMAC makes
of RES, IK and CK.

The sequence numbers seen are kept over restarts by whoever makes the account (`numbers` in,
`CardAdvanced` out), so that a challenge of an earlier run is not answered again. Where they were
lost the card takes whatever comes next, as a new one does.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from firmware.sip.account import AkaKeys
from firmware.sip.auth import milenage

# 3GPP TS 33.102 annex C.3: the last five bits tell 32 interleaved rows of numbers apart.
_ROWS: Final = 32
_RAND: Final = 16
_AUTN: Final = 16
_V2_PASSWORD: Final = b"http-digest-akav2-password"


class CardAnswer(Struct, frozen=True):
    """The octets that serve as the digest's password, or AUTS in base64 and no password."""

    password: bytes
    auts: str = ""


class Card:
    """The SIM card of one line."""

    def __init__(self, keys: AkaKeys, numbers: Iterable[int] = ()) -> None:
        """`numbers` are the sequence numbers of an earlier life."""
        self._key = keys.key
        self._opc = keys.opc or milenage.opc_of(keys.key, keys.op)
        self._amf = keys.amf
        self._seen: dict[int, int] = {}
        for number in numbers:
            self._new(number)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The highest sequence number seen of each row."""
        return tuple(number * _ROWS + row for row, number in self._seen.items())

    def answer(self, nonce: str, version: int, hash_name: str) -> CardAnswer | None:
        """What to answer to a nonce; None if it is no challenge, or not from our network.

        `version` is 1 or 2, `hash_name` that of the digest, as hmac knows it.
        """
        try:
            data = base64.b64decode(nonce, validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(data) < _RAND + _AUTN:
            return None
        rand, autn = data[:_RAND], data[_RAND : _RAND + _AUTN]
        vector = milenage.f2345(self._key, self._opc, rand)
        sqn = bytes(a ^ b for a, b in zip(autn[:6], vector.ak, strict=True))
        mac, _ = milenage.f1(self._key, self._opc, rand, sqn, autn[6:8])
        if not hmac.compare_digest(mac, autn[8:]):
            return None
        if not self._new(int.from_bytes(sqn, "big")):
            return CardAnswer(b"", self._auts(rand, vector.ak_star))
        if version == 1:
            return CardAnswer(vector.res)
        # RFC 4169 §2.1.
        made = hmac.digest(vector.res + vector.ik + vector.ck, _V2_PASSWORD, hash_name)
        return CardAnswer(base64.b64encode(made))

    def _new(self, sqn: int) -> bool:
        number, row = divmod(sqn, _ROWS)
        if number <= self._seen.get(row, -1):
            return False
        self._seen[row] = number
        return True

    def _auts(self, rand: bytes, ak_star: bytes) -> str:
        """RFC 3310 §3.4: the highest number seen, hidden, and its MAC-S."""
        highest = max(number * _ROWS + row for row, number in self._seen.items())
        sqn = highest.to_bytes(6, "big")
        _, mac = milenage.f1(self._key, self._opc, rand, sqn, self._amf)
        hidden = bytes(a ^ b for a, b in zip(sqn, ak_star, strict=True))
        return base64.b64encode(hidden + mac).decode()
