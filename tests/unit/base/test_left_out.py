"""Modules that are missing for a moment."""

import importlib
import sys

import pytest

from firmware.base.left_out import left_out

RARE = "this"  # a module of the standard library that nothing of ours loads


@pytest.fixture(autouse=True)
def unloaded(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, RARE, raising=False)


def test_what_is_left_out_cannot_be_imported_meanwhile_and_can_later():
    with left_out(RARE), pytest.raises(ImportError):
        importlib.import_module(RARE)
    assert RARE not in sys.modules
    assert importlib.import_module(RARE).d


def test_what_is_loaded_already_stays():
    known = importlib.import_module(RARE)
    with left_out(RARE):
        assert importlib.import_module(RARE) is known
    assert sys.modules[RARE] is known


def test_a_failed_import_leaves_nothing_behind():
    with pytest.raises(ZeroDivisionError), left_out(RARE):
        raise ZeroDivisionError
    assert RARE not in sys.modules
