"""The SRTP crypto suites this phone speaks, by the name SDP gives them, and keys for them.

Shared by those who agree on keys (SDP, DTLS), who carry them and who use them (the audio engine).
"""

from typing import NamedTuple

from msgspec import Struct


class Suite(NamedTuple):
    """Octets of the master key and of the master salt, and what DTLS calls the suite."""

    key: int
    salt: int
    dtls: str

    @property
    def octets(self) -> int:
        """Key and salt together."""
        return self.key + self.salt


SUITES: dict[str, Suite] = {
    # RFC 7714 §14.1, RFC 4568 §6.2; the names of DTLS are OpenSSL's (RFC 5764 §4.1.2).
    "AEAD_AES_256_GCM": Suite(32, 12, "SRTP_AEAD_AES_256_GCM"),
    "AEAD_AES_128_GCM": Suite(16, 12, "SRTP_AEAD_AES_128_GCM"),
    "AES_CM_128_HMAC_SHA1_80": Suite(16, 14, "SRTP_AES128_CM_SHA1_80"),
    "AES_CM_128_HMAC_SHA1_32": Suite(16, 14, "SRTP_AES128_CM_SHA1_32"),
}
"""Best first."""


class Keys(Struct, frozen=True, array_like=True):
    """Master keys with their salts, one for each direction; `suite` is a name of `SUITES`.

    `mki` is how many octets the far end puts into each packet to name its only key.
    """

    suite: str
    send: bytes
    receive: bytes
    mki: int = 0

    def __repr__(self) -> str:
        """Without the keys: whatever prints this, prints no secret (A24)."""
        return f"Keys({self.suite})"


class Heard(Struct, frozen=True, array_like=True):
    """How far a received SSRC has come: its last packet index, roll-over counter included."""

    ssrc: int
    index: int
