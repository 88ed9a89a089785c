"""Offer and answer for one audio stream (RFC 3264), as functions over descriptions.

Whatever an offer holds, exactly one audio medium is taken; every other `m=` line is refused in its
place with port 0 (§6). The payload numbers of the far end are used for sending to it (§5.1). What
has nothing in common is a value with the reason in words, for a 488 and its Warning.

Not here: which codecs this phone has, which address it says, and when to offer.
"""

import ipaddress
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from firmware.base.direction import Direction, direction_of
from firmware.base.values import replace
from firmware.sdp import keying, reports
from firmware.sdp.description import (
    Attribute,
    Connection,
    Format,
    Media,
    Origin,
    Session,
)
from firmware.sdp.formats import (
    USUAL_PTIME,
    as_ours,
    common,
    common_event,
    common_noises,
    events_for,
    is_speech,
    names,
    noises_for,
    numbered,
    packet_time,
    still_ours,
)
from firmware.sdp.keying import NO_MEANS, Handshake, Keying, Means, Policy

if TYPE_CHECKING:
    from firmware.sdp.ice import Ours, Theirs

_PROTOCOLS = (*keying.PLAIN_PROFILES, *keying.SECURE_PROFILES)
_MUX = Attribute("rtcp-mux")
"""RTP and RTCP on one port (RFC 5761 §5.1.1)."""

Address: TypeAlias = tuple[str, int]
NOWHERE: Address = ("", 0)
"""The far end has no address for media now: hold by 0.0.0.0, or a host name."""


class Capabilities(Struct, frozen=True):
    """What we can do: speech formats with the numbers we offer, best first; digits; ptime; keys.

    `leave_out_silence`: comfort noise is offered on the clocks in `noise_clocks`. What is offered
    to us is taken in any case. `symmetric` is no word of SDP: what is sent goes to where the far
    end's media comes from.
    """

    formats: tuple[Format, ...]
    dtmf: bool = True
    ptime: int = 20
    means: Means = NO_MEANS
    leave_out_silence: bool = False
    symmetric: bool = False
    noise_clocks: frozenset[int] = frozenset()
    metrics: bool = False
    """Whether the far end is asked in every offer how it hears us; whoever can is, in answers."""


class LocalMedia(Struct, frozen=True):
    """Where we receive: numeric address, RTP port and RTCP port.

    `ice` = the ways there are to be found out (RFC 8445); None on a phone that does without.
    """

    address: str
    port: int
    rtcp_port: int
    ice: "Ours | None" = None

    @property
    def shown(self) -> "LocalMedia":
        """What a description says of it: with ways, the default one."""
        ours = self.ice
        place = None if ours is None else ours.default(1)
        if ours is None or place is None:
            return self
        control = ours.default(2)
        return LocalMedia(*place, place[1] + 1 if control is None else control[1], ours)


class Negotiated(Struct, frozen=True):
    """What both ends agreed on.

    `session` is our own description (to send as the answer; the offer if we made it). `formats[0]`
    is what we send, with the far end's number; all of them may arrive. `dtmf` is the
    telephone-event format or None. `direction` is ours. `ptime` is what the far end likes to
    receive. `remote` is `NOWHERE` while nothing can be sent. `keying` is what encrypts, None =
    nothing does; `profile` is the protocol of the `m=` line.
    """

    session: Session
    remote: Address
    rtcp: Address
    formats: tuple[Format, ...]
    dtmf: Format | None
    direction: Direction
    ptime: int
    held_by_them: bool
    media_index: int
    keying: Keying | None = None
    profile: str = "RTP/AVP"
    ice: "Theirs | None" = None
    """The far end's ways, None if it has none or they make no sense."""
    muxed: bool = False
    metrics: bool = True
    """Whether the far end may be told how it is heard (RFC 3611)."""


class NothingInCommon(Struct, frozen=True):
    """No call can come of it; `reason` is a clause for people and for the Warning header."""

    reason: str


def make_offer(
    capabilities: Capabilities,
    local: LocalMedia,
    direction: Direction,
    session_id: int,
    version: int,
    previous: Session | None = None,
) -> Session:
    """An offer.

    `previous` is our last description in this dialog, if there was one: its `m=` lines stay in
    their places and its payload numbers keep their meaning (RFC 3264 §8).
    """
    formats = capabilities.formats
    if capabilities.leave_out_silence:
        formats += noises_for(formats, capabilities.noise_clocks)
    if capabilities.dtmf:
        formats += events_for(formats)
    index = None if previous is None else _live_audio(previous)
    if previous is not None and index is not None:
        formats = tuple(numbered(formats, previous.media[index].formats))
    profile, said = keying.offered(capabilities.means)
    before = () if previous is None or index is None else previous.media[index].attributes
    asked = (reports.WISH,) if capabilities.metrics or reports.WISH in before else ()
    local = local.shown
    audio = _audio(local, formats, direction, capabilities.ptime)
    said += _ways_offered(local)
    audio = replace(audio, protocol=profile, attributes=(_MUX, *asked, *said))
    media = [audio]
    if previous is not None:
        media = [_refused(item) for item in previous.media]
        if index is None:
            media.append(audio)
        else:
            media[index] = audio
    return _session(tuple(media), local, session_id, version)


def answer(
    offer: Session,
    capabilities: Capabilities,
    local: LocalMedia,
    direction: Direction,
    session_id: int,
    version: int,
) -> Negotiated | NothingInCommon:
    """Our answer to an offer; `direction` is what we would like, the answer is what both allow."""
    reason = "the offer has no audio"
    for index, media in _in_our_order(offer.media, capabilities.means):
        if media.kind != "audio" or not media.port:
            continue
        if media.protocol.upper() not in _PROTOCOLS:
            reason = f"audio over {media.protocol} is not supported"
            continue
        formats = common(media.formats, capabilities.formats)
        if not formats:
            reason = "no common codec: offered " + (names(media.formats) or "none")
            continue
        if offer.connection_of(media) is None:
            reason = "the offer names no address"
            continue
        keys = keying.answered(offer, media, capabilities.means)
        if isinstance(keys, str):
            reason = keys
            continue
        ours = direction_of(
            sends=direction.sends and _can_receive(offer, media),
            receives=direction.receives and media.direction.sends,
        )
        events = common_event(media.formats, formats[0]) if capabilities.dtmf else None
        noises = common_noises(media.formats, _with_noise(formats, capabilities))
        said = as_ours(formats, capabilities.formats) + noises
        said = said if events is None else (*said, events)
        attributes = (_MUX, *keys.said) if _MUX in media.attributes else keys.said
        if reports.speaks_of_them(offer, media):
            attributes = (reports.WISH, *attributes)
        here, theirs, ways = _ways_answered(local, offer, media)
        attributes += ways
        audio = _audio(here, said, ours, capabilities.ptime)
        audio = replace(audio, protocol=media.protocol, attributes=attributes)
        lines = tuple(
            audio if place == index else _refused(other) for place, other in enumerate(offer.media)
        )
        session = _session(lines, here, session_id, version)
        agreed = _agreed(session, offer, index, formats + noises, events, ours)
        return replace(_encrypted(agreed, keys.keying), ice=theirs)
    return NothingInCommon(reason)


def _with_noise(formats: tuple[Format, ...], capabilities: Capabilities) -> tuple[Format, ...]:
    """Those that have no words of their own for silence."""
    return tuple(item for item in formats if item.clock in capabilities.noise_clocks)


def _in_our_order(media: tuple[Media, ...], means: Means) -> list[tuple[int, Media]]:
    """Some offer the same audio twice, encrypted and not: the better one first."""
    placed = list(enumerate(media))
    if means.policy is not Policy.OFF:
        placed.sort(key=lambda item: item[1].protocol.upper() in keying.PLAIN_PROFILES)
    return placed


def accept_answer(
    offer: Session, answered: Session, capabilities: Capabilities
) -> Negotiated | NothingInCommon:
    """What came of our offer."""
    index = _live_audio(offer)
    if index is None or index >= len(answered.media):
        return NothingInCommon("the answer has no audio")
    ours, theirs = offer.media[index], answered.media[index]
    if theirs.kind != "audio" or not theirs.port:
        return NothingInCommon("the far end refused audio")
    if answered.connection_of(theirs) is None:
        return NothingInCommon("the answer names no address")
    own = tuple(filter(is_speech, ours.formats))
    formats = common(theirs.formats, own)
    if not formats:
        return NothingInCommon("no common codec: answered " + (names(theirs.formats) or "none"))
    # An answer may number a format anew; then that number is sent and ours still arrives.
    arriving = still_ours(own, formats) + common_noises(
        theirs.formats, _with_noise(formats, capabilities)
    )
    events = common_event(theirs.formats, formats[0]) if capabilities.dtmf else None
    direction = direction_of(
        sends=ours.direction.sends and _can_receive(answered, theirs),
        receives=ours.direction.receives and theirs.direction.sends,
    )
    keys = keying.accepted(ours, answered, theirs, capabilities.means)
    if isinstance(keys, str):
        return NothingInCommon(keys)
    agreed = _agreed(offer, answered, index, formats + arriving, events, direction)
    return replace(_encrypted(agreed, keys), ice=_ways_heard(ours, answered, theirs))


def _agreed(
    session: Session,
    theirs: Session,
    index: int,
    formats: tuple[Format, ...],
    events: Format | None,
    direction: Direction,
) -> Negotiated:
    media = theirs.media[index]
    usual = session.media[index].ptime or USUAL_PTIME
    remote, rtcp = _addresses(theirs, media)
    muxed = _MUX in media.attributes and _MUX in session.media[index].attributes
    if muxed:
        rtcp = remote  # RFC 5761 §5.1.1
    return Negotiated(
        session=session,
        remote=remote,
        rtcp=rtcp,
        formats=formats,
        dtmf=events,
        direction=direction,
        ptime=packet_time(media, usual, formats[0]),
        held_by_them=not _can_receive(theirs, media),
        media_index=index,
        profile=session.media[index].protocol,
        muxed=muxed,
        metrics=reports.wants_metrics(theirs, media),
    )


def _ways_offered(local: LocalMedia) -> tuple[Attribute, ...]:
    if local.ice is None:
        return ()
    from firmware.sdp import ice  # noqa: PLC0415 - there already where a line asks for it

    return ice.said(local.ice, offering=True)


def _ways_answered(
    local: LocalMedia, offer: Session, media: Media
) -> tuple[LocalMedia, "Theirs | None", tuple[Attribute, ...]]:
    """Our place and the far end's ways, and what our answer says of them."""
    if local.ice is None:
        return local, None, ()
    from firmware.sdp import ice  # noqa: PLC0415 - as above

    found = ice.heard(offer, media)
    if found is None or isinstance(found, Attribute):
        # RFC 8839 §4.3.2: an offer without is answered without.
        return local.shown, None, () if found is None else (found,)
    ours = ice.chosen(local.ice, media)
    said = ice.said(ours, offering=False, muxed=_MUX in media.attributes)
    return replace(local, ice=ours).shown, found, said


def _ways_heard(ours: Media, answered: Session, theirs: Media) -> "Theirs | None":
    """The far end's ways, if we have offered any."""
    if not any(one.name == "ice-ufrag" for one in ours.attributes):
        return None
    from firmware.sdp import ice  # noqa: PLC0415 - as above

    found = ice.heard(answered, theirs)
    # RFC 8839 §4.3.3: what makes no sense ends it.
    return None if isinstance(found, Attribute) else found


def _encrypted(agreed: Negotiated, keys: Keying | None) -> Negotiated:
    apart = agreed.rtcp != agreed.remote
    if apart and isinstance(keys, Handshake):
        # On a port of its own RTCP would need a handshake of its own (RFC 5764 §4.2).
        agreed = replace(agreed, rtcp=NOWHERE)
    return replace(agreed, keying=keys)


def _session(media: tuple[Media, ...], local: LocalMedia, session_id: int, version: int) -> Session:
    origin = Origin(session_id, version, local.address)
    return Session(origin, media, Connection(local.address))


def _audio(
    local: LocalMedia, formats: tuple[Format, ...], direction: Direction, ptime: int
) -> Media:
    usual = local.rtcp_port == local.port + 1
    return Media(
        kind="audio",
        port=local.port,
        formats=formats,
        direction=direction,
        ptime=ptime,
        rtcp=None if usual else (local.rtcp_port, ""),
    )


def _refused(media: Media) -> Media:
    """An `m=` line answered with port 0; one format must stand there all the same."""
    return Media(
        media.kind,
        0,
        media.protocol,
        formats=tuple(replace(item, fmtp="") for item in media.formats[:1]),
        words=media.words[:1],
    )


def _live_audio(session: Session) -> int | None:
    """The place of the audio medium that is not refused."""
    for index, media in enumerate(session.media):
        if media.kind == "audio" and media.port:
            return index
    return None


def _can_receive(session: Session, media: Media) -> bool:
    connection = session.connection_of(media)
    held = connection is not None and connection.unspecified  # RFC 3264 §8.4
    return media.direction.receives and not held


def _addresses(session: Session, media: Media) -> tuple[Address, Address]:
    """Where RTP and RTCP go; a name instead of an address waits for the first packet."""
    connection = session.connection_of(media)
    if connection is None or connection.unspecified or not _is_place(connection.address):
        return NOWHERE, NOWHERE
    remote = (connection.address, media.port)
    if media.rtcp is None:
        return remote, (connection.address, media.port + 1)
    port, address = media.rtcp
    return remote, (address if _is_place(address) else connection.address, port)


def _is_place(address: str) -> bool:
    """Whether media may go there: to one host, not to a group or a whole network (A12)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    one = getattr(found, "ipv4_mapped", None) or found
    return not one.is_multicast and str(one) != "255.255.255.255"
