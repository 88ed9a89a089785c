"""Texts and presence with programs of others: Kamailio between, SIPp and baresip at the far end."""

from pathlib import Path

import pytest

from firmware.control import schema as s
from firmware.control.errors import RefusedError
from tests.support.baresip import Baresip
from tests.support.ground import Ground
from tests.support.kamailio_presence import PresenceServer
from tests.support.phone import Phone, line
from tests.support.stage import Stage
from tests.support.waiting import wait_for

SCENARIOS = Path(__file__).parent / "sipp/messages"
pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]


@pytest.fixture
def server(need, need_module, network, tmp_path):
    need("kamailio")
    need_module("presence_xml", "kamailio-presence-modules")
    return PresenceServer(network, tmp_path / "kamailio")


@pytest.fixture
def make_phone(network, tmp_path, server):
    phones = []
    addresses = iter([network.party() for _ in range(3)])

    def make(user, **more):
        rows = line(user, server.server, **more)
        phone = Phone(tmp_path / user, rows, namespace=network, address=next(addresses))
        phones.append(phone)
        phone.wait_registered()
        return phone

    yield make
    for phone in reversed(phones):
        phone.close()


def texts(phone):
    return [text.text for text in phone.ask(s.Messages(), s.MessagesReply).texts]


def buddy(phone):
    """What the phone knows of the first it watches: (available, activities)."""
    found = phone.ask(s.Status(), s.StatusReply).buddies
    return (found[0].available, found[0].activities) if found else None


def test_a_text_goes_through_the_proxy(make_phone):
    """RFC 3428 §4 and RFC 3428 §7: with a challenge on the way."""
    alice, bob = make_phone("101"), make_phone("102")
    alice.ask(s.Message(target="102", text="Grüße, Bob"))
    wait_for("the text", lambda: texts(bob))
    assert texts(bob) == ["Grüße, Bob"]
    assert bob.ask(s.Status(), s.StatusReply).texts == 1
    bob.process.terminate()
    bob.process.wait(10)
    bob.start()
    bob.wait_registered()
    assert texts(bob) == ["Grüße, Bob"]  # over the restart
    bob.wait("one unread text", lambda status: status.texts == 1)
    bob.ask(s.Message(target="101", text="And to you"))
    wait_for("the answer", lambda: texts(alice))


def test_a_text_to_nobody_says_so(make_phone):
    alice = make_phone("101")
    with pytest.raises(RefusedError, match="199"):
        alice.ask(s.Message(target="199", text="Hello?"))


def test_what_one_phone_does_the_other_sees(make_phone):
    """RFC 3903 §4.2, RFC 3903 §4.4, RFC 3903 §4.5 and RFC 3856 §6.6.1: published, watched."""
    bob = make_phone("102", publish_presence=True, auto_answer="always")
    alice = make_phone("101", buddies=["102"])
    wait_for("Bob to be seen", lambda: buddy(alice) == (True, ()))
    alice.ask(s.Dial(target="102"))
    alice.wait_state("talking")
    wait_for("Bob to be on the phone", lambda: buddy(alice) == (True, ("on-the-phone",)), 15)
    alice.ask(s.HangUp())
    wait_for("Bob to be free", lambda: buddy(alice) == (True, ()), 15)
    for shown, seen in ((s.Shown.AWAY, (True, ("away",))), (s.Shown.BUSY, (False, ("busy",)))):
        bob.ask(s.Presence(shown=shown))
        wait_for(f"Bob to be {shown.value}", lambda seen=seen: buddy(alice) == seen, 15)
    bob.close()
    wait_for("Bob to be gone", lambda: buddy(alice) in ((None, ()), (False, ())), 15)


def watched(phone):
    found = phone.status().watched
    return found[0].state if found else None


def test_calls_that_a_phone_publishes_are_seen_at_the_server(make_phone):
    """RFC 4235 §3.7.1 by RFC 3903 §4.1: the server sees no calls itself."""
    bob = make_phone("102", publish_calls=True)
    alice = make_phone("101", watch=["102"])
    wait_for("Bob to be at rest", lambda: watched(alice) == "idle")
    alice.ask(s.Dial(target="102"))
    bob.wait_state("ringing")
    wait_for("Bob to ring", lambda: watched(alice) == "ringing")
    bob.ask(s.Answer())
    wait_for("Bob to be busy", lambda: watched(alice) == "busy")
    alice.ask(s.HangUp())
    wait_for("Bob to be at rest again", lambda: watched(alice) == "idle")


def test_a_call_that_rings_at_one_phone_is_picked_up_at_another(make_phone):
    """RFC 5359 §2.16 by RFC 3891 §3: Carol calls Bob, Alice answers."""
    bob, carol = make_phone("102", publish_calls=True), make_phone("103")
    alice = make_phone("101", watch=["102"])
    carol.ask(s.Dial(target="102"))
    wait_for("Bob to ring", lambda: watched(alice) == "ringing")
    alice.ask(s.PickUp())
    carol.wait_state("talking")
    alice.wait_state("talking")
    bob.wait("it to ring no more", lambda status: not status.calls)
    assert [call.remote for call in carol.status().calls] == ["101"]
    alice.ask(s.HangUp())
    carol.wait("the end", lambda status: not status.calls)


class TestBaresip:
    """baresip answers texts, and its contact module has a command to send one."""

    def test_texts_both_ways(self, need, network, tmp_path, server, make_phone):
        need("baresip")
        account = f"<sip:103@{server.server}>;auth_pass=s103;regint=60"
        friend = f"sip:101@{server.server}"
        far = Baresip(network, tmp_path / "baresip", account, contact=friend)
        try:
            far.wait_registered()
            alice = make_phone("101")
            alice.ask(s.Message(target="103", text="Hello baresip"))  # its 200, or it would fail
            far.command("contact_next")
            far.command("message", "Hello phone")
            wait_for("the text from baresip", lambda: texts(alice))
            assert texts(alice) == ["Hello phone"]
        finally:
            far.close()


class TestSipp:
    """Scenarios of our own for both roles."""

    @pytest.fixture
    def stage(self, need, tmp_path):
        need("sipp")
        with Ground() as ground:
            made = Stage(tmp_path, ground, SCENARIOS)
            yield made
            made.close()

    def test_the_phone_is_written_to(self, stage):
        """RFC 3428 §7, RFC 3994 §3.2, RFC 5621 §4.2."""
        phone = stage.phone("bob")
        stage.actor("phone_is_written_to", calls="bob").finish()
        wait_for("both texts", lambda: len(texts(phone)) == 2)
        assert texts(phone) == ["In parts", "Lunch at one?"]

    def test_the_phone_writes(self, stage):
        """RFC 3428 §4."""
        far = stage.actor("phone_writes")
        phone = stage.phone("bob")
        phone.ask(s.Message(target="alice", text="Hello Alice"))
        far.finish()

    def test_the_phone_writes_to_nobody(self, stage):
        far = stage.actor("phone_writes_to_nobody")
        phone = stage.phone("bob")
        with pytest.raises(RefusedError, match="does not exist"):
            phone.ask(s.Message(target="nobody", text="Hello?"))
        far.finish()
