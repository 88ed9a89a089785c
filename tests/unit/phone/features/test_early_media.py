"""Ringback of ours or the far end's own sound: never both, never neither (RFC 3960)."""

import pytest

from firmware.media import messages as m
from firmware.phone.events import EngineLost
from tests.support.desk import Desk, sdp

STEPS = {
    "180": lambda desk: desk.far_end_rings(),
    "180 with SDP": lambda desk: desk.far_end_rings(sdp()),
    "183 with SDP": lambda desk: desk.far_end_rings(sdp(), status=183),
    "183": lambda desk: desk.far_end_rings(status=183),
    "another phone's 183": lambda desk: desk.far_end_rings(sdp(port=7000), fork="b", status=183),
    "it is gone": lambda desk: desk.far_end_rings(fork="b", status=199),
    "packet": lambda desk: desk.send(m.FirstHeard(desk.front_stream)),
    "silence": lambda desk: desk.send(m.HearingChanged(desk.front_stream, m.Silence.NO_PACKETS)),
    "a stranger's": lambda desk: desk.send(
        m.HearingChanged(desk.front_stream, m.Silence.OTHER_SOURCE, "192.0.2.66 port 9")
    ),
    "no card": lambda desk: desk.send(
        m.HearingChanged(desk.front_stream, m.Silence.CARD_FAILED, "unplugged")
    ),
    "sound again": lambda desk: desk.send(m.HearingChanged(desk.front_stream, None)),
    "answer": lambda desk: desk.far_end_answers(sdp()),
}
OURS, THEIRS = True, False
CALLS = [
    # RFC 3960 §3.2: a 180 rings here until the far end's own ringing is really there
    [("180", OURS), ("answer", THEIRS)],
    [("180", OURS), ("180 with SDP", OURS), ("packet", THEIRS), ("answer", THEIRS)],
    [("180 with SDP", OURS), ("packet", THEIRS)],
    # media that outruns its description (RFC 3264 §5.1)
    [("180", OURS), ("packet", THEIRS), ("183 with SDP", OURS), ("packet", THEIRS)],
    # an announcement, then it rings, then the announcement comes back
    [("183 with SDP", THEIRS), ("packet", THEIRS), ("180", THEIRS), ("silence", OURS)],
    [("180 with SDP", OURS), ("packet", THEIRS), ("silence", OURS), ("packet", THEIRS)],
    [("180 with SDP", OURS), ("packet", THEIRS), ("silence", OURS), ("sound again", THEIRS)],
    # nobody said that it rings: what is quiet over there is quiet here
    [("183", THEIRS), ("183 with SDP", THEIRS), ("silence", THEIRS), ("180", OURS)],
    # what a stranger sends is not heard, and counts for nothing
    [("180 with SDP", OURS), ("packet", THEIRS), ("a stranger's", OURS)],
    [("180 with SDP", OURS), ("a stranger's", OURS), ("packet", THEIRS)],
    # a card that fails says nothing of the far end
    [("180 with SDP", OURS), ("packet", THEIRS), ("no card", THEIRS), ("sound again", THEIRS)],
    [("180 with SDP", OURS), ("no card", OURS)],
    # of several phones the one that spoke last is heard, once it is
    [("180 with SDP", OURS), ("packet", THEIRS), ("another phone's 183", OURS), ("packet", THEIRS)],
    [("180", OURS), ("another phone's 183", OURS), ("packet", THEIRS), ("it is gone", THEIRS)],
]


@pytest.mark.parametrize("steps", CALLS, ids=lambda steps: ", ".join(name for name, _ in steps))
def test_either_our_ringback_or_their_sound(steps):
    """RFC 3960 §3.2, RFC 3264 §5.1."""
    desk = Desk()
    desk.lift()
    desk.dials("201")
    desk.way_found()
    heard = []
    for name, _ in steps:
        STEPS[name](desk)
        heard.append((name, "progress" in desk.sounds))
    assert heard == steps


def test_a_new_engine_has_heard_nothing_yet():
    desk = Desk()
    desk.lift()
    desk.dials("201")
    desk.way_found()
    desk.far_end_rings(sdp())
    desk.send(m.FirstHeard(desk.front_stream))
    assert desk.sounds == {}
    desk.send(EngineLost())
    desk.engine_ready()
    assert "progress" in desk.sounds
