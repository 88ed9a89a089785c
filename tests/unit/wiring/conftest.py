"""A builder with a board of wires that are right or wrong, on virtual time."""

import pytest

from firmware.wiring.evidence import Answer
from firmware.wiring.findings import findings_of, lessons_of
from firmware.wiring.steps import Cradle, Press
from firmware.wiring.walk import Walk
from hal.board_spec import BoardSpec, Contact, HookSpec, KeypadSpec, LampSpec, RingerSpec
from hal.events import HookLifted, HookReplaced, KeyDown, KeyUp
from hal.keys import Key

ROWS, COLUMNS = (5, 6, 13, 19), (12, 16, 20, 21)
NAMES = (
    ("1", "2", "3", "redial"),
    ("4", "5", "6", "hold"),
    ("7", "8", "9", "volume_up"),
    ("*", "0", "#", "volume_down"),
)
KEYS = tuple(tuple(Key(name) for name in row) for row in NAMES)
PLACES = {key: (row, column) for row, keys in enumerate(KEYS) for column, key in enumerate(keys)}


def board(**parts):
    keypad = KeypadSpec(ROWS, COLUMNS, KEYS, lockout_ms=20)
    hook = HookSpec(17, Contact.OPEN, lockout_ms=50, flash_max_ms=500)
    return BoardSpec("desk", "", "desk.toml", **({"keypad": keypad, "hook": hook} | parts))


class Builder:
    """Does what each step asks for; `wires(key)` are the keys that then come."""

    def __init__(self, spec, wires=lambda key: [key], *, hook=(True, False), answers=None):
        self.spec = spec
        self.now = 100.0
        self.walk = Walk(spec, self.now)
        self._wires = wires
        self._hook = hook
        self._answers = answers or {}
        self.said = []

    def go(self):
        """To the end, or until a thousand steps show that there is none."""
        for _ in range(1000):
            self.drain()
            if self.walk.deadline is None:
                return self
            step = self.walk._step
            if step is not None and not getattr(step, "acted", False):
                step.acted = True
                self.act(step)
                if self.walk._step is not step:
                    continue
            self.now = max(self.now, self.walk.deadline or self.now)
            self.walk.expire(self.now)
        raise AssertionError("the walk has no end")

    def drain(self):
        self.said += self.walk.take_effects()

    def act(self, step):
        if isinstance(step, Press):
            for key in self._wires(step._key):
                self.give(KeyDown(key, self.now))
                self.give(KeyUp(key, self.now))
        elif isinstance(step, Cradle):
            told = self._hook[0 if step._lift else 1]
            if told is not None:
                self.give(HookLifted(self.now) if told else HookReplaced(self.now))
        else:
            for name, answer in self._answers.items():
                if getattr(step, "_name", "") == name:
                    self.give(answer)
                    return
            self.give(Answer.YES)

    def give(self, given):
        self.now += 0.01
        self.walk.receive(given, self.now)

    @property
    def found(self):
        """(text, arguments) of every finding."""
        findings = findings_of(self.spec, self.walk.evidence)
        phrases = [finding.phrase for finding in findings]
        return [(each.text.removeprefix("board.test."), dict(each.args)) for each in phrases]

    @property
    def learned(self):
        """What would be written, by its place."""
        lessons = lessons_of(self.spec, self.walk.evidence)
        return {f"{each.table}.{each.key}": each.value for each in lessons}


@pytest.fixture
def desk():
    lamps = (("message", LampSpec(22, active_low=False)),)
    return board(lamps=lamps, ringer=RingerSpec("bell", (7, 8), 25))
