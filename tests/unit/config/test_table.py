"""The table and the settings tree say the same; every sentence is there."""

import pytest

from firmware.codec import CODECS as BUILT
from firmware.config.kinds import Whole
from firmware.config.problems import Wrong
from firmware.config.schema import Settings
from firmware.config.table import CODECS, SETTINGS, schema_keys
from firmware.ui.text import Texts


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
        "network.wifi.password",
    }


def test_the_codecs_are_those_of_the_codec_table():
    assert set(CODECS) == set(BUILT)
    assert Settings().audio.codecs == CODECS
