"""Interactive connectivity in a description: who we are and where we may be reached (RFC 8839).

Octets to values and back; which way is taken is found out elsewhere. Loaded only by a phone with a
line that asks for it. A candidate that is wrong, that is not UDP or that hides behind a name is as
if it were not there, and counted: the others may do. What describes no usable end at all is no
interactive connectivity, and the old rules hold (RFC 8839 §4.2.5).
"""

import hmac
import ipaddress
import re
from typing import Final, TypeAlias

from msgspec import Struct

from firmware.base.values import replace
from firmware.sdp.description import Attribute, Media, Session

Address: TypeAlias = tuple[str, int]

RTP: Final = 1
RTCP: Final = 2
MOST_CANDIDATES: Final = 32
"""Of the far end; more are not looked at (RFC 8445 §6.1.2.5 limits the pairs)."""
MISMATCH: Final = Attribute("ice-mismatch")
MUX: Final = Attribute("rtcp-mux")
_PREFERENCE: Final = {"host": 126, "prflx": 110, "srflx": 100, "relay": 0}
"""RFC 8445 §5.1.2.2."""
_CHOSEN: Final = "remote-candidates"
_OPTIONS: Final = Attribute("ice-options", "ice2")
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_FOUNDATION = re.compile(r"[A-Za-z0-9+/]{1,32}")
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_UNSAID: Final = (("0.0.0.0", 9), ("::", 9))  # noqa: S104 - compared, not bound


class Candidate(Struct, frozen=True):
    """A place where one component may be reached; `kind` is host, srflx, prflx or relay."""

    foundation: str
    component: int
    priority: int
    host: str
    port: int
    kind: str
    related: Address | None = None

    @property
    def address(self) -> Address:
        """Host and port."""
        return self.host, self.port


class Credentials(Struct, frozen=True):
    """User name fragment and password of one end."""

    ufrag: str
    password: str

    def __repr__(self) -> str:
        """Without the password (A24)."""
        return f"Credentials({self.ufrag})"


class Ours(Struct, frozen=True):
    """Our end: where we may be reached, and what names and passwords are made of.

    `generation` counts the restarts. `selected` are our ends of the pairs that were nominated, one
    a component, `partners` theirs; both are empty before.
    """

    seed: bytes
    candidates: tuple[Candidate, ...]
    generation: int = 0
    selected: tuple[Candidate, ...] = ()
    partners: tuple[Candidate, ...] = ()

    def __repr__(self) -> str:
        """Without the seed (A24)."""
        return f"Ours({self.generation}, {self.candidates})"

    @property
    def credentials(self) -> Credentials:
        """Those of this generation."""
        return credentials(self.seed, self.generation)

    @property
    def restarted(self) -> "Ours":
        """The same end under another name: all is to be found out anew (RFC 8445 §9)."""
        return replace(self, generation=self.generation + 1, selected=(), partners=())

    def also(self, host: str) -> "Ours":
        """The same, known by another address with the same ports, if nobody saw us otherwise."""
        if not host or any(one.kind == "srflx" for one in self.candidates):
            return self
        own = next((one.host for one in self.candidates if one.kind == "host"), host)
        seen = tuple(
            Candidate(
                "4",
                one.component,
                priority("srflx", one.component, 65534),
                host,
                one.port,
                "srflx",
                one.address,
            )
            for one in self.candidates
            if one.kind == "host" and one.host == own != host
        )
        return replace(self, candidates=(*self.candidates, *seen))

    def terms(self, theirs: "Theirs", *, controlling: bool, muxed: bool) -> "Terms":
        """What was agreed on with a far end."""
        return Terms(self.credentials, theirs, controlling, muxed)

    def default(self, component: int) -> Address | None:
        """What `c=` and `m=` say (RFC 8839 §4.2.1.2): what was nominated, else what reaches far.

        A relay is not the default: who does without connectivity checks would not get through it.
        """
        among = self.selected or tuple(one for one in self.candidates if one.kind != "relay")
        found = [one for one in among or self.candidates if one.component == component]
        if not found:
            return None
        # The first is the call's own socket: what comes elsewhere unchecked is not heard.
        own = found[0].address
        far = (one for one in found if one.kind != "host" and one.related == own)
        return next(far, found[0]).address


class Theirs(Struct, frozen=True):
    """The far end. `lite`: it answers checks and makes none; `ice2`: it follows RFC 8445.

    `skipped` counts what could not be used of it.
    """

    credentials: Credentials
    candidates: tuple[Candidate, ...]
    lite: bool = False
    ice2: bool = False
    skipped: int = 0


class Terms(Struct, frozen=True):
    """What both ends have said: everything that finding a way between them needs."""

    ours: Credentials
    theirs: Theirs
    controlling: bool
    muxed: bool


def credentials(seed: bytes, generation: int) -> Credentials:
    """A name of 48 and a password of 144 bits (RFC 8445 §5.3), always the same for one seed."""
    octets = hmac.digest(seed, f"ice {generation}".encode(), "sha512")
    word = "".join(_LETTERS[octet & 63] for octet in octets)
    return Credentials(word[:8], word[8:32])


def priority(kind: str, component: int, preference: int = 65535) -> int:
    """RFC 8445 §5.1.2.1."""
    return (_PREFERENCE[kind] << 24) + (preference << 8) + 256 - component


# Saying


def said(ours: Ours, *, offering: bool, muxed: bool = False) -> tuple[Attribute, ...]:
    """The lines of our medium; an offer of who controls names the far end's places, too.

    `muxed` = nothing comes on a port of RTCP's own any more (RFC 5761 §5.1.3).
    """
    ufrag, password = ours.credentials.ufrag, ours.credentials.password
    lines = [Attribute("ice-ufrag", ufrag), Attribute("ice-pwd", password), _OPTIONS]
    # RFC 8839 §4.4.1.2.2: after nomination only what was nominated.
    places = ours.selected or ours.candidates
    lines += (_line(one) for one in places if one.component == RTP or not muxed)
    if offering and ours.partners:
        chosen_by_us = (f"{one.component} {one.host} {one.port}" for one in ours.partners)
        lines.append(Attribute(_CHOSEN, " ".join(chosen_by_us)))
    return tuple(lines)


def _line(one: Candidate) -> Attribute:
    value = (
        f"{one.foundation} {one.component} UDP {one.priority} {one.host} {one.port} typ {one.kind}"
    )
    if one.related is not None:
        value += f" raddr {one.related[0]} rport {one.related[1]}"
    return Attribute("candidate", value)


# Hearing


def heard(session: Session, media: Media) -> Theirs | Attribute | None:
    """The far end's side of a medium; None = it does without, `MISMATCH` = somebody meddled."""
    found = _credentials(session, media)
    if found is None or MISMATCH in media.attributes:
        return None
    values = [one.value or "" for one in media.attributes if one.name == "candidate"]
    read = [parse(value) for value in values[:MOST_CANDIDATES]]
    candidates = tuple(one for one in read if one is not None)
    theirs = Theirs(
        found,
        candidates,
        lite=any(one.name == "ice-lite" for one in (*session.attributes, *media.attributes)),
        ice2="ice2" in _words(session, media, "ice-options"),
        skipped=len(values) - len(candidates),
    )
    return theirs if _fits(session, media, theirs) else MISMATCH


def remote_candidates(media: Media) -> frozenset[tuple[int, Address]]:
    """Component and place of ours that a controlling far end has chosen (RFC 8839 §5.2)."""
    value = next((one.value or "" for one in media.attributes if one.name == _CHOSEN), "")
    words = value.split()[: 3 * MOST_CANDIDATES]
    rows = zip(words[::3], words[1::3], words[2::3], strict=False)
    read = (
        (_number(component, RTCP), _host(host), _number(port, 65535))
        for component, host, port in rows
    )
    return frozenset(
        (component, (host, port)) for component, host, port in read if component and host and port
    )


def chosen(ours: Ours, media: Media) -> Ours:
    """Our end as a controlling far end sees it already (RFC 8839 §4.4.2).

    Some name all that works: then it is what we saw chosen, if that is among it.
    """
    places = remote_candidates(media)
    found = tuple(one for one in ours.candidates if (one.component, one.address) in places)
    known = {(one.component, one.address) for one in ours.selected}
    several = len(found) > len({one.component for one in found})
    if not found or several or (known and known <= places):
        return ours
    return replace(ours, selected=found)


def parse(value: str) -> Candidate | None:
    """`foundation component UDP priority address port typ kind …` (RFC 8839 §5.1)."""
    words = value.split()
    if len(words) < 8 or words[2].upper() != "UDP" or words[6] != "typ":
        return None
    component, rank = _number(words[1], RTCP), _number(words[3], (1 << 31) - 1)
    host, port = _host(words[4]), _number(words[5], 65535)
    if not component or not rank or host is None or not port:
        return None
    if words[7] not in _PREFERENCE or not _FOUNDATION.fullmatch(words[0]):
        return None
    return Candidate(words[0], component, rank, host, port, words[7])


def _number(word: str, limit: int) -> int | None:
    if not word.isascii() or not word.isdigit() or len(word) > 10:
        return None
    value = int(word)
    return value if value <= limit else None


def _host(word: str) -> str | None:
    """A place that one host can have; names (also those of mDNS) are none (RFC 8839 §5.1)."""
    try:
        found = ipaddress.ip_address(word)
    except ValueError:
        return None
    one = getattr(found, "ipv4_mapped", None) or found
    if one.is_multicast or one.is_unspecified or str(one) == "255.255.255.255" or "%" in word:
        return None
    return str(found)


def _credentials(session: Session, media: Media) -> Credentials | None:
    ufrag = next(iter(_values(session, media, "ice-ufrag")), "").strip()
    password = next(iter(_values(session, media, "ice-pwd")), "").strip()
    if not _UFRAG.fullmatch(ufrag) or not _PASSWORD.fullmatch(password):
        return None
    return Credentials(ufrag, password)


def _fits(session: Session, media: Media, theirs: Theirs) -> bool:
    """Whether the default destination is one of the candidates (RFC 8839 §4.2.5)."""
    connection = session.connection_of(media)
    if connection is None:
        return False
    host = _host(connection.address)
    if (connection.address, media.port) in _UNSAID or (host is None and not connection.unspecified):
        return True  # nothing said, or a name
    places = {one.address for one in theirs.candidates if one.component == RTP}
    return not places or (host, media.port) in places or connection.unspecified


def _values(session: Session, media: Media, name: str) -> list[str]:
    """What the medium says, else what the session says."""
    for attributes in (media.attributes, session.attributes):
        found = [one.value for one in attributes if one.name == name and one.value]
        if found:
            return found
    return []


def _words(session: Session, media: Media, name: str) -> list[str]:
    both = (*session.attributes, *media.attributes)
    return [word for one in both if one.name == name for word in (one.value or "").split()]
