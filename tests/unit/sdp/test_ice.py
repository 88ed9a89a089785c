"""`a=candidate` and what belongs to it: read, written, and told from what makes no sense."""

import pytest

from firmware.base.direction import Direction
from firmware.base.values import replace
from firmware.sdp.description import Attribute
from firmware.sdp.ice import (
    MISMATCH,
    MOST_CANDIDATES,
    Candidate,
    Credentials,
    Ours,
    Theirs,
    credentials,
    heard,
    parse,
    priority,
    remote_candidates,
    said,
)
from firmware.sdp.negotiate import LocalMedia as Local
from firmware.sdp.negotiate import accept_answer, answer, make_offer
from firmware.sdp.parser import parse as parse_sdp
from firmware.sdp.writer import write

HOST = Candidate("1", 1, 2130706431, "203.0.113.141", 8998, "host")
SEEN = Candidate("2", 1, 1694498815, "192.0.2.3", 45664, "srflx")
EXAMPLE = """\
v=0
o=jdoe 2890844526 2890842807 IN IP4 203.0.113.141
s=
c=IN IP4 192.0.2.3
t=0 0
a=ice-options:ice2
a=ice-pacing:50
a=ice-pwd:asd88fgpdd777uzjYhagZg
a=ice-ufrag:8hhY
m=audio 45664 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host
a=candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998
"""


def ours(number=1, *, relay=False, seen=True):
    host = f"10.0.0.{number}"
    found = [Candidate("1", k, priority("host", k), host, 39999 + k, "host") for k in (1, 2)]
    if seen:
        for k in (1, 2):
            rank = priority("srflx", k)
            place = (host, 39999 + k)
            found.append(Candidate("2", k, rank, "203.0.113.9", 5999 + k, "srflx", place))
    if relay:
        found.append(Candidate("3", 1, priority("relay", 1), "198.51.100.1", 50000, "relay"))
    return Ours(bytes([number]) * 32, tuple(found))


def test_the_example_of_the_rfc():
    """RFC 8839 §4.2.6; the password and name are the session's there."""
    session = parse_sdp(EXAMPLE.encode())
    found = heard(session, session.media[0])
    assert found == Theirs(Credentials("8hhY", "asd88fgpdd777uzjYhagZg"), (HOST, SEEN), ice2=True)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1",
        "1 1 UDP 1 192.0.2.1 5000 typ",
        "1 1 TCP 1 192.0.2.1 9 typ host tcptype active",
        "1 3 UDP 1 192.0.2.1 5000 typ host",
        "1 0 UDP 1 192.0.2.1 5000 typ host",
        "1 1 UDP 0 192.0.2.1 5000 typ host",
        "1 1 UDP 2147483648 192.0.2.1 5000 typ host",
        "1 1 UDP -1 192.0.2.1 5000 typ host",
        "1 1 UDP 99999999999999999999999 192.0.2.1 5000 typ host",
        "1 1 UDP 1 192.0.2.1 0 typ host",
        "1 1 UDP 1 192.0.2.1 65536 typ host",
        "1 1 UDP 1 192.0.2.1 5000 typ nonsense",
        "1 1 UDP 1 192.0.2.1 5000 kind host",
        "1 1 UDP 1 far.example 5000 typ host",
        "1 1 UDP 1 3b9c0f1e-7a55-4a53-8b0f-1c2d3e4f5a6b.local 5000 typ host",
        "1 1 UDP 1 224.0.0.1 5000 typ host",
        "1 1 UDP 1 255.255.255.255 5000 typ host",
        "1 1 UDP 1 ::ffff:224.0.0.1 5000 typ host",
        "1 1 UDP 1 0.0.0.0 5000 typ host",
        "1 1 UDP 1 fe80::1%eth0 5000 typ host",
        "ä 1 UDP 1 192.0.2.1 5000 typ host",
        "1 ² UDP 1 192.0.2.1 5000 typ host",
        f"{'1' * 33} 1 UDP 1 192.0.2.1 5000 typ host",
    ],
)
def test_a_candidate_that_is_none_is_as_if_it_were_not_there(value):
    """RFC 8839 §5.1: names are ignored, and so is what we cannot use."""
    assert parse(value) is None


def test_a_bad_one_among_good_ones_costs_only_itself():
    text = EXAMPLE + "a=candidate:x\r\na=candidate:4 1 UDP 1 x.local 9 typ host\r\n"
    session = parse_sdp(text.encode())
    found = heard(session, session.media[0])
    assert found.candidates == (HOST, SEEN)
    assert found.skipped == 2


def test_a_flood_of_candidates_is_cut_off():
    flood = "".join(
        f"a=candidate:{n} 1 UDP {n} 198.51.100.1 {n} typ host\n" for n in range(1, 1000)
    )
    session = parse_sdp((EXAMPLE + flood).encode())
    found = heard(session, session.media[0])
    assert len(found.candidates) == MOST_CANDIDATES
    assert found.skipped == 1001 - MOST_CANDIDATES


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a=ice-ufrag:8hhY\n", ""),
        ("a=ice-pwd:asd88fgpdd777uzjYhagZg\n", ""),
        ("8hhY", "8h"),
        ("8hhY", "8h:Y"),
        ("asd88fgpdd777uzjYhagZg", "tooshort"),
        ("asd88fgpdd777uzjYhagZg", "ä" * 22),
        ("asd88fgpdd777uzjYhagZg", "a" * 257),
        ("a=rtpmap", "a=ice-mismatch\na=rtpmap"),
    ],
)
def test_without_name_and_password_there_is_nothing_to_check_with(before, after):
    """RFC 8839 §4.2.5, §5.4."""
    session = parse_sdp(EXAMPLE.replace(before, after).encode())
    assert heard(session, session.media[0]) is None


def test_somebody_who_changed_the_address_on_the_way_is_noticed():
    """RFC 8839 §4.2.5."""
    session = parse_sdp(EXAMPLE.replace("c=IN IP4 192.0.2.3", "c=IN IP4 192.0.2.99").encode())
    assert heard(session, session.media[0]) is MISMATCH


@pytest.mark.parametrize("place", ["IN IP4 0.0.0.0", "IN IP4 far.example"])
def test_an_address_that_says_nothing_is_no_mismatch(place):
    """RFC 8839 §4.2.5: nothing yet, or a name."""
    session = parse_sdp(EXAMPLE.replace("IN IP4 192.0.2.3", place).encode())
    assert isinstance(heard(session, session.media[0]), Theirs)


def test_what_is_written_is_read():
    made = ours(relay=True)
    lines = said(made, offering=True)
    text = EXAMPLE.partition("a=candidate")[0] + "".join(f"a={x.name}:{x.value}\n" for x in lines)
    text = text.replace("a=ice-pwd:asd88fgpdd777uzjYhagZg\na=ice-ufrag:8hhY\n", "")
    text = text.replace("192.0.2.3", "203.0.113.9").replace("45664", "6000")
    session = parse_sdp(text.encode())
    found = heard(session, session.media[0])
    assert found.credentials == made.credentials
    assert [one.address for one in found.candidates] == [one.address for one in made.candidates]
    assert all(
        mine.priority == one.priority
        for mine, one in zip(made.candidates, found.candidates, strict=True)
    )


def test_names_and_passwords_are_long_enough_and_change_with_a_restart():
    """RFC 8445 §5.3: 24 and 128 bits at least."""
    first, again, second = (credentials(b"s" * 32, n) for n in (0, 0, 1))
    assert first == again
    assert first.ufrag != second.ufrag
    assert first.password != second.password
    assert len(first.ufrag) * 6 >= 24
    assert len(first.password) * 6 >= 128
    assert first.password not in repr(first)
    assert repr(b"s" * 32) not in repr(ours())


@pytest.mark.parametrize(
    ("kind", "component", "preference", "expected"),
    [
        ("host", 1, 65535, 2130706431),
        ("host", 2, 65535, 2130706430),
        ("srflx", 1, 65535, 1694498815),
        ("prflx", 1, 65535, 110 * 2**24 + 65535 * 2**8 + 255),
        ("relay", 1, 0, 255),
        ("relay", 2, 9, 9 * 2**8 + 254),
    ],
)
def test_what_a_place_is_worth(kind, component, preference, expected):
    """RFC 8445 §5.1.2.1, the formula, §5.1.2.2, what the kinds are worth."""
    assert priority(kind, component, preference) == expected


def test_a_second_place_of_a_kind_is_worth_less_and_a_learned_one_more_than_a_seen_one():
    """RFC 8445 §5.1.2.1."""
    kinds = ("host", "prflx", "srflx", "relay")
    ranks = [priority(kind, 1) for kind in kinds]
    assert ranks == sorted(set(ranks), reverse=True)
    found = ours(seen=False, relay=True).also("198.51.100.7").candidates
    assert len({(one.component, one.priority) for one in found}) == len(found)


def test_a_restart_has_another_name_and_password_and_forgets_what_was_chosen():
    """RFC 8445 §9: the places may stay."""
    first = ours(relay=True)
    chosen = replace(first, selected=first.candidates[-1:], partners=(HOST,))
    again = chosen.restarted
    assert again.credentials.ufrag != first.credentials.ufrag
    assert again.credentials.password != first.credentials.password
    assert again.candidates == first.candidates
    assert (again.selected, again.partners) == ((), ())
    shown = [one.name for one in said(again, offering=True)]
    assert shown.count("candidate") == len(first.candidates)
    assert "remote-candidates" not in shown
    assert again.restarted.credentials not in (first.credentials, again.credentials)


def test_the_default_is_what_reaches_far_without_help():
    """RFC 8839 §4.2.1.2; a relay lets nobody in who was not asked."""
    assert ours(relay=True).default(1) == ("203.0.113.9", 6000)
    assert ours(seen=False, relay=True).default(1) == ("10.0.0.1", 40000)
    assert replace(ours(), candidates=()).default(1) is None
    relayed = ours(relay=True).candidates[-1:]
    assert replace(ours(), candidates=relayed).default(1) == ("198.51.100.1", 50000)


def test_an_outer_address_of_the_settings_is_a_place_too():
    assert ours(seen=False).also("198.51.100.7").default(1) == ("198.51.100.7", 40000)
    assert ours().also("198.51.100.7") == ours()
    assert ours(seen=False).also("10.0.0.1") == ours(seen=False)
    assert ours(seen=False).also("") == ours(seen=False)


def test_what_a_controlling_far_end_has_chosen():
    """RFC 8839 §5.2."""
    session = parse_sdp((EXAMPLE + "a=remote-candidates:1 10.0.0.1 40000 2 x y\n").encode())
    assert remote_candidates(session.media[0]) == {(1, ("10.0.0.1", 40000))}
    for bad in ("1", "1 x", "3 10.0.0.1 5", "1 10.0.0.1 70000", ""):
        session = parse_sdp((EXAMPLE + f"a=remote-candidates:{bad}\n").encode())
        assert remote_candidates(session.media[0]) == frozenset()


# Offers and answers


def here(number, **more):
    return Local(f"10.0.0.{number}", 40000, 40001, ours(number, **more))


def test_an_offer_and_its_answer(phone):
    """RFC 8839 §4.3.1, §4.3.2."""
    offer = make_offer(phone, here(1), Direction.SENDRECV, 1, 0)
    (audio,) = offer.media
    assert (offer.connection.address, audio.port, audio.rtcp) == ("203.0.113.9", 6000, None)
    offer = parse_sdp(write(offer))
    agreed = answer(offer, phone, here(2), Direction.SENDRECV, 2, 0)
    assert agreed.ice.credentials == ours(1).credentials
    answered = parse_sdp(write(agreed.session))
    components = {
        one.value.split()[1] for one in answered.media[0].attributes if one.name == "candidate"
    }
    assert components == {"1"}, "RFC 5761 §5.1.3: RTCP shares the port"
    back = accept_answer(offer, answered, phone)
    assert back.ice.credentials == ours(2).credentials
    assert back.muxed


def test_an_offer_without_is_answered_without(phone, here):
    """RFC 8839 §4.3.2."""
    offer = parse_sdp(write(make_offer(phone, here, Direction.SENDRECV, 1, 0)))
    agreed = answer(offer, phone, replace(here, ice=ours()), Direction.SENDRECV, 2, 0)
    assert agreed.ice is None
    assert b"ice" not in write(agreed.session)


def test_who_does_without_ignores_what_is_offered(phone, here):
    offer = parse_sdp(EXAMPLE.encode())
    agreed = answer(offer, phone, here, Direction.SENDRECV, 2, 0)
    assert agreed.ice is None
    assert agreed.remote == ("192.0.2.3", 45664)
    assert b"ice" not in write(agreed.session)


def test_a_mismatch_is_said_and_the_old_rules_hold(phone):
    """RFC 8839 §4.2.5."""
    text = EXAMPLE.replace("c=IN IP4 192.0.2.3", "c=IN IP4 192.0.2.99")
    agreed = answer(parse_sdp(text.encode()), phone, here(1), Direction.SENDRECV, 2, 0)
    assert agreed.ice is None
    assert agreed.remote == ("192.0.2.99", 45664)
    body = write(agreed.session)
    assert b"a=ice-mismatch" in body
    assert b"a=candidate" not in body
    offer = make_offer(phone, here(2), Direction.SENDRECV, 1, 0)
    assert accept_answer(offer, parse_sdp(body), phone).ice is None


def test_an_answer_to_what_was_chosen_already_has_it_as_its_default(phone):
    """RFC 8839 §4.4.2: the offer beat the last check."""
    text = EXAMPLE + "a=remote-candidates:1 10.0.0.1 40000\n"
    agreed = answer(parse_sdp(text.encode()), phone, here(1), Direction.SENDRECV, 2, 0)
    assert agreed.session.connection.address == "10.0.0.1"
    lines = [one for one in agreed.session.media[0].attributes if one.name == "candidate"]
    assert len(lines) == 1


@pytest.mark.parametrize(
    ("named", "address"),
    [
        ("1 10.0.0.1 40000", "10.0.0.1"),
        ("1 198.51.100.1 50000", "198.51.100.1"),
        ("1 10.0.0.1 40000 1 198.51.100.1 50000", "198.51.100.1"),
        ("1 192.0.2.1 1", "198.51.100.1"),
    ],
)
def test_the_far_ends_word_for_a_place_counts_unless_it_names_several(phone, named, address):
    """RFC 8839 §4.4.2; baresip 1.0 names all that works."""
    made = ours(seen=False, relay=True)
    local = Local("10.0.0.1", 40000, 40001, replace(made, selected=made.candidates[-1:]))
    text = EXAMPLE + f"a=remote-candidates:{named}\n"
    agreed = answer(parse_sdp(text.encode()), phone, local, Direction.SENDRECV, 2, 0)
    assert agreed.session.connection.address == address


def test_a_mismatch_is_an_attribute_without_value():
    assert Attribute("ice-mismatch") == MISMATCH


def test_passwords_are_not_shown():
    """A24."""
    session = parse_sdp(EXAMPLE.encode())
    shown = repr(session) + repr(heard(session, session.media[0]))
    assert "asd88fgpdd777uzjYhagZg" not in shown
