"""The SRTP crypto suites this phone speaks, by the name SDP gives them.

Used where keys are agreed on (SDP, DTLS) and where they are used (the audio engine).
"""

from typing import NamedTuple


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
