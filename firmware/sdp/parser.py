"""Octets to a session description (RFC 8866 §5).

Tolerant where phones are careless (bare line feeds, missing `s=` or `t=`, lines out of order,
unknown lines and attributes), strict where a wrong guess would send audio astray: the version, the
addresses, the ports, the payload numbers. The work is linear in a bounded size.
"""

from msgspec import Struct, field

from firmware.base.direction import Direction
from firmware.base.values import replace
from firmware.sdp.description import (
    STATIC_FORMATS,
    Attribute,
    Connection,
    Format,
    Media,
    Origin,
    Session,
)
from firmware.sdp.errors import SdpError

_SIZE_LIMIT = 65536
_LINE_LIMIT = 2000
_MEDIA_LIMIT = 64
_FORMAT_LIMIT = 128
_FORMATS_LIMIT = 512
"""Payload types in all media together; a medium beyond it keeps its first, to be refused with."""
_FMTP_LIMIT = 512
"""The longest parameters in characters; longer ones are as if they were not there."""
_DIRECTIONS = {direction.value: direction for direction in Direction}


class _Section(Struct):
    """What is being gathered: the session (`words` empty) or one medium."""

    words: list[str]
    connection: Connection | None = None
    direction: Direction | None = None
    maps: dict[int, str] = field(default_factory=dict)
    parameters: dict[int, str] = field(default_factory=dict)
    ptime: int | None = None
    maxptime: int | None = None
    rtcp: tuple[int, str] | None = None
    attributes: list[Attribute] = field(default_factory=list)


class _Document(Struct):
    """What has been read so far; the first section is the session's."""

    origin: Origin = field(default_factory=lambda: Origin(0, 0, ""))
    name: str = "-"
    sections: list[_Section] = field(default_factory=lambda: [_Section([])])


def parse(data: bytes) -> Session:
    """A body as a description.

    Raises:
        SdpError: it is none.
    """
    if len(data) > _SIZE_LIMIT:
        raise SdpError(f"{len(data)} octets are too many")
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > _LINE_LIMIT:
        raise SdpError(f"{len(lines)} lines are too many")
    if lines[0].strip() != "v=0":
        raise SdpError("line 1: a description begins with v=0")
    document = _Document()
    for number, line in enumerate(lines[1:], 2):
        try:
            _line(document, line)
        except SdpError as error:
            raise SdpError(f"line {number}: {error}") from error
    session = document.sections[0]
    sections = document.sections[1:]
    _share_formats(sections)
    media = tuple(_media(section, session.direction) for section in sections)
    return Session(
        document.origin, media, session.connection, document.name, tuple(session.attributes)
    )


def number_in(text: str, limit: int) -> int | None:
    """A decimal number from 0 to `limit`, or None."""
    if not text.isascii() or not text.isdigit() or len(text) > 20:
        return None
    value = int(text)
    return value if value <= limit else None


def _origin(value: str) -> Origin:
    words = value.split()
    if len(words) != 6:
        raise SdpError("o= has six words")
    # Some write letters where numbers belong; nobody is helped by refusing the call for it.
    session_id = number_in(words[1], (1 << 64) - 1) or 0
    version = number_in(words[2], (1 << 64) - 1) or 0
    return Origin(session_id, version, words[5], words[0])


def _line(document: _Document, line: str) -> None:
    kind, equals, value = line.partition("=")
    if equals and len(kind) == 1:
        _value(document, kind, value)
    elif line.strip():
        raise SdpError("no `letter=value`")


def _value(document: _Document, kind: str, value: str) -> None:
    section = document.sections[-1]
    match kind:
        case "o":
            document.origin = _origin(value)
        case "s":
            document.name = value.strip() or "-"
        case "m":
            document.sections.append(_Section(value.split()))
            if len(document.sections) > _MEDIA_LIMIT + 1:
                raise SdpError(f"more than {_MEDIA_LIMIT} media")
        case "c":
            section.connection = section.connection or _connection(value)
        case "a":
            _attribute(section, value)
        case _:
            pass  # t= is always 0 0 for a call; the others change nothing for us


def _connection(value: str) -> Connection:
    words = value.split()
    if len(words) != 3 or words[0] != "IN" or words[1] not in ("IP4", "IP6"):
        raise SdpError("c= is not `IN IP4 address` or `IN IP6 address`")
    address = words[2].partition("/")[0]
    if not address or ((":" in address) != (words[1] == "IP6") and _numeric(address)):
        raise SdpError(f"c= has no {words[1]} address")
    return Connection(address)


def _numeric(address: str) -> bool:
    return ":" in address or address.replace(".", "").isdigit()


def _attribute(section: _Section, line: str) -> None:
    name, colon, value = line.strip().partition(":")
    match name:
        case "sendrecv" | "sendonly" | "recvonly" | "inactive":
            section.direction = _DIRECTIONS[name]
        case "rtpmap" | "fmtp":
            word, _, rest = value.strip().partition(" ")
            number = number_in(word, 127)
            if number is not None and section.words and len(rest) <= _FMTP_LIMIT:
                table = section.maps if name == "rtpmap" else section.parameters
                table.setdefault(number, rest.strip())
        case "ptime":
            section.ptime = _milliseconds(value)
        case "maxptime":
            section.maxptime = _milliseconds(value)
        case "rtcp":
            section.rtcp = _rtcp(value)
        case _:
            if name:
                section.attributes.append(Attribute(name, value if colon else None))


def _share_formats(sections: list[_Section]) -> None:
    left = _FORMATS_LIMIT
    for section in sections:
        if left <= 0:
            del section.words[4:]
        left -= min(len(section.words), _FORMAT_LIMIT)


def _milliseconds(value: str) -> int | None:
    """What is no number of milliseconds is as if it were not there; `20.0` and `20 ` are."""
    return number_in(value.strip().partition(".")[0], 10000) or None


def _rtcp(value: str) -> tuple[int, str] | None:
    """`port [IN IP4 address]` (RFC 3605 §2.1)."""
    words = value.split()
    port = number_in(words[0], 65535) if words else None
    if not port:
        return None
    return port, words[3] if len(words) == 4 else ""


def _media(section: _Section, default: Direction | None) -> Media:
    words = section.words
    if len(words) < 4:
        raise SdpError("m= has fewer than four words")
    port, slash, count = words[1].partition("/")
    number = number_in(port, 65535)
    ports = number_in(count, 65535) if slash else 1
    if number is None or not ports:
        raise SdpError(f"m={words[0]} has the port {words[1][:20]}")
    media = Media(
        kind=words[0].lower(),
        port=number,
        protocol=words[2],
        connection=section.connection,
        direction=section.direction or default or Direction.SENDRECV,
        ptime=section.ptime,
        maxptime=section.maxptime,
        rtcp=section.rtcp,
        port_count=ports,
        attributes=tuple(section.attributes),
    )
    return _with_formats(media, section, words[3:])


def _with_formats(media: Media, section: _Section, words: list[str]) -> Media:
    if not media.is_rtp:
        return replace(media, words=tuple(words))
    formats: dict[int, Format] = {}
    for word in words[:_FORMAT_LIMIT]:
        number = number_in(word, 127)
        if number is None:
            raise SdpError(f"m={media.kind} has the payload type {word[:20]}")
        formats.setdefault(number, _format(number, section))
    return replace(media, formats=tuple(formats.values()))


def _format(number: int, section: _Section) -> Format:
    fmtp = section.parameters.get(number, "")
    static = STATIC_FORMATS.get(number, Format(number, "", 0))
    name, clock, channels = static.name, static.clock, static.channels
    # `PCMU/8000`, `opus/48000/2`: the map wins over the static number (RFC 3551 §6).
    parts = section.maps.get(number, "").split("/")
    if len(parts) >= 2 and parts[0]:
        name = parts[0].strip()
        clock = number_in(parts[1].strip(), 10_000_000) or 0
        channels = (number_in(parts[2].strip(), 64) or 1) if len(parts) > 2 else 1
    return Format(number, name, clock, channels, fmtp)
