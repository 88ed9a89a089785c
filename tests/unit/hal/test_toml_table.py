import tomllib

import pytest

from hal.toml_table import Table, nearest, shown


@pytest.fixture
def read():
    """A table from TOML text."""

    def parse(text):
        return Table(tomllib.loads(text), (), [])

    return parse


@pytest.mark.parametrize(
    ("text", "ask", "complaint"),
    [
        ("a = 1", lambda t: t.text("a"), "a: 1 is not a text in quotes"),
        ("a = 'x'", lambda t: t.text("a", None, ("z", "y")), "a: 'x' is not one of y, z"),
        ("", lambda t: t.text("a"), "a: is missing"),
        ("a = 9", lambda t: t.integer("a", 1, 0, 5), "a: 9 is not a whole number from 0 to 5"),
        ("a = true", lambda t: t.integer("a", 1, 0, 5), "a: True is not a whole number"),
        ("a = 1.5", lambda t: t.integer("a", 1, 0, 5), "a: 1.5 is not a whole number"),
        ("", lambda t: t.integer("a", None, 0, 5), "a: is missing"),
        ("a = 1", lambda t: t.flag("a", default=False), "a: 1 is not true or false"),
        ("a = 1", lambda t: t.integers("a", 0, 5), "a: 1 is not a list"),
        ("a = [1, 9]", lambda t: t.integers("a", 0, 5), "a: 9 is not a whole number from 0 to 5"),
        ("", lambda t: t.integers("a", 0, 5), "a: is missing"),
        ("a = [1]", lambda t: t.texts("a"), "a: [1] is not a list of texts"),
        ("a = ['1']", lambda t: t.grid("a"), "a: must be rows of key names"),
        ("a = [128]", lambda t: t.size("a", required=True), "a: must be [width, height]"),
        ("a = [128, 60]", lambda t: t.size("a", required=True), "a: must be [width, height]"),
        ("", lambda t: t.size("a", required=True), "a: is missing"),
        ("a = 1", lambda t: t.table("a"), "a: must be a table, like [a]"),
        ("a = 1", lambda t: t.table("a", "a.b"), "a: must be a table, like [a.b]"),
        ("a = 1.5", lambda t: t.plain("a"), "a: 1.5 is neither true nor false nor a whole number"),
    ],
)
def test_a_wrong_value_is_noted_once_with_its_key(read, text, ask, complaint):
    table = read(text)
    ask(table)
    assert len(table.problems) == 1
    assert str(table.problems[0]).startswith(complaint)


def test_right_values_are_read_without_a_word(read):
    table = read(
        "t = 'x'\nn = 3\nf = true\nl = [1, 2]\ns = ['a']\ng = [['a'], ['b']]\nd = [128, 32]"
    )
    assert table.text("t") == "x"
    assert table.integer("n", None, 0, 5) == 3
    assert table.flag("f", default=False)
    assert table.integers("l", 0, 5) == (1, 2)
    assert table.texts("s") == ("a",)
    assert table.grid("g") == (("a",), ("b",))
    assert table.size("d", required=True) == (128, 32)
    table.finish()
    assert table.problems == []


def test_what_is_not_there_has_its_default(read):
    table = read("")
    assert table.text("t", "d") == "d"
    assert table.integer("n", 4, 0, 5) == 4
    assert table.flag("f", default=True)
    assert table.texts("s", ("x",)) == ("x",)
    assert table.size("d", required=False) is None
    assert table.table("t2") is None
    assert table.problems == []


def test_a_key_below_a_table_has_its_full_name(read):
    table = read("[a.b]\nc = 1")
    table.table("a").table("b").text("c")
    assert [str(each) for each in table.problems] == ["a.b.c: 1 is not a text in quotes"]


def test_an_unknown_key_is_named_with_the_nearest_one(read):
    table = read("colums = 1\nzzz = 2")
    table.integer("columns", 0, 0, 9)
    table.finish()
    assert [str(each) for each in table.problems] == [
        "colums: there is no such key; is it columns?",
        "zzz: there is no such key",
    ]


def test_what_nobody_can_show_is_not_shown():
    deep: object = 1
    for _ in range(3000):
        deep = {"a": deep}
    assert shown(10**5000) == "what stands there"
    assert shown(deep) in ("what stands there", "{'a': " * 13 + "{'…")


def test_the_nearest_word_may_be_none():
    assert nearest("hold", ["holt", "up"]) == "holt"
    assert nearest("hold", ["x"]) == ""


def test_a_part_is_read_to_its_last_key(read):
    def hook(table, least):
        return max(least, table.integer("pin", None, 0, 27))

    table = read("[hook]\npin = 4\npine = 5")
    assert (table.part("hook", hook, 0), table.part("hook", hook, 9)) == (4, 9)
    assert table.part("rotary", hook, 0) is None
    assert str(table.problems[0]) == "hook.pine: there is no such key; is it pin?"


def test_a_part_that_is_no_table_is_told_and_not_read(read):
    table = read("hook = 4")
    assert table.part("hook", Table.finish) is None
    assert [str(problem) for problem in table.problems] == ["hook: must be a table, like [hook]"]
