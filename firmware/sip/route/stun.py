"""STUN messages as far as a phone needs them to learn its outer address: Binding (RFC 8489).

Octets in, values out; who sends and waits is in `firmware.net.stun_client`. Not here: ICE, TURN,
long-term credentials.
"""

import hmac
import ipaddress
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from firmware.sip.flow import Endpoint

COOKIE: Final = 0x2112A442
TRANSACTION_OCTETS: Final = 12
_HEADER: Final = struct.Struct(">HHI12s")
_ATTRIBUTE: Final = struct.Struct(">HH")
_REQUEST: Final = 0x0001
_SUCCESS: Final = 0x0101
_ERROR: Final = 0x0111
# RFC 8489 §18.3.1, §18.3.2
_MAPPED_ADDRESS: Final = 0x0001
_MESSAGE_INTEGRITY: Final = 0x0008
_ERROR_CODE: Final = 0x0009
_XOR_MAPPED_ADDRESS: Final = 0x0020
_FINGERPRINT: Final = 0x8028
_FINGERPRINT_MASK: Final = 0x5354554E
_KNOWN: Final = frozenset(
    {_MAPPED_ADDRESS, 0x0006, _MESSAGE_INTEGRITY, _ERROR_CODE, 0x000A, 0x0014, 0x0015, 0x001C}
    | {0x001D, 0x001E, _XOR_MAPPED_ADDRESS}
)
_ADDRESS_OCTETS: Final = {1: 4, 2: 16}


@dataclass(frozen=True, slots=True)
class StunMessage:
    """One message whose form is right; `attributes` holds the first of each type."""

    kind: int
    transaction: bytes
    attributes: Mapping[int, bytes] = field(default_factory=dict)
    raw: bytes = field(default=b"", repr=False)

    @property
    def succeeded(self) -> bool:
        """Whether it is a Binding success response that says nothing we must know and do not."""
        strange = any(kind < 0x8000 and kind not in _KNOWN for kind in self.attributes)
        return self.kind == _SUCCESS and not strange  # RFC 8489 §6.3.3

    @property
    def asks(self) -> bool:
        """Whether it is a Binding request."""
        return self.kind == _REQUEST

    @property
    def refused(self) -> bool:
        """Whether it is a Binding error response."""
        return self.kind == _ERROR

    @property
    def mapped(self) -> Endpoint | None:
        """Where the server saw us; an old one has only MAPPED-ADDRESS (RFC 8489 §14.1)."""
        value = self.attributes.get(_XOR_MAPPED_ADDRESS)
        if value is not None:
            return _address(value, struct.pack(">I", COOKIE) + self.transaction)
        value = self.attributes.get(_MAPPED_ADDRESS)
        return None if value is None else _address(value, bytes(16))

    def is_signed_with(self, key: bytes) -> bool:
        """Whether MESSAGE-INTEGRITY fits a short-term password (RFC 8489 §14.5)."""
        at = _offset_of(self.raw, _MESSAGE_INTEGRITY)
        if at is None:
            return False
        # The length counts up to and with this attribute, whatever follows it.
        covered = self.raw[:2] + struct.pack(">H", at + 24 - 20) + self.raw[4:at]
        digest = hmac.new(key, covered, "sha1").digest()
        return hmac.compare_digest(digest, self.attributes[_MESSAGE_INTEGRITY])


def is_stun(data: bytes) -> bool:
    """Whether a datagram is for STUN and not for SIP (RFC 8489 §6.3, RFC 7983 §7)."""
    return len(data) >= 20 and data[0] < 4 and data[4:8] == struct.pack(">I", COOKIE)


def binding_request(transaction: bytes) -> bytes:
    """A Binding request; `transaction` are 12 octets nobody can guess (RFC 8489 §5)."""
    head = _HEADER.pack(_REQUEST, 8, COOKIE, transaction)
    return head + _fingerprint(head)


def binding_response(transaction: bytes, seen: Endpoint) -> bytes:
    """What a server says to a request from `seen`, for whoever plays one."""
    packed = ipaddress.ip_address(seen.host.partition("%")[0]).packed
    pad = struct.pack(">I", COOKIE) + transaction
    family = 1 if len(packed) == 4 else 2
    port = seen.port ^ (COOKIE >> 16)
    value = struct.pack(">BBH", 0, family, port) + _xored(packed, pad)
    body = _ATTRIBUTE.pack(_XOR_MAPPED_ADDRESS, len(value)) + value
    head = _HEADER.pack(_SUCCESS, len(body) + 8, COOKIE, transaction) + body
    return head + _fingerprint(head)


def parse_stun(data: bytes) -> StunMessage | None:
    """Read a datagram; None for anything that is no sound STUN message."""
    if not is_stun(data):
        return None
    kind, length, _, transaction = _HEADER.unpack_from(data)
    if length % 4 or length != len(data) - _HEADER.size:
        return None
    attributes: dict[int, bytes] = {}
    offset = _HEADER.size
    while offset < len(data):
        if offset + 4 > len(data):
            return None
        name, size = _ATTRIBUTE.unpack_from(data, offset)
        if offset + 4 + size > len(data):
            return None
        if name == _FINGERPRINT and data[offset:] != _fingerprint(data[:offset]):
            return None  # RFC 8489 §14.7: it is the last one, and tells of damage
        # RFC 8489 §14.5: what follows the integrity but the fingerprint does not count.
        if _MESSAGE_INTEGRITY not in attributes or name == _FINGERPRINT:
            attributes.setdefault(name, data[offset + 4 : offset + 4 + size])
        offset += 4 + (size + 3 & ~3)
    return StunMessage(kind, transaction, attributes, data)


def _fingerprint(covered: bytes) -> bytes:
    crc = zlib.crc32(covered) ^ _FINGERPRINT_MASK
    return _ATTRIBUTE.pack(_FINGERPRINT, 4) + struct.pack(">I", crc)


def _address(value: bytes, pad: bytes) -> Endpoint | None:
    if len(value) < 4 or len(value) != 4 + _ADDRESS_OCTETS.get(value[1], -1):
        return None
    port = struct.unpack(">H", _xored(value[2:4], pad))[0]
    return Endpoint(str(ipaddress.ip_address(_xored(value[4:], pad))), port)


def _xored(octets: bytes, pad: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(octets, pad, strict=False))


def _offset_of(data: bytes, wanted: int) -> int | None:
    offset = _HEADER.size
    while offset + 4 <= len(data):
        name, size = _ATTRIBUTE.unpack_from(data, offset)
        if name == wanted:
            return offset
        offset += 4 + (size + 3 & ~3)
    return None
