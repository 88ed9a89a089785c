"""A house whose parts remember what they were asked to do."""

import asyncio
from dataclasses import dataclass, field

import pytest

from firmware.base.tokens import Tokens
from firmware.config.schema import LineSettings, Settings
from firmware.net.media_ports import MediaPorts
from firmware.phone.machine import Phone
from firmware.phone.view import CallState, CallView, LineView, PhoneView
from firmware.runtime.house import House
from firmware.runtime.loop import PhoneLoop
from firmware.sip.notifications import CallRef, LineName, RegistrationState
from hal.board import Board
from hal.mock.panel import Panel

LINE = LineName("101@pbx")


class Part:
    """Stands where a part stands; `asked` is every method called, with its arguments."""

    def __init__(self, length=0):
        self.asked = []
        self._length = length

    def __len__(self):
        return self._length

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **more: self.asked.append((name, *args, *more.items()))


@dataclass
class Inlet:
    """An inbox that keeps."""

    events: list = field(default_factory=list)

    def put(self, event):
        self.events.append(event)


@dataclass
class Clock:
    """Monotonic seconds that the test moves."""

    now: float = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def until():
    """Wait for something that another process or thread brings about."""

    async def wait(true_of, seconds=20.0):
        async with asyncio.timeout(seconds):
            while not true_of():  # noqa: ASYNC110 - others set no event of ours
                await asyncio.sleep(0.005)

    return wait


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def panel(clock):
    return Panel(clock, lamps=("message", "ring"))


@pytest.fixture
def house(clock, panel):
    """The parts; `told` is what listeners heard."""
    told = []
    made = House(
        agent=Part(),
        engine=Part(),
        ports=MediaPorts(40_000, 40_999, Tokens(b"p" * 16)),
        board=Board("test", (panel,), panel.screen, panel.lamp_row, panel.ringer, panel=panel),
        keeper=Part(),
        inbox=Inlet(),
        say=lambda text, args: " ".join([text, *(f"{k}={v}" for k, v in args.items())]),
        now=clock,
        tell=told.append,
        wall=lambda: 1_763_000_000.0,
    )
    yield made
    for pair in made.pairs.values():
        pair.close()


@pytest.fixture
def told(house):
    return house.tell.__self__


@pytest.fixture
def settings():
    return Settings(lines=(LineSettings(user="101", server="pbx", name=LINE),))


@pytest.fixture
async def loop(house, panel, settings):
    """A phone in its house; `settled` counts how often the SIP stack was asked to go on."""
    made = PhoneLoop(Phone(settings))
    house.inbox = made.inbox
    house.now = asyncio.get_running_loop().time
    made.settled = []
    made.furnish(house, lambda: made.settled.append(True))
    panel.start(made.inbox.post)
    yield made
    made.close()


@pytest.fixture
def a_call():
    """A call as the view tells it."""

    def make(ref="c1", state=CallState.TALKING, **more):
        facts = {"line": LINE, "outgoing": True, "name": "Ann", "user": "204", **more}
        return CallView(CallRef(ref), state=state, **facts)

    return make


@pytest.fixture
def a_view():
    """A view with one registered line."""

    def make(*calls, **more):
        front = more.pop("front", calls[0].ref if calls else None)
        lines = more.pop("lines", (LineView(LINE, "101", RegistrationState.REGISTERED),))
        return PhoneView(calls=calls, front=front, lines=lines, **more)

    return make
