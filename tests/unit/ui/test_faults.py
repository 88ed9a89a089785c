"""Faults of a configuration in words."""

from firmware.config import Problem, examine
from firmware.ui.faults import say, say_all
from firmware.ui.text import Texts

ENGLISH = Texts.load()


def test_a_fault_has_its_place_before_the_words():
    fault = Problem("f", 3, "web.port", "out_of_range", (("got", "7"), ("low", "1"), ("high", "2")))

    assert say(fault, ENGLISH) == (
        "f:3: web.port: 7 is out of range, write a whole number from 1 to 2"
    )


def test_a_fault_of_the_whole_file_has_no_line_and_no_key():
    fault = Problem("f", 0, "", "too_deep")

    assert say(fault, ENGLISH).startswith("f: brackets are nested too deeply")


def test_what_stands_in_a_sentence_is_in_its_language_too():
    texts = Texts("xx", {"config.bad_form": "{got} : non, {right}", "form.country": "deux lettres"})
    (fault,) = examine('[phone]\ncountry = "us"', "f").problems

    assert say(fault, texts) == 'f:2: phone.country: "us" : non, deux lettres'


def test_all_faults_stand_one_a_line():
    found = examine("[web]\nport = -1\nprot = 1\n", "f")

    assert [row.partition(" ")[0] for row in say_all(found.problems, ENGLISH).splitlines()] == [
        "f:2:",
        "f:3:",
    ]


def test_a23_a_name_with_a_line_end_or_the_orders_of_a_terminal_stays_in_its_line():
    device = "hw:0\nf:9: all is well\x1b[2J\u2028"
    note = Problem("f", 3, "board.mixer", "note_mixer", (("device", device),))
    said = say(note, ENGLISH)
    assert said.isprintable()
    assert "hw:0?f:9: all is well?[2J?" in said
