"""How the target delay follows a network."""

import random

import pytest

from firmware.rtp.delay import AdaptiveDelay, FixedDelay


def test_a_quiet_network_brings_it_to_its_lowest_by_steps():
    policy = AdaptiveDelay()
    seen = {policy.target}
    for _ in range(400):
        policy.observe(0.0)
        seen.add(round(policy.target, 4))
    assert policy.target == 0.006
    assert len(seen) >= 4  # 40, 30, 20 … not at once


def test_one_straggler_among_hundreds_changes_nothing():
    policy = AdaptiveDelay()
    for index in range(1000):
        policy.observe(0.150 if index == 700 else 0.0)
    assert policy.target == 0.006


def test_stragglers_that_return_raise_it_at_once():
    policy = AdaptiveDelay()
    for _ in range(400):
        policy.observe(0.001)
    for _ in range(8):
        policy.observe(0.060)
    assert policy.target == pytest.approx(0.064)


def test_it_stays_within_its_bounds():
    policy = AdaptiveDelay(highest=0.200)
    for _ in range(100):
        policy.observe(3.0)
    assert policy.target == 0.200


def test_two_of_a_hundred_may_be_late():
    rng = random.Random(7)  # noqa: S311 - a seeded wire
    policy = AdaptiveDelay()
    for _ in range(2000):
        policy.observe(rng.random() * 0.05)
    assert policy.target == pytest.approx(0.053, abs=0.004)


def test_a_new_source_does_not_inherit_the_old_ones_lateness():
    policy = AdaptiveDelay(start=0.040)
    for _ in range(300):
        policy.observe(0.150)
    policy.restart()
    assert policy.target == 0.040


def test_a_fixed_delay_is_fixed():
    policy = FixedDelay(0.030)
    policy.observe(1.0)
    policy.restart()
    assert policy.target == 0.030
