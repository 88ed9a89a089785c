"""Session descriptions under random hands: reading never surprises, negotiating is total."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.base.direction import Direction
from firmware.sdp.description import (
    Attribute,
    Connection,
    Format,
    Media,
    Origin,
    Session,
)
from firmware.sdp.errors import SdpError
from firmware.sdp.negotiate import (
    Capabilities,
    LocalMedia,
    Negotiated,
    NothingInCommon,
    accept_answer,
    answer,
    make_offer,
)
from firmware.sdp.parser import parse
from firmware.sdp.writer import write

WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=8)
ADDRESS = st.sampled_from(["192.0.2.1", "2001:db8::1", "0.0.0.0", "::", "host.example.com"])
OUR_NAMES = [("PCMU", 8000, 1), ("PCMA", 8000, 1), ("G722", 8000, 1), ("opus", 48000, 2)]
NAMES = [*OUR_NAMES, ("telephone-event", 8000, 1), ("telephone-event", 48000, 1), ("G729", 8000, 1)]


@st.composite
def formats(draw, names=NAMES, parameters=("", "mode=20", "0-15", "useinbandfec=1")):
    chosen = draw(st.lists(st.sampled_from(names), max_size=6, unique=True))
    numbers = draw(
        st.lists(st.integers(96, 127), min_size=len(chosen), max_size=len(chosen), unique=True)
    )
    fmtp = st.sampled_from(parameters)
    return tuple(
        Format(number, name, clock, channels, draw(fmtp))
        for number, (name, clock, channels) in zip(numbers, chosen, strict=True)
    )


@st.composite
def media(draw):
    rtp = draw(st.booleans())
    port = draw(st.integers(0, 65535))
    return Media(
        kind=draw(st.sampled_from(["audio", "audio", "video", "text", "image"])),
        port=port,
        protocol=draw(st.sampled_from(["RTP/AVP", "RTP/SAVP", "RTP/AVPF"])) if rtp else "udptl",
        formats=draw(formats().filter(bool)) if rtp else (),
        words=() if rtp else tuple(draw(st.lists(WORD, min_size=1, max_size=3))),
        connection=draw(st.none() | ADDRESS.map(Connection)),
        direction=draw(st.sampled_from(Direction)) if rtp and port else Direction.SENDRECV,
        ptime=draw(st.none() | st.integers(1, 200)),
        maxptime=draw(st.none() | st.integers(1, 200)),
        rtcp=draw(st.none() | st.tuples(st.integers(1, 65535), st.just("") | ADDRESS)),
        port_count=draw(st.sampled_from([1, 1, 2])),
        attributes=tuple(draw(st.lists(st.builds(Attribute, st.just("x"), st.none() | WORD)))),
    )


@st.composite
def sessions(draw):
    origin = Origin(
        draw(st.integers(0, 2**62)), draw(st.integers(0, 2**62)), draw(ADDRESS), draw(WORD)
    )
    return Session(
        origin,
        tuple(draw(st.lists(media(), max_size=4))),
        draw(st.none() | ADDRESS.map(Connection)),
        draw(WORD),
    )


def capabilities():
    return st.builds(
        Capabilities,
        formats(OUR_NAMES, ("", "useinbandfec=1")).filter(bool),
        st.booleans(),
        st.sampled_from([10, 20, 30, 40, 60]),
    )


# Its ways have types that only phones load which have any, so hypothesis cannot look at them.
LOCALS = st.tuples(
    st.sampled_from(["192.0.2.7", "::1"]), st.integers(1, 65535), st.integers(1, 65535)
).map(lambda place: LocalMedia(*place))
DIRECTIONS = st.sampled_from(Direction)


@given(sessions())
def test_what_is_written_is_read(session):
    assert parse(write(session)) == session


@given(st.binary(max_size=400))
def test_garbage_is_refused_in_words(data):
    for prefix in (b"", b"v=0\r\n"):
        with contextlib.suppress(SdpError):
            parse(prefix + data)


@given(sessions(), st.data())
def test_a_spoilt_description_is_read_or_refused_in_words(session, data):
    octets = bytearray(write(session))
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(octets) - 1))
        octets[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        spoilt = parse(bytes(octets))
    except SdpError:
        return
    local = LocalMedia("192.0.2.7", 4000, 4001)
    phone = Capabilities((Format(0, "PCMU", 8000),))
    assert answer(spoilt, phone, local, Direction.SENDRECV, 1, 1)


@settings(max_examples=200)
@given(sessions(), capabilities(), LOCALS, DIRECTIONS)
def test_any_offer_gets_an_answer_that_fits_it(offer, phone, local, wish):
    result = answer(offer, phone, local, wish, 1, 1)
    if isinstance(result, NothingInCommon):
        assert result.reason
        return
    ours = result.session.media
    assert [item.kind for item in ours] == [item.kind for item in offer.media]
    assert [item.protocol for item in ours] == [item.protocol for item in offer.media]
    assert [index for index, item in enumerate(ours) if item.port] == [result.media_index]
    theirs = offer.media[result.media_index]
    assert result.formats
    assert {item.number for item in ours[result.media_index].formats} <= {
        item.number for item in theirs.formats
    }
    assert 10 <= result.ptime <= 60
    parse(write(result.session))


@settings(max_examples=200)
@given(capabilities(), capabilities(), LOCALS, LOCALS, DIRECTIONS, DIRECTIONS)
def test_both_ends_agree_on_what_they_agreed(near, far, here, there, offered, wish):
    offer = make_offer(near, here, offered, 1, 1)
    theirs = answer(parse(write(offer)), far, there, wish, 2, 1)
    if isinstance(theirs, NothingInCommon):
        assert not {item.name for item in near.formats} & {item.name for item in far.formats}
        return
    ours = accept_answer(offer, parse(write(theirs.session)), near)
    assert isinstance(ours, Negotiated)
    assert ours.direction is theirs.direction.mirrored
    assert [item.number for item in ours.formats] == [item.number for item in theirs.formats]
    assert [item.name for item in ours.formats] == [item.name for item in theirs.formats]
    assert (ours.dtmf is None) == (theirs.dtmf is None)
    assert (ours.remote, theirs.remote) == (
        (there.address, there.port),
        (here.address, here.port),
    )
    # RFC 5761 §5.1.1: both write that one port will do.
    assert (ours.rtcp, theirs.rtcp) == (ours.remote, theirs.remote)


@given(sessions(), sessions(), capabilities())
def test_any_answer_is_judged(offer, answered, phone):
    assert isinstance(accept_answer(offer, answered, phone), Negotiated | NothingInCommon)


@given(sessions(), capabilities(), LOCALS, DIRECTIONS)
def test_a_later_offer_keeps_every_place_and_number(previous, phone, local, wish):
    later = make_offer(phone, local, wish, 1, 2, previous)
    assert len(later.media) >= len(previous.media)
    for before, after in zip(previous.media, later.media, strict=False):
        assert after.kind == before.kind
        meant = {item.number: (item.name.lower(), item.clock) for item in before.formats}
        for item in after.formats:
            if item.number in meant and item.number >= 96:
                assert meant[item.number] == (item.name.lower(), item.clock)
    live = [item for item in later.media if item.port]
    assert [item.kind for item in live] == ["audio"]
    numbers = [item.number for item in live[0].formats]
    assert len(set(numbers)) == len(numbers)
