"""The sound of `deskphone board test` through the real ALSA library, on its files for devices.

They have no clock and no air: what a microphone records is a file that was written before. Silence
is one, too: ALSA's null device gives what lay in the memory that it was handed.
"""

import importlib.util
import json
import os
import subprocess
import sys
from array import array

import pytest

from firmware.bootstrap.sound_test import bursts
from firmware.dsp.sine import Sine
from firmware.dsp.tone_probe import dominant

CONFIG = """\
pcm.hole {{ type null }}
pcm.ear {{ type file slave.pcm hole file "{folder}/ear.raw" format raw }}
pcm.mouth {{ type file slave.pcm hole file "/dev/null" infile "{folder}/mouth.raw" format raw }}
pcm.handset {{ type asym playback.pcm ear capture.pcm mouth }}
pcm.studio {{ type plug slave {{ pcm ear rate 48000 channels 2 format S16_LE }} }}
pcm.still {{ type file slave.pcm hole file "/dev/null" infile "{folder}/still.raw" format raw }}
pcm.deaf {{ type asym playback.pcm studio capture.pcm still }}
pcm.mute {{ type asym playback.pcm ear }}
"""
ORDERS = """\
import json, queue, sys
from firmware.bootstrap import sound_test
from firmware.wiring.evidence import Beep, Listen, Play, Repeat
from hal.card_spec import CardSpec
sound_test.SECONDS = 1.0
device, *words = sys.argv[1:]
orders = {"play": Play("it"), "beep": Beep("it", ("it",)), "listen": Listen("it"),
          "repeat": Repeat("it")}
told = queue.SimpleQueue()
test = sound_test.SoundTest({"it": CardSpec("alsa", device)}, told.put)
for word in words:
    test.do(orders[word])
    found = told.get(timeout=20)
    values = {name: getattr(found, name) for name in found.__struct_fields__}
    print(json.dumps([type(found).__name__, values]))
test.close()
"""


@pytest.fixture
def alsa(tmp_path):
    """A configuration with devices made of files; its folder."""
    if importlib.util.find_spec("alsaaudio") is None:
        reason = "alsaaudio is missing: apt-get install gcc libasound2-dev; pip install '.[pi]'"
        (pytest.fail if os.environ.get("DESKPHONE_NO_SKIP") else pytest.skip)(reason)
    (tmp_path / "asound.conf").write_text(CONFIG.format(folder=tmp_path))
    (tmp_path / "still.raw").write_bytes(bytes(16_000 * 2 * 20))
    return tmp_path


def done(folder, device, *orders):
    run = subprocess.run(
        [sys.executable, "-c", ORDERS, device, *orders],
        check=False,
        env={**os.environ, "ALSA_CONFIG_PATH": str(folder / "asound.conf")},
        capture_output=True,
        text=True,
        timeout=40,
    )
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def records(folder, pcm):
    (folder / "mouth.raw").write_bytes(pcm)


def test_a_microphone_that_hears_the_bursts_is_heard_to_do_so(alsa):
    records(alsa, bytes(16_000 * 2 // 5) + b"".join(bursts(16_000)) * 2)
    ((kind, found),) = done(alsa, "handset", "beep")
    assert kind == "Beeped"
    ((ear, decibels),) = found["heard"]
    assert ear == "it"
    assert decibels > 20


def test_one_that_hears_something_else_is_not(alsa):
    records(alsa, Sine(700, 16_000).block(16_000 * 8))
    ((_, found),) = done(alsa, "handset", "beep")
    assert found["heard"][0][1] < 6


def test_what_was_recorded_is_played_again(alsa):
    voice = Sine(700, 16_000).block(16_000 * 8)
    records(alsa, voice)
    (_, level), (kind, _) = done(alsa, "handset", "listen", "repeat")
    assert level["peak"] == pytest.approx(1.0, abs=0.01)
    assert kind == "Played"
    played = (alsa / "ear.raw").read_bytes()
    assert dominant(played[16_000:48_000], 16_000)[0] == pytest.approx(700, abs=1)


def test_a_tone_is_played_at_its_pitch_whatever_the_card_wants(alsa):
    ((kind, found),) = done(alsa, "deaf", "play")
    assert (kind, found["faults"]) == ("Played", [])
    left = array("h", (alsa / "ear.raw").read_bytes())[::2].tobytes()
    assert dominant(left[48_000:96_000], 48_000)[0] == pytest.approx(440, abs=1)


def test_a_microphone_that_gives_silence_and_a_card_that_has_none(alsa):
    ((_, found),) = done(alsa, "deaf", "listen")
    assert found == {"path": "it", "peak": 0.0, "clipped": 0.0}
    beeped, listened = done(alsa, "mute", "beep", "listen")
    assert beeped == ["Beeped", {"path": "it", "heard": []}]
    assert listened[0] == "NoSound"


def test_a_card_that_is_not_there_is_said_in_words(alsa):
    ((kind, found),) = done(alsa, "id:Nope", "play")
    assert kind == "NoSound"
    assert "there is no such card" in found["reason"]
