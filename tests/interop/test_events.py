"""Message waiting and other people's calls, told by a real presence server."""

import pytest

from firmware.control import schema as s
from tests.support.kamailio_events import PresenceServer
from tests.support.phone import Phone, line
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]

MODULES = ("presence", "presence_mwi", "presence_dialoginfo", "pua_dialoginfo", "pua_reginfo")


@pytest.fixture
def server(need, need_module, network, tmp_path):
    need("kamailio")
    for module in MODULES:
        need_module(module, "kamailio-presence-modules")
    return PresenceServer(network, tmp_path / "kamailio")


@pytest.fixture
def make_phone(network, tmp_path, server):
    phones = []
    addresses = iter([network.party() for _ in range(3)])

    def make(user: str, **more) -> Phone:
        options = {"namespace": network, "address": next(addresses)}
        phone = Phone(tmp_path / user, line(user, server.server, **more), **options)
        phones.append(phone)
        return phone

    yield make
    for phone in reversed(phones):
        phone.close()


def test_messages_wait_and_are_heard(make_phone, server):
    """RFC 3842 §4: subscribed with a digest, told by the server, changed twice."""
    server.mailbox("101", 0)
    phone = make_phone("101", mwi=True)
    phone.wait_registered()
    phone.wait("an empty mailbox", lambda status: status.lines[0].mwi is False)
    server.mailbox("101", 2)
    phone.wait("two messages", lambda status: status.lines[0].new_messages == 2)
    server.mailbox("101", 0)
    phone.wait("none any more", lambda status: status.lines[0].mwi is False)


def test_a_lamp_follows_somebody_elses_call(make_phone, server):
    """RFC 4235 §4.3: idle, ringing, busy, idle, as the server sees real calls."""
    secretary = make_phone("103", watch=["102"])
    boss, caller = make_phone("102"), make_phone("101")
    for phone in (secretary, boss, caller):
        phone.wait_registered()

    def see(state):
        secretary.wait(f"102 {state}", lambda status: watched(status) == state)

    see("idle")
    caller.ask(s.Dial(target="102"))
    boss.wait_state("ringing")
    see("ringing")
    boss.ask(s.Answer())
    boss.wait_state("talking")
    see("busy")
    caller.ask(s.HangUp())
    see("idle")


def test_a_registration_that_the_server_dropped_is_made_anew_at_once(make_phone, server):
    """RFC 3680 §4.6: the server tells; without, it would be found out within a minute."""
    phone = make_phone("101", watch_registration=True)
    phone.wait_registered()
    wait_for("the subscription", lambda: "watched: reg\n" in server.log())
    before = registers(phone)
    server.drop()
    wait_for("a new REGISTER", lambda: registers(phone) > before)


def registers(phone):
    """How many REGISTERs the phone has sent."""
    name = phone.status().lines[0].name
    rows = phone.ask(s.Ladder(call=name), s.LadderReply).rows
    return sum("REGISTER" in row for row in rows)


def watched(status):
    return next((each.state for each in status.watched if each.target == "102"), "")
