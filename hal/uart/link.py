"""The phone's side of the talk with a front panel. Pure: bytes and the time go in, bytes come out.

    closed ─open─▶ greeting ─PANEL─▶ up ─no answer─▶ greeting        HELLO every second
                                     │ ▲
                                     └─┘ one line at a time, each one acknowledged

Toward the panel everything is state, not news: what each lamp, each strip of the screen and the
bell should be is compared with what the panel has acknowledged, and the next difference is sent.
So nothing queues up, an old picture is never drawn, and a panel that was pulled out has all of it
again a moment after it is back. From the panel come keys and hook: it repeats each one until it is
acknowledged. They are states, too (down, lifted): hearing one twice changes nothing.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field

from hal.events import Event
from hal.held import HeldKeys
from hal.hookflash import HookSwitch
from hal.keys import key_named
from hal.packing import pages
from hal.ports import LampPattern, Picture
from hal.uart.framing import LineReader, Message, encode

VERSION = "1"
ACK_WAIT = 0.3
"""Seconds until a line is sent again."""
TRIES = 10
HELLO_EVERY = 1.0
SILENT_AFTER = 3.0
"""Seconds of greeting without an answer after which people are told."""
PING_EVERY = 5.0
NO_ANSWER = "it does not answer"
_SEQUENCE = 256
Slot = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the panel should show: pixels or rows of letters; `bell` is seconds on, off, on, off."""

    picture: Picture | None = None
    lamps: dict[str, LampPattern] = field(default_factory=dict)
    bell: tuple[float, ...] = ()
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sent:
    """A line that waits for its acknowledgement."""

    line: bytes
    seq: int
    slot: Slot
    args: tuple[str, ...]
    tries: int
    again_at: float


class PanelLink:
    """One panel. After each call look at `take_output`, `deadline` and `fault`."""

    def __init__(self, flash_max: float) -> None:
        self._reader = LineReader()
        self._hook = HookSwitch(0.0, flash_max)
        self._held = HeldKeys()
        self._output = bytearray()
        self._wanted = Wanted()
        self._want: dict[Slot, tuple[str, ...]] = {}
        self._known: dict[Slot, tuple[str, ...]] = {}
        self._sent: _Sent | None = None
        self._seq = 0
        self._greeted = False
        self._unheard = False
        """Whether it was given up: it greets, and acknowledges nothing."""
        self._greet_at: float | None = None
        self._since = 0.0
        self._ping_at = 0.0
        self.fault: str | None = None
        """Why it does not work, empty while it does; None while that is not known yet."""
        self.name = ""
        """What the panel calls itself."""

    def __len__(self) -> int:
        """Keys down, lines on their way, and bytes of one that has begun to come."""
        return len(self._held) + (self._sent is not None) + len(self._reader)

    @property
    def bad_lines(self) -> int:
        """How many lines were no message."""
        return self._reader.bad

    @property
    def deadline(self) -> float | None:
        """When `fire` is due; None while the port is closed."""
        times = [self._held.deadline, self._greet_at]
        if self._greeted:
            times.append(self._sent.again_at if self._sent else self._ping_at)
        return min((time for time in times if time is not None), default=None)

    def take_output(self) -> bytes:
        """The bytes to send."""
        output = bytes(self._output)
        self._output.clear()
        return output

    def open(self, now: float) -> None:
        """The port was opened."""
        self._reader = LineReader()
        self._since = now
        self.fault, self._unheard = None, False
        self._greet(now)

    def close(self, now: float) -> tuple[Event, ...]:
        """The port is gone. The handset stays where it was: it says so when it is back."""
        self._greeted, self._greet_at, self._sent = False, None, None
        return self._held.release(now)

    def say_bye(self) -> bytes:
        """The last line: the panel goes dark and silent."""
        return encode(Message(self._next_seq(), "BYE"))

    def want(self, wanted: Wanted, now: float) -> None:
        """What the panel should show from now on."""
        old, self._wanted = self._wanted, wanted
        if wanted.picture is not old.picture:
            self._want = {slot: args for slot, args in self._want.items() if slot[0] != "STRIP"}
        self._want |= dict(_slots(wanted, strips=wanted.picture is not old.picture))
        self._send_next(now)

    def receive(self, data: bytes, now: float) -> tuple[Event, ...]:
        """Bytes from the panel."""
        events: list[Event] = []
        for message in self._reader.feed(data):
            events.extend(self._take(message, now))
        return tuple(events)

    def fire(self, now: float) -> tuple[Event, ...]:
        """The deadline is due."""
        events = self._held.expire(now)
        if self._greet_at is not None and now >= self._greet_at:
            self._greet(now)
        if not self._greeted:
            return events
        if self._sent is not None and now >= self._sent.again_at:
            return events + self._again(self._sent, now)
        if self._sent is None and now >= self._ping_at:
            self._send(("PING",), (), now)
        return events

    # Greeting

    def _greet(self, now: float) -> None:
        if now - self._since >= SILENT_AFTER and not self.fault:
            self.fault = NO_ANSWER
        self._greet_at = now + HELLO_EVERY
        self._output += encode(Message(self._next_seq(), "HELLO", (VERSION,)))

    def _panel(self, args: tuple[str, ...], now: float) -> tuple[Event, ...]:
        """The panel says who it is: it has just started, or was asked."""
        version = args[0] if args else ""
        if version != VERSION:
            self.fault = f"it speaks version {version} of the protocol, this phone {VERSION}"
            # It may be given its old program again while we wait.
            self._greeted, self._greet_at, self._sent = False, now + HELLO_EVERY, None
            return self._held.release(now)
        self.name = " ".join(args[1:])
        if not self._unheard:
            self.fault = ""
        self._greeted, self._greet_at, self._sent = True, None, None
        self._known.clear()
        events = self._held.release(now)
        self._send_next(now)
        return events

    # From the panel

    def _take(self, message: Message, now: float) -> tuple[Event, ...]:
        match message.word:
            case "ACK":
                return self._acknowledged(message, now)
            case "PANEL":
                self._acknowledge(message)
                return self._panel(message.args, now)
            case _ if not self._greeted:
                return ()
            case _:
                self._acknowledge(message)
                return self._news(message.word, message.args, now)

    def _acknowledge(self, message: Message) -> None:
        self._output += encode(Message(message.seq, "ACK"))

    def _news(self, word: str, args: tuple[str, ...], now: float) -> tuple[Event, ...]:
        match word, args:
            case "KEY", (name, ("down" | "up") as way) if (key := key_named(name)) is not None:
                return (self._held.down if way == "down" else self._held.up)(key, now)
            case "HOOK", (("lifted" | "replaced") as state,):
                return self._hook.sample(state == "lifted", now)
            case _:
                # A word of a later panel, or a key that no phone has.
                return ()

    # To the panel

    def _acknowledged(self, message: Message, now: float) -> tuple[Event, ...]:
        sent = self._sent
        if sent is not None and sent.seq == message.seq:
            self._known[sent.slot] = sent.args
            self._sent, self._unheard, self.fault = None, False, ""
            self._send_next(now)
        return ()

    def _send_next(self, now: float) -> None:
        if not self._greeted or self._sent is not None:
            return
        for slot, args in self._want.items():
            if self._known.get(slot) != args:
                self._send(slot, args, now)
                return
        self._ping_at = now + PING_EVERY

    def _send(self, slot: Slot, args: tuple[str, ...], now: float) -> None:
        seq = self._next_seq()
        line = encode(Message(seq, slot[0], (*slot[1:], *args)))
        self._output += line
        self._sent = _Sent(line, seq, slot, args, 1, now + ACK_WAIT)

    def _again(self, sent: _Sent, now: float) -> tuple[Event, ...]:
        if sent.tries < TRIES:
            self._output += sent.line
            tries, again_at = sent.tries + 1, now + ACK_WAIT
            self._sent = _Sent(sent.line, sent.seq, sent.slot, sent.args, tries, again_at)
            return ()
        self.fault, self._unheard = NO_ANSWER, True
        self._greeted, self._sent, self._since = False, None, now
        self._greet(now)
        return self._held.release(now)

    def _next_seq(self) -> int:
        self._seq = (self._seq + 1) % _SEQUENCE
        return self._seq


def _slots(wanted: Wanted, *, strips: bool) -> Iterator[tuple[Slot, tuple[str, ...]]]:
    """What is wanted, by slot: what a person must not miss comes first."""
    yield ("BELL",), tuple(str(round(seconds * 1000)) for seconds in wanted.bell) or ("off",)
    for name, pattern in wanted.lamps.items():
        yield ("LAMP", name), (pattern.value,)
    for row, words in enumerate(wanted.rows):
        yield ("TEXT", str(row)), (_base64(words.encode()),)
    if strips and wanted.picture is not None:
        for row, page in enumerate(pages(wanted.picture)):
            yield ("STRIP", str(row)), (_base64(page),)


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")
