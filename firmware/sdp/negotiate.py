"""Offer and answer for one audio stream (RFC 3264), as functions over descriptions.

Whatever an offer holds, exactly one audio medium is taken; every other `m=` line is refused in its
place with port 0 (§6). The payload numbers of the far end are used for sending to it (§5.1). What
has nothing in common is a value with the reason in words, for a 488 and its Warning.

Not here: which codecs this phone has, which address it says, and when to offer.
"""

import ipaddress
from collections.abc import Iterable
from typing import TypeAlias

from msgspec import Struct

from firmware.base.values import replace
from firmware.sdp.description import (
    Connection,
    Direction,
    Format,
    Media,
    Origin,
    Session,
    direction_of,
)

EVENT_NAME = "telephone-event"
EVENT_FMTP = "0-16"
_PROTOCOLS = ("RTP/AVP", "RTP/AVPF")
_SELECTING = ("mode", "octet-align", "annexb")
"""Parameters that make two formats of one name different ones; others only tune."""
_SHORTEST_PTIME = 10
_LONGEST_PTIME = 60
_USUAL_PTIME = 20
_DYNAMIC = range(96, 128)

Address: TypeAlias = tuple[str, int]
NOWHERE: Address = ("", 0)
"""The far end has no address for media now: hold by 0.0.0.0, or a host name."""


class Capabilities(Struct, frozen=True):
    """What we can do: speech formats with the numbers we offer, best first; digits; ptime."""

    formats: tuple[Format, ...]
    dtmf: bool = True
    ptime: int = 20


class LocalMedia(Struct, frozen=True):
    """Where we receive: numeric address, RTP port and RTCP port."""

    address: str
    port: int
    rtcp_port: int


class Negotiated(Struct, frozen=True):
    """What both ends agreed on.

    `session` is our own description (to send as the answer; the offer if we made it). `formats[0]`
    is what we send, with the far end's number; all of them may arrive. `dtmf` is the
    telephone-event format or None. `direction` is ours. `ptime` is what the far end likes to
    receive. `remote` is `NOWHERE` while nothing can be sent.
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
    if capabilities.dtmf:
        formats += _events(formats)
    index = None if previous is None else _live_audio(previous)
    if previous is not None and index is not None:
        formats = tuple(_numbered(formats, previous.media[index].formats))
    audio = _audio(local, formats, direction, capabilities.ptime)
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
    for index, media in enumerate(offer.media):
        if media.kind != "audio" or not media.port:
            continue
        if media.protocol.upper() not in _PROTOCOLS:
            reason = f"audio over {media.protocol} is not supported"
            continue
        formats = _common(media.formats, capabilities.formats)
        if not formats:
            reason = "no common codec: offered " + (_names(media.formats) or "none")
            continue
        if offer.connection_of(media) is None:
            reason = "the offer names no address"
            continue
        ours = direction_of(
            sends=direction.sends and _can_receive(offer, media),
            receives=direction.receives and media.direction.sends,
        )
        events = _common_event(media.formats, formats[0]) if capabilities.dtmf else None
        said = formats if events is None else (*formats, events)
        audio = replace(_audio(local, said, ours, capabilities.ptime), protocol=media.protocol)
        lines = tuple(
            audio if place == index else _refused(other) for place, other in enumerate(offer.media)
        )
        return _agreed(
            _session(lines, local, session_id, version),
            offer,
            index,
            formats,
            events,
            ours,
        )
    return NothingInCommon(reason)


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
    own = tuple(item for item in ours.formats if not _is_event(item))
    formats = _common(theirs.formats, own)
    if not formats:
        return NothingInCommon("no common codec: answered " + (_names(theirs.formats) or "none"))
    # An answer may number a format anew; then that number is sent and ours still arrives.
    arriving = tuple(item for item in own if _find(item, formats) and item not in formats)
    events = _common_event(theirs.formats, formats[0]) if capabilities.dtmf else None
    direction = direction_of(
        sends=ours.direction.sends and _can_receive(answered, theirs),
        receives=ours.direction.receives and theirs.direction.sends,
    )
    return _agreed(offer, answered, index, formats + arriving, events, direction)


def _agreed(
    session: Session,
    theirs: Session,
    index: int,
    formats: tuple[Format, ...],
    events: Format | None,
    direction: Direction,
) -> Negotiated:
    media = theirs.media[index]
    usual = session.media[index].ptime or _USUAL_PTIME
    remote, rtcp = _addresses(theirs, media)
    return Negotiated(
        session=session,
        remote=remote,
        rtcp=rtcp,
        formats=formats,
        dtmf=events,
        direction=direction,
        ptime=_ptime(media, usual),
        held_by_them=not _can_receive(theirs, media),
        media_index=index,
    )


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
    if connection is None or connection.unspecified or not _is_numeric(connection.address):
        return NOWHERE, NOWHERE
    remote = (connection.address, media.port)
    if media.rtcp is None:
        return remote, (connection.address, media.port + 1)
    port, address = media.rtcp
    return remote, (address if _is_numeric(address) else connection.address, port)


def _is_numeric(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


def _ptime(media: Media, usual: int) -> int:
    """What the far end likes, in whole 10 ms between 10 and 60, below its maximum."""
    wanted = media.ptime or usual
    if media.maxptime is not None:
        wanted = min(wanted, media.maxptime)
    return max(_SHORTEST_PTIME, min(_LONGEST_PTIME, wanted // 10 * 10))


def _is_event(item: Format) -> bool:
    return item.name.lower() == EVENT_NAME


def _names(formats: Iterable[Format]) -> str:
    return ", ".join(item.name or str(item.number) for item in formats if not _is_event(item))


def _common(theirs: tuple[Format, ...], ours: tuple[Format, ...]) -> tuple[Format, ...]:
    """Our formats that they have, in their order and with their numbers (RFC 3264 §6.1)."""
    found: list[Format] = []
    for item in theirs:
        match = _find(item, ours)
        if match is not None:
            found.append(replace(match, number=item.number))
    return tuple(found)


def _find(item: Format, among: Iterable[Format]) -> Format | None:
    return next((other for other in among if _same(item, other)), None)


def _same(one: Format, other: Format) -> bool:
    """Whether two formats are one codec: name, clock, channels and what of fmtp selects."""
    if not one.name or one.name.lower() != other.name.lower():
        return False
    if one.channels != other.channels or _clock(one) != _clock(other):
        return False
    return _selected(one) == _selected(other)


def _clock(item: Format) -> int:
    # Some write the sampling rate of G.722; its RTP clock is 8,000 (RFC 3551 §4.5.2).
    if item.name.upper() == "G722" and item.clock == 16000:
        return 8000
    return item.clock


def _selected(item: Format) -> tuple[str, ...]:
    parameters = (part.strip().lower().replace(" ", "") for part in item.fmtp.split(";"))
    return tuple(sorted(part for part in parameters if part.partition("=")[0] in _SELECTING))


def _common_event(theirs: tuple[Format, ...], speech: Format) -> Format | None:
    """Their telephone-event format: that of the speech's clock if there is one (RFC 4733 §2.1)."""
    events = [item for item in theirs if _is_event(item) and item.clock]
    same = (item for item in events if item.clock == _clock(speech))
    chosen = next(same, events[0] if events else None)
    return None if chosen is None else replace(chosen, name=EVENT_NAME, fmtp=EVENT_FMTP)


def _events(formats: tuple[Format, ...]) -> tuple[Format, ...]:
    """A telephone-event format for each clock we offer, on free numbers from 101 up."""
    clocks = sorted({item.clock for item in formats})
    taken = {item.number for item in formats}
    free = (number for number in (*range(101, 128), *range(96, 101)) if number not in taken)
    return tuple(
        Format(number, EVENT_NAME, clock, 1, EVENT_FMTP)
        for clock, number in zip(clocks, free, strict=False)
    )


def _numbered(formats: tuple[Format, ...], before: tuple[Format, ...]) -> Iterable[Format]:
    """Our formats with the numbers they had; a new one gets a number that meant nothing else."""
    taken = {item.number for item in before}
    usual = {item.number for item in formats}
    free = (number for number in _DYNAMIC if number not in taken and number not in usual)
    for item in formats:
        known = _find(item, before)
        if known is not None:
            yield replace(item, number=known.number)
        elif item.number in taken:
            yield replace(item, number=next(free, item.number))
        else:
            yield item
