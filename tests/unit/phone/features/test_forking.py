"""Several phones ring for one call of ours: what is heard, and who becomes the call."""

import pytest

from firmware.media import messages as m
from firmware.phone import commands as c
from firmware.phone.view import CallState
from firmware.sip import notifications as n
from tests.support.desk import Desk, only, sdp


@pytest.fixture
def desk():
    """Dialled, and the way is known."""
    desk = Desk()
    desk.lift()
    desk.dials("201")
    desk.way_found()
    return desk


def says(desk, fork, body=b"", status=183, *, reliable=False):
    return desk.send(n.CallProgress(desk.front, status, "", fork, body, reliable))


def port(desk):
    """Where the sound goes now."""
    return desk.heard.configured[desk.front_stream].remote[1]


def test_of_several_the_one_that_spoke_last_is_heard(desk):
    """RFC 3960 §3.1: one at a time."""
    says(desk, "a", sdp(port=5000))
    assert port(desk) == 5000
    says(desk, "b", sdp(port=6000))
    assert port(desk) == 6000
    says(desk, "a", sdp(port=5002))
    assert port(desk) == 5002


def test_the_one_that_answers_is_the_call(desk):
    says(desk, "a", sdp(port=5000), reliable=True)
    says(desk, "b", sdp(port=6000), reliable=True)
    desk.far_end_answers(b"", fork="a")
    assert desk.view.front_call.state is CallState.TALKING
    assert port(desk) == 5000


def test_one_that_never_spoke_may_answer(desk):
    says(desk, "a", sdp(port=5000), reliable=True)
    desk.far_end_answers(sdp(port=7000), fork="c")
    assert port(desk) == 7000


def test_one_that_will_not_answer_any_more_is_not_heard(desk):
    """RFC 6228 §4."""
    says(desk, "a", sdp(port=5000))
    says(desk, "b", sdp(port=6000))
    says(desk, "b", status=199)
    assert port(desk) == 5000


def test_an_offer_before_the_answer_is_answered_for_that_one(desk):
    """RFC 3311 §5.2."""
    says(desk, "a", sdp(port=5000), reliable=True)
    says(desk, "b", sdp(port=6000), reliable=True)
    said = only(desk.send(n.ReofferReceived(desk.front, sdp(port=5500), "a")), c.AnswerReoffer)
    assert [answer.fork for answer in said] == ["a"]
    assert port(desk) == 5500
    desk.far_end_answers(b"", fork="b")
    assert port(desk) == 6000


def test_an_offer_of_one_whose_answer_is_not_certain_is_refused(desk):
    """RFC 3264 §4: our own offer is open there."""
    says(desk, "a", sdp())
    said = only(desk.send(n.ReofferReceived(desk.front, sdp(), "a")), c.RejectReoffer)
    assert [(x.status, x.fork) for x in said] == [(491, "a")]


def test_an_offer_we_cannot_speak_is_refused_and_nothing_changes(desk):
    """RFC 3311 §5.2: 488."""
    says(desk, "a", sdp(port=5000), reliable=True)
    said = only(desk.send(n.ReofferReceived(desk.front, sdp(18), "a")), c.RejectReoffer)
    assert [x.status for x in said] == [488]
    assert port(desk) == 5000


def test_a_redirected_call_says_where_and_forgets_what_it_heard(desk):
    """RFC 3261 §8.1.3.4."""
    says(desk, "a", sdp(port=5000))
    target = n.Party("", "300", "sip:300@pbx")
    desk.send(n.CallRedirected(desk.front, target, 302))
    assert desk.view.notice.text == "call_redirected"
    assert dict(desk.view.notice.args)["number"] == "300"
    desk.far_end_answers(sdp(port=8000), fork="z")
    assert port(desk) == 8000
    assert not only(desk.all, c.EndCall)


@pytest.mark.parametrize("why", n.Barrier)
def test_a19_a_redirection_that_is_not_followed_is_said_to_the_end(desk, why):
    """A19: on the screen while the call lives, as its end, in the call list."""
    target = n.Party("", "0900", "sip:0900@pbx")
    desk.send(n.RedirectBarred(desk.front, target, why))
    assert desk.notice == f"redirect_{why.value}"
    done = desk.call_fails(n.FailureCause.MOVED, 302)
    assert desk.notice == f"redirect_{why.value}"
    (record,) = only(done, c.RecordCall)
    assert record.record.reason == f"redirect_{why.value}"


def test_a19_another_address_that_is_busy_is_what_counts(desk):
    target = n.Party("", "0900", "sip:0900@pbx")
    desk.send(n.RedirectBarred(desk.front, target, n.Barrier.COSTLY))
    desk.call_fails(n.FailureCause.BUSY, 486)
    assert desk.notice == "call_busy"


def test_ringback_until_early_media_is_really_there(desk):
    """RFC 3960 §3.2: a description alone silences nothing."""
    says(desk, "a", status=180)
    assert desk.heard.tones
    says(desk, "a", sdp(), reliable=True)
    assert desk.heard.tones
    desk.send(m.FirstHeard(desk.front_stream))
    assert not desk.heard.tones
    desk.send(m.HearingChanged(desk.front_stream, m.Silence.NO_PACKETS))
    assert desk.heard.tones
    desk.send(m.HearingChanged(desk.front_stream, None))
    assert not desk.heard.tones
