"""The copy of the last good configuration."""

import pytest

from firmware.config import parse
from firmware.storage.last_good import LastGood

GOOD = '[phone]\ncountry = "DE"\n'


def test_what_was_good_is_there_when_the_file_is_not(tmp_path):
    config = tmp_path / "deskphone.toml"
    config.write_text(GOOD)
    last = LastGood.of(config, tmp_path / "state")

    assert last.keep()
    config.write_text("rubbish = [")

    assert last.settings().phone.country == "DE"


def test_the_same_content_is_not_written_again(tmp_path):
    config = tmp_path / "deskphone.toml"
    config.write_text(GOOD)
    last = LastGood.of(config, tmp_path / "state")

    assert [last.keep(), last.keep()] == [True, False]
    config.write_text(GOOD.replace("DE", "FR"))
    assert last.keep()


def test_without_a_copy_there_are_no_settings(tmp_path):
    assert LastGood.of(tmp_path / "deskphone.toml", tmp_path / "state").settings() is None


def test_a_copy_that_a_newer_version_would_refuse_is_not_used(tmp_path):
    config = tmp_path / "deskphone.toml"
    config.write_text("[phone]\nretired_key = 1\n")
    last = LastGood.of(config, tmp_path / "state")
    last.keep()

    assert last.settings() is None


def test_the_copy_is_private_and_lies_where_it_was_told(tmp_path):
    config, state = tmp_path / "deskphone.toml", tmp_path / "state"
    state.mkdir()
    config.write_text(GOOD)

    LastGood.of(config, state).keep()

    assert (state / "deskphone.toml.good").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("half", ['[phone]\ncountry = "F', "", GOOD.replace("DE", "IT")])
def test_f01_a_file_that_somebody_writes_just_now_does_not_replace_the_good_copy(tmp_path, half):
    """It was read whole, found good, and then an editor emptied it to write it anew."""
    config = tmp_path / "deskphone.toml"
    config.write_text(GOOD)
    last = LastGood.of(config, tmp_path / "state")
    assert last.keep(read=parse(GOOD))
    newer = GOOD.replace("DE", "FR")
    config.write_text(half)

    assert not last.keep(read=parse(newer))
    assert last.settings().phone.country == "DE"
    config.write_text(newer)
    assert last.keep(read=parse(newer))
    assert last.settings().phone.country == "FR"
