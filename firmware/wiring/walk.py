"""A builder's walk through a board: step after step, with the time as a value. Pure.

`receive` what comes, `expire` whenever `deadline` is due, perform `take_effects` in their order.
`deadline` None = the walk is over, and `evidence` is complete.
"""

from collections.abc import Sequence

from firmware.base.phrase import phrase
from firmware.wiring.evidence import Answer, Answering, Effect, Evidence, Say, Scan
from firmware.wiring.findings import NO_ANSWER, device_phrase
from firmware.wiring.steps import Given, Question, Step, told_by
from firmware.wiring.way import SCREEN, steps_of
from hal.board_spec import BoardSpec
from hal.events import STUCK, DeviceFailed, DeviceRecovered
from hal.keys import Key, key_named

REST = 1.0
"""Seconds before the first step: what is wrong with a device comes to light by itself."""
STUCK_WAIT = 32.0
"""Seconds after the start until every key that was down from the beginning has been told."""
_PINS = "GPIO"
_ON_PINS = ("keypad", "key ", "hook", "rotary dial", "lamp ", "bell", "buzzer", "headset socket")


class Walk:
    """One walk; `now` is monotonic seconds."""

    def __init__(self, spec: BoardSpec, now: float) -> None:
        self._steps = list(steps_of(spec))
        self._left_out: list[Step] = []
        """Those of a part that does not work, which may yet."""
        self._step: Step | None = None
        self._began = now
        self._quit = False
        self._alone = False
        self._waited = False
        self._scanned = False
        self._effects: list[Effect] = [Say(phrase("board.test.rest"))]
        if spec.headset is not None:
            self._effects.append(Say(phrase("board.test.rest_headset")))
        self._fell: set[str] = set()
        self.evidence = Evidence()
        self.deadline: float | None = now + REST

    def __len__(self) -> int:
        """How many steps are to come."""
        return len(self._steps)

    def take_effects(self) -> tuple[Effect, ...]:
        """What is to be done now, in this order."""
        effects, self._effects = tuple(self._effects), []
        return effects

    def receive(self, given: Given, now: float) -> None:
        """An event of the board, an answer of the builder, a measurement of the sound."""
        if self.deadline is None:
            return
        match given:
            case DeviceFailed(device, reason):
                self._failed(device, reason, now)
            case DeviceRecovered(device):
                self._recovered(device)
            case Answering(addresses):
                self.evidence.bus = addresses
            case Answer.GONE:
                self._alone = True
                if isinstance(self._step, Question):
                    self._skip(now)
            case Answer.QUIT | Answer.SKIP:
                self._quit = self._quit or given is Answer.QUIT
                self._skip(now)
            case _:
                self._pass_on(given, now)

    def expire(self, now: float) -> None:
        """The deadline may have passed."""
        if self.deadline is None or now < self.deadline:
            return
        if self._step is None:
            self._next(now)
            return
        self._effects += self._step.expire(now, self.evidence)
        self._go_on(now)

    def _pass_on(self, given: Given, now: float) -> None:
        if (told := told_by(given)) is not None:
            self.evidence.moves[told[0]].last = told[1]
        if self._step is not None:
            self._effects += self._step.take(given, now, self.evidence)
            self._go_on(now)

    def _failed(self, device: str, reason: str, now: float) -> None:
        key = key_named(device.removeprefix("key "))
        self._effects.append(Say(phrase("board.test.aside", what=device_phrase(device, reason))))
        if reason == STUCK and key is not None:
            self._stuck(key)
            return
        self.evidence.failed[device] = reason
        if device == SCREEN and reason.startswith(NO_ANSWER) and not self._scanned:
            self._scanned = True
            self._effects.append(Scan())
        if self._step is not None:
            self._fell.add(device)
            if self._step.device == device:
                self._skip(now)

    def _recovered(self, device: str) -> None:
        reason = self.evidence.failed.pop(device, None)
        if reason is None:
            return
        self._effects.append(Say(phrase("board.test.recovered", device=device)))
        if device in self._fell:
            self.evidence.flaky[device] = reason
        left_out, self._left_out = self._left_out, []
        for step in left_out:
            (self._left_out if self._is_broken(step.device) else self._steps).append(step)

    def _stuck(self, key: Key) -> None:
        self.evidence.stuck.add(key)
        self.evidence.silent.discard(key)

    def _skip(self, now: float) -> None:
        if self._step is not None:
            self.evidence.skipped.append(self._step.what)
        self._leave(now)

    def _go_on(self, now: float) -> None:
        assert self._step is not None
        if self._step.done:
            self._leave(now)
        else:
            self.deadline = self._step.deadline

    def _leave(self, now: float) -> None:
        if self._step is not None:
            self._effects += self._step.end()
        self._next(now)

    def _next(self, now: float) -> None:
        self._step = None
        while self._steps:
            step = self._steps.pop(0)
            if self._quit or (self._alone and isinstance(step, Question)):
                self.evidence.skipped.append(step.what)
            elif self._is_broken(step.device):
                self._left_out.append(step)
            elif self._begins(step, now):
                return
        self._finish(now)

    def _begins(self, step: Step, now: float) -> bool:
        """Begin a step; False if it has nothing to ask."""
        self._effects += step.begin(now, self.evidence)
        if step.done:
            return False
        self._step, self.deadline = step, step.deadline
        return True

    def _is_broken(self, device: str) -> bool:
        """A part that could not be opened is a finding already; nobody is asked to press it."""
        failed: Sequence[str] = tuple(self.evidence.failed)
        if device.removeprefix("card ") in self.evidence.no_sound:
            return True
        return device in failed or (_PINS in failed and device.startswith(_ON_PINS))

    def _finish(self, now: float) -> None:
        """Keys that gave nothing may be down from the beginning, which is told after a while."""
        until = self._began + STUCK_WAIT
        wait = self.evidence.silent and not self._quit and not self._waited and now < until
        if wait:
            self._waited = True
            self._effects.append(Say(phrase("board.test.wait")))
        self.deadline = until if wait else None
