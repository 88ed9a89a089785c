"""Extended reports as two ends agree on them."""

import pytest

from firmware.base.direction import Direction
from firmware.base.values import replace
from firmware.sdp.description import Format
from firmware.sdp.negotiate import Capabilities, LocalMedia, accept_answer, answer, make_offer
from firmware.sdp.parser import parse
from firmware.sdp.writer import write

PHONE = Capabilities((Format(0, "PCMU", 8000),))
HERE = LocalMedia("192.0.2.10", 40000, 40001)
BOTH = Direction.SENDRECV


def theirs(media="", session=""):
    return parse(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
        f"{session}m=audio 4000 RTP/AVP 0\r\n{media}".encode()
    )


def wish(kinds):
    return f"a=rtcp-xr:{kinds}\r\n"


@pytest.mark.parametrize(
    ("media", "session", "sent"),
    [
        ("", "", True),
        (wish("voip-metrics"), "", True),
        (wish("pkt-loss-rle=100 voip-metrics stat-summary=loss,dup"), "", True),
        ("", wish("voip-metrics"), True),
        (wish(""), "", False),
        ("a=rtcp-xr\r\n", "", False),
        (wish("rcvr-rtt=all:100"), "", False),
        (wish("stat-summary"), wish("voip-metrics"), False),
        (wish("voip-metricsx"), "", False),
    ],
)
def test_what_is_not_listed_is_not_sent(media, session, sent):
    """RFC 3611 §5.1: a list leaves out what it does not want; RFC 3611 §5: none is no answer."""
    agreed = answer(theirs(media, session), PHONE, HERE, BOTH, 5, 1)
    assert agreed.metrics is sent
    offer = make_offer(PHONE, HERE, BOTH, 5, 1)
    assert accept_answer(offer, theirs(media, session), PHONE).metrics is sent


def test_who_collects_reports_asks_for_theirs_in_every_offer():
    """RFC 3611 §5.2."""
    offer = make_offer(replace(PHONE, metrics=True), HERE, BOTH, 5, 1)
    assert b"\r\na=rtcp-xr:voip-metrics\r\n" in write(offer)
    assert b"rtcp-xr" not in write(make_offer(PHONE, HERE, BOTH, 5, 1))


def test_what_was_asked_for_is_asked_for_in_later_offers_too():
    agreed = answer(theirs(wish("voip-metrics")), PHONE, HERE, BOTH, 5, 1)
    again = make_offer(PHONE, HERE, BOTH, 5, 2, agreed.session)
    assert b"a=rtcp-xr:voip-metrics" in write(again)


@pytest.mark.parametrize(("media", "asked"), [("", False), (wish(""), True), (wish("x"), True)])
def test_our_answer_asks_who_understands_it(media, asked):
    """RFC 3611 §5.2: with the attribute, and only where the offer has it."""
    agreed = answer(theirs(media), PHONE, HERE, BOTH, 5, 1)
    assert (b"a=rtcp-xr:voip-metrics" in write(agreed.session)) is asked


def test_what_others_say_of_their_recordings_is_no_matter_and_not_said_back():
    offer = theirs("a=record:on\r\na=recordpref:nopreference\r\n")
    agreed = answer(offer, PHONE, HERE, BOTH, 5, 1)
    assert b"record" not in write(agreed.session)
