"""Three phones of ours in one conversation, and two when the one that carried it has left.

What the first plays into the conversation, all three hear.
"""

import subprocess
import sys
import wave

import pytest

from firmware.control import schema as s
from firmware.dsp.tone_probe import tone_level
from tests.support.phone import Phone, line
from tests.support.wav import write_tone

pytestmark = [pytest.mark.realtime, pytest.mark.slow, pytest.mark.timeout(90)]
PITCH = {"100": 440, "200": 620, "300": 880, "tune": 1230}
HEARD, UNHEARD = -32, -50


@pytest.fixture
def phones(tmp_path):
    """The three, registered at a practice PBX, by number; those called answer by themselves."""
    command = (sys.executable, "-m", "firmware", "pbx", "--port", "0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as pbx:
        server = pbx.stdout.readline().decode().partition(" at ")[2].partition(";")[0]
        started = {}
        try:
            for user in ("100", "200", "300"):
                answers = "never" if user == "100" else "always"
                account = line(user, server, password=user, auto_answer=answers)
                started[user] = Phone(tmp_path / user, account, port=0, tone_hz=PITCH[user])
            for each in started.values():
                each.wait_registered()
            yield started
        finally:
            for each in started.values():
                each.close()
            pbx.terminate()


def hears(phone):
    """Whose tones were heard in the last half second that is on the disk."""
    with wave.open(str(phone.heard), "rb") as file:
        rate = file.getframerate()
        file.setpos(max(0, file.getnframes() - rate // 2))
        pcm = file.readframes(rate)
    levels = {user: tone_level(pcm, rate, hertz) for user, hertz in PITCH.items()}
    assert all(level > HEARD or level < UNHEARD for level in levels.values()), levels
    return {user for user, level in levels.items() if level > HEARD}


def sound_for(phone, seconds):
    """Let a call go on for so long; the recording follows a second behind."""
    until = phone.status().calls[0].duration + seconds
    phone.wait("that much", lambda now: now.calls and now.calls[0].duration > until)


def test_three_hear_each_other_and_two_when_the_first_has_left(phones, tmp_path):
    desk, ann, bob = phones["100"], phones["200"], phones["300"]
    desk.ask(s.Dial("200"))
    desk.wait_state("talking")
    desk.ask(s.Hold())
    desk.ask(s.Dial("300"))
    desk.wait("both", lambda now: [call.state for call in now.calls] == ["talking"] * 2)

    desk.ask(s.Conference(on=True))
    desk.wait("nobody on hold", lambda now: not any(call.held for call in now.calls))
    assert len(desk.status().conference) == 2
    write_tone(tmp_path / "tune.wav", PITCH["tune"], 16000, 20)
    desk.ask(s.Play(file=str(tmp_path / "tune.wav")))
    sound_for(desk, 2.5)
    assert hears(desk) == {"200", "300", "tune"}
    assert hears(ann) == {"100", "300", "tune"}
    assert hears(bob) == {"100", "200", "tune"}

    desk.ask(s.HangUp())
    desk.wait("no call any more", lambda now: not now.calls)
    sound_for(ann, 2.5)
    assert hears(ann) == {"300"}
    assert hears(bob) == {"200"}
