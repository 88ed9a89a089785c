def test_a_panel_that_no_driver_knows_is_refused_with_those_that_there_are(complaints):
    text = '[display]\nchip = "sh1106"\nsize = [96, 16]\n'
    assert complaints(text) == ["display.size: a sh1106 has 128×64, 128×32, 128×128"]


def test_a_chip_without_i2c_is_asked_for_by_spi(complaints):
    text = '[display]\nchip = "ssd1322"\nsize = [256, 64]\n'
    assert complaints(text) == ['display.bus: a ssd1322 has no I²C; bus = "spi"']
