"""Whom a DTLS handshake hears, where it speaks to: a far end behind a NAT, strangers before it."""

import pytest

from firmware.net.dtls import Association, make_identity
from firmware.phone.commands import MakeKeys
from firmware.runtime.handshake import Handshaking
from firmware.sdp.keying import Handshake
from firmware.sip.notifications import CallRef
from firmware.sip.route.stun import binding_request, parse_stun

NAMED = ("192.168.1.7", 4000)
"""What the far end's SDP says: its address at home."""
NAT = ("198.51.100.9", 61234)
STRANGER = ("203.0.113.66", 9999)
WORD = b"0123456789ab"


@pytest.fixture(scope="module")
def identities():
    return make_identity(), make_identity()


def prints(identity):
    name, digest = identity.fingerprint.split()
    return ((name, bytes.fromhex(digest.replace(":", ""))),)


class Scene:
    """Our handshake, and a far end that is behind a gateway."""

    def __init__(self, identities, *, active, symmetric=True, checked=False):
        ours, theirs = identities
        agreed = Handshake(active, prints(theirs))
        command = MakeKeys(CallRef("c"), 1, agreed, NAMED, checked, symmetric)
        self.now = 100.0
        self.here = Handshaking(command, ours, self.now)
        self.far = Association(theirs, prints(ours), active=not active)
        self.far.start()
        self.sent = []

    def flush(self):
        """What we send; of it the far end hears what comes to its gateway's door."""
        for datagram, place in self.here.take():
            self.sent.append((datagram, place))
            if place == NAT and datagram[0] >= 20:
                self.far.feed(datagram)

    def talk(self, turns=6):
        for _ in range(turns):
            for datagram in self.far.take():
                self.here.feed(datagram, NAT, self.now)
            self.flush()

    @property
    def agreed(self):
        keys, theirs = self.here.association.keys, self.far.keys
        return keys is not None and theirs is not None and keys.send == theirs.receive

    def places(self, since=0):
        return {place for _, place in self.sent[since:]}


@pytest.fixture
def scene(identities):
    def make(**more):
        return Scene(identities, **more)

    return make


def test_a08_without_the_setting_we_speak_to_the_address_of_sdp_alone(scene):
    one = scene(active=False, symmetric=False)
    one.talk()
    assert one.places() == {NAMED}
    assert not one.agreed
    assert one.here.peer is None


def test_a_far_end_behind_a_nat_that_begins_is_answered_where_it_is(scene):
    one = scene(active=False)
    one.talk()
    assert one.agreed
    assert one.places() == {NAT}
    assert one.here.peer == NAT


def test_a_checked_way_is_not_left(scene):
    """RFC 8445 §12.1."""
    one = scene(active=False, checked=True)
    one.talk()
    assert one.places() == {NAMED}


def test_we_begin_and_the_far_end_opens_its_gateway_for_us(scene):
    """RFC 5763 §6.7.2: its one check, unauthenticated, is answered; our hello follows it."""
    one = scene(active=True)
    one.flush()
    assert one.places() == {NAMED}
    one.here.knock(binding_request(WORD), NAT)
    one.flush()
    answer = parse_stun(next(data for data, place in one.sent if place == NAT and data[0] < 4))
    assert answer.succeeded
    assert (answer.transaction, answer.mapped.host, answer.mapped.port) == (WORD, *NAT)
    one.talk()
    assert one.agreed


def test_we_wait_and_open_our_gateway_once(scene):
    """RFC 5763 §6.7.2: the passive side sends a single check."""
    one = scene(active=False)
    one.here.open_way(WORD)
    one.flush()
    assert one.sent == [(binding_request(WORD), NAMED)]
    one.talk()
    assert sum(data[0] < 4 for data, _ in one.sent) == 1


@pytest.mark.parametrize("how", ["active", "checked"])
def test_who_begins_or_has_a_checked_way_opens_nothing(scene, how):
    """RFC 5763 §6.7.2: the hello opens it, and so do checks."""
    one = scene(active=how == "active", checked=how == "checked")
    one.here.open_way(WORD)
    assert not [data for data, _ in one.here.take() if data[0] < 4]


def test_without_the_setting_a_check_is_answered_and_nothing_more(scene):
    one = scene(active=True, symmetric=False)
    one.here.knock(binding_request(WORD), NAT)
    one.flush()
    assert [place for data, place in one.sent if data[0] < 4] == [NAT]
    assert {place for data, place in one.sent if data[0] >= 20} == {NAMED}


def test_a12_only_a_few_strangers_are_answered(scene):
    one = scene(active=True)
    for port in range(1000, 1100):
        one.here.knock(binding_request(WORD), (STRANGER[0], port))
        one.flush()
    assert len(one.places() - {NAMED}) == 3


def test_a_call_that_is_heard_from_behind_the_nat_shows_where_to_begin(scene):
    """Another certificate within a call: its sound, under the old keys, says where it is."""
    one = scene(active=True)
    one.flush()
    one.here.seen_at(NAT)
    one.talk()
    assert one.agreed


def test_a_nat_that_gives_another_port_is_followed(scene):
    one = scene(active=False)
    hello = one.far.take()
    for datagram in hello:
        one.here.feed(datagram, (NAT[0], 5), one.now)
    one.flush()
    assert one.places() == {(NAT[0], 5)}
    for datagram, _ in one.sent:
        one.far.feed(datagram)
    one.talk()
    assert one.agreed
    assert one.sent[-1][1] == NAT


def test_a08_a_stranger_who_begins_and_falls_silent_gives_way(scene, identities):
    one = scene(active=False)
    other = Association(make_identity(), prints(identities[0]), active=True)
    other.start()
    for datagram in other.take():
        one.here.feed(datagram, STRANGER, one.now)
    one.flush()
    assert one.places() == {STRANGER}
    hello = one.far.take()
    for datagram in hello:
        one.here.feed(datagram, NAT, one.now + 0.5)
    one.flush()
    assert NAT not in one.places(), "who is in the middle of it is not disturbed"
    one.now += 2
    for datagram in hello:  # as DTLS repeats it
        one.here.feed(datagram, NAT, one.now)
    one.flush()
    one.talk()
    assert one.agreed


def test_a08_one_stranger_does_not_use_up_the_patience_for_all(scene):
    """The far end behind its NAT has an address that nobody named, too."""
    one = scene(active=False)
    alert = b"\x15\xfe\xfd" + bytes(8) + b"\0\x02\x02\x28"
    for port in range(100):
        one.here.feed(alert, (STRANGER[0], port), one.now)
    assert one.here.strangers <= 3
    one.talk()
    assert one.agreed


def test_a08_the_named_host_takes_the_place_of_any_other(scene, identities):
    one = scene(active=False)
    other = Association(make_identity(), prints(identities[0]), active=True)
    other.start()
    for datagram in other.take():
        one.here.feed(datagram, STRANGER, one.now)
    one.flush()
    for _ in range(6):
        for datagram in one.far.take():
            one.here.feed(datagram, NAMED, one.now)
        for datagram, place in one.here.take():
            assert place == NAMED
            one.far.feed(datagram)
    assert one.agreed


@pytest.mark.parametrize("data", [b"", b"\0", b"\0" * 40, b"\1\1" + bytes(18)])
def test_what_is_no_check_is_nothing(scene, data):
    one = scene(active=True)
    one.flush()
    one.here.knock(data, NAT)
    assert one.here.take() == []


def test_after_the_handshake_no_check_is_answered(scene):
    one = scene(active=False)
    one.talk()
    one.flush()
    one.here.knock(binding_request(WORD), NAT)
    assert one.here.take() == []
