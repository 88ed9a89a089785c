"""SRTP written down once more from the RFCs, slowly, to judge the engine's by.

Key derivation (RFC 3711 §4.3), AES counter mode with HMAC-SHA1 (§4.1.1, §4.2.1) and AES-GCM
(RFC 7714 §8, §9), each part for itself so that the RFCs' own vectors can be put to it.
"""

import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from firmware.base.suites import SUITES

RTP, RTCP = 0, 3
_TAGS = {"AES_CM_128_HMAC_SHA1_80": 10, "AES_CM_128_HMAC_SHA1_32": 4}


def counter_mode(key, iv, size):
    """The key stream of RFC 3711 §4.1.1."""
    return Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor().update(bytes(size))


def derive(key, salt, label, size):
    """RFC 3711 §4.3.1 with a key derivation rate of 0."""
    x = int.from_bytes(salt.ljust(14, b"\0")) ^ label << 48
    return counter_mode(key, (x << 16).to_bytes(16), size)


def _xor(one, other):
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def gcm_rtp(key, salt, packet, roc):
    """RFC 7714 §8: a packet without contributors and extension."""
    iv = _xor(salt, b"\0\0" + packet[8:12] + roc.to_bytes(4) + packet[2:4])
    return packet[:12] + AESGCM(key).encrypt(iv, packet[12:], packet[:12])


def gcm_rtcp(key, salt, packet, index):
    """RFC 7714 §9."""
    word = (1 << 31 | index).to_bytes(4)
    iv = _xor(salt, b"\0\0" + packet[4:8] + b"\0\0" + index.to_bytes(4))
    return packet[:8] + AESGCM(key).encrypt(iv, packet[8:], packet[:8] + word) + word


def seal(suite, master, packet, roc):
    """An RTP packet as it leaves."""
    row = SUITES[suite]
    key, salt = master[: row.key], master[row.key :]
    cipher = derive(key, salt, RTP, row.key)
    session_salt = derive(key, salt, RTP + 2, row.salt)
    if "GCM" in suite:
        return gcm_rtp(cipher, session_salt, packet, roc)
    index = roc << 16 | int.from_bytes(packet[2:4])
    iv = int.from_bytes(session_salt) << 16 ^ int.from_bytes(packet[8:12]) << 64 ^ index << 16
    stream = counter_mode(cipher, iv.to_bytes(16), len(packet) - 12)
    sealed = packet[:12] + _xor(packet[12:], stream)
    proof = hmac.digest(derive(key, salt, RTP + 1, 20), sealed + roc.to_bytes(4), "sha1")
    return sealed + proof[: _TAGS[suite]]


def seal_control(suite, master, packet, index):
    """An RTCP packet as it leaves."""
    row = SUITES[suite]
    key, salt = master[: row.key], master[row.key :]
    cipher = derive(key, salt, RTCP, row.key)
    session_salt = derive(key, salt, RTCP + 2, row.salt)
    if "GCM" in suite:
        return gcm_rtcp(cipher, session_salt, packet, index)
    iv = int.from_bytes(session_salt) << 16 ^ int.from_bytes(packet[4:8]) << 64 ^ index << 16
    stream = counter_mode(cipher, iv.to_bytes(16), len(packet) - 8)
    sealed = packet[:8] + _xor(packet[8:], stream) + (1 << 31 | index).to_bytes(4)
    return sealed + hmac.digest(derive(key, salt, RTCP + 1, 20), sealed, "sha1")[:10]
