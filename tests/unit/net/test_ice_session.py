"""Searches for a way on a simulated network: which pair is found, when, and what is lost."""

import pytest
from aioice import stun

from firmware.base.values import replace
from firmware.net.ice_pairs import State
from firmware.net.ice_session import PATIENCE
from firmware.sdp.ice import Credentials
from tests.support.ice_world import End, IceWorld, Lite, an_end, everything, nothing


def world(passes=everything, *, roles=(True, False), **more):
    """Two ends; `more` goes to both."""
    about = {name: more.pop(name) for name in ("muxed", "ice2") if name in more}
    a, b = an_end(1, **more), an_end(2, **more)
    if "seen_as" in more:
        a, b = an_end(1, **{**more, "seen_as": "203.0.113.1"}), an_end(2, **more)
    first = End(a, b, controlling=roles[0], **about)
    return IceWorld(first, End(b, a, controlling=roles[1], **about), passes)


def ways(made):
    return [end.way for end in made.ends]


def settled(made):
    return [end.session.settled for end in made.ends]


def test_two_hosts_of_one_network_find_each_other_at_once():
    """RFC 8445 §8.1.1: the best pair is nominated as soon as nothing better can come."""
    made = world(relay=True)
    made.run(0.1)
    assert ways(made) == [("host", "host")] * 2
    assert settled(made) == [True, True]


def no_relays(source, target):
    return "20." not in source[0] + target[0]


def only_relays(source, target):
    return "20." in source[0] + target[0]


def test_a_relay_is_taken_only_where_nothing_else_leads():
    """RFC 8445 §12.1: sound may take it before it is nominated."""
    made = world(only_relays, relay=True)
    made.run(0.5)
    assert all("relay" in way for way in ways(made))
    assert settled(made) == [False, False]
    made.run(1.0)
    assert settled(made) == [True, True]


class Gateways:
    """Each end's gateway lets in only who was sent to before."""

    def __init__(self):
        self.opened = set()

    def __call__(self, source, target):
        if target[0].startswith("10."):
            return False
        self.opened.add((source, target))
        return "20." in target[0] or (target, source) in self.opened


def test_two_gateways_are_opened_from_inside_and_no_relay_is_used():
    """RFC 8445 §7.3.1.4: who is checked checks again at once, his gateway being open now."""
    made = world(Gateways(), relay=True, seen_as="203.0.113.2")
    made.run(2.0)
    assert ways(made) == [("srflx", "srflx")] * 2
    assert settled(made) == [True, True]


def test_a_far_end_that_is_seen_from_a_place_it_has_not_named():
    """RFC 8445 §7.3.1.3, §7.2.5.3.1: peer-reflexive on both sides."""
    made = world()
    first, second = made.ends
    second.mapped = {("10.0.0.2", 40000): ("198.51.100.9", 7777)}
    made.passes = lambda _source, target: target != ("10.0.0.2", 40000)
    made.run(1.0)
    assert ways(made) == [("host", "prflx"), ("prflx", "host")]
    assert first.session.pair(1).remote.address == ("198.51.100.9", 7777)
    assert second.session.pair(1).local.address == ("198.51.100.9", 7777)


@pytest.mark.parametrize("both", [True, False])
def test_both_want_to_choose_or_neither_does(both):
    """RFC 8445 §7.3.1.1, §7.2.5.1: the greater number wins, and a way is found all the same."""
    made = world(roles=(both, both))
    made.run(1.0)
    assert settled(made) == [True, True]
    assert [end.session.controlling for end in made.ends].count(True) == 1


def test_a_port_of_rtcps_own_has_a_way_of_its_own():
    made = world(muxed=False, components=2)
    made.run(1.0)
    for end in made.ends:
        assert end.session.needed == {1, 2}
        assert end.session.pair(2).remote.port == 40001
        assert end.session.settled


def test_where_both_share_a_port_rtcps_is_not_checked():
    """RFC 5761 §5.1.3."""
    made = world(components=2)
    made.run(1.0)
    assert all(end.session.pair(2) is None and end.session.settled for end in made.ends)
    assert {target[1] for _, _, target in made.sent} == {40000}


def test_checks_are_paced_and_repeated_with_longer_and_longer_waits():
    """RFC 8445 §14.2: 50 ms; §14.3: 0.5 s at least; RFC 8489 §6.2.1: doubled."""
    made = world(nothing)
    made.run(10.0)
    mine = [at for at, source, _ in made.sent if source == ("10.0.0.1", 40000)]
    assert mine == pytest.approx([0.0, 0.5, 1.5, 3.5, 7.5])
    made = world(nothing, relay=True)
    made.run(0.4)
    mine = [at for at, source, _ in made.sent if source[0].endswith(".1")]
    assert mine == pytest.approx([0.0, 0.05, 0.1, 0.15])


def first_check(end, base=0):
    """The first request that leaves from a base."""
    now = 0.0
    while now < 1.0:
        end.session.fire(now)
        found = [one for one in end.session.take() if one.base == base]
        if found:
            return stun.parse_message(found[0].data)
        now += 0.05
    raise AssertionError("nothing left")


@pytest.mark.parametrize("base", [0, 1])
def test_a_check_says_what_its_place_would_be_worth_if_nobody_knew_it(base):
    """RFC 8445 §7.1.1: the priority of the candidate, but of the type peer-reflexive."""
    end = world(nothing, relay=True, preference=77).ends[0]
    mine = end.bases[base]
    assert (mine.kind, mine.priority >> 8 & 0xFFFF) == (("host", 65535), ("relay", 77))[base]
    said = first_check(end, base).attributes["PRIORITY"]
    assert said == (110 << 24) + (mine.priority & 0xFFFFFF)


def test_a_check_is_under_the_far_ends_name_and_password():
    """RFC 8445 §7.2.2: `RFRAG:LFRAG` and RPASS when L asks R."""
    made = world(nothing)
    for end, other in (made.ends, made.ends[::-1]):
        mine, far = end.ours.credentials, other.ours.credentials
        request = first_check(end)
        assert request.attributes["USERNAME"] == f"{far.ufrag}:{mine.ufrag}"
        assert request.check_message_integrity(far.password.encode())
        assert not request.check_message_integrity(mine.password.encode())


def test_the_longest_name_of_a_far_end_still_makes_a_username():
    """RFC 8489 §14.3: fewer than 509 octets of UTF-8."""
    end = world(nothing).ends[0]
    longest = Credentials("f" * 256, "p" * 24)
    theirs = replace(end.session.terms.theirs, credentials=longest)
    end.session.terms = replace(end.session.terms, theirs=theirs)
    said = first_check(end).attributes["USERNAME"]
    assert said.startswith("f" * 256 + ":")
    assert len(said.encode()) < 509


def test_what_was_not_chosen_is_not_checked_any_more_and_still_answered():
    """RFC 8445 §8.1.2."""
    made = world(no_relays, relay=True)
    made.run(0.5)
    assert settled(made) == [True, True]
    count = len(made.sent)
    made.run(3.0)
    assert made.sent[count:] == []
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["PRIORITY"] = 1
    second = made.ends[1]
    for _ in range(2):
        second.session.asked(0, message, ("20.0.0.1", 50000))
        (answer,) = second.session.take()
        assert stun.parse_message(answer.data).message_class == stun.Class.RESPONSE
    second.session.fire(made.now)
    assert second.session.take() == [], "answered, and not checked in return"


def test_a_component_that_has_its_way_does_not_look_on_while_the_other_does():
    """RFC 8445 §8.1.2: what was nominated for sound ends the checks of sound, not of reports."""
    made = world(no_relays, relay=True, components=2, muxed=False)
    hand = made.hand

    def lose(end, base, data, source):
        """The reports' nomination never arrives."""
        if source[1] == 40000 or "USE-CANDIDATE" not in stun.parse_message(data).attributes:
            hand(end, base, data, source)

    made.hand = lose
    made.run(0.3)
    chosen = [end.session.pair(1).nominated for end in made.ends]
    assert (chosen, settled(made)) == ([True, True], [False, False])
    count = len(made.sent)
    made.run(3.0)
    ports = {source[1] for _, source, _ in made.sent[count:]}
    assert ports == {40001, 50001}


def test_reports_behind_a_gateway_are_checked_once_sound_got_through():
    """RFC 8445 §7.2.5.3.3: the fate is that of the pair as it was checked, not as it was seen."""
    made = world(nothing, components=2, muxed=False, seen_as="203.0.113.2")
    first, second = made.ends
    first.session.fire(0.0)
    (out,) = first.session.take()
    request = stun.parse_message(out.data)
    answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
    answer.attributes["XOR-MAPPED-ADDRESS"] = ("203.0.113.1", 6001)
    answer.add_message_integrity(second.ours.credentials.password.encode())
    first.session.answered(0, answer, out.remote, 0.1)
    assert first.session.pair(1).local.kind == "srflx"
    alike = [one for one in first.session._list.pairs if one.remote.address == ("10.0.0.2", 40001)]
    assert [one.state for one in alike] == [State.WAITING]


def test_p09_no_way_at_all_is_said_after_a_while():
    made = world(nothing, relay=True)
    made.run(PATIENCE - 1)
    assert [end.session.failure for end in made.ends] == ["", ""]
    made.run(2)
    assert all("no way" in end.session.failure for end in made.ends)
    count = len(made.sent)
    made.run(100)
    assert len(made.sent) == count, "who has given up sends nothing"


def test_a_far_end_that_agrees_is_asked_every_few_seconds_and_nothing_ends():
    """RFC 7675 §5.1: every 4 to 6 seconds, each time once."""
    made = world()
    made.run(1.0)
    count = len(made.sent)
    made.run(600.0)
    assert settled(made) == [True, True]
    assert [end.session.failure for end in made.ends] == ["", ""]
    # Two ends, a request and an answer each.
    assert 600 / 6 <= (len(made.sent) - count) / 4 <= 600 / 4
    assert all(len(end.session) <= 1 for end in made.ends)


def test_a08_who_has_not_agreed_for_thirty_seconds_is_sent_nothing():
    """RFC 7675 §5.1."""
    made = world()
    made.run(100.0)
    first, second = made.ends
    second.answers = False
    made.run(23.5)
    assert first.session.pair(1) is not None
    made.run(6.6)
    assert "does not answer" in first.session.failure
    assert first.session.pair(1) is None
    count = len(made.sent)
    made.run(60.0)
    assert all(source != ("10.0.0.1", 40000) for _, source, _ in made.sent[count:])


def test_a_lost_answer_or_two_change_nothing():
    made = world()
    made.run(1.0)
    made.passes = lambda *_way: int(made.now) % 20 < 12
    made.run(300.0)
    assert settled(made) == [True, True]


def test_a_far_end_that_takes_its_word_back_is_believed_at_once():
    """RFC 7675 §5.2: 403 under its password."""
    made = world()
    made.run(1.0)
    first, second = made.ends

    def refuse(end, base, data, source):
        message = stun.parse_message(data)
        if end is second and message.message_class == stun.Class.REQUEST:
            answer = stun.Message(message.message_method, stun.Class.ERROR, message.transaction_id)
            answer.attributes["ERROR-CODE"] = (403, "Forbidden")
            answer.add_message_integrity(second.ours.credentials.password.encode())
            first.session.answered(0, answer, ("10.0.0.2", 40000), made.now)

    made.hand = refuse
    made.run(7.0)
    assert first.session.failure


def test_a_lite_far_end_answers_and_we_choose():
    """RFC 8445 §6.1.1, §8.1: it makes no checks of its own."""
    a, b = an_end(1), an_end(2)
    first = End(a, b, controlling=True, lite=True)
    second = End(b, a, controlling=False)
    second.session = Lite(second.session.terms)
    IceWorld(first, second).run(1.0)
    assert first.session.settled


def test_a08_what_is_not_under_the_far_ends_password_is_no_answer():
    """RFC 8489 §9.1.4: else whoever sees one check could lead our sound where he likes."""
    made = world(nothing)
    first = made.ends[0]
    first.session.fire(0.0)
    (out,) = first.session.take()
    request = stun.parse_message(out.data)
    for key in (b"", b"wrong", first.ours.credentials.password.encode()):
        answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
        answer.attributes["XOR-MAPPED-ADDRESS"] = ("10.0.0.1", 40000)
        if key:
            answer.add_message_integrity(key)
        first.session.answered(0, answer, out.remote, 0.1)
        assert first.session.pair(1) is None
    right = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
    right.attributes["XOR-MAPPED-ADDRESS"] = ("10.0.0.1", 40000)
    right.add_message_integrity(made.ends[1].ours.credentials.password.encode())
    first.session.answered(0, right, ("198.51.100.1", 1), 0.1)
    assert first.session.pair(1) is None, "RFC 8445 §7.2.5.2.1: not from whom we asked"


def test_a_flood_of_places_is_cut_off():
    """RFC 8445 §6.1.2.5: a hundred pairs."""
    made = world()
    first = made.ends[0]
    for port in range(1, 2000):
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        message.attributes["PRIORITY"] = 1
        first.session.asked(0, message, ("198.51.100.1", port))
        first.session.take()
    assert len(first.session._list) <= 100
    made.run(10.0)
    assert first.session.pair(1).remote.address == ("10.0.0.2", 40000)


def test_a_far_end_of_the_old_rules_may_nominate_several_and_the_best_counts():
    """RFC 5245 §8.1.1.2: each of its checks carries the word."""
    made = world(relay=True)
    second = made.ends[1]
    made.run(1.0)
    best = second.session.pair(1)
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes |= {"PRIORITY": 1, "USE-CANDIDATE": None}
    second.session.asked(0, message, ("20.0.0.1", 50000))
    made.run(1.0)
    assert second.session.pair(1) is best


def test_what_it_wants_is_found_out_although_something_else_was_settled():
    """RFC 5245 §8.1.1.2: its word for the better pair was quicker than our check of it."""
    made = world(roles=(False, False), relay=True)
    second = made.ends[1]
    wishes = {("20.0.0.1", 50000): 0, ("10.0.0.1", 40000): 0}
    for place, base in wishes.items():
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        message.attributes |= {"PRIORITY": 1, "USE-CANDIDATE": None, "ICE-CONTROLLING": 1 << 64 - 1}
        second.session.asked(base, message, place)
    made.run(1.0)
    assert second.session.settled
    assert second.way == ("host", "host")


def test_a_word_that_comes_from_elsewhere_neither_counts_nor_harms():
    """RFC 7675 §5.1: it is for this way that the far end agrees."""
    made = world()
    made.run(1.0)
    first, second = made.ends

    def elsewhere(end, base, data, source):
        message = stun.parse_message(data)
        if message.message_class == stun.Class.REQUEST:
            end.session.asked(base, message, source)
        else:
            end.session.answered(base, message, ("198.51.100.1", 9), made.now)

    made.hand = elsewhere
    made.run(20.0)
    assert [end.session.failure for end in (first, second)] == ["", ""]
    assert first.session.pair(1).state.value == "succeeded"
    made.run(15.0)
    assert first.session.failure
