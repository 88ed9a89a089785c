"""A whole board on mock pins, real threads: what is stuck, missing or taken costs only itself."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.board_spec import Contact, HookSpec
from hal.errors import DeviceError
from hal.events import (
    DeviceFailed,
    DeviceRecovered,
    HookFlash,
    HookLifted,
    HookReplaced,
    KeyDown,
    KeyUp,
)
from hal.gpio.contacts import Hook
from hal.gpio.gpiod_factory import GpiodFactory
from hal.gpio.watch import Watch
from hal.keys import Key
from hal.ports import LampPattern
from tests.support.gpio.bench import BOARD, Workbench
from tests.support.gpio.fake_gpiod import FakeChip
from tests.support.gpio.mock_pins import WiredFactory
from tests.support.gpio.wires import Wires
from tests.support.left_open import running_now, started_since
from tests.support.waiting import wait_for


@pytest.fixture
def wires():
    return Wires()


@pytest.fixture
def open_bench(wires, tmp_path):
    benches = []

    def open_one(text=BOARD, factory=lambda wires: (WiredFactory(wires), ())):
        benches.append(Workbench(tmp_path / "bench.toml", lambda *_: factory(wires), wires, text))
        return benches[-1]

    yield open_one
    for bench in benches:
        bench.close()


def test_f36_a_key_that_is_stuck_when_the_phone_starts_says_nothing_and_hides_no_other(
    wires, open_bench
):
    wires.connect(6, 16)  # the 5
    bench = open_bench()
    assert bench.heard(0.05) == []
    for key in "28":  # in its column
        bench.press(key)
        assert bench.hear(KeyDown) == [Key(key)]
        bench.release(key)
        assert bench.hear(KeyUp) == [Key(key)]
    bench.release("5")
    bench.press("0")
    assert bench.hear(KeyDown) == [Key.DIGIT_0]


def test_f38_a_handset_that_is_off_from_the_start_is_told_once(wires, open_bench):
    wires.close(17)
    bench = open_bench()
    bench.hear(HookLifted)
    assert bench.heard(0.1) == []


def test_f39_with_the_hook_stuck_every_key_still_works(open_bench):
    bench = open_bench()
    bench.press("speaker")
    assert bench.hear(KeyDown) == [Key.SPEAKER]


@settings(max_examples=50, deadline=None)
@given(moves=st.lists(st.tuples(st.floats(0.0005, 0.3), st.booleans()), max_size=40))
def test_f40_however_the_hook_flaps_it_is_lifted_and_replaced_in_turn(moves):
    wire = Flapping()
    watch = Watch(Hook(HookSpec(17, Contact.CLOSED, 50, 500)), [wire], lambda: None)
    told, now = list(watch.run(0.0)), 1.0
    for pause, closed in moves:
        now += pause
        wire.closed = closed
        wire.edge(closed, now)
        told += watch.run(now + 0.001)
    told += watch.run(now + 1.0)
    if watch.deadline is not None:  # a thread that comes late lets those speak who tell the edges
        told += watch.run(watch.deadline)
    up = [not isinstance(event, HookReplaced) for event in told]
    assert up == [place % 2 == 0 for place in range(len(up))]
    assert all(isinstance(event, HookLifted | HookReplaced | HookFlash) for event in told)
    assert (up[-1] if up else False) == wire.closed


class Flapping:
    """A wire without a pin."""

    closed = False
    edge = None

    def watch(self, edge):
        self.edge = edge

    def catch_up(self):
        """Nothing waits."""

    def close(self):
        """Nothing is held."""


def test_the_contact_of_a_hook_that_nobody_knows_is_found_at_the_start(wires, open_bench):
    wires.close(17)
    bench = open_bench('[hook]\npin = 17\nlifted = "auto"\n')
    assert bench.heard(0.05) == []
    wires.open(17)
    bench.hear(HookLifted)


AUTO = '[hook]\npin = 17\nlifted = "auto"\n'


@pytest.fixture
def notes(tmp_path, monkeypatch):
    """What a phone leaves behind that dies, in the folder that systemd keeps for the next one."""
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    return tmp_path / "hook"


def test_f46_a_phone_that_died_in_a_call_knows_that_the_handset_is_off(wires, open_bench, notes):
    wires.close(17)
    first = open_bench(AUTO)
    assert first.heard(0.05) == []
    left = wait_for("a note", lambda: notes.exists() and notes.read_text())
    first.close()
    # Only a phone that ends in order takes it away.
    assert not notes.exists()
    notes.write_text(left)
    wires.open(17)
    open_bench(AUTO).hear(HookLifted)
    wait_for("the note of before", lambda: notes.read_text() == left)


@pytest.mark.parametrize("left", ["4 open", "17 sideways", "17", "\x00"])
def test_what_another_phone_left_behind_is_no_guide(wires, open_bench, notes, left):
    notes.write_text(left)
    wires.close(17)
    bench = open_bench(AUTO)
    assert bench.heard(0.05) == []
    wires.open(17)
    bench.hear(HookLifted)
    wait_for("a note of its own", lambda: notes.read_text() == "17 open\n")


def test_a_hook_whose_kind_is_known_leaves_nothing_behind(open_bench, notes):
    bench = open_bench('[hook]\npin = 17\nlifted = "open"\n')
    bench.hear(HookLifted)
    assert not notes.exists()


def test_f34_a_part_whose_pin_is_taken_is_left_out_and_named_with_it(wires, open_bench):
    class Taken(WiredFactory):
        def pin(self, name):
            if name in (6, 22, 8, 23):
                raise OSError(16, "Device or resource busy")
            return super().pin(name)

    bench = open_bench(factory=lambda wires: (Taken(wires), ()))
    assert bench.failures() == {
        "keypad": "keypad row 2: GPIO 6 cannot be used: Device or resource busy",
        "key mute": "key mute: GPIO 23 cannot be used: Device or resource busy",
        "lamp message": "lamp message: GPIO 22 cannot be used: Device or resource busy",
        "bell": "bell coil 2: GPIO 8 cannot be used: Device or resource busy",
    }
    assert bench.parts.inputs.names == ("hook", "rotary dial", "key speaker", "headset socket")
    assert bench.parts.lamps.names == ("mute", "ring")
    assert bench.parts.ringer is None
    for freed in (5, 7):
        bench.parts.line(freed).close()
    wires.close(17)
    bench.hear(HookLifted)


def test_a_board_that_is_closed_has_given_everything_back(wires, open_bench):
    """A wiring test opens and closes the same pins again and again."""
    before = running_now()
    for _ in range(3):
        chip = FakeChip(wires)
        bench = open_bench(factory=lambda _wires, chip=chip: (GpiodFactory(lambda: chip), ()))
        bench.press("5")
        bench.hear(KeyDown)
        assert len(chip.requests) == 18
        bench.close()
        assert (chip.requests, chip.open) == ({}, False)
        assert started_since(before) == []
        bench.release("5")
        assert bench.heard(0.02) == []


def test_a_board_of_which_nothing_can_be_had_leaves_no_thread_and_no_factory(wires, open_bench):
    closed = []

    class Nothing(WiredFactory):
        def pin(self, name):  # noqa: ARG002 - none of them
            raise OSError(16, "Device or resource busy")

        def close(self):
            closed.append(self)

    bench = open_bench(factory=lambda wires: (Nothing(wires), ()))
    assert (bench.parts.inputs, bench.parts.lamps, bench.parts.ringer) == (None, None, None)
    assert len(bench.failures()) == 10
    assert closed


def test_a_display_may_ask_for_its_pins_again_and_again(open_bench):
    bench = open_bench()
    for _ in range(3):
        line = bench.parts.line(26)
        line.on()
        assert bench.level(26) == 1
        line.off()
        assert bench.level(26) == 0
        line.close()
    line.close()
    other = bench.parts.line(26)
    line.close()
    with pytest.raises(DeviceError, match=r"^display: GPIO 26 is used by display$"):
        bench.parts.line(26)
    other.close()
    with pytest.raises(DeviceError, match=r"^display: GPIO 17 is used by hook$"):
        bench.parts.line(17)


def test_f41_a_lamp_driver_that_vanishes_is_told_and_comes_back_by_itself(wires, open_bench):
    bench = open_bench("[lamps]\nmute = { pin = 22 }\n")
    bench.until(lambda: bench.parts.lamps is not None)
    wires.broken = True
    bench.parts.lamps.set("mute", LampPattern.ON)
    failed = bench.next()
    assert isinstance(failed, DeviceFailed)
    wires.broken = False
    assert isinstance(bench.next(), DeviceRecovered)
    bench.until(lambda: bench.level(22))


def test_f37_a_dial_that_crackles_at_rest_dials_nothing(wires, open_bench):
    wires.close(24)
    bench = open_bench()
    for _ in range(5):
        wires.open(24)
        assert bench.heard(0.015) == []
        wires.close(24)
        assert bench.heard(0.015) == []
    assert bench.heard(0.1) == []
