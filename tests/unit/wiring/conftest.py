"""A builder with a board of wires that are right or wrong, on virtual time."""

import pytest

from firmware.base.phrase import Phrase
from firmware.ui.text import Texts
from firmware.wiring.evidence import (
    Answer,
    Beep,
    Beeped,
    Level,
    Listen,
    Play,
    Played,
    Repeat,
    Say,
)
from firmware.wiring.findings import findings_of, lessons_of
from firmware.wiring.steps import Move, Press, Question
from firmware.wiring.walk import Walk
from hal.board_spec import BoardSpec, Contact, HookSpec, KeypadSpec, LampSpec, RingerSpec
from hal.events import HeadsetPlugged, HeadsetUnplugged, HookLifted, HookReplaced, KeyDown, KeyUp
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
EVENTS = {"hook": (HookLifted, HookReplaced), "headset": (HeadsetPlugged, HeadsetUnplugged)}
TEXTS = Texts.load()


def board(**parts):
    keypad = KeypadSpec(ROWS, COLUMNS, KEYS, lockout_ms=20)
    hook = HookSpec(17, Contact.OPEN, lockout_ms=50, flash_max_ms=500)
    return BoardSpec("desk", "", "desk.toml", **({"keypad": keypad, "hook": hook} | parts))


class Builder:
    """Does what each step asks for.

    `wires(key)` are the keys that then come; `hook` and `headset` what a switch tells when it is
    moved on and off (one value, several if it bounces, None = nothing); `answers` by the name of
    the question, yes where there is none; `sound(order)` what comes of an order to a card.
    """

    def __init__(
        self,
        spec,
        wires=lambda key: [key],
        *,
        hook=(True, False),
        headset=(True, False),
        answers=None,
        sound=None,
    ):
        self.spec = spec
        self.now = 100.0
        self.walk = Walk(spec, self.now)
        self._wires = wires
        self._tells = {"hook": hook, "headset": headset}
        self.moved = {"hook": False, "headset": False}
        self._answers = answers or {}
        self._sound = sound or sounds
        self.said = []

    def go(self):
        """To the end, or until a thousand steps show that there is none."""
        for _ in range(2000):
            asked, orders = self.drain()
            for order in orders:
                self.give(self._sound(order))
            if self.walk.deadline is None:
                return self
            if asked and self.walk._step is not None:
                self.act(self.walk._step)
            elif not orders:
                self.now = max(self.now, self.walk.deadline or self.now)
                self.walk.expire(self.now)
        raise AssertionError("the walk has no end")

    def drain(self):
        """Whether something was asked, and what the cards were told."""
        effects = self.walk.take_effects()
        self.said += effects
        asked = any(isinstance(effect, Say) and effect.ask for effect in effects)
        kinds = (Play, Beep, Listen, Repeat)
        return asked, [effect for effect in effects if isinstance(effect, kinds)]

    def act(self, step):
        if isinstance(step, Press):
            for key in self._wires(step._key):
                self.give(KeyDown(key, self.now))
                self.give(KeyUp(key, self.now))
        elif isinstance(step, Move):
            if step._both and self.moved[step._switch] is step._on:
                self.move(step._switch, on=not step._on)
            self.move(step._switch, on=step._on)
        elif isinstance(step, Question):
            self.give(self._answers.get(step.name, Answer.YES))

    def move(self, switch, *, on):
        if self.moved[switch] is on:
            return
        self.moved[switch] = on
        told = self._tells[switch][0 if on else 1]
        for each in told if isinstance(told, list) else [told]:
            if each is not None:
                self.give(EVENTS[switch][0 if each else 1](self.now))

    def give(self, given):
        self.now += 0.01
        self.walk.receive(given, self.now)

    @property
    def found(self):
        """(text, arguments as they are said) of every finding."""
        phrases = [found.phrase for found in findings_of(self.spec, self.walk.evidence)]
        for each in phrases:
            assert each.text in TEXTS, each.text
            assert TEXTS.places(each.text) <= {name for name, _ in each.args}, each.text
        return [(each.text.removeprefix("board.test."), arguments(each)) for each in phrases]

    @property
    def texts(self):
        """What was found, by name."""
        return [text for text, _ in self.found]

    @property
    def learned(self):
        """What would be written, by its place."""
        lessons = lessons_of(self.spec, self.walk.evidence)
        return {f"{each.table}.{each.key}": each.value for each in lessons}

    @property
    def asked(self):
        """The names of the texts that asked for something."""
        asks = [each.phrase for each in self.said if isinstance(each, Say) and each.ask]
        return [each.text.removeprefix("board.test.") for each in asks]


def arguments(phrase):
    return {
        name: TEXTS.phrase(value) if isinstance(value, Phrase) else value
        for name, value in phrase.args
    }


def sounds(order):
    """Cards that are as they should be."""
    match order:
        case Beep(path, ears):
            return Beeped(path, tuple((ear, 40.0 if ear == path else 0.0) for ear in ears))
        case Listen(path):
            return Level(path, 0.4, 0.0)
        case _:
            return Played(order.path)


@pytest.fixture
def desk():
    lamps = (("message", LampSpec(22, active_low=False)),)
    return board(lamps=lamps, ringer=RingerSpec("bell", (7, 8), 25))
