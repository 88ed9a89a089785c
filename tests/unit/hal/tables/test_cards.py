from hal.board import CardSpec


def test_every_path_may_have_a_card_and_a_card_its_controls(load):
    board = load(
        '[mixer."id:w"]\nSpeaker = 80\n'
        '[cards]\nhandset = { device = "id:w,DEV=1" }\nringer = { kind = "null" }\n'
    )
    assert board.cards == {
        "handset": CardSpec("alsa", "id:w,DEV=1", mixer=board.mixers["id:w"]),
        "ringer": CardSpec("null"),
    }
    assert [control.name for control in board.cards["handset"].mixer] == ["Speaker"]


def test_a_card_of_alsa_is_named_and_others_need_no_name(complaints):
    assert complaints("[cards]\nhandset = {}\nringer = { kind = 'file' }") == [
        "cards.handset.device: is missing"
    ]


def test_a_bus_that_no_card_hangs_on_is_told(complaints):
    assert complaints('[cards.handset]\ndevice = "id:w"\nbus = "spi"') == [
        "cards.handset.bus: 'spi' is not one of i2s, i2s+i2c, usb"
    ]
