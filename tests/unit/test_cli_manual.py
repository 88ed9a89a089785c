"""The manual is what the table says."""

from pathlib import Path

from firmware.cli_manual import page, toml
from firmware.config.table import SETTINGS

COMMITTED = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_committed_manual_is_the_generated_one():
    assert COMMITTED.read_text(encoding="utf-8") == page(), "run: make docs"


def test_every_setting_is_in_the_manual_once():
    rows = [line for line in page().splitlines() if line.startswith("| `")]

    assert len(rows) == len(SETTINGS)


def test_defaults_are_written_as_a_person_would():
    assert [toml(value) for value in (True, "a", 7, ("a", "b"), (1, 2), ())] == [
        "true",
        '"a"',
        "7",
        '["a", "b"]',
        "[1, 2]",
        "[]",
    ]
