"""A phone on a desk: the machine with its SIP stack, on the simulated wire of `sip_link`.

Time is virtual; audio is judged by what the engine is told: where to send, what, and whether the
microphone is open.
"""

import itertools

from firmware.config.schema import LineSettings, PhoneSettings, Settings
from firmware.media import messages as m
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.events import MediaPortReserved, NetworkChanged, Started, TimePassed
from firmware.phone.machine import Phone
from firmware.phone.view import Mode
from firmware.sip.account import Account
from firmware.sip.notifications import LineName
from hal.events import HookLifted, HookReplaced
from tests.support.desk import ALL_PATHS
from tests.support.desk import Account as Ledger
from tests.support.sip_link import Desk as Stack

LINE = LineName("desk")


def transfer(transfers, x, now):
    """As the program does it."""
    if x.consultation is None:
        transfers.blind(x.call, x.target, now)
    else:
        transfers.attended(x.call, x.consultation, now)


INTENTS = {
    c.SendOffer: lambda ua, x, now: ua.offer(x.call, x.sdp, now),
    c.SayRinging: lambda ua, x, now: ua.ring(x.call, now, x.sdp),
    c.AcceptCall: lambda ua, x, now: ua.accept(
        x.call, x.sdp, now, (("Answer-Mode", "Auto"),) if x.by_itself else ()
    ),
    c.RejectCall: lambda ua, x, now: ua.reject(x.call, x.status, now, x.warning),
    c.EndCall: lambda ua, x, now: ua.end(x.call, now, x.reason),
    c.Reoffer: lambda ua, x, now: ua.reoffer(x.call, x.sdp, now),
    c.AnswerReoffer: lambda ua, x, now: ua.answer_reoffer(x.call, x.sdp, now, x.fork),
    c.RejectReoffer: lambda ua, x, now: ua.reject_reoffer(x.call, x.status, now, x.warning),
    c.TransferCall: lambda ua, x, now: transfer(ua.transfers, x, now),
    c.FollowTransfer: lambda ua, x, now: ua.transfers.follow(x.transfer, x.call, now),
    c.RefuseTransfer: lambda ua, x, now: ua.transfers.refuse(x.transfer, x.status, now),
}


class Clocks:
    """The stack's clocks and the phone's as one."""

    def __init__(self, agent, desk):
        self._agent, self._desk = agent, desk

    def __getattr__(self, name):
        return getattr(self._agent, name)

    def next_deadline(self):
        both = (self._agent.next_deadline(), self._desk.phone.next_deadline())
        return min((x for x in both if x is not None), default=None)

    def fire_timers(self, now):
        self._agent.fire_timers(now)
        self._desk.tell(TimePassed())


class DeskPhone(Stack):
    """A phone on a desk: machine, SIP stack, and an account of what its engine was told."""

    def __init__(self, world, host, user, peer, **phone):
        super().__init__(world, host)
        auto_answer = phone.pop("auto_answer", "never")
        servers = {LINE: peer, **phone.pop("more_lines", {})}
        lines = tuple(
            LineSettings(
                user, "", name=name, register=False, peers=(there,), auto_answer=auto_answer
            )
            for name, there in servers.items()
        )
        self.phone = Phone(Settings(phone=PhoneSettings(**phone), lines=lines))
        self.ledger = Ledger(ALL_PATHS)
        self.host, self.ports = host, itertools.count(40000, 2)
        accounts = tuple(
            Account(name, user, f"{there}:5060", register=False, peers=(there,))
            for name, there in servers.items()
        )
        self.agent.set_lines(accounts, world.now)
        self.stack = self.agent
        self.agent = Clocks(self.agent, self)
        self.script = self.tell
        self.tell(Started(ALL_PATHS))
        self.tell(NetworkChanged(up=True))
        self.tell(m.EngineReady(1, realtime=True))

    def tell(self, event):
        for command in self.phone.handle(event, self.now):
            self._account(command)
            self._perform_command(command)

    def _account(self, command):
        """SIP order is the stack's to judge; the ledger minds ports, streams and tones."""
        ours = (c.ReserveMediaPort, c.FreeMediaPort, c.MediaOrder, c.RingBell, c.SetLamp)
        if isinstance(command, (*ours, c.RecordCall, c.LogNotice, c.KeepVolume)):
            self.ledger.take(command)

    def _perform_command(self, command):
        if isinstance(command, c.ReserveMediaPort):
            self._bind(command)
        elif isinstance(command, c.PlaceCall):
            call, line, target = command.call, command.line, command.target
            self.stack.invite(call, line, target, self.now, emergency=command.emergency)
        elif type(command) in INTENTS:
            INTENTS[type(command)](self.stack, command, self.now)

    def _bind(self, command):
        self.ledger.ports[command.call] = port = next(self.ports)
        bound = MediaPortReserved(command.call, command.local, port)
        self.world.later(0.0, lambda: self.tell(bound))

    # What the person does and perceives.
    def lift(self):
        self.tell(HookLifted(self.now))

    def put_down(self):
        self.tell(HookReplaced(self.now))

    def press(self, digits):
        for digit in digits:
            self.tell(a.Digit(digit))

    @property
    def view(self):
        return self.phone.view()

    @property
    def mode(self):
        return self.view.mode

    @property
    def sounds(self):
        return {name: tone.path for name, tone in self.ledger.tones.items()}

    @property
    def stream(self):
        """How the engine was told to run the one stream there is."""
        (number,) = self.ledger.configured
        return self.ledger.configured[number]

    def at_rest(self):
        ledger = self.ledger
        return (
            self.mode is Mode.IDLE
            and len(self.phone) == 0
            and not (ledger.ports or ledger.streams or ledger.tones)
            and ledger.talk.path is None
        )
