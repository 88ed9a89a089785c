"""F4: a corrupt, empty or misspelled configuration; the last good one is still there to use."""

import hashlib

import pytest

from firmware.config import examine_file, parse
from firmware.storage.last_good import LastGood
from firmware.ui.faults import say
from firmware.ui.text import Texts

GOOD = '[phone]\ncountry = "DE"\n[[line]]\nuser = "101"\nserver = "pbx"\n'
FAULTY = {
    "corrupt": hashlib.shake_256(b"noise").digest(2000),
    "torn": GOOD.encode()[:-12],
    "unknown keys": GOOD.replace("country", "contry").replace("user", "usr").encode(),
    "zeros": bytes(4096),
    "html": b"<!DOCTYPE html><html><body>404</body></html>",
}


@pytest.mark.parametrize("fault", FAULTY)
def test_f04_a_faulty_file_is_explained_and_the_last_good_one_used(tmp_path, fault):
    path = tmp_path / "deskphone.toml"
    path.write_text(GOOD)
    last = LastGood.of(path, tmp_path / "state")
    last.keep()

    path.write_bytes(FAULTY[fault])

    found = examine_file(path)
    assert found.settings is None
    assert all(str(problem).startswith(str(path)) for problem in found.problems)
    assert last.settings() == parse(GOOD)


def test_f04_all_unknown_keys_are_listed_at_once(tmp_path):
    path = tmp_path / "deskphone.toml"
    path.write_bytes(FAULTY["unknown keys"])

    assert [(one.line, one.key) for one in examine_file(path).problems] == [
        (2, "phone.contry"),
        (3, "line[1].user"),
        (4, "line[1].usr"),
    ]


def test_f04_an_empty_file_is_a_phone_without_lines_and_says_so(tmp_path):
    path = tmp_path / "deskphone.toml"
    path.write_bytes(b"")

    found = examine_file(path)

    assert found.settings.lines == ()
    assert "no [[line]]" in say(found.notes[0], Texts.load())
