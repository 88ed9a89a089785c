"""The phone machine explored: what must hold in every state that can be reached, and on every way.

Unlike a random walk this leaves nothing out between the first state and the last one visited: each
is entered by its shortest way, and from each everything in the vocabulary is tried. `make prove`
prints how far it came.
"""

import time

import pytest

from firmware.phone.view import Mode
from tests.prove.promises import Study, look
from tests.prove.steps import Seen, explore
from tests.prove.world import Scope

STATES = 20_000
MEETINGS = 10_000
ONE_CALL = Scope(most_calls=1, machinery=False, words=False, transfers=False)
ONE_TRANSFER = Scope(most_calls=1, machinery=False, words=False, plain=True, besides=True)
SENT_ON = Scope(most_calls=1, machinery=False, words=False, plain=True, sent_on=True)
CONFERENCE = Scope(
    machinery=False, words=False, plain=True, besides=True, sent_on=True, conference=True
)
TRANSFERS = Scope(most_calls=2, machinery=False, words=False, plain=True)


def walk(what: str, scope: Scope, most: int) -> tuple[Seen, Study]:
    """Explore, and print the figures."""
    study, began = Study(), time.monotonic()
    seen = explore(scope, most, look, study)
    seconds = time.monotonic() - began
    modes = ", ".join(f"{mode.value} {count}" for mode, count in study.modes.most_common())
    exits = ", ".join(f"{count} by {way}" for way, count in study.exits.items())
    print(  # noqa: T201 - the figures are the point
        f"\n{what}: {seen.states} states, {seen.transitions} transitions, {seconds:.1f} s\n"
        f"  {modes}\n  back to rest: {exits}\n  emergency calls placed: {study.emergencies}"
    )
    return seen, study


@pytest.mark.timeout(300)
def test_p11_every_state_within_reach_keeps_its_promises():
    seen, study = walk("two calls, everything may fail, nearest first", Scope(), STATES)
    assert seen.states >= STATES
    assert set(study.modes) == set(Mode)


@pytest.mark.timeout(300)
def test_p11_one_call_in_every_state_there_is():
    """Parts that work, and states that differ in words alone are one: none is left out."""
    seen, study = walk("one call, complete", ONE_CALL, 0)
    assert seen.complete
    assert seen.states > 5_000
    assert set(study.modes) == set(Mode)


@pytest.mark.timeout(300)
def test_p11_one_call_and_its_transfer_in_every_state_there_is():
    """Whoever transfers needs few keys; the far end may do anything meanwhile: none is left out."""
    seen, _ = walk("one call and its transfer, complete", ONE_TRANSFER, 0)
    assert seen.complete
    assert seen.states > 5_000


@pytest.mark.timeout(300)
def test_p11_a19_one_call_that_is_sent_on_in_every_state_there_is():
    """Far ends that send us on, who is called then, and what a person does about it."""
    seen, _ = walk("one call that is sent on, complete", SENT_ON, 0)
    assert seen.complete
    assert seen.states > 5_000


@pytest.mark.timeout(300)
def test_p11_transfers_deeper():
    """Two calls, only the keys that a transfer needs, and whatever becomes of it."""
    seen, _ = walk("two calls and their transfers, nearest first", TRANSFERS, STATES)
    assert seen.states >= STATES


@pytest.mark.timeout(300)
def test_p11_two_calls_and_their_conference():
    """Joined, parted, on hold, left, and whatever the far ends do meanwhile."""
    seen, _ = walk("two calls and their conference, nearest first", CONFERENCE, MEETINGS)
    assert seen.states >= MEETINGS
