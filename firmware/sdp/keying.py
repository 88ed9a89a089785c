"""How two ends agree that media is encrypted: keys in SDP or DTLS, as the line's policy allows.

    off      nothing is offered, nothing is taken
    prefer   RTP/AVP with keys beside it (RFC 8643), plain if the far end has none
    require  RTP/SAVP (RFC 4568) or UDP/TLS/RTP/SAVP (RFC 5763), or no call

What is encrypted stays so until the call ends, whatever the policy (A9). Reasons are clauses for
people and for the Warning of a 488.
"""

import enum
from typing import TypeAlias

from msgspec import Struct

from firmware.sdp import crypto
from firmware.sdp.crypto import Crypto
from firmware.sdp.description import Attribute, Media, Session

PLAIN_PROFILES = ("RTP/AVP", "RTP/AVPF")
_DTLS_PROFILES = ("UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF")
SECURE_PROFILES = ("RTP/SAVP", "RTP/SAVPF", *_DTLS_PROFILES)

_HASHES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
"""Octets of the digests that prove a certificate; SHA-1 and older are not among them (RFC 8122)."""
_PRINTS = 8
_ROLES = {"actpass": True, "passive": True, "active": False}
"""Whether we begin the handshake with a far end that offers this (RFC 5763 §5)."""

NO_KEYS = "the offer is not encrypted, and this line takes no other call"
STAYS = "the call is encrypted and stays so"
SWITCHED_OFF = "encryption is switched off for this line"


class Policy(enum.Enum):
    """The word of the settings."""

    OFF = "off"
    PREFER = "prefer"
    REQUIRE = "require"


class Inline(Struct, frozen=True):
    """Keys that stand in SDP, each end's own; `mki` octets name the far end's in each packet."""

    suite: str
    ours: bytes
    theirs: bytes
    mki: int = 0

    def __repr__(self) -> str:
        """Without the keys (A24)."""
        return f"Inline({self.suite})"


class Handshake(Struct, frozen=True):
    """Keys that DTLS makes: who begins, and what the far end's certificate must be.

    `prints` are pairs of hash name and digest.
    """

    active: bool
    prints: tuple[tuple[str, bytes], ...]


Keying: TypeAlias = Inline | Handshake


class Means(Struct, frozen=True):
    """What we may do in this call.

    `keys` are our own, by suite, none where they must not stand in SDP; `fingerprint` is that of
    our certificate, empty without DTLS. `current` and `profile` are what holds now.
    """

    policy: Policy = Policy.OFF
    keys: tuple[tuple[str, bytes], ...] = ()
    fingerprint: str = ""
    current: Keying | None = None
    profile: str = ""

    def __repr__(self) -> str:
        """Without the keys (A24)."""
        return f"Means({self.policy.value}, {self.current})"

    @property
    def able(self) -> bool:
        """Whether there is any way to agree on keys."""
        return bool(self.keys or self.fingerprint)

    @property
    def bound(self) -> bool:
        """Whether media in the clear is out of the question."""
        return self.policy is Policy.REQUIRE or self.current is not None


NO_MEANS = Means()


class Agreed(Struct, frozen=True):
    """What encrypts the media, None = nothing; `said` are the attributes of our answer."""

    keying: Keying | None = None
    said: tuple[Attribute, ...] = ()


# Offering


def offered(means: Means) -> tuple[str, tuple[Attribute, ...]]:
    """Profile and attributes of an offer."""
    if means.policy is Policy.OFF and means.current is None:
        return PLAIN_PROFILES[0], ()
    if means.keys and not isinstance(means.current, Handshake):
        profile, said = "RTP/SAVP", _crypto_lines(means)
    elif means.fingerprint:
        profile, said = "UDP/TLS/RTP/SAVP", _certificate(means.fingerprint, "actpass")
    else:
        profile, said = "RTP/AVP", ()
    if means.current is not None:
        return means.profile, said
    return (profile if means.policy is Policy.REQUIRE else PLAIN_PROFILES[0]), said


def _crypto_lines(means: Means) -> tuple[Attribute, ...]:
    return tuple(
        crypto.attribute(Crypto(tag, suite, key)) for tag, (suite, key) in enumerate(means.keys, 1)
    )


def _certificate(fingerprint: str, setup: str) -> tuple[Attribute, ...]:
    return Attribute("fingerprint", fingerprint), Attribute("setup", setup)


# Answering


def answered(offer: Session, media: Media, means: Means) -> Agreed | str:
    """Our answer to the keys of an offered medium, or why there can be none."""
    secure = media.protocol.upper() in SECURE_PROFILES
    if means.policy is Policy.OFF and means.current is None:
        return SWITCHED_OFF if secure else Agreed()
    by_keys = _answer_keys(media, means)
    by_handshake = _answer_handshake(offer, media, means)
    first, second = by_keys, by_handshake
    if media.protocol.upper() in _DTLS_PROFILES or isinstance(means.current, Handshake):
        first, second = by_handshake, by_keys
    for way in (first, second):
        if isinstance(way, Agreed):
            return way
    if secure:
        return first or second or "the offer has no keys"
    if means.bound:
        return STAYS if means.current is not None else NO_KEYS
    return Agreed()


def _answer_keys(media: Media, means: Means) -> Agreed | str:
    """RFC 4568 §5.1.2: one of their lines, the first that we can; "" without any line."""
    if not _has(media, crypto.NAME):
        return ""
    if not means.keys:
        return "the keys came over a connection that others can read"
    own = dict(means.keys)
    for line in crypto.lines_of(media):
        if line.suite in own:
            said = crypto.attribute(Crypto(line.tag, line.suite, own[line.suite]))
            return Agreed(Inline(line.suite, own[line.suite], line.key, line.mki), (said,))
    return "none of the offered crypto lines can be used"


def _answer_handshake(offer: Session, media: Media, means: Means) -> Agreed | str:
    """RFC 5763 §5: their certificate's digest, and who begins; "" without any digest."""
    prints = prints_of(offer, media)
    if not prints:
        return "" if not _has(media, "fingerprint") else "no fingerprint by SHA-256 or better"
    if not means.fingerprint:
        return "DTLS is not ready here"
    # RFC 8842 §5.3 has it as in RFC 4145 §4: an offer that does not say is active.
    setup = _setup(offer, media) or "active"
    if setup not in _ROLES:
        return f"a DTLS role that says {setup[:20]}"
    active = _ROLES[setup]
    if setup == "actpass" and isinstance(means.current, Handshake):
        active = means.current.active  # the association stays as it is (RFC 5763 §6.6)
    said = _certificate(means.fingerprint, "active" if active else "passive")
    return Agreed(Handshake(active, prints), said)


# Hearing the answer


def accepted(ours: Media, answer: Session, theirs: Media, means: Means) -> Keying | str | None:
    """What came of the keys we offered in `ours`, or why nothing can come of it."""
    secure = ours.protocol.upper() in SECURE_PROFILES
    if secure and theirs.protocol.upper() in PLAIN_PROFILES:
        return "the answer is not encrypted"
    own_keys, own_print = crypto.lines_of(ours), _has(ours, "fingerprint")
    if own_keys and _has(theirs, crypto.NAME):
        return _accept_keys(own_keys, theirs)
    if own_print and (_has(theirs, "fingerprint") or prints_of(answer, theirs)):
        return _accept_handshake(answer, theirs)
    if means.current is not None:
        return STAYS
    return "the answer is not encrypted" if secure or means.bound else None


def _accept_keys(ours: tuple[Crypto, ...], theirs: Media) -> Inline | str:
    """RFC 4568 §5.1.3: exactly one line, with tag and suite of one of ours."""
    lines = crypto.lines_of(theirs)
    if len(lines) != 1 or sum(item.name == crypto.NAME for item in theirs.attributes) != 1:
        return "the answer has no usable crypto line, or several"
    (line,) = lines
    own = next((item for item in ours if item.tag == line.tag), None)
    if own is None or own.suite != line.suite:
        return "the answer takes a crypto line that was not offered"
    if own.key == line.key:
        # RFC 4568 §7.1.2: one key for both directions would be a keystream used twice.
        return "the answer sends our own key back"
    return Inline(line.suite, own.key, line.key, line.mki)


def _accept_handshake(answer: Session, theirs: Media) -> Handshake | str:
    prints = prints_of(answer, theirs)
    if not prints:
        return "no fingerprint by SHA-256 or better"
    # RFC 4145 §4: an answer that does not say is passive, so it is for us to begin.
    setup = _setup(answer, theirs) or "passive"
    if setup not in ("active", "passive"):
        return f"a DTLS role that says {setup[:20]}"
    return Handshake(setup == "passive", prints)


# Attributes


def prints_of(session: Session, media: Media) -> tuple[tuple[str, bytes], ...]:
    """The digests of the far end's certificate: the medium's own, else the session's."""
    own = _values(media.attributes, "fingerprint") or _values(session.attributes, "fingerprint")
    found = (_print(value) for value in own[:_PRINTS])
    return tuple(each for each in found if each is not None)


def _print(value: str) -> tuple[str, bytes] | None:
    """`sha-256 AB:CD:…` (RFC 8122 §5)."""
    name, _, digest = value.strip().partition(" ")
    name = name.lower()
    try:
        octets = bytes.fromhex(digest.strip().replace(":", ""))
    except ValueError:
        return None
    return (name, octets) if _HASHES.get(name) == len(octets) else None


def _setup(session: Session, media: Media) -> str:
    values = _values(media.attributes, "setup") or _values(session.attributes, "setup")
    return values[0].strip().lower() if values else ""


def _values(attributes: tuple[Attribute, ...], name: str) -> list[str]:
    return [item.value for item in attributes if item.name == name and item.value]


def _has(media: Media, name: str) -> bool:
    return any(item.name == name for item in media.attributes)
