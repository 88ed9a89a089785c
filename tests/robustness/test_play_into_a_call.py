"""`deskphone ctl play`: both ends hear the file, and go on hearing each other."""

import pytest

from firmware.control import schema as s
from firmware.control.errors import ControlError
from tests.support.far_end import pitch
from tests.support.waiting import wait_for
from tests.support.wav import write_tone


def test_a_file_is_heard_at_the_far_end_and_its_end_is_the_voice_again(phone, far_end, tmp_path):
    tune = tmp_path / "tune.wav"
    write_tone(tune, 1500, 16_000, 1, peak=18_000)
    with pytest.raises(ControlError, match="there is no call"):
        phone.ask(s.Play(file=str(tune)))
    phone.ask(s.Dial(target="204"))
    phone.wait_state("talking")
    wait_for("our voice", lambda: len(far_end.heard) > 25)
    with pytest.raises(ControlError, match=r"no\.wav"):
        phone.ask(s.Play(file=str(tmp_path / "no.wav")))

    phone.ask(s.Play(file=str(tune)))

    wait_for("the tune", lambda: pitch(far_end.heard[-10:]) == pytest.approx(1500, abs=40))
    wait_for("the voice", lambda: pitch(far_end.heard[-10:]) == pytest.approx(440, abs=40))
