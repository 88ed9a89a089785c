"""How long each timer runs, on both kinds of transport (RFC 3261 table 4, RFC 6026 §7.1, §7.2)."""

import pytest

from firmware.sip.transaction.timing import Timer, Timing

ROWS = [  # timer, on UDP, on TCP, with T1 0.5, T2 4, T4 5
    (Timer.A, 0.5, 0.5),
    (Timer.B, 32.0, 32.0),
    (Timer.D, 32.0, 0.0),
    (Timer.E, 0.5, 0.5),
    (Timer.F, 32.0, 32.0),
    (Timer.G, 0.5, 0.5),
    (Timer.H, 32.0, 32.0),
    (Timer.I, 5.0, 0.0),
    (Timer.J, 32.0, 0.0),
    (Timer.K, 5.0, 0.0),
    (Timer.L, 32.0, 32.0),
    (Timer.M, 32.0, 32.0),
]


@pytest.mark.parametrize(("timer", "udp", "tcp"), ROWS)
def test_first_interval(timer, udp, tcp):
    assert Timing().first(timer, reliable=False) == udp
    assert Timing().first(timer, reliable=True) == tcp


def test_every_timer_has_a_row():
    assert {timer for timer, _, _ in ROWS} == set(Timer)


def test_timer_d_is_at_least_32_seconds_even_if_t1_is_short():
    assert Timing(t1=0.1).first(Timer.D, reliable=False) == 32.0


def test_a_doubles_for_ever_and_e_and_g_stop_at_t2():
    timing = Timing()
    assert timing.again(Timer.A, 8.0) == 16.0
    assert timing.again(Timer.E, 8.0) == 4.0
    assert timing.again(Timer.G, 1.0) == 2.0
