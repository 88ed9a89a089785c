"""Recorded calls, with whole phones: both sides in the file, whatever dies meanwhile."""

import os
import signal
import wave
from pathlib import Path

from firmware.control import schema as s
from firmware.dsp.tone_probe import tone_level
from tests.support.far_end import media_port
from tests.support.waiting import wait_for
from tests.support.wav import sides, spectrum_peak

OURS, THEIRS, BEEP = 440, 620, 1400


def seconds(path):
    try:
        rate, left, _ = sides(path)
    except (OSError, EOFError, wave.Error):
        return 0.0
    return len(left) / rate


def hertz(samples, rate, last=0.5):
    return spectrum_peak(samples[-round(last * rate) :], rate)[0]


def level(samples, rate, hertz):
    return tone_level((samples * 32768).astype("<i2").tobytes(), rate, hertz)


def talk(phone, far_end):
    phone.ask(s.Dial(target="204"))
    far_end.speak_to((phone.address, media_port(far_end.wait_call().offer)), THEIRS)
    phone.wait_state("talking")
    (file,) = phone.ask(s.Record(on=True), s.RecordReply).files
    assert phone.status().calls[0].recorded
    return Path(file)


def has_both(path, last=0.5):
    rate, left, right = sides(path)
    near = abs(hertz(left, rate, last) - OURS) < 10
    return near and abs(hertz(right, rate, last) - THEIRS) < 10


def test_p12_both_sides_are_in_the_file_though_the_audio_process_died(phone, far_end):
    file = talk(phone, far_end)
    wait_for("a second of it", lambda: seconds(file) > 0.9)
    rate, left, right = sides(file)
    assert level(left[: rate // 2], rate, BEEP) > -30, "it begins with the warning tone"
    assert level(right[: rate // 2], rate, BEEP) < -50, "which comes from here"
    os.kill(phone.child(), signal.SIGKILL)
    before = seconds(file)
    wait_for("more of it", lambda: seconds(file) > before + 1.4)
    wait_for("both sides again", lambda: has_both(file), every=0.1)
    assert phone.ask(s.Record(on=False), s.RecordReply).files == ()
    wait_for("its last line", lambda: f"Recorded: {file}" in phone.log())
    assert file.parent.name == "recordings"
    assert file.is_relative_to(phone.folder / "state" / "deskphone")
    assert not phone.status().calls[0].recorded


def test_f46_a_killed_phone_leaves_a_recording_that_can_be_played(phone, far_end):
    file = talk(phone, far_end)
    wait_for("a second of it", lambda: seconds(file) > 0.9)
    wait_for("both sides", lambda: has_both(file, 0.3))
    phone.kill()
    cut = seconds(file)
    assert has_both(file, 0.3)
    phone.start()
    whole = file.stat().st_size - 44
    wait_for("the rest", lambda: seconds(file) == whole // 4 / 8000)
    assert seconds(file) >= cut
