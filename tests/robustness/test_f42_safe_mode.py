"""F42: a phone that crashes again and again comes up with the least that makes calls."""

from firmware.bootstrap.safe_mode import CRASHES
from firmware.control import schema as s
from firmware.storage.starts import Starts
from tests.support.far_end import media_port
from tests.support.namespace import end
from tests.support.phone import line
from tests.support.waiting import wait_for

SAFE = f"Safe mode after {CRASHES} crashes, calls only: read the log, then restart the phone"


def test_f42_a_crash_loop_ends_in_safe_mode_that_still_makes_calls(start_phone, far_end):
    phone = start_phone(line("101", far_end.server, auto_answer="always"), codecs=("g722", "pcmu"))
    for _ in range(CRASHES):
        assert phone.status().reason != SAFE
        phone.kill()
        phone.start()
    assert phone.status().reason == SAFE
    phone.wait_registered()
    phone.ask(s.Dial(target="204"))
    offer = far_end.wait_call().offer
    assert media_port(offer)
    assert b"G722" not in offer
    phone.wait_state("talking")
    phone.ask(s.HangUp())
    far_end.wait_ended()

    end(phone.process, 10)
    phone.start()
    assert phone.status().reason == "", "a stop in order ends safe mode"


def test_f42_a_reload_leaves_safe_mode(start_phone, far_end):
    phone = start_phone(line("101", far_end.server), codecs=("g722", "pcmu"))
    for _ in range(CRASHES):
        phone.kill()
        phone.start()
    assert phone.status().reason == SAFE
    phone.ask(s.Reload(), s.ReloadReply)
    wait_for("the reason to go", lambda: phone.status().reason == "")
    phone.ask(s.Dial(target="204"))
    assert b"G722" in far_end.wait_call().offer


def test_f42_only_starts_of_the_last_ten_minutes_count(tmp_path):
    starts = Starts(tmp_path / "starts")
    assert [starts.note(at) for at in (1.0, 2.0, 3.0)] == [0, 1, 2]
    assert starts.note(602.5) == 1
    starts.clear()
    assert starts.note(603.0) == 0


def test_f42_starts_of_another_boot_and_a_damaged_file_count_nothing(tmp_path):
    starts = Starts(tmp_path / "starts")
    starts.note(5000.0)
    assert starts.note(10.0) == 0, "seconds since boot cannot run backwards"
    (tmp_path / "starts").write_bytes(b"\xff\x00 soon\n")
    assert starts.note(11.0) == 0
    assert starts.note(12.0) == 1
    assert Starts(tmp_path / "nowhere" / "starts").note(1.0) == 0
