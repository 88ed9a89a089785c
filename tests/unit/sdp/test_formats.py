"""Parameters both ways, packet times, comfort noise: what an m= line says of its formats."""

import pytest

from firmware.base.direction import Direction
from firmware.base.values import replace
from firmware.sdp.description import Format
from firmware.sdp.negotiate import (
    Capabilities,
    LocalMedia,
    Negotiated,
    accept_answer,
    answer,
    make_offer,
)
from firmware.sdp.parser import parse
from firmware.sdp.writer import write

OPUS = Format(96, "opus", 48000, 2, "useinbandfec=1")
PCMU = Format(0, "PCMU", 8000)
L16 = Format(97, "L16", 16000)
NOISE = Format(13, "CN", 8000)
HERE, THERE = LocalMedia("192.0.2.10", 40000, 40001), LocalMedia("192.0.2.1", 4000, 4001)
CLOCKS = frozenset({8000, 16000})
QUIET = Capabilities((OPUS, PCMU, L16), leave_out_silence=True, noise_clocks=CLOCKS)
PLAIN = Capabilities((OPUS, PCMU, L16), noise_clocks=CLOCKS)


def both_ends(ours: Capabilities, theirs: Capabilities) -> tuple[Negotiated, Negotiated]:
    """Our side and theirs of one offer of ours, over the wire."""
    offer = make_offer(ours, HERE, Direction.SENDRECV, 5, 1)
    far = answer(parse(write(offer)), theirs, THERE, Direction.SENDRECV, 6, 1)
    assert isinstance(far, Negotiated)
    near = accept_answer(offer, parse(write(far.session)), ours)
    assert isinstance(near, Negotiated)
    return near, far


def names(agreed: Negotiated) -> list[tuple[int, str, int]]:
    return [(item.number, item.name, item.clock) for item in agreed.formats]


def of_opus(fmtp: str, *more: str) -> Negotiated:
    """The far end offers Opus with these parameters."""
    lines = ("m=audio 4000 RTP/AVP 111", "a=rtpmap:111 opus/48000/2", f"a=fmtp:111 {fmtp}", *more)
    head = ("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0")
    offer = parse("".join(f"{line}\r\n" for line in (*head, *lines)).encode())
    result = answer(offer, PLAIN, HERE, Direction.SENDRECV, 5, 1)
    assert isinstance(result, Negotiated)
    return result


class TestParameters:
    """RFC 7587 §7.1: each side says what it would like to receive; the two are not related."""

    def test_what_is_sent_follows_their_parameters_and_what_is_said_is_ours(self):
        agreed = of_opus("usedtx=1; maxaveragebitrate=20000; x-unknown=1")
        assert agreed.formats[0].fmtp == "usedtx=1; maxaveragebitrate=20000; x-unknown=1"
        assert agreed.session.media[0].formats[0].fmtp == "useinbandfec=1"

    def test_each_end_of_a_call_hears_the_wishes_of_the_other(self):
        theirs = replace(PLAIN, formats=(replace(OPUS, fmtp="cbr=1"),))
        near, far = both_ends(PLAIN, theirs)
        assert near.formats[0].fmtp == "cbr=1"
        assert far.formats[0].fmtp == "useinbandfec=1"


def test_digits_are_offered_on_the_clock_of_the_speech_and_on_8000():
    """RFC 4733 §2.1; many know events of 8,000 only."""
    offered = make_offer(Capabilities((OPUS,)), HERE, Direction.SENDRECV, 5, 1).media[0].formats
    assert [(item.number, item.clock) for item in offered[1:]] == [(101, 8000), (102, 48000)]


class TestPacketTime:
    @pytest.mark.parametrize(
        ("fmtp", "more", "ptime"),
        [
            ("minptime=10", (), 20),
            ("minptime=40", (), 40),
            ("minptime=40", ("a=ptime:20",), 40),
            ("minptime=99999999999", (), 60),
            ("minptime=x", ("a=ptime:30",), 30),
            ("minptime=40", ("a=maxptime:30",), 30),
            ("", ("a=ptime:0",), 20),
            ("", ("a=ptime:1",), 10),
            ("", ("a=ptime:-5",), 20),
            ("", ("a=ptime:65535",), 20),
        ],
    )
    def test_what_the_far_end_likes_within_reason(self, fmtp, more, ptime):
        assert of_opus(fmtp or "x=1", *more).ptime == ptime


class TestComfortNoise:
    """RFC 3389 §5.1."""

    def test_it_is_offered_on_each_clock_only_where_silence_may_be_left_out(self):
        offered = make_offer(QUIET, HERE, Direction.SENDRECV, 5, 1).media[0].formats
        noises = [item for item in offered if item.name == "CN"]
        assert [(item.number, item.clock) for item in noises] == [(13, 8000), (101, 16000)]
        assert len({item.number for item in offered}) == len(offered)
        plain = make_offer(PLAIN, HERE, Direction.SENDRECV, 5, 1).media[0].formats
        assert not [item for item in plain if item.name == "CN"]

    def test_who_offers_it_may_send_it_whatever_we_would_do(self):
        near, far = both_ends(QUIET, PLAIN)
        for agreed in (near, far):
            assert (13, "CN", 8000) in names(agreed)
            assert names(agreed)[0][1] == "opus"

    def test_who_does_not_is_sent_none(self):
        near, far = both_ends(PLAIN, QUIET)
        assert all("CN" not in name for agreed in (near, far) for _, name, _ in names(agreed))

    def test_a_codec_with_silence_of_its_own_takes_none(self):
        near, far = both_ends(QUIET, replace(QUIET, formats=(OPUS,)))
        assert [name for _, name, _ in names(near)] == ["opus"]
        assert [name for _, name, _ in names(far)] == ["opus"]

    def test_a_static_number_needs_no_map(self):
        lines = ("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0")
        text = "".join(f"{line}\r\n" for line in (*lines, "m=audio 4000 RTP/AVP 0 13"))
        agreed = answer(parse(text.encode()), PLAIN, HERE, Direction.SENDRECV, 5, 1)
        assert isinstance(agreed, Negotiated)
        assert agreed.formats == (PCMU, NOISE)
        assert agreed.session.media[0].formats == (PCMU, NOISE)

    def test_noise_alone_is_no_codec_in_common(self):
        near = make_offer(replace(QUIET, formats=(L16,)), HERE, Direction.SENDRECV, 5, 1)
        only = replace(PLAIN, formats=(PCMU,))
        refused = answer(near, only, THERE, Direction.SENDRECV, 6, 1)
        assert not isinstance(refused, Negotiated)
        assert "CN" not in refused.reason
