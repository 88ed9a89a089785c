"""The cards of a machine, read from made trees of the kernel's files."""

import pytest

from hal.errors import DeviceError
from hal.sound.alsa_pcm import absent, no_such_card, pcm_name
from hal.sound.present import PresentCard, card_at, present_cards, there_are
from tests.support.card_tree import plug, unplug


@pytest.fixture
def desk(tmp_path):
    """The sound of a Pi's own, and two equal USB cards."""
    plug(tmp_path, 0, "Headphones", title="bcm2835_headpho - bcm2835 Headphones")
    plug(tmp_path, 1, "Device", "1-1.2", title="USB-Audio - USB Audio Device")
    plug(tmp_path, 2, "Device_1", "1-1.4", title="USB-Audio - USB Audio Device")
    return tmp_path


def test_every_card_has_its_id_its_port_and_what_it_calls_itself(desk):
    assert present_cards(str(desk)) == [
        PresentCard(0, "Headphones", "", "bcm2835_headpho - bcm2835 Headphones"),
        PresentCard(1, "Device", "1-1.2", "USB-Audio - USB Audio Device"),
        PresentCard(2, "Device_1", "1-1.4", "USB-Audio - USB Audio Device"),
    ]


def test_two_equal_cards_are_told_apart_by_their_ports(desk):
    assert pcm_name("usb:1-1.2", str(desk)) == "hw:CARD=Device"
    assert pcm_name("usb:1-1.4", str(desk)) == "hw:CARD=Device_1"


def test_a_port_stays_when_the_ids_change_places(tmp_path):
    plug(tmp_path, 0, "Device_1", "1-1.2")
    plug(tmp_path, 1, "Device", "1-1.4")
    assert pcm_name("usb:1-1.2", str(tmp_path)) == "hw:CARD=Device_1"
    assert pcm_name("usb:1-1.4,DEV=1", str(tmp_path)) == "hw:CARD=Device,DEV=1"


@pytest.mark.parametrize("port", ["1-1", "1-1.3", "1-1.2.1", "2-1.2", "", "usb1"])
def test_a_hub_on_the_way_is_not_the_port_of_the_card(desk, port):
    assert card_at(port, str(desk)) == ""


def test_a_card_that_is_not_there_is_told_with_those_that_are(desk):
    with pytest.raises(DeviceError) as caught:
        pcm_name("usb:1-1.3", str(desk))
    assert str(caught.value) == (
        "card usb:1-1.3: there is no such card; "
        "there are id:Headphones, id:Device (usb:1-1.2), id:Device_1 (usb:1-1.4)"
    )
    unplug(desk, 0)
    unplug(desk, 2)
    found = str(no_such_card("id:Handset", str(desk)))
    assert found.endswith("there is no such card; there is id:Device (usb:1-1.2)")


def test_a_machine_without_cards_says_so(tmp_path):
    assert present_cards(str(tmp_path)) == []
    assert there_are(str(tmp_path)) == "this machine has none"


def test_f33_a_card_that_was_pulled_out_of_its_port_is_missed_and_found_again(desk):
    assert not absent("usb:1-1.2", str(desk))
    assert not absent("usb:1-1.2,DEV=1", str(desk))
    unplug(desk, 1)
    assert absent("usb:1-1.2", str(desk))
    plug(desk / "again", 0, "x")  # another tree is no concern of this one
    assert absent("usb:1-1.2", str(desk))


def test_a_card_that_vanishes_while_it_is_looked_at_is_left_out(desk):
    (desk / "sys/class/sound/card1/id").unlink()
    assert [card.number for card in present_cards(str(desk))] == [0, 2]
    (desk / "sys/class/sound/card9").symlink_to(desk / "nowhere")
    assert [card.number for card in present_cards(str(desk))] == [0, 2]
