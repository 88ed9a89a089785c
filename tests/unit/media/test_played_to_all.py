"""A recording that is played into a conversation of several: everybody hears it, once."""

import os
import socket

import pytest

from firmware.base.pcm import audioop
from firmware.dsp.tone_probe import tone_level
from firmware.media.messages import (
    RECORD_HEAD,
    Bridge,
    ClipEnded,
    CloseStream,
    Direction,
    PayloadFormat,
    PlayClip,
    Record,
    Route,
    RouteStream,
)

PCMU, G722 = PayloadFormat(0, "PCMU", 8000), PayloadFormat(9, "G722", 8000)
OURS, ANNS, BOBS, CIDS, MUSIC = 400, 900, 1300, 1700, 2100
HEARD, UNHEARD = -30, -55


class Talk:
    """Ann by PCMU and in front, Bob by G.722, Cid by PCMU, and somebody at the desk; all speak."""

    def __init__(self, bench, sine):
        self.bench, self.sine = bench, sine
        bench.handset()
        bench.card.speech = sine(OURS, 10, 16000)
        self.far = {}
        for stream, (codec, pitch) in enumerate(((PCMU, ANNS), (G722, BOBS), (PCMU, CIDS)), 1):
            far = bench.call(stream, codec, Route.CARD if stream == 1 else Route.NULL)
            far.say(sine(pitch, 10, far.rate))
            self.far[stream] = far
        self.loud = tone_level(sine(MUSIC, 0.4, 8000), 8000, MUSIC)

    def join(self, *streams):
        self.bench.order(Bridge(streams))
        self.bench.seconds(0.2)

    def play(self, stream, seconds=5.0, pitch=MUSIC):
        descriptor = os.memfd_create("clip")
        os.write(descriptor, self.sine(pitch, seconds, 8000))
        self.bench.order(PlayClip(stream, 8000), (descriptor,))

    def hold(self, stream):
        """As the phone does it: the person is away at once, the far end is told by and by."""
        self.bench.order(RouteStream(stream, Route.NULL))
        self.bench.answer(self.far[stream], stream, direction=Direction.SENDONLY)

    def hears(self, stream, pitch=MUSIC):
        """Stream 0 is the person at the desk."""
        if stream == 0:
            return tone_level(self.bench.card.heard(0.3), 16000, pitch)
        return tone_level(self.far[stream].heard(0.3), self.far[stream].rate, pitch)

    def assert_only(self, *streams, pitch=MUSIC):
        """These hear it, each once, and nobody else does."""
        for stream in (0, *self.far):
            level = self.hears(stream, pitch)
            if stream in streams:
                assert level == pytest.approx(self.loud, abs=1.0), f"{stream}: once"
            else:
                assert level < UNHEARD, stream


@pytest.fixture
def talk(bench, sine):
    return Talk(bench, sine)


@pytest.mark.parametrize("played_to", [1, 2])
def test_everybody_hears_it_once_and_nobody_themselves(talk, played_to):
    talk.join(1, 2)
    talk.play(played_to)
    talk.bench.seconds(0.6)
    talk.assert_only(0, 1, 2)
    assert talk.hears(1, BOBS) > HEARD
    assert talk.hears(2, OURS) > HEARD
    assert talk.hears(0, ANNS) > HEARD
    assert talk.hears(0, OURS) < UNHEARD
    assert talk.hears(1, ANNS) < UNHEARD
    assert talk.hears(2, BOBS) < UNHEARD


def test_whoever_is_not_in_the_conversation_hears_it_alone(talk):
    talk.join(1, 2)
    talk.play(3)
    talk.bench.seconds(0.6)
    talk.assert_only(3)


@pytest.mark.parametrize("recorded", [1, 2])
def test_a_recording_has_it_once_on_our_side(talk, recorded):
    inlet, outlet = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with inlet, outlet:
        talk.join(1, 2)
        talk.bench.order(Record(recorded, 8000), (os.dup(inlet.fileno()),))
        talk.play(1)
        talk.bench.seconds(0.6)
        packets = [outlet.recv(1 << 16)[RECORD_HEAD.size :] for _ in range(3)]
    for share, level in ((1, pytest.approx(talk.loud, abs=1.0)), (0, None)):
        pcm = audioop.tomono(b"".join(packets), 2, share, 1 - share)[-4800:]
        found = tone_level(pcm, 8000, MUSIC)
        assert found < UNHEARD if level is None else found == level


def test_its_end_is_told_of_each_and_nothing_of_it_stays(talk):
    talk.join(1, 2)
    talk.play(1, 0.5)
    talk.bench.seconds(0.4)
    assert talk.bench.take(ClipEnded) == []
    talk.bench.seconds(0.8)
    assert talk.bench.take(ClipEnded) == [ClipEnded(1), ClipEnded(2)]
    talk.assert_only()


def test_another_one_takes_its_place_whoever_it_is_played_to(talk):
    talk.join(1, 2)
    talk.play(1)
    talk.bench.seconds(0.3)
    talk.play(2, pitch=2600)
    talk.bench.seconds(0.6)
    talk.assert_only()
    talk.assert_only(0, 1, 2, pitch=2600)


def test_whoever_joins_hears_the_rest(talk):
    talk.join(1, 2)
    talk.play(2)
    talk.bench.seconds(0.3)
    talk.join(1, 2, 3)
    talk.bench.seconds(0.6)
    talk.assert_only(0, 1, 2, 3)


@pytest.mark.parametrize("in_front", [1, 2])
def test_what_plays_in_a_call_goes_on_in_the_conversation_that_is_made_of_it(talk, in_front):
    """Of two clips the one that the person hears."""
    talk.bench.order(RouteStream(1, Route.NULL))
    talk.bench.order(RouteStream(in_front, Route.CARD))
    talk.play(in_front)
    talk.play(3 - in_front, pitch=2600)
    talk.bench.seconds(0.3)
    talk.join(1, 2)
    talk.bench.seconds(0.6)
    talk.assert_only(0, 1, 2)
    talk.assert_only(pitch=2600)


@pytest.mark.parametrize("leaves", [1, 2])
def test_who_leaves_takes_nothing_with_them(talk, leaves):
    """Neither the one it was played to nor the other."""
    talk.join(1, 2, 3)
    talk.play(1)
    talk.bench.seconds(0.3)
    talk.bench.order(CloseStream(leaves))
    talk.bench.seconds(0.6)
    del talk.far[leaves]
    talk.assert_only(0, *talk.far)


@pytest.mark.parametrize("leaves", [1, 2])
def test_the_last_one_hears_the_rest_with_the_desk(talk, leaves):
    """The order of the phone: the stream closes, the other call comes to the front."""
    talk.join(1, 2)
    talk.play(leaves)
    talk.bench.seconds(0.3)
    stays = 3 - leaves
    talk.bench.order(CloseStream(leaves))
    if stays == 2:
        talk.bench.order(RouteStream(stays, Route.CARD))
    talk.bench.order(Bridge(()))
    talk.bench.seconds(0.6)
    del talk.far[leaves]
    talk.assert_only(0, stays)


def test_who_is_put_on_hold_hears_no_more_of_it(talk):
    talk.join(1, 2, 3)
    talk.play(2)
    talk.bench.seconds(0.3)
    talk.hold(2)
    talk.join(1, 3)
    talk.bench.seconds(0.6)
    talk.assert_only(0, 1, 3)


def test_apart_it_goes_on_for_the_call_in_front(talk):
    talk.join(1, 2)
    talk.play(2)
    talk.bench.seconds(0.3)
    talk.hold(2)
    talk.join()
    talk.bench.seconds(0.6)
    talk.assert_only(0, 1)


def test_with_everybody_on_hold_it_is_over(talk):
    talk.join(1, 2)
    talk.play(1)
    talk.bench.seconds(0.3)
    for stream in (1, 2):
        talk.hold(stream)
    talk.join()
    talk.bench.seconds(0.6)
    talk.assert_only()
    talk.bench.order(RouteStream(1, Route.CARD))
    for stream in (1, 2):
        talk.bench.answer(talk.far[stream], stream)
    talk.join(1, 2)
    talk.bench.seconds(0.6)
    talk.assert_only()
    assert talk.hears(1, BOBS) > HEARD
