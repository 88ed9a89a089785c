"""When silence needs an explanation."""

from firmware.media.hearing import HearingWatch
from firmware.media.messages import Silence


def test_silence_is_told_after_two_seconds_and_once():
    watch = HearingWatch()
    watch.expect(10.0, expecting=True)
    assert not watch.changed(11.9, Silence.NO_PACKETS)
    assert watch.changed(12.0, Silence.NO_PACKETS)
    assert watch.cause is Silence.NO_PACKETS
    assert not watch.changed(13.0, Silence.NO_PACKETS)


def test_another_cause_is_told_anew_and_so_is_its_end():
    watch = HearingWatch()
    watch.expect(10.0, expecting=True)
    assert watch.changed(12.0, Silence.NO_PACKETS)
    assert watch.changed(13.0, Silence.OTHER_SOURCE)
    watch.heard(13.5)
    assert watch.changed(14.0, Silence.NO_PACKETS)
    assert watch.cause is None


def test_a_broken_card_needs_no_patience():
    watch = HearingWatch()
    watch.expect(10.0, expecting=True)
    watch.heard(10.1)
    assert watch.changed(10.2, Silence.CARD_FAILED)


def test_who_expects_nothing_misses_nothing():
    watch = HearingWatch()
    watch.expect(10.0, expecting=False)
    assert not watch.changed(99.0, Silence.NO_PACKETS)


def test_after_a_hold_patience_begins_again():
    watch = HearingWatch()
    watch.expect(10.0, expecting=True)
    watch.expect(20.0, expecting=False)
    watch.expect(60.0, expecting=True)
    assert not watch.changed(61.0, Silence.NO_PACKETS)
    assert watch.changed(62.0, Silence.NO_PACKETS)
