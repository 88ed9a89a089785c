from hal.board_spec import Contact, UsbSpec
from hal.keys import Key


def test_a_usb_handset_is_read_as_written(load):
    board = load(
        """
[usb]
vendor = 0x06e6
product = 0xc31c
name = "VoIP*"
hook = "SW_LID"
lifted = "open"
grab = false
[usb.keys]
KEY_1 = "1"
[usb.lamps]
mute = "LED_MUTE"
"""
    )
    assert board.usb == UsbSpec(
        vendor=0x06E6,
        product=0xC31C,
        keys=(("KEY_1", Key.DIGIT_1),),
        hook="SW_LID",
        name="VoIP*",
        lifted=Contact.OPEN,
        lamps=(("mute", "LED_MUTE"),),
        grab=False,
    )


def test_what_cannot_be_an_input_event_is_refused(complaints):
    text = '[usb]\nhook = "phone"\n[usb.keys]\nkey_1 = "1"\n[usb.lamps]\nmute = "MUTE"\n'
    assert complaints(text) == [
        "usb.keys.key_1: 'key_1' is not the name of an input event, like KEY_PHONE",
        "usb.hook: 'phone' is not the name of an input event, like KEY_PHONE",
        "usb.lamps.mute: 'MUTE' is not the name of a lamp, like LED_MUTE",
    ]


def test_a_front_panel_has_pixels_or_letters(load, complaints):
    panel = '[serial]\nport = "/dev/ttyUSB0"\n'
    assert load(panel + "letters = [20, 4]").serial.letters == (20, 4)
    assert load(panel).serial.letters is None
    assert complaints(panel + "letters = [20, 4]\nsize = [128, 64]") == [
        "serial.letters: a display has pixels (size) or letters, not both"
    ]
    assert complaints(panel + "letters = [4, 20]") == [
        "serial.letters: must be [columns, rows], like [20, 4]"
    ]


def test_a_panel_at_the_port_of_the_header_takes_its_pins_by_itself(complaints, load):
    text = "[hook]\npin = 14\n[serial]\nport = "
    (said,) = complaints(text + '"/dev/ttyAMA0"')
    assert "the serial out line and hook.pin both use GPIO 14" in said
    load(text + '"/dev/ttyUSB0"')
    load(text + '"/dev/ttyAMA0"\nheader_pins = false')


def test_the_virtual_phone_has_all_keys_unless_some_are_named(load):
    assert set(load("[panel]").panel.keys) == set(Key)
    assert load('[panel]\nkeys = ["1", "hold"]').panel.keys == (Key.DIGIT_1, Key.HOLD)
