"""What was learned stands in the file, and everything else as it was."""

import tomllib

import pytest

from firmware.wiring.learned import Lesson, lines_of, with_lessons

FILE = """\
# my phone
[board]
name = "keypad"   # the first one

[board.hook]
pin = 4
lifted = "open"  # as the seller said

[[line]]
user = "101"
"""
HOOK = Lesson("hook", "lifted", "closed")


def test_a_line_is_changed_and_its_comment_stays():
    assert with_lessons(FILE, [HOOK]) == FILE.replace('"open"', '"closed"')


def test_a_key_and_a_table_that_are_not_there_are_added():
    lessons = [Lesson("hook", "lockout_ms", 100), Lesson("keypad", "rows", (6, 5))]
    text = with_lessons(FILE, lessons)
    assert text is not None
    for line in FILE.splitlines():
        assert line in text
    assert tomllib.loads(text)["board"] == {
        "name": "keypad",
        "hook": {"pin": 4, "lifted": "open", "lockout_ms": 100},
        "keypad": {"rows": [6, 5]},
    }


@pytest.mark.parametrize(
    "text",
    [
        '[board]\nname = "keypad"\nhook = { pin = 4 }\n',
        '[board]\nhook.lifted = "open"\n',
        '[board.hook]\nlifted = """\nopen"""\n',
        "[board\n",
    ],
)
def test_a_file_that_is_written_in_another_way_is_left_to_the_person(text):
    assert with_lessons(text, [HOOK]) is None


def test_the_lines_to_write_are_those_of_a_settings_file():
    lines = lines_of(
        [HOOK, Lesson("lamps.mute", "active_low", value=True), Lesson("hook", "pin", 4)]
    )
    assert tomllib.loads("\n".join(lines)) == {
        "board": {"hook": {"lifted": "closed", "pin": 4}, "lamps": {"mute": {"active_low": True}}}
    }


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_from_windows_stays_one(mark):
    text = mark + FILE.replace("\n", "\r\n")
    found = with_lessons(text, [HOOK, Lesson("keypad", "rows", (6, 5))])
    assert found is not None
    assert found.startswith(text.replace('"open"', '"closed"'))
    assert found.endswith("\r\n\r\n[board.keypad]\r\nrows = [6, 5]\r\n")
    assert found.count("\n") == found.count("\r\n")
