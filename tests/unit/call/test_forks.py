"""What was agreed with each phone that rings for one call."""

from firmware.call.capabilities import capabilities_of
from firmware.call.forks import Forks
from firmware.call.negotiation import Negotiation
from firmware.config.schema import AudioSettings
from tests.support.desk import sdp


def rung():
    base, _ = Negotiation.open(
        capabilities_of(AudioSettings(codecs=("pcmu",))), "192.0.2.1", 40000, 7
    ).make_offer(held=False)
    return Forks(base)


def test_nobody_has_spoken_yet():
    forks = rung()
    assert forks.latest is forks.of("a") is forks.base


def test_the_last_to_speak_is_heard_and_each_keeps_its_own():
    """RFC 3264 §4: an offer is answered in each dialog on its own."""
    forks = rung()
    one = forks.base.take_answer(sdp(port=5000))
    two = forks.base.hear_early(sdp(port=6000))
    forks = forks.heard("a", one).heard("b", two)
    assert forks.latest is two
    assert forks.of("a") is one
    assert forks.of("b").busy
    assert not forks.of("a").busy
    assert forks.heard("a", one).latest is one


def test_one_that_is_gone_is_forgotten():
    """RFC 6228 §4."""
    forks = rung().heard("a", rung().base)
    assert forks.without("a") == rung()
    assert forks.without("z") == forks
