"""`deskphone board cards`, on a machine whose cards are made of files."""

import sys
import tomllib

import pytest

from firmware.bootstrap import machine, sound_cards
from firmware.cli import main
from firmware.config.schema import AudioSettings, BoardSettings, TalkPathSettings
from hal.boards import card_facts
from hal.boards.loader import load_board
from hal.card_spec import CardSpec, Control
from hal.sound import present
from tests.support.card_tree import plug
from tests.support.fake_mixer import FakeMixers, output, switch


@pytest.fixture
def cards(tmp_path, monkeypatch):
    """Plugs cards into the machine of this test."""
    there = present.present_cards
    monkeypatch.setattr(sound_cards, "present_cards", lambda: there(str(tmp_path)))
    absent, missing = card_facts.absent, card_facts.no_such_card
    monkeypatch.setattr(card_facts, "absent", lambda device: absent(device, str(tmp_path)))
    monkeypatch.setattr(card_facts, "no_such_card", lambda device: missing(device, str(tmp_path)))
    knobs = {"Headphone": output(64), 'Say "hi"': switch()}
    monkeypatch.setitem(sys.modules, "alsaaudio", FakeMixers(Device=knobs))
    return lambda *card: plug(tmp_path, *card)


def test_every_card_is_listed_with_its_names(cards, capsys):
    cards(0, "Headphones", "", "bcm2835_headpho - bcm2835 Headphones")
    cards(1, "Device", "1-1.2", "USB-Audio - USB Audio Device")

    assert main(["board", "cards"]) == 0
    assert capsys.readouterr().out == (
        "id:Headphones  -          bcm2835_headpho - bcm2835 Headphones\n"
        "id:Device      usb:1-1.2  USB-Audio - USB Audio Device\n"
    )


def test_a_machine_without_cards_says_so(cards, capsys):
    assert main(["board", "cards"]) == 1
    assert capsys.readouterr().err == "deskphone: this machine has no sound card\n"


@pytest.mark.parametrize("name", ["id:Device", "Device"])
def test_a_mixer_is_printed_so_that_it_can_stand_in_the_settings(cards, capsys, name):
    cards(1, "Device", "1-1.2")
    assert main(["board", "cards", name]) == 0
    board = tomllib.loads(capsys.readouterr().out)["board"]
    assert board == {"mixer": {"id:Device": {"Headphone": 50, 'Say "hi"': False}}}
    assert load_board("rotary", board).mixers["id:Device"][-1] == Control('Say "hi"', value=False)


def test_a_card_that_is_not_there_is_told_with_those_that_are(cards, capsys):
    cards(1, "Device", "1-1.2")
    assert main(["board", "cards", "usb:1-1.4"]) == 1
    assert capsys.readouterr().err == (
        "deskphone: card usb:1-1.4: there is no such card; there is id:Device (usb:1-1.2)\n"
    )


def test_a_card_whose_mixer_cannot_be_had_says_why(cards, capsys):
    cards(1, "Other", "1-1.4")
    assert main(["board", "cards", "id:Other"]) == 1
    assert "card id:Other: its mixer cannot be had" in capsys.readouterr().err


def test_a_word_that_is_no_card_is_told_with_the_cards_there_are(cards, capsys):
    cards(1, "Device", "1-1.2")
    assert main(["board", "cards", "Devise"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("deskphone: card Devise: its mixer cannot be had")
    assert said.endswith("; there is id:Device (usb:1-1.2)\n")


def test_a_check_names_each_card_that_is_not_there_once(cards):
    cards(1, "Device", "1-1.2")
    board, audio = BoardSettings("keypad"), AudioSettings()
    assert machine.cards_absent(audio, board) == {}
    assert machine.cards_absent(AudioSettings(card="null"), BoardSettings("wm8960")) == {}
    absent = machine.cards_absent(audio, BoardSettings("wm8960"))
    assert list(absent) == ["board.name"]
    assert absent["board.name"].startswith("card id:wm8960soundcard: there is no such card; ")
    handset = AudioSettings(handset=TalkPathSettings(card="usb:1-1.3"))
    assert list(machine.cards_absent(handset, board)) == ["audio.handset.card"]


def test_a_check_names_controls_of_cards_that_nothing_comes_from():
    mixer = {"id:Device": {"PCM": 80}, "id:Devise": {"PCM": 80}, "usb:1-1.2": {"PCM": 80}}
    board = BoardSettings("keypad", mixer=mixer)
    audio = AudioSettings(handset=TalkPathSettings(card="usb:1-1.2,DEV=0"))
    assert machine.idle_mixers(audio, board) == ["id:Devise"]


def test_only_cards_of_alsa_have_a_mixer():
    controls = (Control("PCM", 80),)
    assert card_facts.check_mixer(CardSpec("null", mixer=controls)) == ()
    assert card_facts.absence(CardSpec("null", "id:Nowhere")) == ""
