import importlib

import pytest

from hal.board import CardSpec
from hal.boards.cards import open_card
from hal.errors import DeviceError


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (
            "No module named 'alsaaudio'",
            (
                "alsaaudio is missing"
                " (apt install python3-alsaaudio; in a venv pip install pyalsaaudio)"
            ),
        ),
        (
            "libasound.so.2: cannot open shared object file: No such file or directory",
            "libasound.so.2 is missing (apt install libasound2)",
        ),
    ],
)
def test_what_alsa_lacks_is_named_with_its_debian_package(monkeypatch, error, advice):
    def fail(name):
        raise ImportError(error)

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(DeviceError) as caught:
        open_card(CardSpec("alsa", "tape"), (), 16_000)
    assert str(caught.value) == f"card tape: {advice}"
