"""A session description as values (RFC 8866), as far as a telephone needs one.

Not kept: lines that change nothing for us (`i=`, `u=`, `e=`, `p=`, `b=`, `k=`, `r=`, `z=`). What a
description means for a call is for `negotiate`.
"""

from typing import NamedTuple

from msgspec import Struct, field

from firmware.base.direction import Direction


class Attribute(NamedTuple):
    """An `a=` line; `value` is None for a flag."""

    name: str
    value: str | None = None

    def __repr__(self) -> str:
        """Without the key of `a=crypto` and the password of `a=ice-pwd` (A24)."""
        shown = "…" if self.name in ("crypto", "ice-pwd") else self.value
        return f"Attribute({self.name!r}, {shown!r})"


class Connection(Struct, frozen=True):
    """A `c=` line: numeric address or host name, without TTL and count."""

    address: str

    @property
    def family(self) -> str:
        """`IP4` or `IP6`."""
        return "IP6" if ":" in self.address else "IP4"

    @property
    def unspecified(self) -> bool:
        """Whether it is the address that once meant hold (RFC 3264 §8.4)."""
        return self.address in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound


class Origin(Struct, frozen=True):
    """The `o=` line (RFC 8866 §5.2)."""

    session_id: int
    version: int
    address: str
    username: str = "-"


class Format(Struct, frozen=True):
    """An RTP payload type: number, encoding name, RTP clock, channels, fmtp.

    A dynamic number without `a=rtpmap` has an empty name and a clock of 0.
    """

    number: int
    name: str
    clock: int
    channels: int = 1
    fmtp: str = ""


class Media(Struct, frozen=True):
    """An `m=` line with its attributes.

    `formats` holds the payload types of an RTP protocol, `words` what stands there for any other.
    `direction` has the session's default in it already. `rtcp` is port and address of `a=rtcp`
    (RFC 3605; the address may be empty). `attributes` are those that no field holds.
    """

    kind: str
    port: int
    protocol: str = "RTP/AVP"
    formats: tuple[Format, ...] = ()
    words: tuple[str, ...] = ()
    connection: Connection | None = None
    direction: Direction = Direction.SENDRECV
    ptime: int | None = None
    maxptime: int | None = None
    rtcp: tuple[int, str] | None = None
    port_count: int = 1
    attributes: tuple[Attribute, ...] = ()

    @property
    def is_rtp(self) -> bool:
        """Whether payload types follow."""
        return "RTP/" in self.protocol.upper()


class Session(Struct, frozen=True):
    """A whole description."""

    origin: Origin
    media: tuple[Media, ...] = ()
    connection: Connection | None = None
    name: str = "-"
    attributes: tuple[Attribute, ...] = field(default=())

    def connection_of(self, media: Media) -> Connection | None:
        """The address of a medium: its own, else the session's (RFC 8866 §5.7)."""
        return media.connection or self.connection


STATIC_FORMATS: dict[int, Format] = {
    number: Format(number, name, clock, channels)
    for number, name, clock, channels in (
        # RFC 3551 §6, tables 4 and 5
        (0, "PCMU", 8000, 1),
        (3, "GSM", 8000, 1),
        (4, "G723", 8000, 1),
        (5, "DVI4", 8000, 1),
        (6, "DVI4", 16000, 1),
        (7, "LPC", 8000, 1),
        (8, "PCMA", 8000, 1),
        (9, "G722", 8000, 1),
        (10, "L16", 44100, 2),
        (11, "L16", 44100, 1),
        (12, "QCELP", 8000, 1),
        (13, "CN", 8000, 1),
        (14, "MPA", 90000, 1),
        (15, "G728", 8000, 1),
        (16, "DVI4", 11025, 1),
        (17, "DVI4", 22050, 1),
        (18, "G729", 8000, 1),
        (25, "CelB", 90000, 1),
        (26, "JPEG", 90000, 1),
        (28, "nv", 90000, 1),
        (31, "H261", 90000, 1),
        (32, "MPV", 90000, 1),
        (33, "MP2T", 90000, 1),
        (34, "H263", 90000, 1),
    )
}
