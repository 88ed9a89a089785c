"""The real ALSA library under the phone, on its own `file` and `plug` devices.

They have no clock: the engine keeps the time. What a card with a clock does is shown on a stand-in
(tests/unit/hal/sound/test_alsa.py).
"""

import importlib.util
import os
import subprocess
import sys
from array import array

import numpy as np
import pytest

from firmware.control import schema as s
from tests.support.far_end import FarEnd, media_port, pitch
from tests.support.ground import Ground
from tests.support.phone import Phone, line
from tests.support.waiting import wait_for

CONFIG = """\
pcm.hole {{ type null }}
pcm.tape_out {{ type file slave.pcm hole file "{folder}/tape.raw" format raw }}
pcm.tape_in {{ type file slave.pcm hole file "/dev/null" infile "{folder}/speech.raw" format raw }}
pcm.tape {{ type asym playback.pcm tape_out capture.pcm tape_in }}
pcm.studio_out {{ type file slave.pcm hole file "{folder}/studio.raw" format raw }}
pcm.studio {{
  type plug
  slave {{ pcm studio_out rate 48000 channels 2 format S16_LE }}
}}
pcm.!default {{ type asym playback.pcm studio capture.pcm tape_in }}
"""
ON_ITS_OWN = """\
import sys
from hal.boards.cards import open_card
from hal.board import CardSpec
card = open_card(CardSpec("alsa", sys.argv[1]), (), 16_000)
frames = [bytes([number, number]) * 320 for number in range(50)]
card.set_capture(True)
heard = b"".join(card.read() for _ in frames)
for frame in frames:
    card.write(frame)
card.set_capture(False)
card.close()
print(card.rate, card.pacing.value, card.xruns, len(heard), heard.hex())
"""


def sine(hertz, rate, seconds):
    times = np.arange(round(rate * seconds)) / rate
    return (9000 * np.sin(2 * np.pi * hertz * times)).astype("<i2").tobytes()


def strongest(samples, rate):
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(power)) * rate / len(samples)


@pytest.fixture
def alsa(tmp_path):
    """A configuration with devices made of files; its folder."""
    if importlib.util.find_spec("alsaaudio") is None:
        reason = "alsaaudio is missing: apt-get install gcc libasound2-dev; pip install '.[pi]'"
        (pytest.fail if os.environ.get("DESKPHONE_NO_SKIP") else pytest.skip)(reason)
    (tmp_path / "asound.conf").write_text(CONFIG.format(folder=tmp_path))
    # Longer than any test: the end of the file is the end of the microphone.
    (tmp_path / "speech.raw").write_bytes(sine(700, 16_000, 60))
    return tmp_path


def on_its_own(folder, device):
    done = subprocess.run(
        [sys.executable, "-c", ON_ITS_OWN, device],
        check=False,
        env={**os.environ, "ALSA_CONFIG_PATH": str(folder / "asound.conf")},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_what_is_said_and_played_passes_as_it_is(alsa):
    rate, pacing, xruns, length, heard = on_its_own(alsa, "tape")

    assert (rate, pacing, xruns) == ("16000", "none", "0")
    assert int(length) == 50 * 640
    assert bytes.fromhex(heard) == (alsa / "speech.raw").read_bytes()[: 50 * 640]
    played = (alsa / "tape.raw").read_bytes()
    frames = b"".join(bytes([number, number]) * 320 for number in range(50))
    assert frames[: len(played) // 2] in played


def test_a_card_of_48_khz_stereo_plays_the_same_on_both_sides(alsa):
    done = on_its_own(alsa, "default")
    assert done[0] == "16000"
    played = array("h", (alsa / "studio.raw").read_bytes())
    assert played[::2] == played[1::2]
    assert len(played) // 2 == pytest.approx(48_000, rel=0.1)


def test_a_card_that_is_not_there_is_said_in_words(alsa):
    with pytest.raises(AssertionError, match="card id:Nope: there is no such card"):
        on_its_own(alsa, "id:Nope")


def test_a_call_through_alsa_is_heard_at_both_ends(alsa, tmp_path):
    with Ground(ipv6=False) as ground, FarEnd(ground.address(), ground.namespace) as far_end:
        phone = Phone(
            tmp_path / "phone",
            line("101", far_end.server),
            namespace=ground.namespace,
            address=ground.address(),
            alsa=alsa / "asound.conf",
        )
        try:
            phone.wait_registered()
            phone.ask(s.Dial(target="204"))
            phone.wait_state("talking")
            wait_for("our voice", lambda: len(far_end.heard) > 60)
            assert pitch(far_end.heard[10:60]) == pytest.approx(700, abs=12)
            far_end.speak_to((phone.address, media_port(far_end.wait_call().offer)), 620)
            talked = phone.status().calls[0].duration + 2.0
            phone.wait("two seconds", lambda status: status.calls[0].duration > talked)
        finally:
            phone.close()
    played = np.frombuffer((alsa / "studio.raw").read_bytes(), dtype="<i2")[::2].astype(float)
    assert strongest(played[-72_000:-24_000], 48_000) == pytest.approx(620, abs=10)
