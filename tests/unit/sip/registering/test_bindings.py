"""What registrars answer, what they are left with, and how many phones they bear."""

import collections

import pytest

from firmware.sip.account import Account
from firmware.sip.flow import Endpoint, Transport
from firmware.sip.notifications import LineName, RegistrationChanged
from firmware.sip.notifications import RegistrationState as State
from firmware.sip.registering.grant import read_grant
from tests.support.bindings import Bindings
from tests.support.crowd import Crowd
from tests.support.lives import LIVES


def register(world, desk, sip):
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    return desk.last(RegistrationChanged)


class TestWhatIsGranted:
    """RFC 3261 §10.2.4, §10.3: how long, and for whom, in all the ways registrars say it."""

    @pytest.mark.parametrize(
        ("rows", "seconds"),
        [
            ([("Contact", "{ours};expires=120")], 120),
            ([("Contact", "{ours}"), ("Expires", "180")], 180),
            ([("Contact", "{ours};expires=120"), ("Expires", "9")], 120),
            ([("Expires", "240")], 240),
            ([], 3600),
            ([("Contact", "<sip:other@192.0.2.8>;expires=7")], 3600),
            ([("Contact", "<sip:x@a>;expires=7, {ours};expires=300, <sip:y@b>;expires=9")], 300),
            ([("Contact", "<sip:x@a>;expires=7"), ("Contact", "{ours};expires=300")], 300),
            ([("Contact", "{translated};expires=60")], 60),
            ([("Contact", "{ours};expires=soon"), ("Expires", "90")], 90),
            ([("Contact", "{ours};expires=120"), ("Date", "Thu, 01 Jan 1970 00:00:00 GMT")], 120),
            ([("Contact", "{ours};EXPIRES=50")], 50),
            ([("m", "{ours};expires=50")], 50),
        ],
    )
    def test_f19_the_time_is_found(self, world, desk, pbx, sip, rows, seconds):
        def verdict(request):
            ours = request.headers.get("Contact").partition(";+sip")[0]
            translated = ours.replace("192.0.2.1:5060", "198.51.100.1:30000")
            filled = [(n, v.format(ours=ours, translated=translated)) for n, v in rows]
            return sip.answer_to(request, 200, *filled)

        pbx.verdicts = [verdict]
        told = register(world, desk, sip)
        assert (told.state, told.expires_in) == (State.REGISTERED, seconds)

    @pytest.mark.parametrize("granted", [20, 30, 60, 65, 100, 3600])
    def test_f19_the_refresh_comes_in_time_for_another_try(self, world, desk, pbx, sip, granted):
        """RFC 5627 §4.2: halfway, or 32 seconds before the end."""
        pbx.grants = granted
        register(world, desk, sip)
        begun = world.now - 1.0
        world.until(lambda: len(pbx.requests("REGISTER")) > 1, granted)
        assert world.now - begun <= (granted / 2 + 1 if granted <= 64 else granted - 31)


@pytest.mark.parametrize(
    ("rows", "leftovers"),
    [
        (["<sip:me@192.0.2.1:5060>", "<sip:me@192.0.2.7:5060>"], ("sip:me@192.0.2.7:5060",)),
        (["<sip:me@192.0.2.7:5060>"], ()),
        (["<sip:me@192.0.2.1:5060>", "<sip:you@192.0.2.7:5060>"], ()),
        (["<sip:me@192.0.2.1:5060>", "<sip:me@192.0.2.7>;reg-id=2"], ()),
        ([], ()),
    ],
    ids=["an old address", "translated on the way", "another phone", "another flow", "none"],
)
def test_what_is_left_over_from_earlier_addresses(sip, rows, leftovers):
    request = sip.request("REGISTER", "sip:pbx")
    response = sip.answer_to(request, 200, *[("Contact", row) for row in rows])
    assert read_grant(response, "sip:me@192.0.2.1:5060", 60).leftovers == leftovers


class TestAnAddressIsLeft:
    """F9: the registrar must not go on ringing where we were."""

    @pytest.fixture
    def bindings(self, world, sip):
        return Bindings(sip.Pbx(world))

    def move(self, world, desk, host):
        """The desk has another address from now on."""
        world.nodes.pop(desk.endpoint)
        desk.endpoint = Endpoint(host, 5060)
        world.nodes[desk.endpoint] = desk
        desk.agent.network_changed(world.now, frozenset({host}))
        world.run(3.0)

    def test_f09_the_old_binding_is_removed_once_the_new_one_stands(
        self, world, desk, bindings, sip
    ):
        register(world, desk, sip)
        assert bindings.hosts("101") == ["192.0.2.1"]
        self.move(world, desk, "198.51.100.5")
        assert bindings.hosts("101") == ["198.51.100.5"]
        self.move(world, desk, "192.0.2.1")
        assert bindings.hosts("101") == ["192.0.2.1"]
        assert desk.last(RegistrationChanged).state is State.REGISTERED

    def test_f09_so_is_one_from_before_a_restart(self, world, bindings, sip):
        """The Contact user is kept over restarts, so that an old binding is known for ours."""
        for host in ("192.0.2.1", "198.51.100.5"):
            desk = sip.Desk(world, host)
            desk.line(sip.PBX, contact_user="abcdefghijklmnop")
            register(world, desk, sip)
            world.nodes.pop(desk.endpoint)
        assert bindings.hosts("101") == ["198.51.100.5"]

    def test_a_registrar_that_refuses_the_removal_changes_nothing(self, world, desk, bindings, sip):
        register(world, desk, sip)
        bindings.refuses_removal = True
        self.move(world, desk, "198.51.100.5")
        world.run(60.0)
        assert desk.last(RegistrationChanged).state is State.REGISTERED


class TestF49TwoPhonesOnOneAccount:
    """Both stay registered, and neither takes away what the other has."""

    @pytest.fixture
    def phones(self, world, sip):
        phones = [sip.Desk(world, f"192.0.2.{host}") for host in (20, 21)]
        for phone in phones:
            phone.line(sip.PBX, password="secret", expires=120)
        return phones

    def test_f49_for_a_day(self, world, phones, sip):
        bindings = Bindings(sip.Pbx(world))
        for phone in phones:
            register(world, phone, sip)
        world.run(86400.0)
        assert sorted(bindings.hosts("101")) == ["192.0.2.20", "192.0.2.21"]
        assert bindings.removed == 0
        sent = len(bindings.pbx.requests("REGISTER"))
        assert sent == pytest.approx(2 * 86400 / (120 * 0.73), rel=0.1), "no war"

    def test_f49_one_leaves_and_the_other_stays(self, world, phones, sip):
        bindings = Bindings(sip.Pbx(world))
        for phone in phones:
            register(world, phone, sip)
        phones[0].agent.unregister(sip.LINE, world.now)
        world.run(1.0)
        assert bindings.hosts("101") == ["192.0.2.21"]

    def test_f49_a_registrar_that_bears_only_one_makes_no_war_either(self, world, phones, sip):
        """It drops the other at every REGISTER; nobody but the refresh comes back to it."""
        bindings = Bindings(sip.Pbx(world), most=1)
        for phone in phones:
            register(world, phone, sip)
        world.run(3600.0)
        assert len(bindings.pbx.requests("REGISTER")) < 2 * 3600 / 80


class TestP04NoStorm:
    """A thousand phones of one PBX that goes away and comes back."""

    PHONES = 1000

    def busiest(self, times):
        """REGISTERs in the busiest second."""
        return max(collections.Counter(int(at) for at in times).values())

    @pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
    @pytest.mark.parametrize("away", [5.0, 900.0])
    def test_p04_a_restart_brings_them_back_within_a_minute_and_apart(self, transport, away):
        crowd = Crowd(self.PHONES, transport, expires=600)
        crowd.run(10.0)
        assert crowd.registered == self.PHONES
        crowd.go_away()
        crowd.attempts.clear()
        crowd.run(away)
        if away > 60:
            assert len(crowd.attempts) / away < self.PHONES / 4, "they hammer at a closed door"
        crowd.times.clear()
        crowd.alive = True
        crowd.run(75.0)
        if away > 600 or transport is Transport.TCP:
            # Without a connection that breaks, a restart within the time granted goes unnoticed.
            assert crowd.registered == self.PHONES
        assert len(crowd.times) <= 1.2 * self.PHONES
        assert self.busiest(crowd.times or [0.0]) < self.PHONES / 2, "they come back together"
        if away > 60:
            assert self.busiest(crowd.times) < self.PHONES / 8

    def test_p04_refreshes_that_began_together_drift_apart(self):
        crowd = Crowd(self.PHONES, Transport.UDP, expires=600)
        crowd.run(100.0)
        crowd.times.clear()
        crowd.run(3 * 600.0)
        assert self.busiest(crowd.times) < self.PHONES / 20
        assert crowd.registered == self.PHONES


@LIVES
def test_f52_lines_that_came_and_went_leave_nothing(world, desk, pbx, sip, lives):
    for number in range(lives):
        account = Account(LineName(f"line{number}"), "101", sip.PBX, password="secret")
        desk.agent.set_lines((account,), world.now)
        desk.agent.register(account.line, world.now)
        world.run(0.02)
        for store in (pbx.inbox, pbx.flows, pbx.raw, world.log, desk.heard):
            store.clear()
    desk.agent.set_lines((), world.now)
    world.run(120.0)
    assert len(desk.agent) == 0
    core = desk.agent._core
    assert not core.lines
    assert not desk.agent._lines
    assert len(desk.agent._screening._trust) == 0
