import pytest

KEYPAD = """
[keypad]
rows = [5, 6]
columns = [12, 16]
keys = [["1", "2"], ["", "hold"]]
[hook]
pin = 17
"""


def test_a_pin_that_two_want_names_both(complaints):
    assert complaints(KEYPAD.replace("pin = 17", "pin = 6")) == [
        "hook.pin: hook.pin and keypad.rows[1] both use GPIO 6; give one another pin"
    ]


def test_a_pin_of_a_bus_is_taken_by_the_bus(complaints):
    text = KEYPAD.replace("pin = 17", "pin = 2") + '[display]\nchip = "ssd1306"\nsize = [128, 64]\n'
    assert complaints(text) == [
        "display.bus: the I²C data line and hook.pin both use GPIO 2; give one another pin"
    ]


def test_the_codec_on_the_header_takes_its_pins_too(complaints):
    text = KEYPAD.replace("[5, 6]", "[5, 19]") + '[cards.handset]\ndevice = "id:x"\nbus = "i2s"\n'
    (line,) = complaints(text)
    assert line.startswith("cards.handset.bus: the I²S frame line and keypad.rows[1] both use")


def test_devices_may_share_a_bus(load):
    load(
        '[display]\nchip = "ssd1306"\nsize = [128, 64]\n'
        '[cards]\nhandset = { device = "id:w", bus = "i2s+i2c" }\n'
        'speaker = { device = "id:w", bus = "i2s+i2c" }\n'
    )


SPI = 'chip = "sh1106"\nsize = [128, 64]\nbus = "spi"\ndata_command = 25\n'
I2C = 'chip = "ssd1306"\nsize = [128, 64]\n'


@pytest.mark.parametrize(
    ("display", "pin", "line"),
    [
        (SPI, 8, "the SPI select 0 line"),
        (SPI + "device = 1\n", 7, "the SPI select 1 line"),
        (SPI + "device = 1\n", 8, "the SPI select 0 line"),
        (SPI + "port = 1\n", 18, "the SPI select 0 line"),
        (SPI + "port = 1\ndevice = 2\n", 16, "the SPI select 2 line"),
        (SPI + "port = 1\n", 20, "the SPI 1 out line"),
        (I2C + "port = 0\n", 1, "the I²C 0 clock line"),
    ],
)
def test_a_bus_takes_the_pins_of_its_number(complaints, display, pin, line):
    (said,) = complaints(f"[hook]\npin = {pin}\n[display]\n{display}")
    assert f"{line} and hook.pin both use GPIO {pin}" in said


@pytest.mark.parametrize(
    ("display", "pin"), [(SPI, 7), (SPI + "port = 1\n", 8), (I2C + "port = 3\n", 2), (I2C, 0)]
)
def test_a_pin_that_a_bus_leaves_may_be_used(load, display, pin):
    load(f"[hook]\npin = {pin}\n[display]\n{display}")


def test_an_spi_bus_has_so_many_devices(complaints):
    assert complaints(f"[display]\n{SPI}device = 2\n") == [
        "display.device: SPI bus 0 has 2 chip selects, from 0"
    ]
