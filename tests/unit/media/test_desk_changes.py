"""What changes at the desk in the middle of a call, and what it may cost."""

from itertools import pairwise

import pytest

from firmware.dsp.level import level_of
from firmware.media.messages import Card, OpenPath, PathName, Stop, TalkOn
from hal.ports import Pacing

NONE, CAPTURE, PLAYBACK = Pacing.NONE, Pacing.CAPTURE, Pacing.PLAYBACK
CHANGES = 10


def gaps(frames):
    return sum(level_of(frame) < -30 for frame in frames)


@pytest.mark.parametrize(
    ("first", "second"),
    [(NONE, NONE), (NONE, CAPTURE), (CAPTURE, NONE), (PLAYBACK, CAPTURE), (CAPTURE, CAPTURE)],
)
def test_another_path_in_a_call_costs_a_frame_at_most(bench, sine, first, second):
    """Whatever clock leads before and after, the far end gets one unbroken line of packets."""
    bench.pacing = first
    bench.handset()
    bench.pacing = second
    bench.order(OpenPath(PathName.SPEAKER, Card("mock", "s")))
    handset, speaker = bench.cards
    far = bench.call()
    far.say(sine(450, 9, 8000))
    handset.speech = speaker.speech = sine(1000, 9, 16000)
    bench.seconds(1)
    sent, played = len(far.packets), len(handset.played)
    for path in (PathName.SPEAKER, PathName.HANDSET) * (CHANGES // 2):
        bench.order(TalkOn(path, microphone=True))
        bench.step(10)
    new = far.packets[sent - 1 :]
    assert len(new) - 1 == pytest.approx(10 * CHANGES, abs=1)
    assert all((after.sequence - before.sequence) & 0xFFFF == 1 for before, after in pairwise(new))
    steps = {(after.timestamp - before.timestamp) & 0xFFFFFFFF for before, after in pairwise(new)}
    assert steps == {160}
    assert gaps(far.decoder.decode(packet.payload) for packet in new[1:]) <= CHANGES
    heard = handset.played[played:] + speaker.played
    assert len(heard) == pytest.approx(10 * CHANGES, abs=1)
    assert gaps(heard) <= CHANGES


def test_who_is_told_to_stop_sends_no_frame_before_its_time(bench):
    bench.handset()
    far = bench.call()
    bench.step(10)
    bench.now += 0.007
    bench.order(Stop())
    far.collect()
    assert len(far.packets) == 10
