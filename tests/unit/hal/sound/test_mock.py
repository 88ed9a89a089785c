import threading

import pytest

from hal.errors import DeviceGoneError
from hal.ports import Pacing
from hal.sound.mock import MockCard

FRAME = b"\x05\x00" * 320


def test_what_is_spoken_is_read_frame_by_frame_and_then_silence():
    card = MockCard(16_000)
    card.set_capture(True)
    card.speak(FRAME + FRAME[:100])
    assert card.read() == FRAME
    assert card.unsaid == 1
    assert card.read() == FRAME[:100] + bytes(540)
    assert card.read() == bytes(640)


def test_a_script_waits_for_the_microphone_to_open():
    card = MockCard(16_000)
    card.speak(FRAME)
    assert card.read() == b""
    card.set_capture(True)
    assert card.read() == FRAME


def test_what_was_played_is_remembered_in_order():
    card = MockCard()
    card.write(b"a")
    card.write(b"b")
    assert card.frames == [b"a", b"b"]
    assert card.heard == b"ab"


@pytest.mark.parametrize("pacing", [Pacing.CAPTURE, Pacing.PLAYBACK])
def test_a_pacing_card_lets_one_period_pass_for_each_tick(pacing):
    card = MockCard(16_000, pacing)
    card.set_capture(True)
    passed = threading.Semaphore(0)

    def engine():
        for _ in range(3):
            card.read() if pacing is Pacing.CAPTURE else card.write(FRAME)
            passed.release()

    thread = threading.Thread(target=engine, daemon=True)
    thread.start()
    card.tick(2)
    assert passed.acquire(timeout=5)
    assert passed.acquire(timeout=5)
    assert not passed.acquire(blocking=False)
    card.tick()
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.parametrize("pacing", list(Pacing))
def test_a_card_that_was_pulled_out_is_gone_in_both_directions(pacing):
    card = MockCard(16_000, pacing)
    card.vanish()
    with pytest.raises(DeviceGoneError):
        card.read()
    with pytest.raises(DeviceGoneError):
        card.write(FRAME)


def test_closing_wakes_an_engine_that_waits_for_the_next_period():
    card = MockCard(16_000, Pacing.CAPTURE)
    thread = threading.Thread(target=card.read, daemon=True)
    thread.start()
    card.close()
    thread.join(5)
    assert not thread.is_alive()
