"""A checklist: who is paired with whom, what is checked first, and what waits for whom."""

import pytest

from firmware.net.ice_pairs import Checklist, State
from firmware.sdp.ice import Candidate, priority

WAITING, FROZEN = State.WAITING, State.FROZEN


def place(host, component=1, kind="host", *, rank=None, foundation="1"):
    best = priority(kind, component) if rank is None else rank
    return Candidate(foundation, component, best, host, 39999 + component, kind)


def formed(ours, theirs, *, components=(1, 2), controlling=True):
    made = Checklist(tuple(ours), controlling=controlling)
    made.form(tuple(theirs), frozenset(components))
    return made


def hosts(made):
    return [(pair.local.host, pair.remote.host) for pair in made.pairs]


def states(made):
    return {(one.component, one.remote.kind): one.state for one in made.pairs}


def test_only_places_of_one_component_and_one_family_are_paired():
    """RFC 8445 §6.1.2.2."""
    ours = [place("192.0.2.1"), place("192.0.2.1", 2), place("2001:db8::1")]
    theirs = [place("192.0.2.9"), place("2001:db8::9"), place("2001:db8::9", 2)]
    made = formed(ours, theirs)
    assert sorted(hosts(made)) == [("192.0.2.1", "192.0.2.9"), ("2001:db8::1", "2001:db8::9")]
    assert {pair.component for pair in made.pairs} == {1}


def test_what_is_not_needed_is_not_paired():
    """RFC 8445 §6.1.2.2: one component where both share a port."""
    both = [place("192.0.2.1"), place("192.0.2.1", 2)]
    theirs = [place("192.0.2.9"), place("192.0.2.9", 2)]
    assert len(formed(both, theirs)) == 2
    assert len(formed(both, theirs, components=(1,))) == 1


@pytest.mark.parametrize(
    ("ours", "theirs", "count"),
    [
        ("2001:db8::1", "fe80::9", 0),
        ("fe80::1", "2001:db8::9", 0),
        ("fe80::1", "fe80::9", 1),
        ("fe80::1%eth0", "febf::9", 1),
        ("2001:db8::1", "fec0::9", 1),
        ("192.0.2.1", "169.254.1.9", 1),
    ],
)
def test_a_links_own_addresses_are_for_each_other(ours, theirs, count):
    """RFC 8445 §6.1.2.2."""
    assert len(formed([place(ours)], [place(theirs)])) == count
    learned = formed([place(ours)], []).learn(0, place(theirs, kind="prflx"))
    assert (learned is not None) == bool(count)


def test_of_two_pairs_with_the_same_ends_the_better_one_stays():
    """RFC 8445 §6.1.2.4: the far end has named a place twice."""
    theirs = [place("192.0.2.9", rank=7, kind="srflx"), place("192.0.2.9", rank=9)]
    for named in (theirs, theirs[::-1]):
        made = formed([place("192.0.2.1")], named)
        assert [pair.remote.priority for pair in made.pairs] == [9]


@pytest.mark.parametrize(
    ("controlling", "ours", "theirs", "expected"),
    [
        (True, 5, 3, (3 << 32) + 10 + 1),
        (True, 3, 5, (3 << 32) + 10),
        (False, 5, 3, (3 << 32) + 10),
        (False, 3, 5, (3 << 32) + 10 + 1),
        (True, 4, 4, (4 << 32) + 8),
    ],
)
def test_both_ends_rank_a_pair_alike(controlling, ours, theirs, expected):
    """RFC 8445 §6.1.2.3: G is the place of who chooses, D that of the other."""
    here, there = place("192.0.2.1", rank=ours), place("192.0.2.9", rank=theirs)
    made = formed([here], [there], controlling=controlling)
    assert made.pairs[0].priority == expected
    made.switch(controlling=not controlling)
    again = formed([here], [there], controlling=not controlling)
    assert made.pairs[0].priority == again.pairs[0].priority


def test_the_best_pair_stands_first():
    """RFC 8445 §6.1.2.3: in decreasing order, and again after the roles were changed."""
    ours = [place("192.0.2.1"), place("192.0.2.2", rank=7)]
    theirs = [place("192.0.2.8", rank=7), place("192.0.2.9")]
    made = formed(ours, theirs)
    ranks = [pair.priority for pair in made.pairs]
    assert ranks == sorted(ranks, reverse=True)
    assert hosts(made)[0] == ("192.0.2.1", "192.0.2.9")
    made.switch(controlling=False)
    ranks = [pair.priority for pair in made.pairs]
    assert ranks == sorted(ranks, reverse=True)


def stream():
    """Sound and its reports, each from a host to a host and to a relay."""
    ours = [place("192.0.2.1", k) for k in (1, 2)]
    theirs = [place("192.0.2.9", k) for k in (1, 2)]
    theirs += [place("198.51.100.9", k, "relay", foundation="3") for k in (1, 2)]
    return formed(ours, theirs)


def test_of_pairs_with_one_fate_one_may_be_checked_at_first():
    """RFC 8445 §6.1.2.6: the lowest component, then the highest priority."""
    assert states(stream()) == {
        (1, "host"): WAITING,
        (1, "relay"): WAITING,
        (2, "host"): FROZEN,
        (2, "relay"): FROZEN,
    }
    # The reports would go before the sound, had only the priority a say.
    ours = [place("192.0.2.1", 1, rank=5), place("192.0.2.1", 2, rank=9)]
    made = formed(ours, [place("192.0.2.9", 1), place("192.0.2.9", 2)])
    assert [(one.component, one.state) for one in made.pairs] == [(2, FROZEN), (1, WAITING)]
    # Two of one component and one fate: the better one.
    made = formed([place("192.0.2.1")], [place("192.0.2.8", rank=7), place("192.0.2.9")])
    assert [one.state for one in made.pairs] == [WAITING, FROZEN]


def test_a_frozen_pair_waits_while_one_of_its_fate_is_tried():
    """RFC 8445 §6.1.4.2: the best that waits; then what is frozen and has nobody to wait for."""
    made = stream()
    tried = []
    while (pair := made.next_ordinary()) is not None:
        pair.state = State.IN_PROGRESS
        tried.append((pair.component, pair.remote.kind))
    assert tried == [(1, "host"), (1, "relay")]
    first = made.pairs[0]
    first.state = State.FAILED
    alike = made.next_ordinary()
    assert alike is not None
    assert (alike.component, alike.foundation) == (2, first.foundation)


def test_what_shares_the_fate_of_a_pair_that_works_may_be_checked():
    """RFC 8445 §7.2.5.3.3: of the same foundation, whatever else is."""
    made = stream()
    works = made.pairs[0]
    works.state = State.SUCCEEDED
    made.thaw(works)
    assert states(made) == {
        (1, "host"): State.SUCCEEDED,
        (1, "relay"): WAITING,
        (2, "host"): WAITING,
        (2, "relay"): FROZEN,
    }
