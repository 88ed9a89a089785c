"""Muted means: what is said now is heard by nobody, now or later, whatever the card keeps (P11)."""

import socket
import sys

import pytest

from firmware.dsp.level import level_of
from firmware.dsp.tone_probe import tone_level
from firmware.media.engine import Engine
from firmware.media.messages import Card, OpenPath, PathName, SetMute, TalkOn
from hal.errors import DeviceGoneError
from hal.sound.alsa import AlsaCard
from hal.sound.browser import open_browser_card
from tests.support.fake_alsa import FakeAlsa, Hardware


@pytest.fixture
def page(bench, tmp_path, sine):
    """A page at the desk: `say(pitch)` a frame; 0 = silence."""
    bench.engine.close(bench.now)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(tmp_path / "audio.sock"))
    listener.listen()
    bench.engine = Engine(
        bench.reports.append,
        lambda _spec, _descriptors, rate: open_browser_card((listener.fileno(),), rate),
        bench._random,
        lambda: bench.now,
    )
    bench.order(OpenPath(PathName.HANDSET, Card("browser")))
    link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    link.connect(str(tmp_path / "audio.sock"))
    bench.order(TalkOn(PathName.HANDSET, microphone=True))

    def say(hertz, frames):
        for _ in range(frames):
            link.send(sine(hertz, 0.02, 48_000) if hertz else bytes(1920))
            bench.step()

    yield say
    link.close()
    listener.close()


def test_p11_what_waits_in_a_pages_queue_is_not_heard_after_the_mute(bench, page):
    far = bench.call()
    page(1000, 50)
    assert tone_level(far.heard(0.2), 8000, 1000) > -16
    bench.order(SetMute(muted=True))
    page(1000, 50)
    bench.order(SetMute(muted=False))
    page(0, 25)
    assert level_of(far.heard(0.5)) == -127
    page(1000, 25)
    assert tone_level(far.heard(0.2), 8000, 1000) > -16


def test_the_delay_of_a_page_is_the_same_before_and_after(bench, page):
    far = bench.call()

    def heard_after():
        page(0, 25)
        for frame in range(25):
            page(1000, 1)
            if level_of(far.heard(0.02)) > -30:
                return frame
        return None

    before = heard_after()
    assert before is not None
    bench.order(SetMute(muted=True))
    page(1000, 50)
    bench.order(SetMute(muted=False))
    assert heard_after() == before


def test_muting_again_or_unmuting_twice_asks_nothing_of_the_card(bench):
    bench.handset()
    for muted in (False, True, True):
        bench.order(SetMute(muted=muted))
    assert bench.card.forgot == 0
    bench.order(SetMute(muted=False))
    assert bench.card.forgot == 1


def test_f33_a_card_that_vanishes_just_then_is_told_of(bench):
    bench.handset()
    bench.order(SetMute(muted=True))

    def gone():
        raise DeviceGoneError("pulled out")

    bench.card.forget = gone
    bench.order(SetMute(muted=False))
    assert bench.card.closed


@pytest.mark.parametrize("into", [0.0, 0.007, 0.013, 0.0199])
def test_p11_nor_what_a_sound_card_recorded_and_nobody_has_read(monkeypatch, into):
    """Its own buffer and the frame that was being gathered; what follows comes at its time."""
    hardware = Hardware(rates=(16_000,))
    alsa = FakeAlsa({"hw:CARD=Desk": hardware})
    monkeypatch.setitem(sys.modules, "alsaaudio", alsa)
    hardware.speech = lambda samples: b"\x11\x11" * samples
    card = AlsaCard("id:Desk", 16_000, alsa.sleep)
    card.set_capture(True)
    for _ in range(10):
        card.read()
    alsa.now += into
    card.forget()
    hardware.speech = lambda samples: b"\x22\x22" * samples
    began = alsa.now
    rest = b"".join(card.read() for _ in range(5))
    assert b"\x11\x11" not in rest
    silence = rest.index(b"\x22\x22")
    assert silence / 2 / 16_000 == pytest.approx(into, abs=0.0002)
    assert rest[silence:] == b"\x22" * (len(rest) - silence)
    assert alsa.now - began == pytest.approx(0.1 - into, abs=0.001)
    card.close()
