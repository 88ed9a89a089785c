"""One event being handled: the state as it becomes, the commands as they are collected.

A `Turn` lives for one `Phone.handle`. The state in it is always a whole frozen `PhoneState`; rules
replace it, they never change it in place.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from firmware.base.values import replace
from firmware.call.capabilities import capabilities_of
from firmware.config.schema import Settings
from firmware.media.messages import AnyOrder, PathName
from firmware.phone.commands import Command, LogNotice, MediaOrder
from firmware.phone.dialplan import DialPlan
from firmware.phone.model import MODE_TIMERS, Call, Engine, PhoneState, Timer
from firmware.phone.toll import Toll
from firmware.phone.view import Mode, Notice
from firmware.sdp.negotiate import Capabilities
from firmware.sip.notifications import CallRef

_NOT_DIALLING = (Mode.IDLE, Mode.CALLING, Mode.RINGING, Mode.TALKING, Mode.AUDIO_TEST)
"""Modes in which nobody dials the target of a transfer any more."""


class Rules(Struct, frozen=True):
    """What follows from the settings and holds until they change."""

    settings: Settings
    plan: DialPlan
    capabilities: Capabilities
    toll: Toll

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        """The rules that follow from these settings."""
        audio = capabilities_of(settings.audio)
        return cls(settings, DialPlan.of(settings), audio, Toll.of(settings.phone))


class Turn:
    """The work table of one event."""

    __slots__ = ("commands", "now", "rules", "state")

    def __init__(self, state: PhoneState, rules: Rules, now: float) -> None:
        self.state = state
        self.rules = rules
        self.now = now
        self.commands: list[Command] = []

    def do(self, *commands: Command) -> None:
        """Have these performed, in this order, before what follows from the new state."""
        self.commands.extend(commands)

    def order(self, order: AnyOrder) -> None:
        """Tell the engine something that does not last (a beep, a digit); nobody hears it later."""
        if self.state.engine is Engine.UP:
            self.commands.append(MediaOrder(order))

    def put(self, call: Call) -> Call:
        """Replace a call by its new self."""
        self.state = self.state.with_call(call)
        return call

    def enter(self, mode: Mode) -> None:
        """Change the mode; the clocks of the old one stop, and so does its audio test."""
        if mode is not self.state.mode:
            timers = {t: at for t, at in self.state.timers.items() if t not in MODE_TIMERS}
            self.state = replace(self.state, mode=mode, timers=timers, test=None)
        consultation = self.state.consultation
        if mode in _NOT_DIALLING and consultation is not None and consultation.target is None:
            self.state = replace(self.state, consultation=None)

    def take_path(self, path: PathName | None) -> None:
        """Talk on this path from now on; None closes microphone and earpiece."""
        if path is not self.state.path:
            self.state = replace(self.state, path=path)

    def front(self, ref: CallRef | None, *, keep_mute: bool = False) -> None:
        """Bring a call to the front: the handset belongs to it, mute starts afresh.

        Unless nobody at the phone had a hand in it: then whoever was muted stays so.
        """
        if ref != self.state.front:
            muted = keep_mute and self.state.muted
            self.state = replace(self.state, front=ref, muted=muted)
            self.cancel(Timer.HOOK_FLASH)

    def set_timer(self, timer: Timer, seconds: float) -> None:
        """Be called again after so many seconds."""
        timers = {**self.state.timers, timer: self.now + seconds}
        self.state = replace(self.state, timers=timers)

    def cancel(self, *unwanted: Timer) -> None:
        """Stop clocks; those that do not run are no matter."""
        if any(timer in self.state.timers for timer in unwanted):
            timers = {t: at for t, at in self.state.timers.items() if t not in unwanted}
            self.state = replace(self.state, timers=timers)

    def say(self, notice: Notice, seconds: float | None = None) -> None:
        """Show a sentence, and log it; without `seconds` it stays until the mode's end."""
        self.log(notice)
        self.show(notice, seconds)

    def show(self, notice: Notice, seconds: float | None = None) -> None:
        """Show a sentence that is in the log already."""
        self.state = replace(self.state, notice=notice)
        if seconds is None:
            self.cancel(Timer.NOTICE)
        else:
            self.set_timer(Timer.NOTICE, seconds)

    def log(self, notice: Notice) -> None:
        """A line for people in the log."""
        self.commands.append(LogNotice(notice.text, notice.args))

    def unsay(self) -> None:
        """Take the sentence away."""
        if self.state.notice is not None:
            self.state = replace(self.state, notice=None)
            self.cancel(Timer.NOTICE)

    def number(self) -> int:
        """The next number of this run, for a call or a stream."""
        self.state = replace(self.state, counter=self.state.counter + 1)
        return self.state.counter


# A row of a dispatch table takes exactly the event type that is its key; a dict cannot say so.
Handler = Callable[[Turn, Any], None]
Rows = Mapping[type, Handler]
WhyNot = Callable[[PhoneState, Rules, Any], Notice | None]
Alarms = Mapping[Timer, Callable[[Turn], None]]
