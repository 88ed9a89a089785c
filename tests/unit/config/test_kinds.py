"""Kinds of value: what they take, what they answer to the rest."""

import datetime as dt

import pytest

from firmware.config.kinds import nearest, shown, type_words
from firmware.config.problems import Wrong
from firmware.config.table import SETTINGS
from firmware.ui.text import Texts

TEXTS = Texts.load()

VALUES = [
    "", "text", "x" * 5000, "a\nb", "\u2028", "é", 0, -1, 1, 10**30, 10**5000, 1.5, float("nan"),
    float("inf"), True, False, [], [1], ["a"], [[]], ["a", "a"], [1, 2], {}, {"a": 1},
    dt.date(2024, 1, 1), dt.time(1, 2),
]  # fmt: skip


@pytest.mark.parametrize("key", SETTINGS)
def test_every_kind_answers_to_every_value(key):
    for value in VALUES:
        verdict = SETTINGS[key].kind.judge(value)
        assert verdict is not None
        if isinstance(verdict, Wrong):
            assert "{" not in TEXTS.phrase(verdict.phrase).replace("{…}", "")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("abc", '"abc"'),
        (True, "true"),
        ("x" * 100, '"' + "x" * 38 + "…"),
        ("a\x1b[31mb", '"a?[31mb"'),
        pytest.param(10**5000, "…", id="very long"),
        (["a"], "[…]"),
        ({"a": 1}, "{…}"),
        ([], "[]"),
    ],
)
def test_a_value_is_quoted_short_and_on_one_line(value, words):
    assert shown(value) == words


def test_types_have_names_for_people():
    assert TEXTS.phrase(type_words(dt.date(2024, 1, 1))) == "a date or time"
    assert TEXTS.phrase(type_words(True)) == "true or false"  # noqa: FBT003 - the value is the point


@pytest.mark.parametrize(
    ("name", "near"),
    [("contry", "country"), ("Country", "country"), ("max-calls", "max_calls"), ("zzz", "")],
)
def test_the_nearest_name_is_found(name, near):
    assert nearest(name, ["country", "max_calls", "language"]) == near
