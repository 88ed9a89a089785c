"""A codec that the phone has never heard of: a file and a row, and calls speak it."""

import pytest

from firmware.base.direction import Direction
from firmware.base.pcm import audioop
from firmware.call.capabilities import capabilities_with, payload_format
from firmware.codec import CODECS, CodecRow
from firmware.codec.protocols import Decoder, Encoder
from firmware.dsp.level import level_of
from firmware.dsp.tone_probe import dominant
from firmware.media.messages import Route
from firmware.sdp.negotiate import LocalMedia, Negotiated, accept_answer, answer, make_offer
from firmware.sdp.parser import parse
from firmware.sdp.writer import write

HERE, THERE = LocalMedia("192.0.2.10", 40000, 40001), LocalMedia("192.0.2.1", 4000, 4001)


class _Octets(Encoder, Decoder):
    """The upper half of each sample, from 0 to 255."""

    def encode(self, pcm):
        return audioop.bias(audioop.lin2lin(pcm, 2, 1), 1, 128)

    def decode(self, payload):
        return audioop.lin2lin(audioop.bias(payload, 1, 128), 1, 2)


class L8:
    """L8 (RFC 3551 §4.5.10), as a codec file would have it."""

    sample_rate = 8000

    def at(self, _rate):
        return self

    def encoder(self, _fmtp="", **_wishes):
        return _Octets()

    def decoder(self):
        return _Octets()

    def ticks(self, payload):
        return len(payload)

    def packet(self, samples):
        return samples


@pytest.fixture
def spoken(monkeypatch):
    """The row, and what both ends then agree on."""
    monkeypatch.setitem(CODECS, "l8", CodecRow("l8", "L8", 8000, 8000, 1, None, 0.3, "", "", L8))
    ours, theirs = capabilities_with(("l8", "pcmu")), capabilities_with(("pcma", "l8"))
    offer = make_offer(ours, HERE, Direction.SENDRECV, 1, 1)
    heard = parse(write(offer))
    agreed = answer(heard, theirs, THERE, Direction.SENDRECV, 2, 1)
    assert isinstance(agreed, Negotiated)
    said = accept_answer(offer, parse(write(agreed.session)), ours)
    assert isinstance(said, Negotiated)
    return payload_format(said.formats[0])


def test_it_is_offered_agreed_on_and_heard_both_ways(bench, sine, spoken):
    assert (spoken.name, spoken.number) == ("L8", 96)
    far = bench.call(1, spoken, Route.LOOP)
    far.say(sine(440, 3, 8000))
    bench.seconds(2)
    hertz, level = dominant(far.heard(0.5), 8000)
    assert hertz == pytest.approx(440, rel=0.01)
    assert level == pytest.approx(-15, abs=1)


def test_what_it_loses_is_concealed(bench, sine, spoken):
    bench.handset()
    far = bench.call(1, spoken)
    far.say(sine(400, 3, 8000))
    bench.seconds(1)
    quietest = 0.0
    for frame in range(50):
        if frame % 10 == 5:
            far.next_packet()  # lost
            bench.step(speaking=False)
        else:
            bench.step()
        quietest = min(quietest, level_of(bench.card.played[-1]))
    assert quietest > level_of(sine(400, 0.1, 8000)) - 3
