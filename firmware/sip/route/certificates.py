"""Whose certificate is this: the domains a certificate speaks for, and whether ours is among them.

RFC 5922 §7 differs from what a browser does: a `sip:` URI without a user comes before DNS names,
the common name counts only if there is no subjectAltName at all, and wildcards match nothing. That
a certificate is signed, valid and for this use was decided before (RFC 5280); nothing here opens a
file or a connection.
"""

import ipaddress
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from firmware.sip.errors import ParseError
from firmware.sip.uri import parse_uri

_MOST_SHOWN: Final = 2
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_PEM: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----"
)
_SEQUENCE, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18


class Subject(Struct, frozen=True):
    """What a certificate says of its holder.

    `alternatives` are the rows of subjectAltName as (`URI`, `DNS` or `IP Address`, value); None if
    the extension is not there.
    """

    alternatives: tuple[tuple[str, str], ...] | None = None
    common_names: tuple[str, ...] = ()

    @property
    def domains(self) -> tuple[str, ...]:
        """The SIP domain identities (RFC 5922 §7.1), lower case."""
        if self.alternatives is None:
            return tuple(name for each in self.common_names if _is_dns(name := _plain(each)))
        uris = tuple(
            filter(None, (_domain(row) for kind, row in self.alternatives if kind == "URI"))
        )
        return uris or tuple(_plain(row) for kind, row in self.alternatives if kind == "DNS")

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses it speaks for."""
        rows = self.alternatives or ()
        found = (_address(row) for kind, row in rows if kind == "IP Address")
        return tuple(address for address in found if address)

    @property
    def shown(self) -> str:
        """Whose it is, for a person: at most two names."""
        names = self.domains or self.addresses
        more = "" if len(names) <= _MOST_SHOWN else " …"
        return (", ".join(names[:_MOST_SHOWN]) or "nobody") + more

    def speaks_for(self, name: str) -> bool:
        """Whether the holder is `name`, the domain we asked for (RFC 5922 §7.2, §7.3).

        Names match as a whole: no suffix, no wildcard. A server that was configured by its address
        has no domain; then an address in the certificate must be that one.
        """
        address = _address(name.strip("[]"))
        if address:
            return address in self.addresses
        return _plain(name) in self.domains


def subject_of(alternatives: object, subject: object) -> Subject:
    """A `Subject` from the `subjectAltName` and `subject` of `SSLSocket.getpeercert()`."""
    rows = None if alternatives is None else tuple(_pairs(alternatives))
    relative = subject if isinstance(subject, tuple) else ()
    names = (row for each in relative for row in _pairs(each))
    return Subject(rows, tuple(value for kind, value in names if kind == "commonName"))


def valid_until(der: bytes) -> datetime:
    """When a certificate (DER) ends (RFC 5280 §4.1.2.5).

    Raises:
        ValueError: it is no certificate.
    """
    inner = _open(_open(der, _SEQUENCE)[0], _SEQUENCE)[0]
    kind, _, rest = _element(inner)
    if kind == _VERSION:
        inner = rest
    for _ in range(3):  # serial number, signature algorithm, issuer
        _, _, inner = _element(inner)
    validity, _ = _open(inner, _SEQUENCE)
    _, _, rest = _element(validity)
    kind, value, _ = _element(rest)
    text = value.decode("ascii")
    if kind == _UTC_TIME:
        # RFC 5280 §4.1.2.5.1: 50 to 99 are the last century.
        text = ("19" if text[:2] >= "50" else "20") + text
    elif kind != _GENERALIZED_TIME:
        raise ValueError("no time where the validity ends")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def first_of(pem: bytes) -> bytes:
    """The first certificate of a PEM file, the holder's own, as DER.

    Raises:
        ValueError: there is none.
    """
    # Here, because a phone without certificates needs it never.
    from binascii import a2b_base64  # noqa: PLC0415 - hardly ever needed

    found = _PEM.search(pem)
    if found is None:
        raise ValueError("no certificate in it")
    return a2b_base64(found[1])


def _pairs(rows: object) -> Iterable[tuple[str, str]]:
    for row in rows if isinstance(rows, tuple) else ():
        match row:
            case (str(kind), str(value)):
                yield kind, value
            case _:
                pass  # a directory name: nobody we could have asked for


def _domain(text: str) -> str:
    """The host of a `sip:` URI that names no user; empty for any other (RFC 5922 §7.1)."""
    # A user part is one even if it is empty: whatever has an @ names somebody.
    if text[:4].lower() != "sip:" or "@" in text:
        return ""
    try:
        return _plain(parse_uri(text).host)
    except ParseError:
        return ""


def _plain(name: str) -> str:
    return name.strip().removesuffix(".").lower()


def _is_dns(name: str) -> bool:
    return bool(name) and all(_LABEL.fullmatch(label) for label in name.split("."))


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return ""


def _open(data: bytes, wanted: int) -> tuple[bytes, bytes]:
    kind, value, rest = _element(data)
    if kind != wanted:
        raise ValueError("no certificate")
    return value, rest


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """The tag, the content and what follows of one element of DER (X.690 §8.1)."""
    if len(data) < 2:
        raise ValueError("the certificate ends too soon")
    size, start = data[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
    if len(data) < start + size or start > 6:
        raise ValueError("the certificate ends too soon")
    return data[0], data[start : start + size], data[start + size :]
