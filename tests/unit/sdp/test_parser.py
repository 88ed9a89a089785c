"""Reading what other phones write."""

import pytest

from firmware.base.direction import Direction
from firmware.sdp.description import Attribute, Connection, Format
from firmware.sdp.errors import SdpError
from firmware.sdp.parser import parse

HEAD = b"v=0\r\no=a 1 2 IN IP4 192.0.2.1\r\ns=x\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"


def test_a_usual_offer():
    session = parse(
        HEAD + b"a=tool:x\r\nm=audio 4000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
        b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:30\r\na=maxptime:60\r\n"
        b"a=rtcp:4007 IN IP4 192.0.2.9\r\na=sendonly\r\na=silenceSupp:off - - - -\r\n"
    )
    assert session.origin.session_id == 1
    assert session.origin.version == 2
    assert session.attributes == (Attribute("tool", "x"),)
    (media,) = session.media
    assert media.formats == (
        Format(0, "PCMU", 8000),
        Format(101, "telephone-event", 8000, 1, "0-15"),
    )
    assert (media.ptime, media.maxptime, media.rtcp) == (30, 60, (4007, "192.0.2.9"))
    assert media.direction is Direction.SENDONLY
    assert media.attributes == (Attribute("silenceSupp", "off - - - -"),)
    assert session.connection_of(media) == Connection("192.0.2.1")


@pytest.mark.parametrize("ending", [b"\r\n", b"\n", b"\r"])
def test_any_line_ending_will_do(ending):
    data = (HEAD + b"m=audio 4000 RTP/AVP 8\r\n").replace(b"\r\n", ending)
    assert parse(data).media[0].formats == (Format(8, "PCMA", 8000),)


def test_static_numbers_need_no_map_and_g722_has_the_clock_of_8000():
    """RFC 3551 §6."""
    media = parse(HEAD + b"m=audio 1 RTP/AVP 0 8 9 18 13 3\r\n").media[0]
    assert [(item.name, item.clock) for item in media.formats] == [
        ("PCMU", 8000), ("PCMA", 8000), ("G722", 8000), ("G729", 8000), ("CN", 8000),
        ("GSM", 8000),
    ]  # fmt: skip


def test_a_map_wins_over_the_static_number():
    """RFC 3551 §6: a static number may be mapped anew."""
    media = parse(HEAD + b"m=audio 1 RTP/AVP 3\r\na=rtpmap:3 opus/48000/2\r\n").media[0]
    assert media.formats == (Format(3, "opus", 48000, 2),)


def test_a_dynamic_number_without_a_map_has_no_name():
    media = parse(HEAD + b"m=audio 1 RTP/AVP 99 98\r\na=rtpmap:98 half\r\n").media[0]
    assert media.formats == (Format(99, "", 0), Format(98, "", 0))


def test_a_medium_may_have_its_own_address_and_direction():
    """RFC 8866 §5.7, RFC 8866 §6.7. RFC 3266 §3: `IN IP6`."""
    session = parse(
        HEAD + b"a=recvonly\r\nm=audio 1 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\na=inactive\r\n"
        b"m=audio 2 RTP/AVP 0\r\n"
    )
    first, second = session.media
    assert session.connection_of(first) == Connection("2001:db8::1")
    assert session.connection_of(second) == Connection("192.0.2.1")
    assert first.direction is Direction.INACTIVE
    assert second.direction is Direction.RECVONLY


def test_a_multicast_address_loses_its_life_span():
    data = HEAD.replace(b"c=IN IP4 192.0.2.1", b"c=IN IP4 224.2.1.1/127/3")
    assert parse(data).connection == Connection("224.2.1.1")


def test_fax_and_text_keep_their_words():
    session = parse(
        HEAD + b"m=image 5000 udptl t38\r\nm=text 5002 TCP 98\r\nm=audio 5004/2 RTP/AVP 0\r\n"
    )
    assert session.media[0].words == ("t38",)
    assert not session.media[0].is_rtp
    assert session.media[2].port_count == 2


@pytest.mark.parametrize(
    "lines",
    [
        b"v=0\r\nm=audio 1 RTP/AVP 0\r\n",  # neither o= nor s= nor t=
        HEAD + b"\r\n\r\nm=audio 1 RTP/AVP 0\r\n\r\n",  # empty lines
        HEAD + b"z=0 0\r\nX=what\r\nm=audio 1 RTP/AVP 0\r\nb=AS:64\r\nk=clear:x\r\n",
        HEAD + b"m=audio 1 RTP/AVP 0\r\na=\r\na=:\r\na=rtpmap:\r\na=rtpmap:x y\r\na=fmtp:300 z\r\n",
        HEAD + b"m=audio 1 RTP/AVP 0\r\na=ptime:abc\r\na=maxptime:\r\na=rtcp:\r\na=rtcp:99999\r\n",
        HEAD.replace(b"o=a 1 2", b"o=- 99999999999999999999999999 x")
        + b"m=audio 1 RTP/AVP 0\r\ns=\xff\xfe\r\n",
    ],
)
def test_carelessness_that_harms_nobody_is_read(lines):
    media = parse(lines).media[0]
    assert media.formats == (Format(0, "PCMU", 8000),)
    assert (media.ptime, media.maxptime, media.rtcp) == (None, None, None)


@pytest.mark.parametrize("value", [b"20", b" 20 ", b"20.0"])
def test_a_ptime_is_whole_milliseconds(value):
    media = parse(HEAD + b"m=audio 1 RTP/AVP 0\r\na=ptime:" + value + b"\r\n").media[0]
    assert media.ptime == 20


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "v=0"),
        (b"v=1\r\n", "v=0"),
        (b"hello", "v=0"),
        (b"v=0\r\nnonsense\r\n", "line 2"),
        (b"v=0\r\no=only three words\r\n", "line 2: o= has six words"),
        (b"v=0\r\nc=IN IP4\r\n", "c= is not"),
        (b"v=0\r\nc=IN IP5 1.2.3.4\r\n", "c= is not"),
        (b"v=0\r\nc=IN IP4 2001:db8::1\r\n", "no IP4 address"),
        (b"v=0\r\nc=IN IP6 192.0.2.1\r\n", "no IP6 address"),
        (HEAD + b"m=audio\r\n", "fewer than four"),
        (HEAD + b"m=audio 65536 RTP/AVP 0\r\n", "port 65536"),
        (HEAD + b"m=audio -1 RTP/AVP 0\r\n", "port -1"),
        (HEAD + b"m=audio 1/0 RTP/AVP 0\r\n", "port 1/0"),
        (HEAD + "m=audio ² RTP/AVP 0\r\n".encode(), "port ²"),
        (HEAD + b"m=audio 1 RTP/AVP 128\r\n", "payload type 128"),
        (HEAD + b"m=audio 1 RTP/AVP x\r\n", "payload type x"),
        (b"v=0\r\n" + b"a" * 70_000, "octets are too many"),
        (b"v=0\r\n" + b"a=x\r\n" * 3000, "lines are too many"),
    ],
)
def test_a_wrong_guess_would_send_audio_astray(data, words):
    with pytest.raises(SdpError, match=words):
        parse(data)


def test_a14_five_hundred_media_are_refused():
    with pytest.raises(SdpError, match="more than 64 media"):
        parse(HEAD + b"m=audio 1 RTP/AVP 0\r\n" * 500)


def test_p03_the_worst_of_a_datagram_is_read_in_a_moment():
    formats = b" ".join(b"%d" % (number % 128) for number in range(15_000))
    media = parse(HEAD + b"m=audio 1 RTP/AVP " + formats + b"\r\n").media[0]
    assert len(media.formats) == 128
    parse(HEAD + b"m=audio 1 RTP/AVP 0\r\n" + b"a=rtpmap:0 x/1\r\n" * 1900)


def test_a14_the_payload_types_of_all_media_are_bounded():
    line = b"m=audio 1 RTP/AVP " + b" ".join(b"%d" % number for number in range(100)) + b"\r\n"
    media = parse(HEAD + line * 60).media
    assert len(media[0].formats) == 100
    assert [len(each.formats) for each in media[-2:]] == [1, 1], "to be refused with"


def test_a14_parameters_without_end_are_as_if_they_were_not_there():
    head = HEAD + b"m=audio 1 RTP/AVP 0 8\r\na=fmtp:8 annexb=no\r\na=fmtp:0 "
    media = parse(head + b"mode=;" * 9000 + b"\r\n").media[0]
    assert [each.fmtp for each in media.formats] == ["", "annexb=no"]
