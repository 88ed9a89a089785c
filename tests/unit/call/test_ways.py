"""What a call's descriptions say of its ways while it goes on (RFC 8839)."""

import pytest

from firmware.call.capabilities import capabilities_of
from firmware.call.forks import Forks
from firmware.call.media import NOWHERE, Way
from firmware.call.negotiation import Negotiation
from firmware.config.schema import AudioSettings
from firmware.sdp.ice import Candidate, Ours, priority
from tests.support.desk import sdp

CAPABILITIES = capabilities_of(AudioSettings(codecs=("pcmu",)))


def an_end(number, *, ice=True):
    host = f"10.0.0.{number}"
    found = tuple(Candidate("1", k, priority("host", k), host, 39999 + k, "host") for k in (1, 2))
    relay = Candidate("3", 1, priority("relay", 1), f"20.0.0.{number}", 50000, "relay")
    ours = Ours(bytes([number]) * 32, (*found, relay)) if ice else None
    return Negotiation.open(CAPABILITIES, host, 40000, 7, ice=ours)


def agree(a, b):
    """`a` offers, `b` answers."""
    a, offer = a.make_offer(held=False)
    b, answer = b.answer(offer, held=False)
    return a.take_answer(answer), b, offer, answer


def way_between(a, b):
    """The relayed pair of both, as `a` sees it."""
    ours, theirs = a.local.ice.candidates[-1], b.local.ice.candidates[0]
    place = (theirs.host, theirs.port)
    names = a.local.ice.credentials
    return Way(names, "relay", place, place, nominated=True, local=(ours,), theirs=(theirs,))


def roles(*ends):
    """Who each one is, whom it speaks to, and who chooses."""
    terms = [end.media.ways for end in ends]
    return [(one.ours, one.theirs.credentials, one.controlling) for one in terms]


def lines(body, name):
    return [x for x in body.decode().split("\r\n") if x.startswith(f"a={name}:")]


def test_who_offers_first_controls_and_both_know_the_other():
    """RFC 8445 §6.1.1."""
    a, b, _, _ = agree(an_end(1), an_end(2))
    assert (a.media.ways.controlling, b.media.ways.controlling) == (True, False)
    assert a.media.ways.theirs.credentials == b.local.ice.credentials
    assert b.media.ways.theirs.credentials == a.local.ice.credentials
    assert a.media.ways.muxed


def test_nothing_is_sent_before_a_way_was_checked():
    """RFC 8445 §12.1, A8."""
    a, b, _, _ = agree(an_end(1), an_end(2))
    order = a.media.on(None).configure(3)
    assert (order.remote, order.remote_rtcp, order.checked) == (NOWHERE, NOWHERE, True)
    way = way_between(a, b)
    assert a.media.on(way).configure(3).remote == way.remote


def test_a_far_end_that_does_without_is_spoken_to_as_ever():
    """RFC 8839 §4.3.3."""
    a, _ = an_end(1).make_offer(held=False)
    a = a.take_answer(sdp(0))
    assert a.media.ways is None
    order = a.media.on(None).configure(3)
    assert (order.remote, order.checked) == (("10.0.0.9", 5000), False)
    a, again = a.make_offer(held=True)
    assert b"a=ice" not in again
    assert b"a=candidate" not in again


def test_a_call_of_somebody_who_does_without():
    b, answer = an_end(2).answer(sdp(0), held=False)
    assert b.media.ways is None
    assert b"ice" not in answer
    assert b"ice" not in b.make_offer(held=True)[1]


def test_a_hold_changes_nothing_about_the_ways():
    """RFC 8839 §4.4.1.1.1: by direction, not by an address of nobody."""
    a, b, first, _ = agree(an_end(1), an_end(2))
    before = roles(a, b)
    a, offer = a.make_offer(held=True)
    b, answer = b.answer(offer, held=False)
    a = a.take_answer(answer)
    assert roles(a, b) == before
    assert lines(offer, "ice-ufrag") == lines(first, "ice-ufrag")
    b, offer = b.make_offer(held=True)
    a, _ = a.answer(offer, held=False)
    assert roles(a, b) == before, "RFC 8445 §6.1.1: the roles stay"


def test_after_nomination_an_offer_says_what_was_chosen_and_nothing_else():
    """RFC 8839 §4.4.1.2.2."""
    a, b, _, _ = agree(an_end(1), an_end(2))
    a = a.on(way_between(a, b))
    a, offer = a.make_offer(held=True)
    assert b"c=IN IP4 20.0.0.1" in offer
    assert b"m=audio 50000 " in offer
    assert len(lines(offer, "candidate")) == 1
    assert lines(offer, "remote-candidates") == ["a=remote-candidates:1 10.0.0.2 40000"]
    b, answer = b.answer(offer, held=False)
    assert not lines(answer, "remote-candidates")
    assert roles(a.take_answer(answer), b) == roles(a, b)


def test_who_is_controlled_names_no_places_of_the_far_end():
    """RFC 8839 §4.4.1.2.2."""
    a, b, _, _ = agree(an_end(1), an_end(2))
    b = b.on(way_between(b, a))
    _, offer = b.make_offer(held=True)
    assert not lines(offer, "remote-candidates")
    assert len(lines(offer, "candidate")) == 1


def test_a_way_of_an_earlier_search_settles_nothing():
    a, b, _, _ = agree(an_end(1), an_end(2))
    old = way_between(a, b)
    a = a.restarted
    assert a.on(old) == a


def test_a_restart_has_other_names_on_both_sides_and_all_candidates_again():
    """RFC 8839 §4.4.1.1.1, §4.4.2.1."""
    a, b, first, second = agree(an_end(1), an_end(2))
    a, b = a.on(way_between(a, b)), b.on(way_between(b, a))
    a, b, offer, answer = agree(a.restarted, b)
    for before, after in ((first, offer), (second, answer)):
        assert lines(before, "ice-ufrag") != lines(after, "ice-ufrag")
        assert lines(before, "ice-pwd") != lines(after, "ice-pwd")
    assert len(lines(offer, "candidate")) == 3
    assert a.media.ways.controlling
    assert a.media.ways.theirs.credentials == b.local.ice.credentials


def test_the_same_name_with_another_password_is_no_restart():
    """RFC 8839 §4.4.1.1.1: both have to change."""
    a, b, _, _ = agree(an_end(1), an_end(2))
    names = b.local.ice.credentials
    _, offer = a.make_offer(held=True)
    password = a.local.ice.credentials.password.encode()
    b, _ = b.answer(offer.replace(password, b"x" * 24), held=False)
    assert b.local.ice.credentials == names


def test_an_answer_that_suddenly_does_without_makes_the_next_offer_a_restart():
    """RFC 8839 §4.4.3.1: a server in between, perhaps."""
    a, _, first, _ = agree(an_end(1), an_end(2))
    a, _ = a.make_offer(held=True)
    a = a.take_answer(sdp(0))
    assert a.media.ways is None
    a, offer = a.make_offer(held=False)
    assert lines(offer, "ice-ufrag")
    assert lines(offer, "ice-ufrag") != lines(first, "ice-ufrag")


def test_a_lite_far_end_leaves_the_choice_to_us():
    """RFC 8445 §6.1.1."""
    a, offer = an_end(1).make_offer(held=False)
    b, _ = an_end(2).answer(offer.replace(b"a=ice-ufrag", b"a=ice-lite\r\na=ice-ufrag"), held=False)
    assert b.media.ways.controlling
    del a


@pytest.mark.parametrize("number", [1, 2])
def test_of_several_that_ring_each_has_its_own_terms(number):
    """RFC 8839 §7.3."""
    a, offer = an_end(3).make_offer(held=False)
    forks = Forks(a)
    for each in (1, 2):
        _, answer = an_end(each).answer(offer, held=False)
        forks = forks.heard(str(each), forks.of(str(each)).hear_early(answer))
    own = an_end(number).local.ice.credentials
    assert forks.of(str(number)).media.ways.theirs.credentials == own
    way = Way(
        a.local.ice.credentials,
        "host",
        ("10.0.0.1", 40000),
        nominated=True,
        local=a.local.ice.candidates[:1],
    )
    assert forks.on(way).of(str(number)).local.ice.selected


def test_another_address_of_ours_is_another_end():
    """F9: RFC 8839 §4.4.1.1.1."""
    a, b, first, _ = agree(an_end(1), an_end(2))
    moved = a.at("10.0.0.5", 41000, an_end(5).local.ice)
    _, offer = moved.make_offer(held=False)
    assert lines(offer, "ice-ufrag") != lines(first, "ice-ufrag")
    assert b"c=IN IP4 10.0.0.5" in offer
    names = b.local.ice.credentials
    b, _ = b.answer(offer, held=False)
    assert b.local.ice.credentials != names
