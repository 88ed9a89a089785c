"""State of ours at a server: published, changed, refreshed, taken back."""

import pytest

from firmware.sip.errors import LocalError
from firmware.sip.names import FailureCause, LineName, PublicationRef
from firmware.sip.told import PublicationChanged
from firmware.sip.told import PublicationState as Stage
from firmware.sip.usage.publication import State
from tests.support.lives import LIVES

REF, LINE = PublicationRef("p1"), LineName("desk")
IDLE = State("presence", "application/pidf+xml", b"<idle/>")
BUSY = State("presence", "application/pidf+xml", b"<busy/>")


class Esc:
    """An event state compositor: what it says, and what it heard (RFC 3903 §6)."""

    def __init__(self, pbx, sip):
        self.pbx, self.sip = pbx, sip
        self.verdicts, self.heard, self.number, self.expires = [], [], 0, 3600
        self.silent = False
        register = pbx.register
        pbx.reply = lambda message: self.reply(message) or register(message)

    def reply(self, message):
        if getattr(message, "method", "") != "PUBLISH" or self.silent:
            return []
        get = message.headers.get
        self.heard.append(
            (get("Event"), get("Expires"), get("SIP-If-Match"), get("Content-Type"), message.body)
        )
        verdict = self.verdicts.pop(0) if self.verdicts else 200
        status, *rows = verdict if isinstance(verdict, tuple) else (verdict,)
        if status == 200:
            self.number += 1
            rows = (("SIP-ETag", f"e{self.number}"), ("Expires", str(self.expires)), *rows)
        return [self.sip.answer_to(message, status, *rows)]

    @property
    def brief(self):
        """What each PUBLISH was: tag, seconds, body."""
        return [(tag, expires, body) for _, expires, tag, _, body in self.heard]


@pytest.fixture
def esc(pbx, sip):
    return Esc(pbx, sip)


@pytest.fixture
def stages(desk):
    return lambda: [news.state for news in desk.of(PublicationChanged)]


def test_the_first_publication(world, desk, pbx, esc, stages):
    """RFC 3903 §4.2: no entity-tag, a body; RFC 3903 §4.1: to whose state it is."""
    desk.agent.publications.publish(REF, LINE, IDLE, world.now)
    world.run(0.1)
    assert esc.heard == [("presence", "3600", None, "application/pidf+xml", b"<idle/>")]
    request = pbx.requests("PUBLISH")[0]
    assert request.uri == "sip:101@192.0.2.9"
    assert "Contact" not in request.headers
    assert stages() == [Stage.TRYING, Stage.PUBLISHED]


def test_a_refresh_has_the_tag_and_no_body(world, desk, esc, stages):
    """RFC 3903 §4.3, and the tag of each answer is the next (RFC 3903 §4.1)."""
    desk.agent.publications.publish(REF, LINE, IDLE, world.now)
    world.run(3600.0)
    world.run(3600.0)
    assert esc.brief == [
        (None, "3600", b"<idle/>"),
        ("e1", "3600", b""),
        ("e2", "3600", b""),
    ]
    assert stages() == [Stage.TRYING, Stage.PUBLISHED]


def test_another_state_takes_the_place_of_the_first(world, desk, esc):
    """RFC 3903 §4.4."""
    desk.agent.publications.publish(REF, LINE, IDLE, world.now)
    world.run(0.1)
    desk.agent.publications.publish(REF, LINE, BUSY, world.now)
    desk.agent.publications.publish(REF, LINE, BUSY, world.now)
    world.run(0.1)
    assert esc.brief == [(None, "3600", b"<idle/>"), ("e1", "3600", b"<busy/>")]


def test_what_changes_while_one_is_on_its_way_waits_for_the_answer(world, desk, esc):
    """RFC 3903 §4: one at a time; what was in between is not said."""
    for body in (b"<a/>", b"<b/>", b"<c/>"):
        state = State("presence", "application/pidf+xml", body)
        desk.agent.publications.publish(REF, LINE, state, world.now)
    world.run(0.1)
    assert esc.brief == [(None, "3600", b"<a/>"), ("e1", "3600", b"<c/>")]


def test_taken_back(world, desk, esc, stages):
    """RFC 3903 §4.5."""
    desk.agent.publications.publish(REF, LINE, IDLE, world.now)
    world.run(0.1)
    desk.agent.publications.remove(REF, world.now)
    world.run(0.1)
    assert esc.brief[-1] == ("e1", "0", b"")
    assert esc.heard[-1][0] == "presence"
    assert stages()[-1] is Stage.ENDED
    world.run(60.0)
    assert len(desk.agent) == 0


def test_taken_back_before_the_answer_came(world, desk, esc):
    desk.agent.publications.publish(REF, LINE, IDLE, world.now)
    desk.agent.publications.remove(REF, world.now)
    world.run(60.0)
    assert esc.brief == [(None, "3600", b"<idle/>"), ("e1", "0", b"")]
    assert len(desk.agent) == 0


def test_a_server_that_forgot_is_told_everything_once_more(world, desk, esc, stages):
    """RFC 3903 §5: after a 412 the tag is worth nothing."""
    desk.agent.publications.publish(REF, LINE, IDLE, world.now)
    world.run(0.1)
    esc.verdicts = [412]
    desk.agent.publications.publish(REF, LINE, BUSY, world.now)
    world.run(0.1)
    assert esc.brief[1:] == [("e1", "3600", b"<busy/>"), (None, "3600", b"<busy/>")]
    assert stages()[-1] is Stage.PUBLISHED


def test_a_412_to_the_removal_means_it_is_gone(world, desk, esc):
    desk.agent.publications.publish(REF, LINE, IDLE, world.now)
    world.run(0.1)
    esc.verdicts = [412]
    desk.agent.publications.remove(REF, world.now)
    world.run(60.0)
    assert len(esc.heard) == 2
    assert len(desk.agent) == 0


def test_423_asks_again_for_longer(world, desk, esc):
    """RFC 3903 §5, RFC 3261 §20.23."""
    esc.verdicts = [(423, ("Min-Expires", "7200"))]
    desk.agent.publications.publish(REF, LINE, IDLE, world.now)
    world.run(0.1)
    assert [row[1] for row in esc.brief] == ["3600", "7200"]


@pytest.mark.parametrize("least", ["", "x", "10", "99999999"])
def test_423_without_sense_is_a_failure(world, desk, esc, least, stages):
    esc.verdicts = [(423, ("Min-Expires", least))]
    desk.agent.publications.publish(REF, LINE, IDLE, world.now)
    world.run(0.1)
    assert len(esc.heard) == 1
    assert stages()[-1] is Stage.WAITING


@pytest.mark.parametrize(
    ("status", "cause", "least"),
    [
        (403, FailureCause.FORBIDDEN, 120),
        (489, FailureCause.OTHER, 3600),
        (500, FailureCause.SERVER_ERROR, 120),
        (408, FailureCause.NO_ANSWER, 4),
    ],
)
def test_it_is_tried_again_by_what_went_wrong(world, desk, esc, status, cause, least):
    esc.verdicts = [status]
    desk.agent.publications.publish(REF, LINE, IDLE, world.now)
    world.run(0.1)
    news = desk.last(PublicationChanged)
    assert (news.state, news.cause, news.status) == (Stage.WAITING, cause, status)
    assert least <= news.retry_in <= 1.25 * least
    world.run(1.25 * least)
    assert desk.last(PublicationChanged).state is Stage.PUBLISHED
    assert len(esc.heard) == 2


def test_the_waits_grow(world, desk, esc):
    esc.verdicts = [408] * 5
    desk.agent.publications.publish(REF, LINE, IDLE, world.now)
    world.run(200.0)
    waits = [news.retry_in for news in desk.of(PublicationChanged) if news.retry_in]
    assert waits == sorted(waits)
    assert len(waits) == 5


def test_retry_after_is_heeded(world, desk, esc):
    esc.verdicts = [(503, ("Retry-After", "900"))]
    desk.agent.publications.publish(REF, LINE, IDLE, world.now)
    world.run(0.1)
    assert desk.last(PublicationChanged).retry_in >= 900


def test_a_silent_server(world, desk, esc):
    esc.silent = True
    desk.agent.publications.publish(REF, LINE, IDLE, world.now)
    world.run(33.0)
    assert desk.last(PublicationChanged).cause is FailureCause.NO_ANSWER
    esc.silent = False
    world.run(10.0)
    assert desk.last(PublicationChanged).state is Stage.PUBLISHED


def test_when_the_line_is_registered_what_waited_need_not_wait(world, desk, esc):
    esc.verdicts = [403]
    desk.agent.publications.publish(REF, LINE, IDLE, world.now)
    world.run(0.1)
    desk.agent.register(LINE, world.now)
    world.run(1.0)
    assert desk.last(PublicationChanged).state is Stage.PUBLISHED


def test_a_server_without_tags_gets_the_whole_state_each_time(world, desk, esc, pbx, sip):
    pbx.reply = lambda message: [sip.answer_to(message, 200, ("Expires", "60"))]
    desk.agent.publications.publish(REF, LINE, IDLE, world.now)
    world.run(60.0)
    assert [each.body for each in pbx.requests("PUBLISH")] == [b"<idle/>", b"<idle/>"]
    assert esc.heard == []


def test_a_report_is_sent_once(world, desk, esc, stages):
    """RFC 6035 §4."""
    report = State("vq-rtcpxr", "application/vq-rtcpxr", b"VQSessionReport")
    esc.verdicts = [500]
    desk.agent.publications.report(LINE, "sip:collector@192.0.2.9", report, world.now)
    world.run(600.0)
    assert esc.heard == [("vq-rtcpxr", "0", None, "application/vq-rtcpxr", b"VQSessionReport")]
    assert stages() == []
    assert len(desk.agent) == 0


def test_a_phone_that_stops_takes_its_state_back(world, desk, esc):
    desk.agent.publications.publish(REF, LINE, IDLE, world.now)
    world.run(0.1)
    desk.agent.shut_down(world.now)
    world.run(0.1)
    assert esc.brief[-1][1] == "0"
    assert desk.agent.settled


def test_a_removed_line_publishes_nothing_more(world, desk, esc):
    desk.agent.publications.publish(REF, LINE, IDLE, world.now)
    world.run(0.1)
    desk.agent.set_lines((), world.now)
    world.run(4000.0)
    assert len(esc.heard) == 1
    assert len(desk.agent) == 0


def test_mistakes_of_our_own_are_said_at_once(world, desk):
    publications = desk.agent.publications
    with pytest.raises(LocalError):
        publications.publish(REF, LineName("none"), IDLE, world.now)
    with pytest.raises(LocalError):
        publications.report(LineName("none"), "102", IDLE, world.now)
    with pytest.raises(LocalError):
        publications.report(LINE, "1 02", IDLE, world.now)
    for number in range(64):
        publications.publish(PublicationRef(f"x{number}"), LINE, IDLE, world.now)
    with pytest.raises(LocalError):
        publications.publish(REF, LINE, IDLE, world.now)
    assert REF not in publications


@LIVES
def test_f52_publication_lives_leave_nothing(world, desk, esc, lives):
    for number in range(lives):
        ref = PublicationRef(f"p{number}")
        desk.agent.publications.publish(ref, LINE, IDLE, world.now)
        if number % 3:
            world.run(0.05)
        desk.agent.publications.remove(ref, world.now)
        world.run(0.05)
        esc.heard.clear()
    world.run(100.0)
    assert len(desk.agent) == 0
