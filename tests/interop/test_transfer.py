"""Transfers through a real proxy and with a real phone of somebody else's, judged by the sound.

Alice (101) transfers, Bob (102) is transferred, Carol (103) is the target; each speaks a tone of
their own, so that who hears whom can be measured.
"""

import pytest

from firmware.control import schema as s
from firmware.control.errors import RefusedError
from hal.keys import Key
from tests.support.baresip import Baresip
from tests.support.kamailio import Kamailio
from tests.support.phone import Phone, line
from tests.support.waiting import wait_for
from tests.support.wav import loudest_tone

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]
TONES = {"101": 440, "102": 620, "103": 880}


@pytest.fixture
def kamailio(need, network, tmp_path):
    need("kamailio")
    return Kamailio(network, tmp_path / "kamailio")


@pytest.fixture
def office(network, tmp_path, kamailio):
    """Phones of ours by user; Alice is the one who acts, the others answer by themselves."""
    phones = []
    addresses = {user: network.party() for user in TONES}

    def open_office(*users, **more):
        for user in users:
            answers = "never" if user == "101" else more.get("auto_answer", "always")
            table = line(user, kamailio.server, auto_answer=answers)
            options = {"namespace": network, "address": addresses[user]}
            phones.append(Phone(tmp_path / user, table, tone_hz=TONES[user], **options))
        for phone in phones:
            phone.wait_registered()
        return phones

    yield open_office
    for phone in reversed(phones):
        phone.close()


def calls(phone, user):
    """Call somebody and talk."""
    phone.ask(s.Dial(target=user))
    phone.wait(f"a call with {user}", lambda found: _front(found, user))


def _front(status, user):
    return any(x.remote == user and x.state == "talking" and not x.held for x in status.calls)


def hear_each_other(one, other):
    """Two phones of ours talk with each other, and with nobody else."""
    wait_until_alone(one)
    wait_until_alone(other)
    begins = {phone: phone.heard.stat().st_size for phone in (one, other)}
    enough = one.status().calls[0].duration + 3
    one.wait("three seconds of sound", lambda found: found.calls[0].duration > enough)
    for phone, friend in ((one, other), (other, one)):
        hertz, _, purity = loudest_tone(phone.heard, after=begins[phone])
        user = friend.folder.name
        assert hertz == pytest.approx(TONES[user], rel=0.01)
        assert purity > 0.9


def wait_until_alone(phone):
    """Until its only call is one that is talked in."""
    phone.wait(
        "one call that is up",
        lambda found: (
            [call.state for call in found.calls] == ["talking"]
            and not (found.calls[0].held or found.calls[0].held_by_them)
        ),
    )


def test_blind_transfer(office):
    """RFC 5589 §6.1: `ctl transfer` is answered when the two have each other."""
    alice, bob, carol = office("101", "102", "103")
    calls(alice, "102")
    alice.ask(s.Transfer(target="103"))
    alice.wait_state("idle")
    hear_each_other(bob, carol)


def test_attended_transfer(office):
    """RFC 5589 §7.5, RFC 3891 §3: Carol's phone gives Alice's call to Bob."""
    alice, bob, carol = office("101", "102", "103")
    calls(alice, "102")
    calls(alice, "103")
    alice.ask(s.Transfer())
    alice.wait("both calls to end", lambda found: not found.calls)
    hear_each_other(bob, carol)


def test_complaint_25_attended_transfer_of_a_caller(office):
    """Bob has called Alice: the tags of that call stand the other way round."""
    alice, bob, carol = office("101", "102", "103")
    bob.ask(s.Dial(target="101"))
    alice.wait_state("ringing")
    alice.ask(s.Answer())
    bob.wait_state("talking")
    calls(alice, "103")
    alice.ask(s.Transfer())
    alice.wait("both calls to end", lambda found: not found.calls)
    hear_each_other(bob, carol)


def test_semi_attended_transfer_by_keys(office):
    """RFC 5589 §7.6: Carol still rings when Alice presses transfer again."""
    alice, bob = office("101", "102")
    carol = _ringing_carol(office)
    calls(alice, "102")
    alice.ask(s.Key(key=Key.SOFT_3))
    for digit in "103":
        alice.ask(s.Key(key=Key(digit)))
    alice.ask(s.Key(key=Key.SOFT_1))
    carol.wait_state("ringing")
    alice.ask(s.Key(key=Key.SOFT_3))
    carol.wait(
        "Bob to ring", lambda found: found.state == "ringing" and found.calls[0].remote == "102"
    )
    carol.ask(s.Answer())
    alice.wait("the call to end", lambda found: not found.calls)
    hear_each_other(bob, carol)


def _ringing_carol(office):
    return office("103", auto_answer="never")[-1]


def test_a_transfer_to_nobody_comes_back(office):
    """RFC 3515 §2.4.5: the 404 is told, and Bob is on hold until Alice takes him up again."""
    alice, bob = office("101", "102")
    calls(alice, "102")
    with pytest.raises(RefusedError, match="103 does not exist"):
        alice.ask(s.Transfer(target="103"))
    alice.wait("Bob on hold", lambda found: found.calls[0].held and not found.calls[0].transfer)
    alice.ask(s.Resume())
    hear_each_other(alice, bob)


# --- baresip ------------------------------------------------------------------------------------


@pytest.fixture
def baresip(need, network, tmp_path, kamailio):
    """baresip as 104 (1000 Hz), which answers by itself."""
    need("baresip")
    opened = []

    def start():
        account = f"<sip:104@{kamailio.server}>;auth_pass=s104;regint=60;answermode=auto"
        opened.append(Baresip(network, tmp_path / "baresip", account))
        opened[-1].wait_registered()
        return opened[-1]

    yield start
    for far in opened:
        far.close()


def hears_baresip(phone, far):
    """A phone of ours and baresip talk with each other."""
    wait_until_alone(phone)
    begin = phone.heard.stat().st_size
    enough = phone.status().calls[0].duration + 3
    phone.wait("three seconds of sound", lambda found: found.calls[0].duration > enough)
    hertz, _, purity = loudest_tone(phone.heard, after=begin)
    assert hertz == pytest.approx(1000, rel=0.01)
    assert purity > 0.9
    assert far


def test_baresip_is_transferred(office, baresip):
    """Its REFER is RFC 3515's of old: 202, and NOTIFYs without an id."""
    far = baresip()
    alice, bob = office("101", "102")
    calls(alice, "104")
    alice.ask(s.Transfer(target="102"))
    alice.wait("the call to end", lambda found: not found.calls)
    hears_baresip(bob, far)


def test_baresip_is_the_target(office, baresip):
    far = baresip()
    alice, bob = office("101", "102")
    calls(alice, "102")
    alice.ask(s.Transfer(target="104"))
    alice.wait("the call to end", lambda found: not found.calls)
    hears_baresip(bob, far)


def test_baresip_is_sent_to_somebody_we_talk_with(office, baresip):
    """RFC 5589 §7.5: whatever becomes of the Replaces, in the end it talks with Bob alone."""
    far = baresip()
    alice, bob = office("101", "102")
    calls(alice, "104")
    calls(alice, "102")
    alice.ask(s.Transfer())
    alice.wait("both calls to end", lambda found: not found.calls)
    hears_baresip(bob, far)


def test_somebody_is_sent_to_baresip_whom_we_talk_with(office, baresip):
    """It knows no Replaces and says 420: in the end Bob simply calls it (RFC 5589 §7.5)."""
    far = baresip()
    alice, bob = office("101", "102")
    calls(alice, "102")
    calls(alice, "104")
    alice.ask(s.Transfer())
    alice.wait("both calls to end", lambda found: not found.calls)
    hears_baresip(bob, far)


def test_baresip_transfers_us(office, baresip):
    """RFC 5589 §6.1, we are the transferee: its REFER is followed, its NOTIFYs answered."""
    far = baresip()
    alice, bob = office("101", "102")
    calls(alice, "104")
    far.command("transfer", "102")
    alice.wait("a call with Bob", lambda found: _front(found, "102"))
    hear_each_other(alice, bob)
    far.wait_event("CALL_CLOSED", 15)


def test_baresip_transfers_us_to_nobody(office, baresip):
    """It is told that nobody is there; this baresip then hangs up of its own accord."""
    far = baresip()
    (alice,) = office("101")
    calls(alice, "104")
    call = alice.status().calls[0].id
    far.command("transfer", "109")

    def told():
        rows = alice.ask(s.Ladder(call=call), s.LadderReply).rows
        return any("terminated" in row and "SIP/2.0 404" in row for row in rows)

    wait_for("the last NOTIFY", told)
    alice.wait("the end", lambda found: not found.calls)
    rows = alice.ask(s.Calls(), s.CallsReply).log
    (attempt,) = [row for row in rows if row.user == "109"]
    assert (attempt.outcome, attempt.reason) == ("failed", "109 does not exist")
