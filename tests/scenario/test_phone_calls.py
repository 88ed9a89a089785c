"""Two desks on one wire: whole phones with their SIP stacks, no program and no socket around them.

Time is virtual; audio is judged by what each engine is told: where to send, what, and whether the
microphone is open.
"""

import itertools

import pytest

from firmware.config.schema import LineSettings, PhoneSettings, Settings
from firmware.media import messages as m
from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.commands import CallOutcome
from firmware.phone.events import MediaPortReserved, NetworkChanged, Started, StopAsked, TimePassed
from firmware.phone.machine import Phone
from firmware.phone.view import CallState, Mode
from firmware.sip.account import Account
from firmware.sip.notifications import LineName
from hal.events import HookLifted, HookReplaced
from tests.support.desk import ALL_PATHS
from tests.support.desk import Account as Ledger
from tests.support.sip_link import Desk as Stack
from tests.support.sip_link import Wire, World

ANN, BOB = "192.0.2.1", "192.0.2.2"
LINE = LineName("desk")


INTENTS = {
    c.SendOffer: lambda ua, x, now: ua.offer(x.call, x.sdp, now),
    c.SayRinging: lambda ua, x, now: ua.ring(x.call, now),
    c.AcceptCall: lambda ua, x, now: ua.accept(x.call, x.sdp, now),
    c.RejectCall: lambda ua, x, now: ua.reject(x.call, x.status, now, x.warning),
    c.EndCall: lambda ua, x, now: ua.end(x.call, now),
    c.Reoffer: lambda ua, x, now: ua.reoffer(x.call, x.sdp, now),
    c.AnswerReoffer: lambda ua, x, now: ua.answer_reoffer(x.call, x.sdp, now),
    c.RejectReoffer: lambda ua, x, now: ua.reject_reoffer(x.call, x.status, now, x.warning),
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
        line = LineSettings(
            user, "", name=LINE, register=False, peers=(peer,), auto_answer=auto_answer
        )
        self.phone = Phone(Settings(phone=PhoneSettings(**phone), lines=(line,)))
        self.ledger = Ledger(ALL_PATHS)
        self.host, self.ports = host, itertools.count(40000, 2)
        account = Account(LINE, user, f"{peer}:5060", register=False, peers=(peer,))
        self.agent.set_lines((account,), world.now)
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


@pytest.fixture
def world():
    return World()


@pytest.fixture
def ann(world):
    return DeskPhone(world, ANN, "101", BOB)


@pytest.fixture
def bob(world):
    return DeskPhone(world, BOB, "201", ANN)


def connect(world, ann, bob):
    """Ann calls Bob and he lifts."""
    ann.lift()
    ann.press("201")
    world.until(lambda: bob.mode is Mode.RINGING)
    bob.lift()
    world.until(lambda: ann.mode is Mode.TALKING)
    world.run(1)


def hear_each_other(ann, bob):
    """Both send to where the other listens, in a codec both know, from an open microphone."""
    for one, other, host in ((ann, bob, BOB), (bob, ann, ANN)):
        (port,) = other.ledger.ports.values()
        assert one.stream.remote == (host, port)
        assert one.stream.direction is m.Direction.SENDRECV
        assert one.ledger.talk.microphone
        assert m.Route.CARD in one.ledger.routes.values()
    assert ann.stream.formats[0].name == bob.stream.formats[0].name == "G722"


def test_desk_lifts_dials_far_end_rings_answers_both_hear_far_end_hangs_up(world, ann, bob):
    ann.lift()
    assert ann.sounds == {"progress": PathName.HANDSET}, "dial tone"
    ann.press("201")
    assert ann.sounds == {}
    world.run(4.5)
    assert bob.mode is Mode.RINGING
    assert bob.sounds == {"ring": PathName.RINGER}
    assert bob.view.front_call.user == "101"
    assert ann.sounds == {"progress": PathName.HANDSET}, "ringback"
    assert ann.view.front_call.state is CallState.RINGING_THERE
    bob.lift()
    world.run(0.5)
    assert (ann.mode, bob.mode) == (Mode.TALKING, Mode.TALKING)
    assert (ann.sounds, bob.sounds) == ({}, {})
    hear_each_other(ann, bob)
    world.run(60)
    bob.put_down()
    world.run(1)
    assert bob.at_rest()
    assert ann.mode is Mode.RELEASED
    assert ann.sounds == {"progress": PathName.HANDSET}, "busy tone"
    ann.put_down()
    world.run(60)
    assert ann.at_rest()
    assert (len(ann.stack), len(bob.stack)) == (0, 0)
    for desk in (ann, bob):
        (record,) = desk.ledger.records
        assert record.outcome is CallOutcome.ANSWERED
        assert 60 < record.seconds < 64


def test_hold_and_resume_are_seen_at_both_ends(world, ann, bob):
    connect(world, ann, bob)
    ann.tell(a.Hold())
    world.run(1)
    assert ann.stream.direction is m.Direction.SENDONLY
    assert bob.stream.direction is m.Direction.RECVONLY
    assert bob.view.front_call.held_by_them
    assert not ann.ledger.talk.microphone
    ann.tell(a.Resume())
    world.run(1)
    hear_each_other(ann, bob)
    assert not bob.view.front_call.held_by_them


def test_both_hold_at_the_same_moment_and_both_get_their_way(world, ann, bob):
    connect(world, ann, bob)
    ann.tell(a.Hold())
    bob.tell(a.Hold())
    world.run(20)
    assert ann.stream.direction is m.Direction.INACTIVE
    assert bob.stream.direction is m.Direction.INACTIVE
    ann.tell(a.Resume())
    world.run(10)
    bob.tell(a.Resume())
    world.run(10)
    hear_each_other(ann, bob)


def test_the_caller_gives_up_and_is_a_missed_call(world, ann, bob):
    ann.lift()
    ann.press("201")
    world.until(lambda: bob.mode is Mode.RINGING)
    ann.put_down()
    world.run(40)
    assert ann.at_rest()
    assert bob.at_rest()
    assert bob.view.missed == 1
    assert (len(ann.stack), len(bob.stack)) == (0, 0)


def test_the_called_side_refuses(world, ann, bob):
    ann.lift()
    ann.press("201")
    world.until(lambda: bob.mode is Mode.RINGING)
    bob.tell(a.HangUp())
    world.run(1)
    assert (ann.mode, ann.view.notice.text) == (Mode.RELEASED, "call_busy")
    assert bob.at_rest()


def test_a_phone_with_all_its_calls_taken_is_busy(world, bob):
    ann = DeskPhone(world, ANN, "101", BOB, max_calls=2)
    bob = DeskPhone(world, BOB, "201", ANN, max_calls=1)
    connect(world, ann, bob)
    ann.tell(a.Dial("201"))
    world.run(2)
    assert ann.view.notice.text == "call_busy"
    assert len(bob.phone) == 1


def test_an_intercom_answers_by_itself(world, ann):
    bob = DeskPhone(world, BOB, "201", ANN, auto_answer="always")
    ann.tell(a.Dial("201"))
    world.run(1)
    assert (ann.mode, bob.mode) == (Mode.TALKING, Mode.TALKING)
    hear_each_other(ann, bob)
    assert bob.ledger.talk.path is PathName.SPEAKER


def test_nobody_at_the_other_end(world, ann):
    ann.lift()
    ann.press("201")
    world.until(lambda: ann.mode is Mode.RELEASED)
    assert ann.view.notice.text == "call_no_answer"
    ann.put_down()
    world.run(60)
    assert ann.at_rest()


def test_stopping_in_a_call_says_goodbye(world, ann, bob):
    connect(world, ann, bob)
    ann.tell(StopAsked())
    world.run(1)
    assert ann.at_rest()
    assert bob.mode is Mode.RELEASED


@pytest.mark.parametrize("seed", range(4))
def test_f6_forty_calls_over_a_bad_wire_leave_nothing_behind(seed):
    world = World(seed=seed, wire=Wire(loss=0.15, double=0.1, jitter=0.2))
    ann = DeskPhone(world, ANN, "101", BOB)
    bob = DeskPhone(world, BOB, "201", ANN, auto_answer="always" if seed % 2 else "never")
    dice = world.random
    for _ in range(40):
        ann.lift()
        ann.press("201#")
        world.run(dice.uniform(0, 8))
        if bob.mode is Mode.RINGING and dice.random() < 0.8:
            bob.lift()
        world.run(dice.uniform(0, 8))
        if dice.random() < 0.4:
            ann.tell(a.Hold())
            world.run(dice.uniform(0, 3))
            ann.tell(a.Resume())
        first, second = (ann, bob) if dice.random() < 0.5 else (bob, ann)
        first.put_down()
        world.run(dice.uniform(0, 3))
        second.put_down()
        world.run(70)
        if not bob.at_rest():
            bob.tell(a.HangUp())
            world.run(70)
    assert ann.at_rest()
    assert bob.at_rest()
    assert (len(ann.stack), len(bob.stack)) == (0, 0)
    outcomes = [record.outcome for record in ann.ledger.records]
    assert len(outcomes) == 40
    assert outcomes.count(CallOutcome.ANSWERED) > 10, "most of them were really calls"
