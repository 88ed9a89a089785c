"""One call's offers and answers."""

import pytest

from firmware.call.capabilities import capabilities_of
from firmware.call.negotiation import Negotiation, Refused
from firmware.config.schema import AudioSettings
from firmware.media.messages import Direction
from tests.support.desk import sdp

CAPABILITIES = capabilities_of(AudioSettings(codecs=("g722", "pcmu", "pcma")))


def opened():
    return Negotiation.open(CAPABILITIES, "192.0.2.1", 40000, 7)


def agreed():
    """A call we placed and that was answered with PCMU."""
    negotiation, _ = opened().make_offer(held=False)
    return negotiation.take_answer(sdp(0, 101))


def test_before_anything_was_said():
    negotiation = opened()
    assert not negotiation.busy
    assert negotiation.media is None
    assert [x.name for x in negotiation.formats] == ["G722", "PCMU", "PCMA"]


def test_an_offer_says_where_we_listen_and_waits_for_its_answer():
    negotiation, offer = opened().make_offer(held=False)
    assert negotiation.busy
    assert b"o=- 7 0 IN IP4 192.0.2.1" in offer
    assert b"m=audio 40000 RTP/AVP 9 0 8 101" in offer
    assert [x.name for x in negotiation.formats] == ["G722", "PCMU", "PCMA", "telephone-event"]


def test_the_answer_makes_the_stream():
    negotiation = agreed()
    order = negotiation.media.configure(3)
    assert order.stream == 3
    assert order.remote == ("10.0.0.9", 5000)
    assert order.remote_rtcp == ("10.0.0.9", 5001)
    assert [x.name for x in order.formats] == ["PCMU"]
    assert order.dtmf.number == 101
    assert order.direction is Direction.SENDRECV
    assert not negotiation.busy


def test_an_early_answer_is_heard_and_the_offer_still_waits():
    negotiation, _ = opened().make_offer(held=False)
    early = negotiation.hear_early(sdp(8))
    assert early.busy
    assert early.media.formats[0].name == "PCMA"
    assert early.hear_early(sdp(0)).media.formats[0].name == "PCMU"
    final = early.take_answer(b"")
    assert not final.busy
    assert final.media == early.media


@pytest.mark.parametrize("body", [b"", b"x", sdp(18), sdp(port=0)])
def test_an_answer_that_is_none_is_refused_and_the_session_is_untouched(body):
    negotiation, _ = opened().make_offer(held=False)
    refused = negotiation.take_answer(body)
    assert isinstance(refused, Refused)
    assert refused.why


def test_an_answer_nobody_asked_for():
    assert isinstance(opened().take_answer(sdp()), Refused)
    assert isinstance(agreed().hear_early(sdp()), Refused)


def test_answering_takes_their_numbers_and_our_address():
    negotiation, answer = opened().answer(sdp(8, 0, 101), held=False)
    assert b"m=audio 40000 RTP/AVP 8 0 101" in answer
    assert negotiation.media.formats[0].name == "PCMA"
    assert not negotiation.busy


@pytest.mark.parametrize("body", [b"", b"v=1", sdp(18), sdp(port=0)])
def test_an_offer_without_anything_for_us(body):
    refused = opened().answer(body, held=False)
    assert isinstance(refused, Refused)
    assert refused.why


def test_a_video_line_is_refused_in_its_place():
    offer = sdp(0, extra="m=video 6000 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\n")
    negotiation, answer = opened().answer(offer, held=False)
    assert b"m=video 0 RTP/AVP 31" in answer
    assert answer.index(b"m=audio") < answer.index(b"m=video")
    assert negotiation.media.formats[0].name == "PCMU"
    reoffer = negotiation.make_offer(held=False)[1]
    assert b"m=video 0" in reoffer, "its place stays (RFC 3264 §8)"


def test_the_version_grows_only_when_something_changed():
    negotiation = agreed()
    same, again = negotiation.make_offer(held=False)
    assert b"o=- 7 0 " in again
    held, _ = same.take_answer(sdp(0)).make_offer(held=True)
    assert held.sent.origin.version == 1
    back = held.take_back()
    assert back.make_offer(held=True)[0].sent.origin.version == 1


def test_what_was_refused_is_as_if_it_had_not_been():
    negotiation = agreed()
    held, _ = negotiation.make_offer(held=True)
    back = held.take_back()
    assert (back.held, back.busy, back.media) == (False, False, negotiation.media)


@pytest.mark.parametrize(
    ("theirs", "held", "word", "direction"),
    [
        ("sendrecv", False, b"sendrecv", Direction.SENDRECV),
        ("sendonly", False, b"recvonly", Direction.RECVONLY),
        ("recvonly", False, b"sendonly", Direction.SENDONLY),
        ("inactive", False, b"inactive", Direction.INACTIVE),
        ("sendrecv", True, b"sendonly", Direction.SENDONLY),
        ("sendonly", True, b"inactive", Direction.INACTIVE),
        ("recvonly", True, b"sendonly", Direction.SENDONLY),
        ("inactive", True, b"inactive", Direction.INACTIVE),
    ],
)
def test_directions_of_an_answer(theirs, held, word, direction):
    negotiation, answer = agreed().answer(sdp(0, direction=theirs), held=held)
    assert b"a=" + word in answer
    assert negotiation.media.direction is direction
    assert negotiation.held is held
    assert negotiation.held_by_them is (theirs in ("sendonly", "inactive"))


def test_hold_by_the_address_of_old():
    negotiation, answer = agreed().answer(sdp(0, address="0.0.0.0"), held=False)
    assert negotiation.held_by_them
    assert b"a=recvonly" in answer
    assert negotiation.media.remote == ("", 0)
    resumed, _ = negotiation.answer(sdp(0), held=False)
    assert resumed.media.remote == ("10.0.0.9", 5000)


def test_nothing_of_the_origin_changes_but_the_version():
    """RFC 3264 §8: even when our media moves to another address."""
    first, _ = opened().make_offer(held=False)
    moved, sdp = first.take_back().at("198.51.100.7", 50000).make_offer(held=False)
    assert moved.sent.origin.address == first.sent.origin.address
    assert moved.sent.origin.version == first.sent.origin.version + 1
    assert b"c=IN IP4 198.51.100.7" in sdp


THEIRS = (
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"
    b"m=audio 5000 RTP/AVP 118 97\r\na=rtpmap:118 L16/16000\r\n"
    b"a=rtpmap:97 telephone-event/8000\r\na=sendrecv\r\n"
)


@pytest.mark.parametrize("held", [True, False])
def test_a_number_means_the_same_codec_for_the_whole_call(held):
    """RFC 4504 §2.3, RFC 3264 §8.3.2: theirs at the first offer, ours at the next ones too."""
    able = capabilities_of(AudioSettings(codecs=("pcmu", "l16/16000")))
    answered, _ = Negotiation.open(able, "192.0.2.1", 40000, 7).answer(THEIRS, held=False)
    _, offer = answered.make_offer(held=held)
    assert b"a=rtpmap:118 L16/16000" in offer
    assert b"a=rtpmap:97 telephone-event/8000" in offer
    _, again = Negotiation.open(able, "192.0.2.1", 40000, 7).make_offer(held=False)
    assert b"a=rtpmap:96 L16/16000" in again


def test_a_direction_is_always_said():
    """RFC 4504 §2.3: the attribute that might be left out is not."""
    _, offer = opened().make_offer(held=False)
    answered, answer = opened().answer(sdp(0), held=False)
    _, later = answered.make_offer(held=False)
    assert all(b"a=sendrecv\r\n" in text for text in (offer, answer, later))
