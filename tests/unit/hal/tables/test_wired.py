import pytest

from hal.board_spec import RingerSpec


def test_a_keypad_has_a_name_for_every_crossing(complaints):
    pins = "[keypad]\nrows = [5, 6]\ncolumns = [12, 16]\n"
    assert complaints(pins + 'keys = [["1", "2"], ["hold"]]') == [
        "keypad.keys: must be 2 rows of 2 names, as many as there are pins"
    ]


@pytest.mark.parametrize("order", ["123", "1234567899", "abcdefghij"])
def test_a_dial_has_ten_digits(complaints, order):
    assert complaints(f'[rotary]\npulse = 4\norder = "{order}"') == [
        "rotary.order: must be the ten digits in the order of their pulses"
    ]


def test_contact_of_a_headset_cannot_be_found_out(complaints):
    assert complaints('[headset]\npin = 4\nplugged = "auto"') == [
        "headset.plugged: 'auto' is not one of closed, open"
    ]


def test_a_bell_swings_no_faster_than_a_clapper_can(complaints, load):
    bell = '[ringer]\nkind = "bell"\npins = [12, 13]\nhertz = '
    assert complaints(bell + "440") == ["ringer.hertz: 440 is not a whole number from 15 to 50"]
    assert load(bell + "20").ringer == RingerSpec("bell", (12, 13), 20)


def test_who_makes_the_tone_of_a_buzzer(complaints, load):
    buzzer = '[ringer]\nkind = "buzzer"\npins = [18]\npwm = '
    assert load(buzzer + '"hardware"').ringer == RingerSpec("buzzer", (18,), 440, "hardware")
    assert load(buzzer.replace("18", "5") + '"pwmchip2/1"').ringer.pwm == "pwmchip2/1"
    assert complaints(buzzer + '"hardwar"') == [
        "ringer.pwm: 'hardwar' is not software, hardware, or like pwmchip2/1"
    ]
    assert complaints(buzzer.replace("18", "5") + '"hardware"') == [
        "ringer.pins: hardware PWM comes out at GPIO 12, 13, 18, 19 alone"
    ]
    assert complaints('[ringer]\nkind = "bell"\npins = [12, 13]\npwm = "hardware"') == [
        "ringer.pwm: a bell has two coils in turn; this is for a buzzer"
    ]
