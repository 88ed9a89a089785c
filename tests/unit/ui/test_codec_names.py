import pytest

from firmware.ui.codec_names import codec_name


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("opus", "Opus"), ("G722", "G.722"), ("PCMU", "G.711 µ"), ("pcma", "G.711 A"), ("L16", "L16")],
)
def test_a_codec_has_its_usual_name(encoding, name):
    assert codec_name(encoding) == name
