"""The far end's keys by RFC 4733, as far ends really number and lose them."""

import struct
from random import Random

import pytest

from firmware.base.tokens import Tokens
from firmware.media.messages import ConfigureStream, DigitHeard, OpenStream, PayloadFormat
from firmware.media.stream import Stream
from firmware.rtp.packet import RtpPacket, write_rtp

THERE, CONTROL = ("192.0.2.9", 4000), ("192.0.2.9", 4001)
PCMU = PayloadFormat(0, "PCMU", 8000)
OPUS = PayloadFormat(96, "opus", 48000, 2)
NARROW = PayloadFormat(101, "telephone-event", 8000, 1, "0-16")
WIDE = PayloadFormat(102, "telephone-event", 48000, 1, "0-16")
THEIRS = PayloadFormat(110, "telephone-event", 8000, 1, "0-16")
VOICE = b"\xff" * 160


class FarEnd:
    """Speaks PCMU and presses keys; what the network lets through arrives."""

    def __init__(self, expect, dtmf, *, arrives=lambda: True):
        self.stream = Stream(OpenStream(1, expect), Tokens(b"seed"), 100.0)
        order = ConfigureStream(1, THERE, CONTROL, (PCMU,), dtmf=dtmf)
        self.stream.configure(order, 100.0)
        self.now, self.number, self.stamp = 100.0, 0, 0
        self.arrives = arrives

    def packet(self, kind, payload, stamp, *, marker=False):
        packet = RtpPacket(kind, self.number & 0xFFFF, stamp & 0xFFFFFFFF, 7, payload, marker)
        if self.arrives():
            self.stream.receive(write_rtp(packet), THERE, self.now)
        self.number += 1
        self.stamp += 160
        self.now += 0.02
        self.stream.hear(self.now)
        self.stream.watch(self.now, "")

    def talk(self, frames):
        for _ in range(frames):
            self.packet(0, VOICE, self.stamp)

    def press(self, key, kind, clock=8000, *, frames=8, marker=True):
        """Growing, then three times the end (RFC 4733 §2.5.1)."""
        start = self.stamp
        for count in range(1, frames + 3):
            end = 0x80 if count >= frames else 0
            length = min(count, frames) * clock // 50
            payload = struct.pack("!BBH", "0123456789*#".index(key), end | 10, length)
            self.packet(kind, payload, start, marker=marker and count == 1)

    @property
    def keys(self):
        return [(x.digit, x.duration_ms) for x in self.stream.reports if isinstance(x, DigitHeard)]


@pytest.mark.parametrize(("kind", "clock"), [(101, 8000), (102, 48000)])
@pytest.mark.parametrize("agreed", [NARROW, WIDE])
def test_of_two_clocks_that_were_offered_either_may_come(kind, clock, agreed):
    """RFC 4733 §2.1 wants that of the speech; both are in the answer of many a far end."""
    far = FarEnd((OPUS, PCMU, NARROW, WIDE), agreed)
    far.talk(20)
    far.press("5", kind, clock)
    far.talk(20)
    assert far.keys == [("5", 160)]


def test_keys_come_under_our_number_though_the_answer_has_another():
    """RFC 3264 §6.1: what arrives has the offerer's numbers, what we send the answerer's."""
    far = FarEnd((PCMU, NARROW), THEIRS)
    far.talk(20)
    far.press("7", NARROW.number)
    far.talk(20)
    assert far.keys == [("7", 160)]


def test_a_number_that_came_to_mean_speech_brings_no_keys_any_more():
    far = FarEnd((PCMU, NARROW), NARROW)
    formats = (PCMU, PayloadFormat(101, "L16", 8000))
    far.stream.configure(ConfigureStream(1, THERE, CONTROL, formats, dtmf=THEIRS), far.now)
    far.talk(20)
    far.press("7", 101)
    far.press("8", THEIRS.number)
    far.talk(20)
    assert [key for key, _ in far.keys] == ["8"]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("marker", [True, False])
def test_a_number_arrives_whole_without_markers_and_though_a_third_is_lost(seed, marker):
    """Each key is one, twice the same key is two; of eleven packets each some arrive."""
    dice = Random(seed)  # noqa: S311 - a network
    far = FarEnd((PCMU, NARROW), NARROW)
    far.talk(20)
    far.arrives = lambda: dice.random() > 0.33
    for key in "0030112255#":
        far.press(key, NARROW.number, marker=marker)
        far.talk(4)
    far.arrives = lambda: True
    far.talk(20)
    assert "".join(key for key, _ in far.keys) == "0030112255#"


def test_keys_leave_no_hole_in_what_was_received():
    far = FarEnd((PCMU, NARROW), NARROW)
    far.talk(50)
    for key in "123":
        far.press(key, NARROW.number)
        far.talk(20)
    far.stream.report()
    figures = far.stream.reports[-1]
    assert (figures.lost, figures.late, figures.duplicate) == (0, 0, 0)
