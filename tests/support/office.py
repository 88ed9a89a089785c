"""An office on virtual time: five phones and one exchange; a day of it takes seconds.

Everything but sockets and sound is real: the phones' machines and SIP stacks, the exchange with its
registrar. In the morning everybody is registered, at noon the exchange is restarted and has
forgotten everything, in the evening all is as empty as in the morning.
"""

import gc
import random
import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import firmware
from firmware.base.tokens import Tokens
from firmware.config.schema import LineSettings, Settings
from firmware.lab.exchange import LINE as PBX_LINE
from firmware.lab.exchange import Exchange
from firmware.lab.registrar import Registrar
from firmware.media import messages as m
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.commands import CallOutcome
from firmware.phone.events import MediaPortReserved, NetworkChanged, Started, StopAsked, TimePassed
from firmware.phone.machine import Phone
from firmware.phone.view import Mode
from firmware.sip.account import Account
from firmware.sip.notifications import LineName, RegistrationState
from hal.events import HookLifted, HookReplaced
from tests.support.desk import ALL_PATHS
from tests.support.desk import Account as Ledger
from tests.support.desk_phone import transfer
from tests.support.sip_link import Desk as Stack
from tests.support.sip_link import World

PBX = "192.0.2.100"
LINE = LineName("desk")
USERS = ("201", "202", "203", "204", "205")
DAY = 86_400.0
OURS = tracemalloc.Filter(inclusive=True, filename_pattern=f"{Path(firmware.__file__).parent}/*")


@dataclass(frozen=True)
class Pace:
    """How busy an office is, in calls a day; times in seconds."""

    calls: int = 200
    expires: int = 300
    rings: tuple[float, float] = (1, 15)
    talks: tuple[float, float] = (5, 300)
    waits: tuple[float, float] = (1, 20)
    """How long a caller waits whom nobody answers."""


A_CALL_A_MINUTE = Pace(1440, expires=60, rings=(1, 5), talks=(3, 30), waits=(1, 10))

INTENTS = {
    c.SendOffer: lambda ua, x, now: ua.offer(x.call, x.sdp, now),
    c.SayRinging: lambda ua, x, now: ua.ring(x.call, now, x.sdp),
    c.AcceptCall: lambda ua, x, now: ua.accept(x.call, x.sdp, now),
    c.RejectCall: lambda ua, x, now: ua.reject(x.call, x.status, now, x.warning),
    c.EndCall: lambda ua, x, now: ua.end(x.call, now, x.reason),
    c.Reoffer: lambda ua, x, now: ua.reoffer(x.call, x.sdp, now),
    c.AnswerReoffer: lambda ua, x, now: ua.answer_reoffer(x.call, x.sdp, now, x.fork),
    c.RejectReoffer: lambda ua, x, now: ua.reject_reoffer(x.call, x.status, now, x.warning),
    c.TransferCall: lambda ua, x, now: transfer(ua.transfers, x, now),
    c.FollowTransfer: lambda ua, x, now: ua.transfers.follow(x.transfer, x.call, now),
    c.RefuseTransfer: lambda ua, x, now: ua.transfers.refuse(x.transfer, x.status, now),
}
LEDGER = (c.ReserveMediaPort, c.FreeMediaPort, c.MediaOrder, c.RingBell, c.SetLamp, c.RecordCall)


class Clocks:
    """A stack's clocks and those of what stands on it as one."""

    def __init__(self, agent, other, fire):
        self._agent, self._other, self._fire = agent, other, fire

    def __getattr__(self, name):
        return getattr(self._agent, name)

    def __len__(self):
        return len(self._agent)

    def next_deadline(self):
        both = (self._agent.next_deadline(), self._other.next_deadline())
        return min((at for at in both if at is not None), default=None)

    def fire_timers(self, now):
        self._agent.fire_timers(now)
        self._fire(now)


class OfficePhone(Stack):
    """A phone with somebody at it."""

    def __init__(self, world, host, user, expires):
        super().__init__(world, host)
        self.user, self._port = user, 40_000
        server = f"{PBX}:5060"
        line = LineSettings(user, server, user, LINE, expires=expires)
        self.phone = Phone(Settings(lines=(line,)))
        self.ledger = Ledger(ALL_PATHS)
        self.stack = self.agent
        self.agent = Clocks(self.stack, self.phone, lambda _: self.tell(TimePassed()))
        self.script = self.tell
        for event in (
            Started(ALL_PATHS),
            NetworkChanged(up=True),
            m.EngineReady(1, realtime=True),
        ):
            self.tell(event)
        account = Account(LINE, user, server, user, expires=expires)
        self.stack.set_lines((account,), world.now)
        self.stack.register(LINE, world.now)

    def tell(self, event):
        for command in self.phone.handle(event, self.now):
            if isinstance(command, LEDGER):
                self.ledger.take(command)
            self.carry_out(command)

    def carry_out(self, command):
        if isinstance(command, c.ReserveMediaPort):
            self._port += 2
            self.ledger.ports[command.call] = self._port
            bound = MediaPortReserved(command.call, command.local, self._port)
            self.world.later(0.0, lambda: self.tell(bound))
        elif isinstance(command, c.PlaceCall):
            self.stack.invite(command.call, command.line, command.target, self.now)
        elif type(command) in INTENTS:
            INTENTS[type(command)](self.stack, command, self.now)

    @property
    def mode(self):
        return self.phone.view().mode

    @property
    def registered(self):
        return self.phone.view().lines[0].state is RegistrationState.REGISTERED

    @property
    def outcomes(self):
        return [record.outcome for record in self.ledger.records]

    def dial(self, user):
        self.tell(HookLifted(self.now))
        for digit in user:
            self.tell(a.Digit(digit))
        self.tell(a.DialNow())

    def lift(self):
        self.tell(HookLifted(self.now))

    def put_down(self):
        self.tell(HookReplaced(self.now))

    def at_rest(self):
        ledger = self.ledger
        leftovers = (ledger.ports, ledger.streams, ledger.tones, ledger.bell)
        return self.mode is Mode.IDLE and len(self.phone) == 0 and not any(leftovers)


class NoBooth:
    """Nobody calls the exchange itself on this day."""

    def close(self, call):
        pass


class Pbx(Stack):
    """The practice exchange on the wire; a new one has forgotten everything."""

    def __init__(self, world, life):
        settings = {"hand_up": frozenset({"REGISTER"}), "open_house": True}
        super().__init__(world, PBX, seed=b"exchange %d" % life, **settings)
        self.registrar = Registrar(Tokens(b"registrar %d" % life * 2))
        stack = self.agent
        self.exchange = Exchange(stack, self.registrar, NoBooth(), frozenset())
        self.agent = Clocks(stack, self.exchange, self.exchange.fire_timers)
        self.script = lambda thing: self.exchange.handle(thing, self.now)
        account = Account(PBX_LINE, "pbx", f"{PBX}:5060", register=False, accept_any_user=True)
        stack.set_lines((account,), world.now)

    def die(self):
        self.world.desks.remove(self)
        del self.world.nodes[self.endpoint]


class Office:
    """The phones, the exchange, and a plan for the day."""

    def __init__(self, seed, wire, pace=Pace()):
        self.world = World(seed, wire)
        self.pace = pace
        self.dice = random.Random(seed)  # noqa: S311 - a day that can be lived again
        self._lives = 1
        self.pbx = Pbx(self.world, self._lives)
        self.phones = [
            OfficePhone(self.world, f"192.0.2.{number}", user, pace.expires)
            for number, user in enumerate(USERS, 1)
        ]

    def everybody_registered(self, limit):
        self.world.until(lambda: all(phone.registered for phone in self.phones), limit)

    def call(self):
        """Somebody calls somebody, for a while or in vain; True if they talked."""
        caller, callee = self.dice.sample(self.phones, 2)
        pace, dice = self.pace, self.dice
        world, moods = self.world, ("talks", "talks", "talks", "not there", "gives up")
        mood = dice.choice(moods)
        caller.dial(callee.user)
        world.until(lambda: callee.mode is Mode.RINGING or caller.mode is Mode.RELEASED, 60)
        talked = False
        if callee.mode is Mode.RINGING and mood == "talks":
            world.run(dice.uniform(*pace.rings))
            callee.lift()
            world.until(lambda: caller.mode is callee.mode is Mode.TALKING, 40)
            world.run(dice.uniform(*pace.talks))
            assert caller.mode is callee.mode is Mode.TALKING
            talked = True
            first, second = dice.sample((caller, callee), 2)
            first.put_down()
            world.until(lambda: second.mode is Mode.RELEASED, 40)
            second.put_down()
        else:
            world.run(dice.uniform(*pace.waits))
            caller.put_down()
        world.until(lambda: caller.at_rest() and callee.at_rest(), 60)
        return talked

    def calls(self, count, seconds):
        """So many calls within a time; how many were talked in."""
        world, begin, talked = self.world, self.world.now, 0
        for number in range(1, count + 1):
            talked += self.call()
            world.run(max(0.0, begin + seconds * number / count - world.now))
        return talked

    def live(self, seconds=DAY):
        """A day, or a part of one, with a restart of the exchange; how many calls were talked in.

        P4, F17: at noon the exchange is away for a minute and then knows nobody.
        """
        world, before = self.world, [len(phone.outcomes) for phone in self.phones]
        morning = self.standing()
        half = round(self.pace.calls * seconds / DAY / 2)
        talked = self.calls(half, seconds / 2)
        self.pbx.die()
        world.run(60)
        self._lives += 1
        self.pbx = Pbx(world, self._lives)
        world.until(lambda: len(self.pbx.registrar) == len(USERS), self.pace.expires + 60)
        self.everybody_registered(60)
        talked += self.calls(half, seconds / 2)
        assert talked > 2 * half / 3

        world.run(60)
        assert all(phone.at_rest() for phone in self.phones)
        # On a bad wire somebody may be registering at this very moment.
        world.until(lambda: self.standing() == morning, 120)
        assert len(self.pbx.exchange) == 0
        assert [dict(phone.phone.state.timers) for phone in self.phones] == [{}] * len(USERS)
        records = [
            outcome
            for phone, known in zip(self.phones, before, strict=True)
            for outcome in phone.outcomes[known:]
        ]
        assert len(records) == 4 * half
        assert records.count(CallOutcome.ANSWERED) == 2 * talked
        return talked

    def settle(self):
        """Let every clock that a call has set run out, between two rounds of registering."""
        usual = min(self.standing())
        self.world.run(700)
        for phone in self.phones:
            # Each for itself: somebody always asks the exchange whether it lives.
            self.world.until(lambda stack=phone.stack: len(stack) == usual, 300)

    def standing(self):
        """How much is alive in each phone, beside transactions: one probes or registers always."""
        stacks = [phone.stack for phone in self.phones]
        return [len(stack) - len(stack._core.transactions) for stack in stacks]

    def forget(self):
        """Empty what the test itself writes down, so that the phones' own memory can be seen."""
        self.world.log.clear()
        for desk in (*self.phones, self.pbx):
            desk.heard.clear()
            desk.effects.clear()
        for phone in self.phones:
            phone.ledger.records.clear()

    def close(self):
        """Everybody stops; nothing is left."""
        for phone in self.phones:
            phone.tell(StopAsked())
            phone.stack.shut_down(self.world.now)
        self.world.run(60)
        assert [len(phone.stack) for phone in self.phones] == [0] * len(USERS)
        assert len(self.pbx.registrar) == 0


def held():
    """Bytes that code of the phone has allocated and somebody still holds, and where.

    Only while tracemalloc runs.
    """
    gc.collect()
    rows = tracemalloc.take_snapshot().filter_traces([OURS]).statistics("filename")
    return sum(row.size for row in rows), rows
