"""Offer and answer between two phones (RFC 3264)."""

import pytest

from firmware.base.direction import Direction
from firmware.base.values import replace
from firmware.sdp.description import Connection, Format, Media
from firmware.sdp.negotiate import (
    NOWHERE,
    Capabilities,
    LocalMedia,
    Negotiated,
    NothingInCommon,
    accept_answer,
    answer,
    make_offer,
)
from firmware.sdp.parser import parse
from firmware.sdp.writer import write

BOTH, SEND, RECEIVE, NONE = (
    Direction.SENDRECV,
    Direction.SENDONLY,
    Direction.RECVONLY,
    Direction.INACTIVE,
)
PCMU, PCMA, G722 = Format(0, "PCMU", 8000), Format(8, "PCMA", 8000), Format(9, "G722", 8000)
OPUS = Format(96, "opus", 48000, 2, "useinbandfec=1")
EVENT = Format(101, "telephone-event", 8000, 1, "0-16")


def answered(offer, phone, here, direction=BOTH) -> Negotiated:
    result = answer(offer, phone, here, direction, 5, 1)
    assert isinstance(result, Negotiated), result
    return result


def refused(offer, phone, here) -> str:
    result = answer(offer, phone, here, BOTH, 5, 1)
    assert isinstance(result, NothingInCommon), result
    return result.reason


# The seed


def test_an_offer_of_pcmu_and_h261_video_gets_audio_and_a_refused_video(body, phone, here):
    offer = body(
        "m=audio 4000 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "m=video 4002 RTP/AVP 31",
        "a=rtpmap:31 H261/90000",
    )  # fmt: skip
    result = answered(offer, phone, here)
    assert result.formats == (PCMU,)
    assert result.remote == ("192.0.2.1", 4000)
    assert result.rtcp == ("192.0.2.1", 4001)
    assert write(result.session) == (
        b"v=0\r\no=- 5 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
        b"m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=sendrecv\r\n"
        b"m=video 0 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\n"
    )


# Which medium


def test_every_other_medium_is_refused_in_its_place(body, phone, here):
    """RFC 3264 §6: as many m= lines as the offer, port 0 for each that is refused."""
    offer = body(
        "m=video 5000 RTP/AVP 31",
        "m=audio 4000 RTP/AVP 0",
        "m=audio 4002 RTP/AVP 0",
        "m=image 4004 udptl t38",
        "m=text 4006 RTP/AVP 98",
        "a=rtpmap:98 t140/1000",
    )
    result = answered(offer, phone, here)
    assert result.media_index == 1
    assert [(media.kind, bool(media.port)) for media in result.session.media] == [
        ("video", False), ("audio", True), ("audio", False), ("image", False), ("text", False),
    ]  # fmt: skip
    assert len(parse(write(result.session)).media) == 5


def test_a_disabled_first_audio_gives_way_to_the_second(body, phone, here):
    result = answered(body("m=audio 0 RTP/AVP 0", "m=audio 4002 RTP/AVP 8"), phone, here)
    assert (result.media_index, result.formats) == (1, (PCMA,))


def test_encrypted_audio_gives_way_to_plain_audio_beside_it(body, phone, here):
    offer = body("m=audio 4000 RTP/SAVP 0", "m=audio 4002 RTP/AVP 0")
    assert answered(offer, phone, here).media_index == 1


def test_audio_with_feedback_is_answered_in_kind(body, phone, here):
    result = answered(body("m=audio 4000 RTP/AVPF 0"), phone, here)
    assert result.session.media[0].protocol == "RTP/AVPF"


# What is refused, in words


@pytest.mark.parametrize(
    ("media", "words"),
    [
        (("m=audio 4000 RTP/AVP 18",), "no common codec: offered G729"),
        (("m=audio 4000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"), "no common codec"),
        (("m=audio 4000 RTP/AVP 99",), "no common codec: offered 99"),
        (("m=video 4000 RTP/AVP 31",), "no audio"),
        (("m=audio 0 RTP/AVP 0",), "no audio"),
        ((), "no audio"),
        (("m=audio 4000 RTP/SAVP 0",), "encryption is switched off for this line"),
        (("m=audio 4000 RTP/XAVP 0",), "audio over RTP/XAVP is not supported"),
        (("m=audio 4000 TCP/RTP/AVP 0",), "audio over TCP"),
    ],
)
def test_nothing_in_common_says_what(body, phone, here, media, words):
    assert words in refused(body(*media), phone, here)


def test_an_offer_without_an_address_is_refused(body, phone, here):
    assert "address" in refused(body("m=audio 1 RTP/AVP 0", connection=""), phone, here)


# Formats


def test_the_order_of_the_offer_is_kept(body, phone, here):
    """RFC 3264 §6.1."""
    result = answered(body("m=audio 4000 RTP/AVP 18 8 0 9"), phone, here)
    assert result.formats == (PCMA, PCMU, G722)


def test_the_far_ends_numbers_are_used_for_sending(body, here):
    """RFC 3264 §5.1: a number is what its writer wants to receive.

    RFC 4733 §7.1.1: the name of digits.
    """
    offer = body(
        "m=audio 4000 RTP/AVP 111 100",
        "a=rtpmap:111 OPUS/48000/2",
        "a=fmtp:111 maxplaybackrate=16000",
        "a=rtpmap:100 telephone-event/48000",
    )
    result = answered(offer, Capabilities((OPUS, PCMU)), here)
    assert result.formats == (replace(OPUS, number=111, fmtp="maxplaybackrate=16000"),)
    assert result.dtmf == Format(100, "telephone-event", 48000, 1, "0-16")


@pytest.mark.parametrize(
    ("line", "ours"),
    [
        ("opus/48000", OPUS),  # one channel is another format
        ("opus/16000/2", OPUS),
        ("PCMU/16000", PCMU),
        ("iLBC/8000", Format(97, "iLBC", 8000, 1, "mode=30")),  # RFC 3952: no mode is not mode 30
    ],
)
def test_another_clock_channel_count_or_mode_is_another_codec(body, here, line, ours):
    offer = body("m=audio 4000 RTP/AVP 98", f"a=rtpmap:98 {line}")
    assert "no common codec" in refused(offer, Capabilities((ours,)), here)


def test_parameters_that_only_tune_make_no_difference(body, here):
    ours = Format(97, "iLBC", 8000, 1, "mode=20")
    offer = body("m=audio 4000 RTP/AVP 98", "a=rtpmap:98 ilbc/8000", "a=fmtp:98 x=1; Mode=20")
    sent = replace(ours, number=98, fmtp="x=1; Mode=20")
    assert answered(offer, Capabilities((ours,)), here).formats == (sent,)


def test_g722_said_with_its_sampling_rate_is_g722(body, phone, here):
    """RFC 3551 §4.5.2: its RTP clock is 8000."""
    offer = body("m=audio 4000 RTP/AVP 9", "a=rtpmap:9 G722/16000")
    assert answered(offer, phone, here).formats == (G722,)


def test_digits_are_only_agreed_when_both_want_them(body, phone, here):
    offer = body("m=audio 4000 RTP/AVP 0 97", "a=rtpmap:97 telephone-event/8000")
    assert answered(offer, phone, here).dtmf == replace(EVENT, number=97)
    without = Capabilities(phone.formats, dtmf=False)
    assert answered(offer, without, here).dtmf is None
    assert answered(body("m=audio 4000 RTP/AVP 0"), phone, here).dtmf is None


def test_of_two_digit_formats_the_one_with_the_clock_of_the_speech_is_taken(body, here):
    """RFC 4733 §2.1."""
    offer = body(
        "m=audio 4000 RTP/AVP 96 97 98",
        "a=rtpmap:96 opus/48000/2",
        "a=rtpmap:97 telephone-event/8000",
        "a=rtpmap:98 telephone-event/48000",
    )
    result = answered(offer, Capabilities((OPUS,)), here)
    assert result.dtmf is not None
    assert result.dtmf.number == 98


# Directions

MIRRORED = {BOTH: BOTH, SEND: RECEIVE, RECEIVE: SEND, NONE: NONE}


@pytest.mark.parametrize("theirs", Direction)
@pytest.mark.parametrize("wish", Direction)
def test_an_answer_never_goes_beyond_the_offer_or_the_wish(body, phone, here, theirs, wish):
    offer = body("m=audio 4000 RTP/AVP 0", f"a={theirs.value}")
    ours = answered(offer, phone, here, wish).direction
    assert ours.sends == (wish.sends and theirs.receives)
    assert ours.receives == (wish.receives and theirs.sends)


@pytest.mark.parametrize("theirs", Direction)
def test_a_willing_phone_answers_with_the_mirror(body, phone, here, theirs):
    offer = body("m=audio 4000 RTP/AVP 0", session=(f"a={theirs.value}",))
    result = answered(offer, phone, here)
    assert result.direction is MIRRORED[theirs] is theirs.mirrored
    assert result.session.media[0].direction is result.direction
    assert result.held_by_them == (theirs in (SEND, NONE))


@pytest.mark.parametrize("address", ["IN IP4 0.0.0.0", "IN IP6 ::"])
def test_the_old_way_of_holding_is_understood(body, phone, here, address):
    """RFC 3264 §8.4: the address 0.0.0.0."""
    result = answered(body("m=audio 4000 RTP/AVP 0", connection=address), phone, here)
    assert result.held_by_them
    assert not result.direction.sends
    assert result.remote == NOWHERE


# Addresses


def test_the_address_of_the_medium_wins(body, phone, here):
    offer = body("m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::7")
    assert answered(offer, phone, here).remote == ("2001:db8::7", 4000)


@pytest.mark.parametrize(
    ("line", "rtcp"),
    [
        ("a=rtcp:5555", ("192.0.2.1", 5555)),
        ("a=rtcp:5555 IN IP4 192.0.2.99", ("192.0.2.99", 5555)),
        ("a=rtcp:5555 IN IP4 not.an.address", ("192.0.2.1", 5555)),
        ("a=rtcp-mux", ("192.0.2.1", 4000)),  # RFC 5761 §5.1.1
        ("a=rtcp-muxed", ("192.0.2.1", 4001)),
    ],
)
def test_rtcp_goes_where_it_is_said(body, phone, here, line, rtcp):
    assert answered(body("m=audio 4000 RTP/AVP 0", line), phone, here).rtcp == rtcp


def test_a_host_name_waits_for_the_first_packet(body, phone, here):
    offer = body("m=audio 4000 RTP/AVP 0", connection="IN IP4 media.example.com")
    assert answered(offer, phone, here).remote == NOWHERE


@pytest.mark.parametrize(
    "address",
    ["IP4 224.2.1.1/127", "IP4 255.255.255.255", "IP6 ff02::fb", "IP6 ::ffff:224.0.0.1"],
)
def test_a12_nobody_has_us_speak_to_a_whole_network(body, phone, here, address):
    offer = body("m=audio 4000 RTP/AVP 0", connection=f"IN {address}")
    assert answered(offer, phone, here).remote == NOWHERE
    one = body("m=audio 4000 RTP/AVP 0", f"a=rtcp:5555 IN {address}")
    assert answered(one, phone, here).rtcp == ("192.0.2.1", 5555)


def test_an_uncommon_rtcp_port_of_ours_is_said(body, phone):
    result = answered(body("m=audio 1 RTP/AVP 0"), phone, LocalMedia("::1", 4000, 4444))
    assert b"a=rtcp:4444\r\n" in write(result.session)
    assert b"c=IN IP6 ::1\r\n" in write(result.session)


@pytest.mark.parametrize(
    ("lines", "ptime"),
    [
        ((), 20),
        (("a=ptime:30",), 30),
        (("a=ptime:60", "a=maxptime:40"), 40),
        (("a=ptime:5",), 10),
        (("a=ptime:25",), 20),
        (("a=ptime:9999",), 60),
        (("a=ptime:99999999999999999999",), 20),
    ],
)
def test_the_far_ends_packet_length_within_reason(body, phone, here, lines, ptime):
    assert answered(body("m=audio 4000 RTP/AVP 0", *lines), phone, here).ptime == ptime


def test_bundles_candidates_and_fingerprints_are_left_aside(body, phone, here):
    offer = body(
        "m=audio 4000 RTP/AVP 0",
        "a=candidate:1 1 UDP 2130706431 192.0.2.1 4000 typ host",
        "a=mid:0",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc",
        session=("a=group:BUNDLE 0", "a=ice-lite", "a=fingerprint:sha-256 AA"),
    )
    written = write(answered(offer, phone, here).session)
    assert not any(word in written for word in (b"BUNDLE", b"candidate", b"crypto", b"mid"))


# Our offer and its answer


def test_our_offer_has_all_codecs_in_our_order_and_digits(phone, here):
    offer = make_offer(phone, here, BOTH, 5, 1)
    (media,) = offer.media
    assert replace(media, attributes=()) == Media(
        "audio", 40000, formats=(G722, PCMU, PCMA, EVENT), direction=BOTH, ptime=20
    )
    assert [item.name for item in media.attributes] == ["rtcp-mux"]


def test_digits_are_offered_for_each_clock_on_free_numbers(here):
    formats = (
        make_offer(Capabilities((replace(OPUS, number=101), PCMU)), here, BOTH, 5, 1)
        .media[0]
        .formats
    )
    assert [(item.number, item.name, item.clock) for item in formats] == [
        (101, "opus", 48000),
        (0, "PCMU", 8000),
        (102, "telephone-event", 8000),
        (103, "telephone-event", 48000),
    ]


def test_an_answer_to_our_offer_is_agreed(body, phone, here):
    offer = make_offer(phone, here, BOTH, 5, 1)
    result = accept_answer(
        offer,
        body("m=audio 7000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000", "a=ptime:40"),
        phone,
    )
    assert isinstance(result, Negotiated)
    assert (result.formats, result.dtmf) == ((PCMA,), EVENT)
    assert result.remote == ("192.0.2.1", 7000)
    assert (result.direction, result.ptime, result.session) == (BOTH, 40, offer)


def test_a_renumbered_answer_is_sent_by_its_number_and_heard_by_ours(body, here):
    phone = Capabilities((OPUS,), dtmf=False)
    offer = make_offer(phone, here, BOTH, 5, 1)
    result = accept_answer(
        offer, body("m=audio 7000 RTP/AVP 120", "a=rtpmap:120 opus/48000/2"), phone
    )
    assert isinstance(result, Negotiated)
    assert result.formats == (replace(OPUS, number=120, fmtp=""), OPUS)


@pytest.mark.parametrize("theirs", Direction)
@pytest.mark.parametrize("offered", Direction)
def test_both_ends_see_the_same_direction(phone, here, offered, theirs):
    there = LocalMedia("192.0.2.77", 9000, 9001)
    offer = make_offer(phone, here, offered, 5, 1)
    far = answered(parse(write(offer)), phone, there, theirs)
    near = accept_answer(offer, parse(write(far.session)), phone)
    assert isinstance(near, Negotiated)
    assert near.direction is far.direction.mirrored


@pytest.mark.parametrize(
    ("media", "words"),
    [
        (("m=audio 0 RTP/AVP 0",), "refused audio"),
        (("m=video 5000 RTP/AVP 31",), "refused audio"),
        ((), "no audio"),
        (("m=audio 5000 RTP/AVP 18",), "no common codec: answered G729"),
        (("m=audio 5000 RTP/AVP 99",), "no common codec"),
    ],
)
def test_an_answer_that_agrees_to_nothing_says_so(body, phone, here, media, words):
    result = accept_answer(make_offer(phone, here, BOTH, 5, 1), body(*media), phone)
    assert isinstance(result, NothingInCommon)
    assert words in result.reason


# Later offers in the same call


def test_a_later_offer_keeps_places_and_numbers(body, here):
    phone = Capabilities((OPUS, PCMU))
    offer = body(
        "m=video 5000 RTP/AVP 31",
        "m=audio 4000 RTP/AVP 0 111 96",
        "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:96 telephone-event/8000",
    )
    first = answered(offer, phone, here)
    hold = make_offer(phone, here, SEND, 5, 2, previous=first.session)
    video, audio = hold.media
    assert (video.kind, video.port) == ("video", 0)
    assert audio.direction is SEND
    numbers = {(item.name, item.clock): item.number for item in audio.formats}
    assert numbers["opus", 48000] == 111
    assert numbers["telephone-event", 8000] == 96
    assert len(set(numbers.values())) == len(audio.formats)


def test_a_codec_new_in_a_later_offer_takes_no_number_in_use(body, here):
    first = answered(
        body("m=audio 4000 RTP/AVP 0 96", "a=rtpmap:96 telephone-event/8000"),
        Capabilities((PCMU,)),
        here,
    )
    later = make_offer(Capabilities((OPUS, PCMU)), here, BOTH, 5, 2, previous=first.session)
    numbers = [item.number for item in later.media[0].formats]
    assert len(set(numbers)) == len(numbers)
    meaning = {item.number: item.name for item in later.media[0].formats}
    assert meaning[96] == "telephone-event"


def test_a_call_whose_audio_was_refused_offers_it_in_a_new_place(body, phone, here):
    before = replace(
        body("m=audio 0 RTP/AVP 0", "m=video 5000 RTP/AVP 31"),
        connection=Connection("192.0.2.10"),
    )
    later = make_offer(phone, here, BOTH, 5, 2, previous=before)
    assert [(media.kind, bool(media.port)) for media in later.media] == [
        ("audio", False), ("video", False), ("audio", True),
    ]  # fmt: skip
