"""P4 by datagrams: a PBX that restarts and has forgotten us looks as ever, and is found out."""

import collections

import pytest

from firmware.sip.flow import Transport
from firmware.sip.message import Request
from firmware.sip.notifications import RegistrationChanged, RegistrationState
from tests.support.bindings import Bindings
from tests.support.crowd import Crowd

RECHECK = 50
P4 = 60.0
"""Seconds after the PBX is back."""


class Server(Bindings):
    """Forgets everybody when it restarts; answers OPTIONS or not."""

    def __init__(self, pbx, *, answers_options=True):
        super().__init__(pbx)
        register = pbx.reply
        self._options = answers_options

        def reply(message):
            if isinstance(message, Request) and message.method == "OPTIONS":
                return [pbx.verdict(message, 404)] if self._options else []
            return register(message)

        pbx.reply = reply

    def restart(self, world, seconds):
        world.silent.add(self.pbx.endpoint)
        world.run(seconds)
        self.forget()
        world.silent.clear()


@pytest.fixture
def make(world, desk, pbx, sip):
    def made(*, recheck=RECHECK, **more):
        server = Server(pbx, **more)
        desk.line(sip.PBX, recheck=recheck)
        desk.agent.register(sip.LINE, world.now)
        world.run(1.0)
        return server

    return made


def back_after(world, server):
    """Seconds from the return of the PBX until it has us again."""
    began = world.now
    world.until(lambda: server.hosts("101"), 200.0)
    return world.now - began


@pytest.mark.parametrize("answers_options", [True, False], ids=["OPTIONS", "REGISTER only"])
@pytest.mark.parametrize("away", [0.0, 2.0, 9.0, 33.0, 40.0, 75.0, 200.0, 1000.0])
def test_f17_p04_in_no_phase_of_the_beat_does_a_restart_cost_more_than_a_minute(
    world, make, away, answers_options
):
    """From a restart that no probe sees to an outage of which every attempt is in vain."""
    server = make(answers_options=answers_options)
    worst = 0.0
    for _ in range(16):
        world.run(3.7 + 50.0)  # another phase each time
        server.restart(world, away)
        worst = max(worst, back_after(world, server))
    assert worst <= P4


def test_f17_without_it_a_short_restart_goes_unnoticed_until_the_refresh(world, make):
    """So that the test above can fail."""
    server = make(recheck=0)
    world.run(40.0)
    server.restart(world, 2.0)
    world.run(600.0)
    assert not server.hosts("101")


def test_it_takes_the_place_of_every_second_probe(world, make, pbx):
    make()
    pbx.inbox.clear()
    world.run(1000.0)
    registers, options = (len(pbx.requests(method)) for method in ("REGISTER", "OPTIONS"))
    assert 21 <= registers <= 26
    assert registers - 2 <= options <= registers + 2


def test_it_goes_where_the_registration_stands_and_asks_no_name_server(world, desk, pbx, sip):
    """Of servers that are equally good the lot is not drawn again each minute."""
    lookups = []
    lookup = world.lookup
    world.lookup = lambda effect: lookups.append(effect) or lookup(effect)
    Server(pbx)
    desk.line(sip.PBX, recheck=RECHECK)
    desk.agent.register(sip.LINE, world.now)
    world.run(600.0)
    assert len(pbx.requests("REGISTER")) > 10
    assert len(lookups) == 1


def test_f16_the_next_server_is_asked_when_the_one_we_stand_on_is_gone(world, desk, pbx, sip):
    other = sip.Pbx(world, "192.0.2.10")
    places = [(Transport.UDP, pbx.endpoint), (Transport.UDP, other.endpoint)]
    world.names["pbx.example"] = places
    desk.line("pbx.example", recheck=RECHECK)
    desk.agent.register(sip.LINE, world.now)
    world.run(30.0)
    world.silent.add(pbx.endpoint)
    began = world.now
    world.until(lambda: other.requests("REGISTER"), 60.0)
    assert world.now - began < P4
    world.run(30.0)
    world.silent.clear()
    pbx.inbox.clear()
    world.until(lambda: pbx.requests("REGISTER"), 120.0)  # and back, as without it
    assert desk.last(RegistrationChanged).state is RegistrationState.REGISTERED


def test_a_connection_needs_no_such_look(world, desk, pbx, sip):
    desk.line(sip.PBX, transport=Transport.TCP, recheck=RECHECK)
    desk.agent.register(sip.LINE, world.now)
    world.run(1000.0)
    assert len(pbx.requests("REGISTER")) == 1


def test_a_single_lost_datagram_makes_nobody_fail(world, desk, make):
    make()
    world.wire.loss = 0.3
    world.run(1500.0)
    states = [each.state for each in desk.of(RegistrationChanged)]
    assert RegistrationState.FAILED not in states


class TestP04ManyPhones:
    """A quarter of a thousand stand for all of them: what each sends depends on no other."""

    PHONES = 250

    def test_p04_together_they_ask_as_often_as_before_and_never_all_at_once(self):
        crowd = Crowd(self.PHONES, Transport.UDP, expires=3600, recheck=RECHECK)
        crowd.run(60.0)  # they began together
        crowd.times.clear()
        crowd.run(120.0)
        busiest = max(collections.Counter(int(at) for at in crowd.times).values())
        assert len(crowd.times) / 120.0 < self.PHONES / 40
        assert busiest < self.PHONES / 8
        assert crowd.registered == self.PHONES

    def test_p04_a_restart_that_nobody_saw_brings_all_back_within_a_minute(self):
        crowd = Crowd(self.PHONES, Transport.UDP, expires=3600, recheck=RECHECK)
        crowd.run(70.0)
        crowd.times.clear()
        crowd.run(P4)
        assert self.PHONES <= len(crowd.times) <= 1.8 * self.PHONES
