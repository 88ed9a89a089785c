"""Writing what other phones can read."""

from firmware.base.direction import Direction
from firmware.sdp.description import (
    Attribute,
    Connection,
    Format,
    Media,
    Origin,
    Session,
)
from firmware.sdp.parser import parse
from firmware.sdp.writer import write


def test_a_description_in_the_order_of_the_rfc():
    """RFC 8866 §5, RFC 8866 §5.2."""
    audio = Media(
        "audio",
        40000,
        formats=(Format(0, "PCMU", 8000), Format(96, "opus", 48000, 2, "useinbandfec=1")),
        direction=Direction.SENDONLY,
        ptime=20,
        rtcp=(40005, ""),
        attributes=(Attribute("silenceSupp", "off"),),
    )
    fax = Media("image", 0, "udptl", words=("t38",))
    session = Session(
        Origin(7, 1, "2001:db8::1"),
        (audio, fax),
        Connection("2001:db8::1"),
        attributes=(Attribute("tool", "x"), Attribute("flag")),
    )
    assert write(session).decode().split("\r\n") == [
        "v=0",
        "o=- 7 1 IN IP6 2001:db8::1",
        "s=-",
        "c=IN IP6 2001:db8::1",
        "t=0 0",
        "a=tool:x",
        "a=flag",
        "m=audio 40000 RTP/AVP 0 96",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:96 opus/48000/2",
        "a=fmtp:96 useinbandfec=1",
        "a=ptime:20",
        "a=rtcp:40005",
        "a=silenceSupp:off",
        "a=sendonly",
        "m=image 0 udptl t38",
        "",
    ]
    assert parse(write(session)) == session


def test_addresses_and_ranges_of_a_medium_come_back():
    """RFC 3605 §2.1."""
    media = Media(
        "audio",
        5004,
        formats=(Format(99, "", 0), Format(0, "PCMU", 8000)),
        connection=Connection("192.0.2.7"),
        rtcp=(5010, "192.0.2.8"),
        maxptime=40,
        port_count=2,
    )
    session = Session(Origin(1, 2, "192.0.2.7", "me"), (media,))
    assert parse(write(session)) == session
