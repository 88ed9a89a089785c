"""No sentence is missing, none asks for an argument that it is not given, none is unused."""

import ast
import re
from pathlib import Path

import pytest

import firmware.ui
import firmware.web
from firmware.phone.texts import TEXTS
from firmware.ui.text import TextError, Texts, languages
from tests.support.texts import OFF_SCREEN

ROOMS = [Path(room.__file__).parent for room in (firmware.ui, firmware.web)]
COMPUTED = {
    "weekday.": [str(day) for day in range(1, 8)],
    "month.": [str(month) for month in range(1, 13)],
    "line.": ["off", "trying", "failed"],
    "volume.": ["handset", "headset", "speaker", "ringer"],
}
"""Ids that code puts together from a fixed beginning and a value."""
FUNCTION_KEYS = {f"web.{name}" for name in ("mute", "speaker", "headset")}
"""A loop of the page's template says these."""


def spoken():
    """(id, argument names or None, where) of every `say("id", …)` and `SoftKey("id", …)`."""
    for room in ROOMS:
        for file in sorted(room.rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and node.args:
                    yield from spoken_by(node, file.name)


def spoken_by(node, file):
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    first = node.args[0]
    if name not in ("say", "SoftKey"):
        return
    where = f"{file}:{node.lineno}"
    for literal in ast.walk(first):
        if isinstance(literal, ast.Constant) and isinstance(literal.value, str):
            names = {keyword.arg for keyword in node.keywords} if name == "say" else set()
            yield literal.value, names, where


@pytest.mark.parametrize("language", languages())
def test_every_text_of_the_phone_has_words_that_use_only_its_arguments(language):
    texts = Texts.load(language)
    for text_id, arguments in TEXTS.items():
        assert text_id in texts, f"{language}.toml: {text_id} is missing"
        assert texts.places(text_id) <= set(arguments), f"{language}.toml: {text_id}"


def test_every_text_that_the_screens_and_the_page_say_has_words_with_these_arguments():
    texts = Texts.load("en")
    for text_id, arguments, where in spoken():
        ids = [text_id + end for end in COMPUTED[text_id]] if text_id in COMPUTED else [text_id]
        for each in ids:
            assert each in texts, f"{where}: {each} is missing"
            assert texts.places(each) <= arguments, f"{where}: {each}"


def in_files(pattern, expression):
    """(what the expression finds, file) in the page's files."""
    for file in sorted(ROOMS[1].rglob(pattern)):
        for found in re.findall(expression, file.read_text("utf-8")):
            yield found, file.name


def test_every_text_in_the_page_has_words():
    texts = Texts.load("en")
    for text_id, file in in_files("*.html", r'say\("([a-z_.]+)"[,)]'):
        assert text_id in texts, f"{file}: {text_id} is missing"


def test_every_text_of_the_pages_script_has_words():
    texts = Texts.load("en")
    for name, file in in_files("*.js", r'say\("([a-z_]+)"'):
        assert f"web.script.{name}" in texts, f"{file}: {name} is missing"


def test_no_text_of_the_pages_script_is_unused():
    script = "".join(file.read_text("utf-8") for file in ROOMS[1].rglob("*.js"))
    computed = ("microphone_", "speaker_", "lamp_", "quality_")
    for text_id in Texts.load("en"):
        name = text_id.removeprefix("web.script.")
        if name != text_id and not name.startswith(computed):
            assert re.search(rf"\b{name}\b", script), f"{text_id} is unused"


def test_a_computed_id_is_written_with_one_of_the_known_beginnings():
    begins = {text_id for text_id, _, _ in spoken() if text_id.endswith(".")}
    assert begins <= set(COMPUTED)


def test_no_text_is_unused():
    used = set(TEXTS)
    for text_id, _, _ in spoken():
        used |= {text_id + end for end in COMPUTED.get(text_id, [""])}
    # Handed from the line above to `say`: a label or title chosen first.
    sources = "".join(
        file.read_text("utf-8")
        for room in ROOMS
        for pattern in ("*.py", "*.html", "*.js")
        for file in room.rglob(pattern)
    )
    unused = [
        text_id
        for text_id in Texts.load("en")
        if text_id not in used
        and f'"{text_id}"' not in sources
        and not text_id.startswith(("web.script.", "web.help.", *OFF_SCREEN))
        and text_id not in FUNCTION_KEYS
    ]
    assert unused == []


def test_an_argument_fills_its_place():
    texts = Texts("en", {"hello": "Hello {who}, {count} times"})
    assert texts.say("hello", who="Ann", count=3) == "Hello Ann, 3 times"


def test_a_braced_name_from_the_network_is_not_a_place():
    texts = Texts("en", {"hello": "Hello {who}"})
    assert texts.say("hello", who="{where}", where="secret") == "Hello {where}"


def test_an_unknown_id_is_said_as_it_stands_and_a_missing_argument_leaves_its_place():
    texts = Texts("en", {"hello": "Hello {who}"})
    assert texts.say("goodbye") == "goodbye"
    assert texts.say("hello") == "Hello {who}"


def test_a_language_we_do_not_have_is_english():
    assert Texts.load("tlh").language == "en"
    assert Texts.load("../../../etc/passwd").language == "en"


def test_a_stray_brace_is_an_error_that_names_the_text():
    with pytest.raises(TextError, match="xx: hello: a brace"):
        Texts("xx", {"hello": "Hello {Who!r}"})
