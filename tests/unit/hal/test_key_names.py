import pytest

from hal.key_names import key_of
from hal.keys import Key
from hal.toml_table import Table


@pytest.mark.parametrize(("name", "key"), [("hold", Key.HOLD), ("1", Key.DIGIT_1)])
def test_a_key_has_its_name(name, key):
    table = Table({}, ("keypad",), [])
    assert key_of(name, table, "keys") is key
    assert table.problems == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("holt", "keypad.keys: there is no key 'holt'; is it 'hold'?"),
        ("xyzzy", "keypad.keys: there is no key 'xyzzy'"),
    ],
)
def test_a_name_that_no_key_has_is_told_with_the_nearest(name, said):
    table = Table({}, ("keypad",), [])
    assert key_of(name, table, "keys") is None
    assert [str(problem) for problem in table.problems] == [said]
