"""What no offer can hold on this machine."""

from firmware.base.values import replace
from firmware.codec import CODECS
from firmware.config.machine import missing_codecs


def _broken():
    raise ImportError("libg722.so.0")


def test_codecs_that_load_are_not_mentioned():
    assert list(missing_codecs(("g722", "pcmu", "pcma"))) == []


def test_a_codec_without_its_library_names_the_package(monkeypatch):
    monkeypatch.setitem(CODECS, "g722", replace(CODECS["g722"], loader=_broken))

    (found,) = missing_codecs(("g722", "pcmu"))

    assert (found.text, found.args) == ("note_codec", (("name", "g722"), ("package", "G722")))
