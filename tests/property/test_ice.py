"""Ways to a far end under anything a far end may say: in SDP, in STUN, in whatever order."""

import pytest
from aioice import stun
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.call.capabilities import capabilities_of
from firmware.call.negotiation import Negotiation, Refused
from firmware.config.schema import AudioSettings
from firmware.sdp.ice import MOST_CANDIDATES, Candidate, Ours, Theirs, heard, parse, priority
from firmware.sdp.parser import parse as parse_sdp
from tests.support.ice_world import End, IceWorld, an_end

CAPABILITIES = capabilities_of(AudioSettings(codecs=("pcmu",)))
WORDS = st.one_of(
    st.sampled_from(
        ["1", "2", "0", "UDP", "tcp", "typ", "host", "srflx", "relay", "raddr", "rport", "::1"]
    ),
    st.sampled_from(["192.0.2.1", "5000", "65536", "-1", "x.local", "0.0.0.0", "224.0.0.1", ""]),
    st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=12),
    st.integers().map(str),
)
NAMES = ("candidate", "ice-ufrag", "ice-pwd", "ice-options", "remote-candidates", "ice-lite")
LINES = st.lists(
    st.tuples(st.sampled_from(NAMES), st.lists(WORDS, max_size=14).map(" ".join)), max_size=12
)


def body(lines):
    head = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    head += "a=ice-ufrag:abcd\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa\r\n"
    rows = "".join(f"a={name}:{value}\r\n" for name, value in lines)
    return f"{head}m=audio 5000 RTP/AVP 0\r\n{rows}".encode()


def ours():
    place = Candidate("1", 1, priority("host", 1), "10.0.0.1", 40000, "host")
    return Ours(b"s" * 32, (place,))


@given(st.lists(WORDS, max_size=20).map(" ".join))
def test_p01_any_candidate_is_one_or_none(value):
    found = parse(value)
    assert found is None or (found.component in (1, 2) and 0 < found.port < 65536)


@settings(deadline=None)
@given(LINES)
def test_p01_any_description_is_answered_and_again(lines):
    """CVE-2026-0826: no word about ways ends a phone."""
    offer = body(lines)
    session = parse_sdp(offer)
    found = heard(session, session.media[0])
    assert not isinstance(found, Theirs) or len(found.candidates) <= MOST_CANDIDATES
    negotiation = Negotiation.open(CAPABILITIES, "10.0.0.1", 40000, 7, ice=ours())
    result = negotiation.answer(offer, held=False)
    assert not isinstance(result, Refused)
    again = result[0].answer(offer, held=True)
    assert not isinstance(again, Refused)
    offered, _ = negotiation.make_offer(held=False)
    assert not isinstance(offered.take_answer(offer), Refused)


ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "PRIORITY": st.integers(0, (1 << 32) - 1),
        "USE-CANDIDATE": st.none(),
        "ICE-CONTROLLING": st.integers(0, (1 << 64) - 1),
        "ICE-CONTROLLED": st.integers(0, (1 << 64) - 1),
        "ERROR-CODE": st.tuples(st.sampled_from([300, 400, 401, 403, 487, 500]), st.just("no")),
        "XOR-MAPPED-ADDRESS": st.tuples(st.just("203.0.113.5"), st.integers(1, 65535)),
    },
)
PLACES = st.sampled_from([("10.0.0.2", 40000), ("20.0.0.2", 50000), ("198.51.100.1", 9)])


@pytest.mark.parametrize("controlling", [True, False])
@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from([stun.Class.REQUEST, stun.Class.RESPONSE, stun.Class.ERROR]),
            ATTRIBUTES,
            PLACES,
            st.sampled_from([0.0, 0.04, 0.5, 4.0, 31.0]),
        ),
        max_size=20,
    )
)
def test_a_search_survives_whatever_a_far_end_that_has_the_password_says(controlling, steps):
    """Sound goes where a check was answered, or nowhere."""
    a, b = an_end(1, relay=True), an_end(2, relay=True)
    first = End(a, b, controlling=controlling)
    world = IceWorld(first, End(b, a, controlling=not controlling))
    for kind, attributes, place, seconds in steps:
        open_ = list(first.session._open)
        key = open_[0] if open_ and kind != stun.Class.REQUEST else None
        message = stun.Message(stun.Method.BINDING, kind, key, dict(attributes))
        message.add_message_integrity(b.credentials.password.encode())
        if kind == stun.Class.REQUEST:
            first.session.asked(0, message, place)
        else:
            first.session.answered(0, message, place, world.now)
        world.run(seconds)
        pair = first.session.pair(1)
        assert pair is None or pair.state.value == "succeeded"
        assert len(first.session._list) <= 100
