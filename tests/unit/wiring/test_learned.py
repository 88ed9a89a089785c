"""What was learned stands in the file, and everything else as it was."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    "comment", ["# tea\u2028# and cake", "# tea\x85", "# tea \u2029 cake"], ids=ascii
)
def test_only_a_line_feed_ends_a_line(comment):
    """What else is one to others stands in a comment, and stays there."""
    text = FILE.replace("# my phone", comment)
    assert with_lessons(text, [HOOK]) == text.replace('"open"', '"closed"')


def test_each_line_keeps_its_own_end():
    text = "[board.hook]\nlifted = 'open'\r\n[board.usb]\r\nlifted = 'open' # x\r\n# the end"
    found = with_lessons(text, [HOOK, Lesson("usb", "lifted", "closed"), Lesson("hook", "pin", 4)])
    assert found == (
        '[board.hook]\npin = 4\nlifted = "closed"\r\n'
        '[board.usb]\r\nlifted = "closed" # x\r\n# the end\n'
    )
    assert with_lessons("# a\r\n# b", [HOOK]) == (
        '# a\r\n# b\r\n\r\n[board.hook]\r\nlifted = "closed"\r\n'
    )


@pytest.mark.parametrize(
    "text",
    ["x = " + "9" * 5000, "x = " + "[" * 5000, "a" + ".a" * 30_000 + " = 1"],
    ids=lambda text: text[:9],
)
def test_what_nobody_can_read_is_left_to_the_person(text):
    assert with_lessons(text, [HOOK]) is None


PARTS = st.sampled_from(
    [
        '[board]\nname = "keypad"\n',
        "[board.hook]\n",
        "  [ board.hook ]  # mine\n",
        '["board".hook]\n',
        "[[line]]\n",
        'lifted = "open"\n',
        "\tlifted\t=\t'auto'\t# läuft ☎\n",
        '"lifted" = "open"\r\n',
        "pin = 4\r\n",
        'hook.lifted = "open"\n',
        "board.hook.pin = 4\n",
        'hook = { lifted = "open" }\n',
        "rows = [\n  1, # one\n[2],\n]\n",
        'note = """\n[board.hook]\nlifted = "open"\n"""\n',
        "note = '''\r\n[board.hook]'''\n",
        "# a\u2028[board.hook]\n",
        "\n",
        "\r\n",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PARTS, max_size=8).map("".join), st.sampled_from(["", "\ufeff"]), st.booleans())
def test_whatever_stands_there_keeps_every_line_of_its_own(text, mark, cut):
    """Refused, or as it was but for the lines that were learned."""
    text = text[:-1] if cut else text
    lessons = [HOOK, Lesson("keypad", "rows", (6, 5))]
    found = with_lessons(mark + text, lessons)
    if found is None:
        return
    assert found.startswith(mark)
    learned = {lesson.line for lesson in lessons} | {"", "[board.hook]", "[board.keypad]"}
    left = found.removeprefix(mark).split("\n")
    for line in text.split("\n"):
        if "lifted" in line and line not in left:
            continue  # it is the one that was changed
        whole = line if line in left else f"{line}\r"
        assert whole in left, line
        left.remove(whole)
    changed = [line for line in left if line.rstrip("\r") not in learned]
    assert len(changed) <= 1, changed
    board = tomllib.loads(found.removeprefix(mark))["board"]
    assert board["hook"]["lifted"] == "closed"
    assert board["keypad"]["rows"] == [6, 5]
    assert with_lessons(found, lessons) == found
