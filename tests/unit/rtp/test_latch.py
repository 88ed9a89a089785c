"""Whom a stream listens to: the SDP's address, a NAT's, and nobody else (attack A8)."""

import pytest

from firmware.rtp.latch import SourceLatch

SAID = ("192.0.2.1", 4000)
NAT = ("198.51.100.9", 61234)
STRANGER = ("203.0.113.66", 9999)


def stream(latch, source, first, count, *, ssrc=7, start=0.0):
    return [
        latch.admit(source, ssrc, (first + index) & 0xFFFF, start + index * 0.02)
        for index in range(count)
    ]


def test_the_address_of_the_sdp_is_heard_at_once():
    latch = SourceLatch(SAID)
    assert latch.admit(SAID, 7, 1, 0.0)
    assert latch.locked == latch.destination == SAID


def test_before_the_answer_the_first_source_that_goes_on_is_learned():
    latch = SourceLatch()
    assert latch.destination is None
    assert stream(latch, NAT, 10, 4) == [False, False, True, True]
    assert latch.destination == NAT


def test_behind_a_nat_the_real_source_is_learned_and_sent_to():
    """RFC 4961: both ways through one port."""
    latch = SourceLatch(SAID)
    assert latch.destination == SAID
    assert stream(latch, NAT, 65_534, 4) == [False, False, True, True]
    assert latch.destination == NAT


def test_without_symmetric_rtp_nothing_is_sent_to_a_learned_address():
    latch = SourceLatch(SAID, symmetric=False)
    stream(latch, NAT, 1, 5)
    assert latch.locked == NAT
    assert latch.destination == SAID


def test_a08_a_stranger_does_not_take_over_a_call_that_is_heard():
    latch = SourceLatch(SAID)
    stream(latch, SAID, 1, 10)
    assert not any(stream(latch, STRANGER, 500, 100, ssrc=66, start=0.2))
    assert latch.destination == SAID
    assert latch.strangers == 100


def test_a08_knowing_the_ssrc_is_not_enough_while_the_call_is_heard():
    latch = SourceLatch(SAID)
    for index in range(200):
        assert latch.admit(SAID, 7, index, index * 0.02)
        assert not latch.admit(STRANGER, 7, index + 1, index * 0.02 + 0.001)


def test_a08_after_silence_another_ssrc_does_not_take_over():
    latch = SourceLatch(SAID)
    stream(latch, SAID, 1, 10)
    assert not any(stream(latch, STRANGER, 11, 100, ssrc=66, start=60.0))


def test_where_the_far_end_has_proved_itself_it_is_heard_and_sent_to_at_once():
    latch = SourceLatch(SAID)
    latch.learn(NAT)
    assert latch.destination == NAT
    assert latch.admit(NAT, 7, 1, 0.0)
    assert not any(stream(latch, STRANGER, 500, 100, ssrc=66))


def test_media_may_come_from_elsewhere_than_the_proof():
    latch = SourceLatch(SAID)
    latch.learn(NAT)
    assert stream(latch, (NAT[0], 5), 1, 4) == [False, False, True, True]
    latch.learn(STRANGER)
    assert latch.locked == (NAT[0], 5), "what is heard stays"


def test_a_proof_after_a_re_invite_is_as_good_as_the_first():
    latch = SourceLatch(SAID)
    stream(latch, SAID, 1, 10)
    latch.configure(("192.0.2.77", 5000))
    latch.learn(NAT)
    assert stream(latch, (NAT[0], 5), 1, 4, ssrc=9) == [False, False, True, True]


def test_a08_scattered_packets_are_not_a_stream():
    latch = SourceLatch()
    for index in range(100):
        assert not latch.admit(STRANGER, index, index * 3000 & 0xFFFF, index * 0.02)


def test_a08_two_strangers_do_not_help_each_other():
    latch = SourceLatch()
    for index in range(50):
        assert not latch.admit(("203.0.113.1", 1), 7, index, index * 0.02)
        assert not latch.admit(("203.0.113.2", 1), 7, index, index * 0.02)


def test_f55_a_nat_that_forgets_moves_the_same_source_within_two_seconds():
    latch = SourceLatch(SAID)
    stream(latch, SAID, 1, 50)  # until 0.98 s
    moved = ("192.0.2.1", 4711)
    admitted = stream(latch, moved, 51, 60, start=1.0)
    assert True in admitted
    assert 1.0 + admitted.index(True) * 0.02 < 3.0
    assert latch.destination == moved


@pytest.mark.parametrize("jump", [-20, 1100, 30_000])
def test_a08_after_silence_the_ssrc_alone_does_not_move_the_lock(jump):
    """Whoever saw the SSRC once does not know how far the source has come."""
    latch = SourceLatch(SAID)
    stream(latch, SAID, 1, 50)
    assert True not in stream(latch, STRANGER, 51 + jump, 15, start=2.5)
    assert latch.locked == SAID


def test_a_learned_address_gives_way_to_the_one_of_the_sdp():
    latch = SourceLatch(SAID)
    stream(latch, NAT, 1, 5)
    assert latch.admit(SAID, 9, 1, 0.2)
    assert latch.locked == SAID
    assert not latch.admit(NAT, 7, 6, 0.22)


def test_a_new_address_in_a_re_invite_opens_the_lock():
    latch = SourceLatch(SAID)
    stream(latch, NAT, 1, 5)
    latch.configure(("192.0.2.77", 5000))
    assert latch.destination == ("192.0.2.77", 5000)
    assert stream(latch, STRANGER, 1, 3, ssrc=9, start=1.0) == [False, False, True]


def test_the_same_address_again_changes_nothing():
    latch = SourceLatch(SAID)
    stream(latch, NAT, 1, 5)
    latch.configure(SAID)
    assert latch.destination == NAT


@pytest.mark.parametrize("remote", [("2001:db8::1", 4000)])
def test_addresses_of_either_family_are_one_type(remote):
    latch = SourceLatch(remote)
    assert latch.admit(remote, 7, 1, 0.0)
