"""Lamps and bells as seen from their pins, on time that is told."""

import itertools

import pytest

from hal.errors import DeviceGoneError
from hal.gpio.lamps import Lamps
from hal.gpio.ringer import Bell, Buzzer, Ringer
from hal.ports import LampPattern


class Now:
    """A worker that does at once what it is told."""

    def tell(self, order):
        order()

    def leave(self, _task, release):
        release()


class Pin:
    def __init__(self, log, name):
        self._log, self._name, self.on = log, name, False

    def power(self, *, on):
        if on != self.on:
            self._log.append((self._name, on))
        self.on = on

    shine = sound = power

    def close(self):
        self.power(on=False)


def run(task, log, since, until):
    """Keep the task's deadlines; each change with its moment."""
    seen, now = [], since
    while task.deadline is not None and task.deadline <= until:
        now = max(now, task.deadline)
        list(task.run(now))
        seen += [(*entry, round(now, 3)) for entry in log]
        log.clear()
    return seen


def test_lamps_that_blink_alike_blink_together():
    log = []
    lamps = Lamps({name: Pin(log, name) for name in ("ring", "line_1")}, Now())
    run(lamps, log, 0.0, 0.0)
    assert lamps.deadline is None, "dark lamps need nobody"
    lamps.set("ring", LampPattern.FAST_BLINK)
    run(lamps, log, 10.03, 10.06)
    lamps.set("line_1", LampPattern.FAST_BLINK)
    changes = run(lamps, log, 10.07, 12.0)
    by_lamp = {
        name: [(on, at) for lamp, on, at in changes if lamp == name] for name in ("ring", "line_1")
    }
    assert by_lamp["ring"][-6:] == by_lamp["line_1"][-6:]
    steps = [b - a for (_, a), (_, b) in itertools.pairwise(by_lamp["ring"])]
    assert all(step == pytest.approx(0.2, abs=0.002) for step in steps)


def test_a_lamp_is_written_only_when_it_changes():
    log = []
    lamps = Lamps({"mute": Pin(log, "mute")}, Now())
    for pattern in (LampPattern.ON, LampPattern.ON, LampPattern.OFF):
        lamps.set("mute", pattern)
        run(lamps, log, 1.0, 1.0)
    lamps.set("disco", LampPattern.ON)
    assert lamps.deadline is None
    lamps.close()
    assert log == []


def test_lamps_are_dark_when_they_are_closed():
    log = []
    lamps = Lamps({name: Pin(log, name) for name in ("mute", "ring")}, Now())
    for lamp in lamps.names:
        lamps.set(lamp, LampPattern.ON)
    run(lamps, log, 1.0, 1.0)
    lamps.close()
    assert sorted(log) == [("mute", False), ("ring", False)]


class Leaving(Pin):
    """A pin whose chip is there no more."""

    there = False

    def power(self, *, on):
        if not self.there:
            raise DeviceGoneError(f"{self._name} does not answer")
        super().power(on=on)

    shine = power


def test_f41_a_blinking_lamp_that_is_gone_does_not_work_in_the_dark_half():
    pin = Leaving([], "lamp ring")
    lamps = Lamps({"ring": pin}, Now())
    pin.there = True
    list(lamps.run(9.0))
    lamps.set("ring", LampPattern.FAST_BLINK)
    pin.there = False
    for step in range(10):
        with pytest.raises(DeviceGoneError):
            list(lamps.run(10.0 + step * 0.1))


def test_f41_of_a_bell_that_is_gone_the_same_is_said_again_and_again():
    """Told is what is another reason."""
    bell = Ringer("bell", Bell(Leaving([], "coil 1"), Leaving([], "coil 2"), 25), Now())
    bell.ring((1.0, 1.0))
    said = set()
    for step in range(20):
        with pytest.raises(DeviceGoneError) as caught:
            list(bell.run(10.0 + step * 0.3))
        said.add(str(caught.value))
    assert said == {"coil 1 does not answer"}


@pytest.mark.parametrize("hertz", [20, 25])
def test_a_bell_swings_at_its_frequency_for_as_long_as_the_cadence_says(hertz):
    log = []
    bell = Ringer("bell", Bell(Pin(log, "left"), Pin(log, "right"), hertz), Now())
    bell.ring((2.0, 4.0))
    changes = run(bell, log, 100.0, 107.0)
    pulls = [at for _, on, at in changes if on]
    first, second = [at for at in pulls if at < 103], [at for at in pulls if at > 103]
    assert len(first) == pytest.approx(2.0 * hertz * 2, abs=1)
    assert first[-1] < 102.0
    assert second[0] == pytest.approx(106.0, abs=0.01)
    gaps = {round(b - a, 3) for a, b in itertools.pairwise(first)}
    assert gaps == {round(0.5 / hertz, 3)}
    names = [name for name, on, at in changes if on and at < 103]
    assert all(a != b for a, b in itertools.pairwise(names))


def test_one_coil_is_let_go_before_the_other_pulls_and_none_is_on_between_rings():
    log, on = [], set()
    bell = Ringer("bell", Bell(Pin(log, "left"), Pin(log, "right"), 25), Now())
    bell.ring((1.0, 1.0))
    for name, wanted, at in run(bell, log, 0.0, 4.0):
        (on.add if wanted else on.discard)(name)
        assert len(on) < 2
        assert not on or at % 2 < 1.0
    bell.silence()
    run(bell, log, 4.0, 4.0)
    assert bell.deadline is None


def test_a_ring_begins_at_once_whatever_rang_before():
    """The pause of one call is not that of the next."""
    log = []
    bell = Ringer("bell", Bell(Pin(log, "left"), Pin(log, "right"), 25), Now())
    bell.ring((1.0, 4.0))
    run(bell, log, 0.0, 3.0)
    bell.ring((1.0, 4.0))
    list(bell.run(3.1))
    assert [on for _, on in log] == [True]


def test_a_late_thread_does_not_make_the_bell_hurry():
    log = []
    bell = Ringer("bell", Bell(Pin(log, "left"), Pin(log, "right"), 25), Now())
    bell.ring((9.0,))
    list(bell.run(0.0))
    list(bell.run(0.5))
    assert bell.deadline == pytest.approx(0.52)


def test_a_buzzer_follows_the_cadence_and_is_silent_when_closed():
    log = []
    buzzer = Ringer("buzzer", Buzzer(Pin(log, "tone")), Now())
    buzzer.ring((0.4, 0.2, 0.4, 2.0))
    changes = run(buzzer, log, 0.0, 2.9)
    assert [(on, at) for _, on, at in changes] == [
        (True, 0.0),
        (False, pytest.approx(0.4, abs=0.01)),
        (True, pytest.approx(0.6, abs=0.01)),
        (False, pytest.approx(1.0, abs=0.01)),
    ]
    buzzer.ring((1.0,))
    run(buzzer, log, 3.0, 3.0)
    assert buzzer.deadline is None, "the tone goes on by itself"
    buzzer.close()
    assert log == [("tone", False)]


class Dead:
    """A pin of a chip that is gone."""

    def power(self, *, on):  # noqa: ARG002 - the shape of a pin
        raise DeviceGoneError("bell coil 1: GPIO 7 does not answer")

    shine = power


def test_a_coil_that_does_not_answer_leaves_no_current_in_the_other():
    log = []
    for pair in ((0, 1), (1, 0)):
        good = Pin(log, "coil")
        bell = Bell(*((Dead(), good)[place] for place in pair), 25)
        good.power(on=True)
        with pytest.raises(DeviceGoneError):
            bell.stop()
        assert not good.on


def test_a_lamp_that_does_not_answer_costs_no_other_its_light():
    log = []
    lights = {"mute": Pin(log, "mute"), "hold": Dead(), "ring": Pin(log, "ring")}
    lamps = Lamps(lights, Now())
    for lamp in lights:
        lamps.set(lamp, LampPattern.ON)
    with pytest.raises(DeviceGoneError):
        list(lamps.run(0.0))
    assert lights["mute"].on
    assert lights["ring"].on
    assert lamps.deadline == 0.0, "it is tried again"
