import pytest

from hal.keys import Key, key_named


@pytest.mark.parametrize("key", list(Key))
def test_every_key_is_found_by_its_name(key):
    assert key_named(key.value) is key


def test_an_unknown_name_is_no_key():
    assert key_named("bogus") is None


def test_the_twelve_dialling_keys_have_a_digit_and_no_other_key_has():
    assert "".join(key.digit or "" for key in Key) == "0123456789*#"
