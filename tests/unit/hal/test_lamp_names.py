def test_a_lamp_that_nothing_ever_lights_is_told_with_the_nearest(complaints):
    port = 'port = "/dev/ttyUSB0"\n'
    assert complaints("[lamps]\nmesage = { pin = 4 }\nline_0 = { pin = 5 }") == [
        "lamps.mesage: there is no lamp 'mesage'; is it 'message'?",
        "lamps.line_0: there is no lamp 'line_0'; is it 'line_1'?",
    ]
    assert complaints(f'[serial]\n{port}lamps = ["mute", "disco"]') == [
        (
            "serial.lamps: there is no lamp 'disco'; there are message, ring, mute, hold, speaker, "
            "headset, dnd, line_1 …"
        )
    ]
    assert complaints('[usb.lamps]\nmail = "LED_MAIL"')[0].startswith("usb.lamps.mail: there is no")
