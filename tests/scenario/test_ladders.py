"""Whole calls as `ctl ladder` tells them: every way a call can end, with the reason in words.

The ladders are in tests/data/ladders, one file each. Time is virtual; Call-IDs are left out.
"""

import re
from pathlib import Path

import pytest

from firmware.media.messages import HearingChanged, Silence
from firmware.phone import actions as a
from firmware.phone.view import Mode
from firmware.runtime.ladder import ladder
from firmware.runtime.trace import Trace
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.invite.reasons import ELSEWHERE
from firmware.sip.notifications import CallEnded, CallRef, IncomingCall
from firmware.ui.text import Texts
from tests.support.desk import sdp
from tests.support.desk_phone import DeskPhone
from tests.support.office import Office
from tests.support.sip_link import LINE, Desk, Wire, World

BOOK = Path(__file__).parents[1] / "data" / "ladders"
ANN, BOB = "192.0.2.1", "192.0.2.2"
OUT = CallRef("out")
NOWHERE = "sip:carol@nowhere.example"


class Stage:
    """Ann's whole phone, the desk of Bob as her line's server, and what was on Ann's wire."""

    def __init__(self):
        self.world = World()
        self.ann = DeskPhone(self.world, ANN, "101", BOB)
        self.bob = Desk(self.world, BOB)
        self.bob.line(ANN, user="201", register=False)

    def dial(self, digits="201"):
        self.ann.lift()
        self.ann.tell(a.Dial(digits))
        self.world.until(lambda: self.bob.of(IncomingCall))
        return self.bob.last(IncomingCall).call

    def talk(self):
        call = self.dial()
        self.bob.agent.ring(call, self.world.now)
        self.world.run(2)
        self.bob.agent.accept(call, sdp(address=BOB), self.world.now)
        self.world.until(lambda: self.ann.mode is Mode.TALKING)
        self.world.run(5)
        return call

    def is_called(self, *rows):
        self.bob.agent.invite(OUT, LINE, "101", self.world.now, headers=rows)
        self.world.run(0.02)
        self.bob.agent.offer(OUT, sdp(address=BOB), self.world.now)
        self.world.run(2)

    def told(self, phone=None):
        phone = phone or self.ann
        trace, here = Trace(), str(phone.endpoint)
        for at, sender, to, data in self.world.log:
            if here in (sender, to):
                flow = Flow(Transport.UDP, phone.endpoint, _end(to if sender == here else sender))
                trace.note(sender == here, data, flow, at)
        messages = trace.messages(trace.last_call_id()) if len(trace) else []
        ended = next(reversed(phone.of(CallEnded)), None)
        rows = ladder(messages, words=Texts.load().phrase, ended=ended, dialled=NOWHERE)
        return [_plain(row) for row in rows]


def _plain(row):
    """Without what chance and this machine's codecs have made."""
    row = re.sub("^Call-ID .*", "Call-ID (left out)", row)
    row = re.sub("(Event: refer;id)=[0-9]+|(expires)=3[0-9][0-9]", r"\1\2=…", row)
    return re.sub(r"\|  [\w -]+ · (?=192)", "|  (codecs) · ", row)


def _end(text):
    host, _, port = text.rpartition(":")
    return Endpoint(host.strip("[]"), int(port))


@pytest.fixture
def stage():
    return Stage()


def hung_up_here(stage):
    stage.talk()
    stage.ann.put_down()
    stage.world.run(2)


def hung_up_there(stage):
    stage.bob.agent.end(stage.talk(), stage.world.now)
    stage.world.run(2)


def refused(stage):
    stage.bob.agent.reject(stage.dial(), 486, stage.world.now)
    stage.world.run(2)


def asked_to_try_later(stage):
    later = (("Retry-After", "120 (lunch)"),)
    stage.bob.agent.reject(stage.dial(), 480, stage.world.now, headers=later)
    stage.world.run(2)


def cancelled(stage):
    stage.bob.agent.ring(stage.dial(), stage.world.now)
    stage.world.run(3)
    stage.ann.put_down()
    stage.world.run(2)


def answered_elsewhere(stage):
    stage.is_called()
    stage.bob.agent.end(OUT, stage.world.now, ELSEWHERE)
    stage.world.run(2)


def timeout(stage):
    stage.world.silent.add(stage.bob.endpoint)
    stage.ann.lift()
    stage.ann.tell(a.Dial("201"))
    stage.world.run(40)


def never_acknowledged(stage):
    stage.is_called()
    stage.world.silent.add(stage.bob.endpoint)
    stage.ann.lift()
    stage.world.run(70)


def redirected(stage):
    stage.bob.line(ANN, user="201", register=False, numbers=("301",))
    there = (("Contact", f'"Carol" <sip:301@{BOB}>'),)
    stage.bob.agent.reject(stage.dial(), 302, stage.world.now, headers=there)
    stage.world.until(lambda: len(stage.bob.of(IncomingCall)) == 2)
    stage.bob.agent.reject(stage.bob.last(IncomingCall).call, 603, stage.world.now)
    stage.world.run(2)


def session_timer(stage):
    stage.bob.line(ANN, user="201", register=False, session_expires=90)
    stage.is_called()
    stage.ann.lift()
    stage.world.run(1)
    stage.world.desks.remove(stage.bob)  # the phone there has lost its power
    stage.world.run(100)


def media_timeout(stage):
    stage.talk()
    (number,) = stage.ann.ledger.configured
    stage.ann.tell(HearingChanged(number, Silence.NO_PACKETS))
    stage.world.run(121)


def no_codec(stage):
    call = stage.dial()
    stage.bob.agent.accept(call, sdp(3, address=BOB), stage.world.now)
    stage.world.run(2)


def nobody_found(stage):
    stage.ann.lift()
    stage.ann.tell(a.Dial(NOWHERE))
    stage.world.run(2)


ENDS = {
    end.__name__: end
    for end in (
        *(hung_up_here, hung_up_there, refused, asked_to_try_later, cancelled),
        *(answered_elsewhere, timeout, never_acknowledged, redirected, session_timer),
        *(media_timeout, no_codec, nobody_found),
    )
}


def check(name, rows):
    assert rows == (BOOK / f"{name}.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("name", ENDS)
def test_every_end_of_a_call_is_told_in_words(stage, name):
    ENDS[name](stage)
    check(name, stage.told())


def test_a_call_that_was_transferred_says_where_the_far_end_went():
    office = Office(7, Wire())
    office.everybody_registered(10)
    boss, ann, bob, *_ = office.phones
    world = office.world
    boss.dial(ann.user)
    world.until(lambda: ann.mode is Mode.RINGING, 10)
    ann.lift()
    world.until(lambda: boss.mode is Mode.TALKING, 10)
    boss.tell(a.Transfer(bob.user))
    world.until(lambda: bob.mode is Mode.RINGING, 10)
    bob.lift()
    world.run(10)
    stage = Stage.__new__(Stage)
    stage.world = world
    check("transferred", stage.told(boss))


def test_every_ladder_in_the_book_is_tested():
    assert {file.stem for file in BOOK.glob("*.txt")} == {*ENDS, "transferred"}
