"""A call that is recorded: us left, the far end right, and everybody hears that it is."""

import os
import socket

import pytest

from firmware.base.pcm import audioop
from firmware.dsp.tone_probe import tone_level
from firmware.media.messages import RECORD_HEAD as HEAD
from firmware.media.messages import (
    Bridge,
    CloseStream,
    Direction,
    EngineLog,
    PayloadFormat,
    Record,
    Route,
    RouteStream,
    SetMute,
    StopRecord,
    ToneSegment,
)
from firmware.media.recording import Beep
from tests.support.left_open import open_now, opened_since

PCMU, G722 = PayloadFormat(0, "PCMU", 8000), PayloadFormat(9, "G722", 8000)
OURS, THEIRS, OTHERS, BEEP = 400, 900, 2100, 1400
HEARD, UNHEARD = -30, -55
TONE = (ToneSegment((float(BEEP),), 0.2, -20.0), ToneSegment((), 0.8))


class Recorder:
    """The other end of the socket."""

    def __init__(self, bench, rate=8000):
        self.bench, self.rate = bench, rate
        self.inlet, self.outlet = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.outlet.settimeout(0)
        self.packets = []

    def start(self, stream=1, tone=(), begin=0):
        order = Record(stream, self.rate, tone, begin)
        self.bench.order(order, (os.dup(self.inlet.fileno()),))

    def collect(self):
        """Frame → stereo sound, of what came since the last look."""
        while True:
            try:
                packet = self.outlet.recv(1 << 16)
            except BlockingIOError:
                break
            if not packet:
                break
            self.packets.append((HEAD.unpack_from(packet)[0], packet[HEAD.size :]))
        return self.packets

    def side(self, left):
        """One channel of all that came."""
        pcm = b"".join(pcm for _, pcm in self.collect())
        return audioop.tomono(pcm, 2, left, 1 - left)

    def level(self, side, hertz, seconds=0.4):
        pcm = self.side(1 if side == "us" else 0)
        return tone_level(pcm[-round(seconds * self.rate) * 2 :], self.rate, hertz)

    def close(self):
        self.inlet.close()
        self.outlet.close()


@pytest.fixture
def record(bench):
    made = []

    def make(rate=8000):
        made.append(Recorder(bench, rate))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def talk(bench, sine):
    """Both ends speak."""
    bench.handset()
    bench.card.speech = sine(OURS, 20, 16000)

    def call(stream=1, payload=PCMU, hertz=THEIRS, **more):
        far = bench.call(stream, payload, **more)
        far.say(sine(hertz, 20, far.rate))
        bench.seconds(0.2)
        return far

    return call


@pytest.mark.parametrize(("payload", "rate"), [(PCMU, 8000), (PCMU, 16000), (G722, 8000)])
def test_we_are_on_the_left_and_the_far_end_on_the_right(bench, talk, record, payload, rate):
    talk(payload=payload)
    recorder = record(rate)
    recorder.start()
    bench.seconds(1)
    assert recorder.level("us", OURS) > HEARD
    assert recorder.level("us", THEIRS) < UNHEARD
    assert recorder.level("them", THEIRS) > HEARD
    assert recorder.level("them", OURS) < UNHEARD


def test_packets_say_where_they_belong_and_leave_no_hole(bench, talk, record):
    talk()
    recorder = record()
    recorder.start(begin=500)
    bench.seconds(1)
    assert [begin for begin, _ in recorder.collect()] == [500, 510, 520, 530, 540]
    assert {len(pcm) for _, pcm in recorder.packets} == {10 * 160 * 4}


def test_what_is_left_is_handed_over_at_the_end(bench, talk, record):
    talk()
    recorder = record()
    recorder.start()
    bench.step(13)
    bench.order(StopRecord(1))
    bench.step(20)
    assert [(begin, len(pcm) // 640) for begin, pcm in recorder.collect()] == [(0, 10), (10, 3)]
    recorder.inlet.close()
    assert recorder.outlet.recv(10) == b"", "the engine let go"


def test_the_end_of_the_call_is_the_end_of_its_recording(bench, talk, record):
    talk()
    recorder = record()
    recorder.start()
    bench.step(5)
    bench.order(CloseStream(1))
    assert [(begin, len(pcm) // 640) for begin, pcm in recorder.collect()] == [(0, 5)]


def test_a_recorder_that_does_not_read_costs_sound_and_leaves_a_hole_of_its_length(
    bench, talk, record
):
    far = talk()
    recorder = record()
    recorder.inlet.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_000)
    recorder.start()
    bench.seconds(3)
    early = len(recorder.collect())
    assert early < 15, "some had no room"
    bench.seconds(1)
    begins = [begin for begin, _ in recorder.collect()]
    assert begins[early:] == sorted(begins[early:])
    assert begins[early] == 150, "the next packet stands where its time is"
    assert tone_level(far.heard(0.4), 8000, OURS) > HEARD, "and the call went on"


def test_a_recorder_that_is_gone_is_no_matter(bench, talk, record):
    far = talk()
    recorder = record()
    recorder.start()
    recorder.close()
    bench.seconds(1)
    assert tone_level(far.heard(0.4), 8000, OURS) > HEARD
    bench.order(StopRecord(1))


def test_muted_we_are_not_in_it(bench, talk, record):
    talk()
    bench.order(SetMute(muted=True))
    recorder = record()
    recorder.start()
    bench.seconds(1)
    assert recorder.level("us", OURS) < UNHEARD
    assert recorder.level("them", THEIRS) > HEARD


def test_hold_is_silence_on_both_sides_and_keeps_its_time(bench, talk, record):
    far = talk()
    recorder = record()
    recorder.start(tone=TONE)
    bench.seconds(0.4)
    bench.order(RouteStream(1, Route.NULL))
    bench.answer(far, direction=Direction.SENDONLY)
    bench.seconds(0.4)
    recorder.packets.clear()
    recorder.collect()
    recorder.packets.clear()
    bench.seconds(2)
    assert recorder.side(1) == recorder.side(0) == bytes(2 * 8000 * 2)


def test_everybody_hears_that_they_are_recorded(bench, talk, record):
    far = talk()
    recorder = record()
    recorder.start(tone=TONE)
    bench.step(8)
    assert tone_level(far.heard(0.1), 8000, BEEP) > HEARD
    assert tone_level(bench.card.heard(0.1), 16000, BEEP) > HEARD
    bench.step(12)
    assert tone_level(far.heard(0.1), 8000, BEEP) < UNHEARD
    bench.seconds(0.75)
    assert tone_level(far.heard(0.08), 8000, BEEP) > HEARD, "again and again"
    assert recorder.level("us", BEEP, 2.0) > UNHEARD, "and the recording shows it"


def test_without_a_tone_nobody_hears_anything_of_it(bench, talk, record):
    far = talk()
    record().start()
    bench.step(8)
    assert tone_level(far.heard(0.1), 8000, BEEP) < UNHEARD


def test_a_conversation_of_three_is_recorded_with_everybody_and_warns_everybody(
    bench, talk, record
):
    talk(1)
    other = talk(2, hertz=OTHERS, route=Route.NULL)
    recorder = record()
    recorder.start(1, TONE)
    bench.order(Bridge((1, 2)))
    bench.step(8)
    assert tone_level(other.heard(0.1), 8000, BEEP) > HEARD
    assert tone_level(bench.card.heard(0.1), 16000, BEEP) > HEARD
    bench.seconds(0.7)
    assert recorder.level("us", OURS) > HEARD
    assert recorder.level("us", OTHERS) > HEARD
    assert recorder.level("them", THEIRS) > HEARD
    bench.order(Bridge(()))
    bench.seconds(1)
    assert tone_level(other.heard(0.9), 8000, BEEP) < UNHEARD, "who is apart is not recorded"


def test_another_codec_in_the_call_goes_on_in_the_same_recording(bench, talk, record):
    far = talk()
    recorder = record(16000)
    recorder.start()
    bench.seconds(0.4)
    bench.answer(far, formats=(G722, PCMU))
    bench.seconds(1)
    assert recorder.level("us", OURS) > HEARD
    assert [begin for begin, _ in recorder.packets] == [10 * n for n in range(7)]


def test_a_stall_of_the_engine_is_a_hole_in_the_recording(bench, talk, record):
    talk()
    recorder = record()
    recorder.start()
    bench.step(5)
    bench.now += 1.0
    bench.step(30)
    begins = [begin for begin, _ in recorder.collect()]
    assert begins[0] == 0
    assert begins[1] in range(50, 60)


def test_a_stream_that_is_not_open_takes_nothing(bench, record):
    before = open_now()
    recorder = record()
    recorder.start(7)
    assert bench.take(EngineLog)
    recorder.close()
    assert opened_since(before) == []


def test_the_tone_is_the_same_at_every_rate():
    narrow, wide = Beep(TONE), Beep(TONE)
    sounds = []
    for _ in range(60):
        narrow.advance()
        wide.advance()
        sounds.append(bool(narrow.at(8000)))
        assert len(wide.at(16000)) == 2 * len(narrow.at(8000))
    assert sounds == [True] * 10 + [False] * 40 + [True] * 10
