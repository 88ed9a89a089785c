"""The table and the settings tree say the same; every sentence is there."""

import pytest

from firmware.codec import CODECS
from firmware.config.kinds import Whole
from firmware.config.problems import Wrong
from firmware.config.schema import LineSettings, Settings, Table
from firmware.config.table import SETTINGS
from firmware.ui.text import Texts


def schema_keys() -> set[str]:
    """Every key that the settings tree has, by walking it."""
    return keys(Settings(), "") - {"lines"} | keys(LineSettings("", ""), "line.")


def keys(tree: object, prefix: str) -> set[str]:
    found: set[str] = set()
    if not isinstance(tree, Table):
        return found
    for name in tree.__struct_fields__:
        inner = keys(getattr(tree, name), f"{prefix}{name}.")
        found |= inner or {f"{prefix}{name}"}
    return found


def test_every_key_of_the_tree_has_a_row_and_no_row_is_without_key():
    assert schema_keys() == set(SETTINGS)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda setting: setting.key)
def test_defaults_and_examples_are_good_values(setting):
    default = setting.default
    if default is not None:
        value = list(default) if isinstance(default, tuple) else default
        assert not isinstance(setting.kind.judge(value), Wrong)
    texts = Texts.load()
    assert "{" not in texts.phrase(setting.kind.described)
    assert texts.phrase(setting.sentence).endswith(".")


def test_numbers_have_a_unit():
    missing = [key for key, row in SETTINGS.items() if isinstance(row.kind, Whole) and not row.unit]

    assert missing == []


def test_passwords_are_secret():
    assert {key for key, row in SETTINGS.items() if row.secret} == {
        "line.password",
        "line.aka_k",
        "line.aka_op",
        "line.aka_opc",
        "network.turn_password",
        "network.wifi.password",
    }


def test_the_codecs_are_those_of_the_codec_table():
    assert set(Settings().audio.codecs) < set(CODECS)
