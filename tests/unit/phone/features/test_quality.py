"""The last figures of a call go to who wants them."""

import pytest
from msgspec import structs

from firmware.config.schema import LineSettings, Settings
from firmware.media import messages as m
from firmware.phone import commands as c
from firmware.phone.view import Quality
from tests.support.desk import ANN, LINE, Desk, only

WANTED = Settings(lines=(LineSettings("100", "pbx", name=LINE, quality_reports="sip:reports@pbx"),))


def figures(stream, *, final=True):
    return m.StreamReport(stream, 500, 490, 10, 0, 0, 0, 2.0, 40.0, 80.0, 0, -20, -20, "PCMU",
                          ("10.0.0.9", 5000), 7, final=final)  # fmt: skip


def test_when_the_stream_has_ended_its_figures_are_reported_once():
    desk = Desk(WANTED).talking()
    stream = desk.front_stream
    started = desk.now
    desk.wait(10)
    assert desk.send(figures(stream, final=False)) == []
    desk.far_end_hangs_up()
    desk.wait(1)
    sent = only(desk.send(figures(stream)), c.ReportQuality)[0]
    parted = sent.parted
    assert (parted.collector, parted.line, parted.outgoing) == ("sip:reports@pbx", LINE, True)
    assert (parted.answered_at, parted.ended_at) == (started, started + 10)
    assert parted.local == ("192.0.2.1", 40000)
    assert parted.remote.name == ANN.name
    assert sent.report == figures(stream)
    assert desk.send(figures(stream)) == []
    assert desk.phone.state.parted == {}


def test_nobody_asks_nothing_is_reported():
    desk = Desk().talking()
    stream = desk.front_stream
    desk.far_end_hangs_up()
    assert desk.send(figures(stream)) == []
    assert desk.phone.state.parted == {}


def test_a_call_that_was_never_answered_has_no_figures():
    desk = Desk(WANTED)
    desk.calls_us()
    desk.far_end_hangs_up("in-1")
    assert desk.phone.state.parted == {}


def test_an_engine_that_dies_leaves_no_heap():
    desk = Desk(WANTED)
    for number in range(100):
        desk.calls_us(f"in-{number}")
        desk.lift()
        desk.far_end_hangs_up(f"in-{number}")
        desk.put_down()
    assert len(desk.phone.state.parted) == 32


def test_bad_sound_is_told_once_of_each_severity():
    """RFC 6035 §4.7.2: while the call is up."""
    desk = Desk(WANTED).talking()
    stream = desk.front_stream

    def told(received, lost):
        report = m.StreamReport(stream, 500, received, lost, 0, 0, 0, 2.0, 40.0, 80.0, 0, -20, -20,
                                "PCMU", ("10.0.0.9", 5000), 7)  # fmt: skip
        return [each.alert for each in only(desk.send(report), c.ReportQuality)]

    assert told(100, 100) == []  # too few to say anything
    assert told(990, 10) == []
    assert told(940, 60) == ["Warning"]
    assert told(930, 70) == []
    assert told(800, 200) == ["Critical"]
    assert told(700, 300) == []
    assert desk.view.front_call is not None


def test_nobody_asks_nothing_bad_is_told():
    desk = Desk().talking()
    report = m.StreamReport(desk.front_stream, 500, 500, 500, 0, 0, 0, 2.0, 40.0, 80.0, 0, -20, -20,
                            "PCMU", ("10.0.0.9", 5000), 7)  # fmt: skip
    assert only(desk.send(report), c.ReportQuality) == []


def opinion(desk, mos):
    """A second of such a call passed; how it looks to a person."""
    desk.send(structs.replace(figures(desk.front_stream, final=False), mos=mos))
    return desk.view.calls[0].quality


@pytest.mark.parametrize(
    ("mos", "word"),
    [(4.4, "good"), (4.05, "good"), (3.9, "fair"), (3.2, "poor"), (2.0, "bad"), (1.0, "bad")],
)
def test_a_person_sees_the_class_of_the_opinion(mos, word):
    """ITU-T G.107 Annex B, table B.1."""
    desk = Desk().talking()
    assert desk.view.calls[0].quality is None
    assert opinion(desk, None) is None
    assert opinion(desk, mos) is Quality(word)


def test_worse_is_seen_at_once_and_better_when_it_surely_is():
    desk = Desk().talking()
    seen = [opinion(desk, mos) for mos in (4.2, 4.0, 4.05, 4.1, 4.14, 2.0, 3.15, 3.3, 4.4)]
    words = ["good", "fair", "fair", "fair", "good", "bad", "bad", "poor", "good"]
    assert seen == [Quality(word) for word in words]


def test_an_opinion_that_changes_little_wakes_nobody():
    desk = Desk().talking()
    opinion(desk, 4.2)
    before = desk.view
    opinion(desk, 4.3)
    assert desk.view == before


def test_a_line_that_reports_asks_far_ends_for_their_metrics():
    """RFC 3611 §5.2; without a collector nobody needs them."""
    for collector, asks in (("sip:reports@pbx", True), ("", False)):
        line = LineSettings("100", "pbx", name=LINE, quality_reports=collector)
        desk = Desk(Settings(lines=(line,)))
        desk.lift()
        desk.dials("201")
        (offer,) = only(desk.way_found(), c.SendOffer)
        assert (b"a=rtcp-xr:voip-metrics" in offer.sdp) is asks
