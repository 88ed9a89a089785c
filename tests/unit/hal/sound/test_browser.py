import math
import socket
from array import array

import pytest

from hal.errors import DeviceError
from hal.sound.browser import CAP_FRAMES, TARGET_FRAMES, open_browser_card
from tests.support.left_open import open_now, opened_since


class House:
    """A card on its socket, and pages that attach to it."""

    def __init__(self, path, rate=48_000):
        self.path = str(path / "audio.sock")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(self.path)
        self.listener.listen(4)
        self.card = open_browser_card((self.listener.fileno(),), rate)
        self.pages = []

    def page(self):
        link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        link.connect(self.path)
        link.settimeout(0)
        self.pages.append(link)
        return link

    def close(self):
        for part in (self.card, self.listener, *self.pages):
            part.close()


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.close()


def frame(number, size=1_920):
    return bytes([number, 0]) * (size // 2)


def received(link):
    """All packets that have arrived at a page."""
    packets = []
    while True:
        try:
            packet = link.recv(4_096)
        except BlockingIOError:
            return packets
        if not packet:
            return [*packets, b"end"]
        packets.append(packet)


def test_without_a_page_the_card_is_silent_and_goes_on(house):
    house.card.set_capture(True)
    house.card.write(frame(1))
    assert house.card.read() == b""
    assert not house.card.attached


def test_what_the_phone_plays_arrives_at_the_page_frame_by_frame(house):
    page = house.page()
    for number in range(5):
        house.card.write(frame(number))
    assert received(page) == [frame(number) for number in range(5)]


def test_the_microphone_begins_once_60_ms_have_arrived(house):
    page = house.page()
    house.card.set_capture(True)
    for number in range(TARGET_FRAMES - 1):
        page.send(frame(number))
    assert house.card.read() == b""
    page.send(frame(TARGET_FRAMES - 1))
    assert [house.card.read() for _ in range(4)] == [frame(0), frame(1), frame(2), b""]


def test_after_a_gap_it_waits_for_60_ms_again(house):
    page = house.page()
    house.card.set_capture(True)
    for number in range(TARGET_FRAMES):
        page.send(frame(number))
    for _ in range(TARGET_FRAMES + 1):
        house.card.read()
    page.send(frame(7))
    assert house.card.read() == b""
    page.send(frame(8))
    page.send(frame(9))
    assert house.card.read() == frame(7)


def test_a_page_that_sends_too_much_is_never_more_than_200_ms_behind(house):
    page = house.page()
    house.card.set_capture(True)
    for number in range(8):
        page.send(frame(number))
    house.card.read()
    for number in range(8, 16):
        page.send(frame(number))
    # 15 wait, the cap is 10: the oldest go, the newest 60 ms stay.
    assert [house.card.read() for _ in range(4)] == [frame(13), frame(14), frame(15), b""]
    assert house.card.dropped == 15 - TARGET_FRAMES
    assert house.card.xruns == 2  # once over, once dry
    assert CAP_FRAMES == 10


def test_what_was_said_before_the_microphone_opened_is_not_heard(house):
    page = house.page()
    house.card.write(frame(0))
    for number in range(5):
        page.send(frame(number))
    house.card.set_capture(True)
    assert house.card.read() == b""
    for number in range(10, 13):
        page.send(frame(number))
    assert house.card.read() == frame(10)


def test_the_newest_page_counts_and_the_older_one_is_cut_off(house):
    first = house.page()
    house.card.write(frame(1))
    second = house.page()
    house.card.write(frame(2))
    assert received(first) == [frame(1), b"end"]
    assert received(second) == [frame(2)]


def test_a_page_that_left_makes_room_for_the_next(house):
    house.page().close()
    house.card.set_capture(True)
    assert house.card.read() == b""
    page = house.page()
    house.card.write(frame(3))
    assert received(page) == [frame(3)]


def test_a_page_that_leaves_while_it_is_played_to_is_let_go(house):
    page = house.page()
    house.card.write(frame(1))
    page.close()
    house.card.write(frame(2))
    house.card.write(frame(3))
    assert not house.card.attached


def test_a_stalled_page_costs_frames_and_never_time(house):
    page = house.page()
    for number in range(200):
        house.card.write(frame(number))
    kept = received(page)
    assert len(kept) == 200 - house.card.dropped
    assert len(kept) <= 1.5 * CAP_FRAMES


@pytest.mark.parametrize("junk", [b"x", bytes(639), bytes(641), bytes(4_000)])
def test_a_packet_that_is_no_frame_is_counted_and_ignored(house, junk):
    page = house.page()
    house.card.set_capture(True)
    page.send(junk)
    for number in range(3):
        page.send(frame(number))
    assert house.card.read() == frame(0)
    assert house.card.malformed == 1


def test_a_page_that_spoke_too_much_at_once_is_not_heard_late_for_ever(house):
    page = house.page()
    house.card.set_capture(True)
    for number in range(8):
        page.send(frame(number))
    delays = []
    for number in range(8, 120):
        page.send(frame(number))
        delays.append(number - house.card.read()[0])
    assert delays[0] > 6
    assert delays[-1] <= 3
    assert house.card.dropped == delays[0] - delays[-1]


def tone(rate, hertz, first, count):
    turn = 2 * math.pi * hertz / rate
    return array("h", [round(9_000 * math.sin(turn * n)) for n in range(first, first + count)])


def rising(samples):
    return sum(a < 0 <= b for a, b in zip(samples, samples[1:], strict=False))  # noqa: RUF007


def test_a_page_at_16_khz_is_understood_and_answered_at_its_own_rate(house):
    page = house.page()
    house.card.set_capture(True)
    heard = b""
    for number in range(50):
        page.send(tone(16_000, 1_000, number * 320, 320).tobytes())
        heard += house.card.read()
    # The first two frames only filled the queue: 48 of 50 frames were heard.
    assert rising(array("h", heard)) == pytest.approx(960, abs=4)
    house.card.write(tone(48_000, 1_000, 0, 960).tobytes())
    assert [len(packet) for packet in received(page)] == [640]


def test_a_card_that_runs_at_8_khz_still_speaks_48_khz_on_the_wire(tmp_path):
    house = House(tmp_path, rate=8_000)
    page = house.page()
    house.card.set_capture(True)
    house.card.write(bytes(320))
    for _ in range(3):
        page.send(bytes(1_920))
    assert [len(packet) for packet in received(page)] == [1_920]
    assert len(house.card.read()) == 320
    house.close()


def test_a_thousand_pages_come_and_go_and_leave_nothing_behind(house):
    before = open_now()
    for _ in range(1_000):
        page = house.page()
        house.card.write(frame(1))
        page.close()
        house.card.write(frame(2))
    assert opened_since(before) == []


def test_without_its_socket_the_card_is_refused_in_words():
    with pytest.raises(DeviceError, match=r"needs the listening audio\.sock"):
        open_browser_card((), 16_000)
    with pytest.raises(DeviceError, match="Bad file descriptor"):
        open_browser_card((9_999,), 16_000)
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with stream, pytest.raises(DeviceError, match="SEQPACKET"):
        open_browser_card((stream.fileno(),), 16_000)
