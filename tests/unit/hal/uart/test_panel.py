"""The thread and the real pyserial on a pseudo-terminal, with the reference firmware behind it."""

import errno
import os
import queue
import sys
import termios
import threading
import time
import tty

import pytest
import serial

from hal.board_spec import SerialSpec
from hal.errors import DeviceError
from hal.events import DeviceFailed, DeviceRecovered, HookLifted, KeyDown, KeyUp
from hal.health import Health
from hal.keys import Key
from hal.packing import blank
from hal.ports import LampPattern
from hal.uart.framing import LineReader, Message, encode
from hal.uart.link import ACK_WAIT
from hal.uart.panel import SerialPanel, _words, open_port
from tests.support.fake_display import noise
from tests.support.front_panel import PluggedIn
from tests.support.left_open import open_now, opened_since


def until(condition, what):
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.002)


class Desk:
    """A phone with a front panel at the end of a cable."""

    def __init__(self, folder):
        self.cable = folder / "panel"
        self.told = queue.SimpleQueue()
        self.plugged = None
        spec = SerialSpec(str(self.cable), 115_200, (128, 64), ("message", "mute"), bell=True)
        self.panel = SerialPanel(
            spec,
            lambda post: Health("front panel", post, time.monotonic, waits=(0.01, 0.01)),
            lambda: open_port(spec),
        )

    def plug_in(self, *, handset_off=False):
        self.plugged = PluggedIn()
        # Before the phone finds it: it says where the handset is as soon as it is greeted.
        self.plugged.hardware.handset_off = handset_off
        self.cable.unlink(missing_ok=True)
        self.cable.symlink_to(self.plugged.path)
        return self.plugged.hardware

    def pull(self):
        self.plugged.pull()
        self.cable.unlink()

    def hears(self, kind):
        event = self.told.get(timeout=15)
        assert type(event) is kind, event
        return event


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.panel.close()
    if made.plugged is not None:
        made.plugged.pull()


def test_keys_and_hook_come_pictures_lamps_and_the_bell_go(desk):
    hardware = desk.plug_in()
    desk.panel.start(desk.told.put)
    desk.panel.screen.show(noise((128, 64)))
    desk.panel.lamps.set("mute", LampPattern.ON)
    desk.panel.lamps.set("disco", LampPattern.ON)
    desk.panel.ringer.ring((2.0, 4.0))
    until(lambda: hardware.picture == noise((128, 64)), "no picture")
    until(lambda: hardware.lit.get("mute") and hardware.ringing, "no lamp or no bell")
    assert not hardware.lit.get("message")
    hardware.down = {"#"}
    assert desk.hears(KeyDown).key is Key.POUND
    hardware.down = set()
    assert desk.hears(KeyUp).key is Key.POUND
    hardware.handset_off = True
    desk.hears(HookLifted)
    desk.panel.ringer.silence()
    until(lambda: not hardware.ringing, "it rings on")


def test_a_panel_with_letters_is_written_to_and_blank_in_the_end(tmp_path):
    plugged = PluggedIn()
    spec = SerialSpec(plugged.path, 115_200, None, (), letters=(16, 2))
    panel = SerialPanel(
        spec, lambda post: Health("p", post, time.monotonic), lambda: open_port(spec)
    )
    panel.start(lambda _event: None)
    assert panel.letters.letters == (16, 2)
    assert panel.screen.size == (128, 32)
    panel.screen.show(noise((128, 32)))
    panel.letters.write(("Ann Miller      ", "           1:15 "))
    until(lambda: plugged.hardware.words.get(1) == "           1:15 ", "nothing was written")
    panel.close()
    panel.screen.close()
    until(lambda: not any(word.strip() for word in plugged.hardware.words.values()), "not blank")
    plugged.pull()


def test_closing_leaves_the_panel_dark_and_silent_and_tells_nothing_more(desk):
    hardware = desk.plug_in()
    desk.panel.start(desk.told.put)
    desk.panel.screen.show(noise((128, 64)))
    desk.panel.ringer.ring((5.0,))
    until(lambda: hardware.ringing and hardware.picture == noise((128, 64)), "no picture")
    desk.panel.close()
    desk.panel.screen.close()
    desk.panel.lamps.close()
    desk.panel.ringer.close()
    until(lambda: not hardware.ringing and hardware.picture == blank((128, 64)), "not dark")
    hardware.down = {"5"}
    assert desk.told.empty()
    desk.panel.close()


def test_f41_a_panel_that_is_pulled_out_is_told_once_and_is_as_before_when_it_is_back(desk):
    hardware = desk.plug_in()
    desk.panel.start(desk.told.put)
    desk.panel.screen.show(noise((128, 64), 1))
    until(lambda: hardware.picture == noise((128, 64), 1), "no picture")
    hardware.handset_off = True
    desk.hears(HookLifted)
    hardware.down = {"5"}
    desk.hears(KeyDown)
    desk.pull()
    desk.hears(KeyUp)
    assert desk.hears(DeviceFailed).device == "front panel"
    desk.panel.screen.show(noise((128, 64), 2))
    hardware = desk.plug_in(handset_off=True)
    until(lambda: hardware.picture == noise((128, 64), 2), "it was not found again")
    events = [desk.told.get(timeout=15)]
    while not isinstance(events[-1], DeviceRecovered):
        events.append(desk.told.get(timeout=15))
    # It was unplugged, then the port was not there: two reasons at most, and nobody hung up.
    assert {type(event) for event in events} <= {DeviceFailed, DeviceRecovered}
    assert len(events) <= 2


def test_f41_a_port_that_is_not_there_is_named(desk):
    desk.panel.start(desk.told.put)
    failed = desk.hears(DeviceFailed)
    assert failed.reason == (
        f"{desk.cable}: it is not there; is its cable in, or is the header's port switched on?"
    )


def test_f41_a_panel_that_is_plugged_in_after_the_start_shows_what_it_is_to_show(desk):
    desk.panel.start(desk.told.put)
    desk.hears(DeviceFailed)
    desk.panel.screen.show(noise((128, 64), 3))
    hardware = desk.plug_in()
    desk.hears(DeviceRecovered)
    until(lambda: hardware.picture == noise((128, 64), 3), "no picture")
    hardware.handset_off = True
    desk.hears(HookLifted)


def test_f41_a_port_of_others_is_told_with_the_group_that_may(desk, monkeypatch):
    def refused(*_args, **_options):
        raise serial.SerialException(errno.EACCES, "could not open port")

    monkeypatch.setattr(serial, "Serial", refused)
    with pytest.raises(
        DeviceError, match=r": Permission denied; is this user in the group dialout\?$"
    ):
        open_port(SerialSpec(str(desk.cable), 115_200, None, ()))


def test_f41_a_panel_that_does_not_answer_is_told(desk):
    """Somebody else's device, or the wrong speed: nobody greets back."""
    master, slave = os.openpty()
    desk.cable.symlink_to(os.ttyname(slave))
    now = [0.0]
    desk.panel._clock = lambda: now[0]
    desk.panel.start(desk.told.put)
    until(lambda: b"HELLO 1" in os.read(master, 4096), "it was not greeted")
    for at in (1.0, 2.0, 3.0, 4.0):
        now[0] = at
        os.write(master, b"\xff\x00garbage~~\n")
        until(lambda: b"HELLO 1" in os.read(master, 4096), "it was not greeted")
    assert desk.hears(DeviceFailed).reason == "it does not answer"
    desk.panel.close()
    os.close(master)
    os.close(slave)


def test_what_is_wanted_of_a_panel_at_rest_comes_at_once(desk, monkeypatch):
    """It is asked now and then how it fares; a bell does not wait for that."""
    monkeypatch.setattr("hal.uart.link.PING_EVERY", 600.0)
    hardware = desk.plug_in()
    desk.panel.start(desk.told.put)
    until(lambda: desk.plugged.panel.greeted and len(desk.panel._link) == 0, "no greeting")
    desk.panel.ringer.ring((2.0, 4.0))
    until(lambda: hardware.ringing, "it never rang")


def test_a_line_that_nobody_acknowledges_is_repeated_in_its_time(desk):
    master, slave = os.openpty()
    tty.setraw(slave)
    desk.cable.symlink_to(os.ttyname(slave))
    now = [0.0]
    desk.panel._clock = lambda: now[0]
    desk.panel.start(desk.told.put)
    reader, heard = LineReader(), []

    def listen():
        heard.extend(reader.feed(os.read(master, 4096)))
        return heard

    until(lambda: [line.word for line in listen()] == ["HELLO"], "it was not greeted")
    os.write(master, encode(Message(1, "PANEL", ("1", "p"))))
    until(lambda: [line.word for line in listen()].count("BELL") == 1, "it was not sent")
    now[0] = ACK_WAIT + 0.001
    until(lambda: [line.word for line in listen()].count("BELL") == 2, "it was not repeated")
    desk.panel.close()
    os.close(master)
    os.close(slave)


def test_f41_a_port_that_is_not_there_is_not_tried_without_a_pause(desk):
    tries = []

    def connect():
        tries.append(1)
        raise DeviceError("not there")

    desk.panel._connect = connect
    desk.panel._health_of = lambda post: Health("p", post, time.monotonic, waits=(999, 999))
    desk.panel.start(desk.told.put)
    desk.hears(DeviceFailed)
    threading.Event().wait(0.03)
    assert len(tries) == 1


def test_f41_closing_does_not_wait_for_a_panel_that_is_not_there(desk, monkeypatch):
    monkeypatch.setattr("hal.device_thread._PATIENCE", 30.0)
    desk.panel._health_of = lambda post: Health("p", post, time.monotonic, waits=(999, 999))
    desk.panel.start(desk.told.put)
    desk.hears(DeviceFailed)
    desk.panel.close()
    assert not desk.panel._thread._thread.is_alive(), "it rested on, and was given up"


def test_a_panel_that_was_never_started_closes(desk):
    desk.panel.close()


def test_a_missing_library_is_named_with_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "serial", None)
    with pytest.raises(
        DeviceError, match=r"^serial is missing \(apt install python3-serial; in a venv"
    ):
        open_port(SerialSpec("/dev/null", 9600, None, ()))


def test_what_is_no_serial_port_is_refused_in_words(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DeviceError, match=r"/file: it is no serial port$"):
        open_port(SerialSpec(str(tmp_path / "file"), 9600, None, ()))


def test_f41_an_error_nobody_thought_of_does_not_take_the_panel_with_it(desk):
    tries = []

    def connect():
        tries.append(1)
        if len(tries) < 3:
            return 1 / 0
        raise serial.SerialException("nobody knows")

    desk.panel._connect = connect
    desk.panel.start(desk.told.put)
    assert desk.hears(DeviceFailed).reason == "ZeroDivisionError: division by zero"
    desk.hears(DeviceFailed)


def test_a_cable_that_is_pulled_while_the_phone_speaks_is_called_that():
    assert _words(serial.SerialException("device reports readiness")) == "it was unplugged"
    assert _words(OSError(5, "Input/output error")) == "it was unplugged"
    denied = "Permission denied; is this user in the group dialout?"
    assert _words(termios.error(13, "Permission denied")) == denied
    assert _words(serial.SerialTimeoutException("Write timeout")) == "it takes nothing any more"


class Port:
    """A port that does what the test says."""

    def __init__(self, **faults):
        self.read_end, self.write_end = os.pipe2(os.O_NONBLOCK)
        self.faults, self.closed = faults, 0

    def _may(self, what):
        if what in self.faults:
            raise self.faults[what]

    def fileno(self):
        return self.read_end

    def read(self, size):
        self._may("read")
        return os.read(self.read_end, size)

    def write(self, _data):
        self._may("write")

    def flush(self):
        self._may("flush")

    def close(self):
        if not self.closed:
            os.close(self.read_end)
            os.close(self.write_end)
        self.closed += 1
        self._may("close")


@pytest.mark.parametrize("where", ["read", "write"])
@pytest.mark.parametrize(
    "number", [errno.EIO, errno.ENODEV, errno.ENXIO, errno.EBADF, errno.EINVAL]
)
def test_f41_whatever_a_port_says_it_is_closed_and_its_keys_are_let_go(desk, where, number):
    port = Port(**{where: OSError(number, os.strerror(number))})
    desk.panel._connect = lambda: port
    desk.panel._link.open(0.0)
    desk.panel._link.receive(encode(Message(1, "PANEL", ("1", "p"))), 0.0)
    desk.panel._link.receive(encode(Message(2, "KEY", ("5", "down"))), 0.0)
    os.write(port.write_end, b"~")
    with pytest.raises(DeviceError):
        desk.panel._serve(desk.told.put, Health("p", desk.told.put, time.monotonic))
    assert desk.hears(KeyUp).key is Key.DIGIT_5
    assert port.closed == 1


def test_a_finger_on_a_key_when_the_phone_ends_tells_nothing_more(desk):
    port = Port()
    desk.panel._connect = lambda: port
    desk.panel._link.open(0.0)
    desk.panel._link.receive(encode(Message(1, "PANEL", ("1", "p"))), 0.0)
    desk.panel._link.receive(encode(Message(2, "KEY", ("5", "down"))), 0.0)
    desk.panel._thread._closing.set()
    desk.panel._serve(desk.told.put, Health("p", desk.told.put, time.monotonic))
    assert desk.told.empty()
    desk.panel._thread._closing.clear()


def test_f41_a_port_that_another_program_has_is_not_shared(desk):
    """Two readers would get half of the lines each."""
    desk.plug_in()
    spec = SerialSpec(str(desk.cable), 115_200, None, ())
    first = open_port(spec)
    with pytest.raises(DeviceError) as caught:
        open_port(spec)
    assert str(caught.value) == f"{desk.cable}: another program has it"
    first.close()


def test_f41_a_port_that_cannot_even_be_closed_lets_its_keys_go(desk):
    gone = OSError(errno.EIO, "Input/output error")
    port = Port(write=gone, close=gone)
    desk.panel._connect = lambda: port
    desk.panel._link.open(0.0)
    desk.panel._link.receive(encode(Message(1, "PANEL", ("1", "p"))), 0.0)
    desk.panel._link.receive(encode(Message(2, "KEY", ("5", "down"))), 0.0)
    with pytest.raises(OSError, match="Input/output"):
        desk.panel._serve(desk.told.put, Health("p", desk.told.put, time.monotonic))
    desk.hears(KeyUp)


def test_f41_a_thousand_times_pulled_out_it_has_left_nothing_behind(desk):
    health = Health("p", lambda _event: None, time.monotonic)
    before = open_now()
    for _ in range(1000):
        port = Port(read=OSError(errno.EIO, "Input/output error"))
        os.write(port.write_end, b"~")
        desk.panel._connect = lambda port=port: port
        with pytest.raises(DeviceError):
            desk.panel._serve(desk.told.put, health)
    assert opened_since(before) == []
    assert len(desk.panel._link) == 0
