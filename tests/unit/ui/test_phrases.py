"""Every phrase that the code makes has words with these places, and no words are left over.

The screens' and the page's own texts are looked after in test_texts.py.
"""

import ast
from pathlib import Path

import pytest

import firmware
from firmware.base.phrase import Phrase, phrase
from firmware.config.table import SETTINGS, Applies
from firmware.sip.notifications import RegistrationState
from firmware.ui.text import Texts, languages
from tests.support.texts import OFF_SCREEN

ROOM = Path(firmware.__file__).parent
MAKERS = {"phrase": 0, "Phrase": 0, "Wrong": 0, "wrong": 0, "note": 1, "Problem": 3, "Form": 1}
"""Functions that make a phrase, and which argument is the id."""
VERDICTS = ("Wrong", "wrong", "note", "Problem")
"""Those that leave out `config.`."""
ALWAYS = {"wrong": {"got", "type"}}
"""Arguments that a maker adds by itself."""
COMPUTED = {
    "setting.": list(SETTINGS),
    "applies.": [when.value for when in Applies],
    "log.line_": [state.value for state in RegistrationState],
    "config.": [],
}
"""Ids put together from a fixed beginning and a value; a verdict's value is found by itself."""


def sources():
    for file in sorted(ROOM.rglob("*.py")):
        yield file.relative_to(ROOM), ast.parse(file.read_text("utf-8"))


def calls():
    """(name, call, where) of every call in the program."""
    for file, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                yield name, node, f"{file}:{node.lineno}"


def made():
    """(id, argument names or None if only the run can tell, where)."""
    for name, node, where in calls():
        if name in MAKERS and len(node.args) > MAKERS[name]:
            given = node.args[MAKERS[name]]
            for literal in ast.walk(given):
                if isinstance(literal, ast.Constant) and isinstance(literal.value, str):
                    begin = "config." if name in VERDICTS else ""
                    yield begin + literal.value, arguments(name, node), where


def arguments(name, node):
    if any(keyword.arg is None for keyword in node.keywords):
        return None
    if name in ("phrase", "wrong", "note"):
        return {keyword.arg for keyword in node.keywords} | ALWAYS.get(name, set())
    rest = node.args[MAKERS[name] + 1 :]
    if not rest:
        return set() if name in ("Phrase", "Wrong", "Problem") else None
    pairs = getattr(rest[0], "elts", None)
    if pairs is None or not all(isinstance(pair, ast.Tuple) for pair in pairs):
        return None
    return {pair.elts[0].value for pair in pairs}


MADE = list(made())


def ids(text_id):
    return [text_id + end for end in COMPUTED.get(text_id, [""])]


def test_the_search_finds_what_there_is():
    found = {text_id for text_id, _, _ in MADE}
    assert {"config.bad_form", "form.server", "log.audio_gone", "kind.choice"} <= found


@pytest.mark.parametrize("language", languages())
def test_every_phrase_has_words_that_use_only_its_arguments(language):
    texts = Texts.load(language)
    for begin, arguments, where in MADE:
        for text_id in ids(begin):
            assert text_id in texts, f"{where}: {text_id} is missing"
            if arguments is not None:
                assert texts.places(text_id) <= arguments, f"{where}: {text_id}"


def test_a_phrase_without_words_would_be_found():
    texts = Texts.load()
    assert "log.no_such_thing" not in texts
    assert all(text_id.startswith(OFF_SCREEN) for begin, _, _ in MADE for text_id in ids(begin))


def test_no_words_are_left_over():
    literals = {
        node.value
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    used = {text_id for begin, _, _ in MADE for text_id in ids(begin)} | literals
    # A verdict's id may be chosen a line above: then it is a literal somewhere.
    used |= {f"config.{literal}" for literal in literals}
    for begin, ends in COMPUTED.items():
        used |= {begin + end for end in ends}

    assert [t for t in Texts.load() if t.startswith(OFF_SCREEN) and t not in used] == []


def test_a_phrase_within_a_phrase_is_said_too():
    texts = Texts("en", {"outer": "Write {what}!", "inner": "a number from {low}"})

    assert texts.phrase(phrase("outer", what=phrase("inner", low=3))) == "Write a number from 3!"


def test_an_argument_that_looks_like_a_place_is_left_as_it_is():
    texts = Texts("en", {"outer": "{a} {b}"})

    assert texts.phrase(phrase("outer", a="{b}", b="x")) == "{b} x"


def test_a_phrase_that_nobody_says_still_tells_what_it_is():
    assert str(phrase("log.addresses", addresses="::1")) == "log.addresses addresses=::1"
    assert str(Phrase("log.slow_disk")) == "log.slow_disk"
