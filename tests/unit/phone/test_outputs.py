"""From what is to what should be: the difference, in order."""

from firmware.media import messages as m
from firmware.media.messages import PathName
from firmware.phone import commands as c
from firmware.phone.outputs import Outputs, Sound, difference
from hal.ports import LampPattern
from tests.support.desk import Desk

TONE = m.PlayTone("progress", PathName.HANDSET, (m.ToneSegment((440.0,), 0.0),))


def orders(before, after):
    commands = difference(Outputs(sound=before), Outputs(sound=after))
    assert all(isinstance(x, c.MediaOrder) for x in commands)
    return [x.order for x in commands]


def test_nothing_changed_nothing_ordered():
    outputs = Outputs(sound=Sound(tones={"progress": TONE}), bell=(1.0,), lamps={})
    assert difference(outputs, outputs) == []


def test_without_an_engine_only_the_rest_is_ordered():
    after = Outputs(sound=None, bell=(2.0, 4.0), lamps={"ring": LampPattern.ON})
    assert difference(Outputs(), after) == [
        c.RingBell((2.0, 4.0)),
        c.SetLamp("ring", LampPattern.ON),
    ]


def test_a_tone_that_moves_to_another_path_stops_on_the_old_one_first():
    moved = m.PlayTone("progress", PathName.SPEAKER, TONE.segments)
    assert orders(Sound(tones={"progress": TONE}), Sound(tones={"progress": moved})) == [
        m.StopTone("progress", PathName.HANDSET),
        moved,
    ]


def test_a_tone_that_becomes_another_replaces_it_in_place():
    other = m.PlayTone("progress", PathName.HANDSET, (m.ToneSegment((350.0,), 0.0),))
    assert orders(Sound(tones={"progress": TONE}), Sound(tones={"progress": other})) == [other]


def test_the_microphone_closes_before_anything_else_and_opens_after_everything_else():
    open_talk = m.TalkOn(PathName.HANDSET, microphone=True)
    busy = Sound(talk=open_talk, tones={"progress": TONE})
    assert orders(busy, Sound())[0] == m.TalkOn(None)
    assert orders(Sound(), Sound(talk=open_talk, volumes={PathName.HANDSET: 50})) == [
        m.SetVolume(PathName.HANDSET, 50),
        open_talk,
    ]


def test_a_port_outlives_its_stream_and_comes_before_it():
    desk = Desk().talking()
    desk.replace()
    ended = [type(getattr(x, "order", x)) for x in desk.wait(0.6)]
    assert ended.index(c.EndCall) < ended.index(m.CloseStream) < ended.index(c.FreeMediaPort)
