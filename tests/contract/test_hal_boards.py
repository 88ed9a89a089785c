"""What the phone expects of every board file that comes with it."""

import queue

import pytest

from hal.boards.cards import open_card
from hal.boards.loader import board_names, load_board
from hal.boards.opening import open_board
from hal.card_spec import PATHS
from hal.errors import DeviceError
from hal.events import DeviceFailed
from hal.keys import Key

DIGITS = {key for key in Key if key.digit and key.digit.isdigit()}


@pytest.fixture(params=board_names())
def spec(request):
    return load_board(request.param)


def test_it_is_named_like_its_file_and_says_what_it_is(spec):
    assert spec.file.endswith(f"/{spec.name}.toml")
    assert len(spec.title) > 10


def test_every_board_can_ring(spec):
    assert spec.rings


def test_every_digit_can_be_dialled(spec):
    assert spec.serial is not None or spec.keys >= DIGITS


def test_a_handset_can_be_lifted_and_heard(spec):
    assert spec.has_hook
    assert "handset" in spec.cards
    assert set(spec.cards) <= set(PATHS)


def test_it_can_ring_somewhere(spec):
    bell = spec.ringer is not None or (spec.panel is not None and spec.panel.bell)
    assert bell or "ringer" in spec.cards


def test_real_hardware_is_named_by_stable_id_and_never_by_index(spec):
    for card in spec.cards.values():
        assert card.kind != "alsa" or card.device.startswith("id:")


def test_it_opens_with_whatever_is_there_and_says_in_words_what_is_not(spec):
    told = queue.SimpleQueue()
    board = open_board(spec, told.put)
    if spec.panel is None:
        failed = told.get(timeout=10)
        assert isinstance(failed, DeviceFailed)
        assert len(failed.reason) > 10
    board.close()


def test_its_cards_open_or_say_why_not(spec):
    for card in spec.cards.values():
        if card.kind == "alsa":
            with pytest.raises(DeviceError, match=f"card {card.device}: "):
                open_card(card, (), 16_000)
        else:
            open_card(card, (), 16_000).close()
