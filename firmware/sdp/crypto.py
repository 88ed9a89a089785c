"""`a=crypto`: SRTP keys written into the session description (RFC 4568).

Octets to values and back. A line that is wrong, or that asks for something we do not do, is as if
it were not there: another one of the same offer may do (§5.1.2).
"""

import base64
import binascii

from msgspec import Struct

from firmware.base.suites import SUITES
from firmware.sdp.description import Attribute, Media

NAME = "crypto"
_TAG_DIGITS = 9
_HARMLESS = ("WSH=", "-")
"""Session parameters that change nothing, or whose writer says so (RFC 4568 §6.3.7)."""
_LONGEST_MKI = 128


class Crypto(Struct, frozen=True):
    """One line: its tag, the suite, master key and salt of whoever wrote it.

    `mki` is how many octets its writer puts into each packet to name the key.
    """

    tag: int
    suite: str
    key: bytes
    mki: int = 0

    def __repr__(self) -> str:
        """Without the key (A24)."""
        return f"Crypto({self.tag} {self.suite})"


def attribute(crypto: Crypto) -> Attribute:
    """The line; no lifetime and no MKI, which some far ends cannot read (RFC 4568 §6.1)."""
    inline = base64.b64encode(crypto.key).decode()
    return Attribute(NAME, f"{crypto.tag} {crypto.suite} inline:{inline}")


def lines_of(media: Media) -> tuple[Crypto, ...]:
    """The lines of a medium that we could take, in the order of their writer's preference."""
    values = (item.value for item in media.attributes if item.name == NAME and item.value)
    found = (parse(value) for value in values)
    return tuple(crypto for crypto in found if crypto is not None)


def parse(value: str) -> Crypto | None:
    """`tag suite inline:key||salt[|lifetime][|MKI:length] [parameter …]` (RFC 4568 §9.2)."""
    words = value.split()
    if len(words) < 3 or not _is_tag(words[0]):
        return None
    suite = SUITES.get(words[1])
    harmless = all(word.startswith(_HARMLESS) or word == "KDR=0" for word in words[3:])
    if suite is None or not harmless:
        return None
    method, _, info = words[2].partition(":")
    key, *rest = info.split("|")
    octets, mki = _octets(key), _mki(rest)
    if method.lower() != "inline" or len(octets) != suite.octets or mki is None:
        return None
    return Crypto(int(words[0]), words[1], octets, mki)


def _is_tag(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= _TAG_DIGITS


def _octets(word: str) -> bytes:
    """Base64, with its padding or without; nothing if it is none. Several keys (`;`) are none."""
    try:
        return base64.b64decode(word + "=" * (-len(word) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _mki(rest: list[str]) -> int | None:
    """The octets of `[lifetime|]MKI:length` (RFC 4568 §6.1); None if they make no sense."""
    named = [word for word in rest if ":" in word]
    if not named:
        return 0
    length = named[0].partition(":")[2]
    if len(named) > 1 or not _is_tag(length) or not 0 < int(length) <= _LONGEST_MKI:
        return None
    return int(length)
