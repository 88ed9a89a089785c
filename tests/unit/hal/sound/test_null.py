from hal.sound.null import NullCard


def test_its_microphone_hears_silence_when_open():
    card = NullCard(16_000)
    card.set_capture(True)
    assert card.read() == bytes(640)


def test_it_counts_what_nobody_hears():
    card = NullCard(8_000)
    for _ in range(7):
        card.write(bytes(320))
    assert card.heard == 7
