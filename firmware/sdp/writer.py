"""A session description to octets, in the order of RFC 8866 §5."""

from firmware.sdp.description import STATIC_FORMATS, Attribute, Connection, Format, Media, Session


def write(session: Session) -> bytes:
    """A description as a body."""
    origin = session.origin
    family = Connection(origin.address).family
    lines = [
        "v=0",
        f"o={origin.username} {origin.session_id} {origin.version} IN {family} {origin.address}",
        f"s={session.name}",
    ]
    if session.connection is not None:
        lines.append(_connection(session.connection))
    lines.append("t=0 0")
    lines.extend(_attribute(attribute) for attribute in session.attributes)
    for media in session.media:
        _media(media, lines)
    return "".join(f"{line}\r\n" for line in lines).encode()


def _media(media: Media, lines: list[str]) -> None:
    words = " ".join(media.words or [str(item.number) for item in media.formats])
    port = f"{media.port}/{media.port_count}" if media.port_count > 1 else str(media.port)
    lines.append(f"m={media.kind} {port} {media.protocol} {words}")
    if media.connection is not None:
        lines.append(_connection(media.connection))
    for item in media.formats:
        _format(item, lines)
    if media.ptime is not None:
        lines.append(f"a=ptime:{media.ptime}")
    if media.maxptime is not None:
        lines.append(f"a=maxptime:{media.maxptime}")
    if media.rtcp is not None:
        port_number, address = media.rtcp
        tail = f" IN {Connection(address).family} {address}" if address else ""
        lines.append(f"a=rtcp:{port_number}{tail}")
    lines.extend(_attribute(attribute) for attribute in media.attributes)
    if media.port and media.is_rtp:
        lines.append(f"a={media.direction.value}")


def _format(item: Format, lines: list[str]) -> None:
    # Static numbers need no map; it is written all the same, some gateways want it.
    if item.name and (item.clock or item.number not in STATIC_FORMATS):
        channels = f"/{item.channels}" if item.channels > 1 else ""
        lines.append(f"a=rtpmap:{item.number} {item.name}/{item.clock}{channels}")
    if item.fmtp:
        lines.append(f"a=fmtp:{item.number} {item.fmtp}")


def _connection(connection: Connection) -> str:
    return f"c=IN {connection.family} {connection.address}"


def _attribute(attribute: Attribute) -> str:
    return (
        f"a={attribute.name}"
        if attribute.value is None
        else f"a={attribute.name}:{attribute.value}"
    )
