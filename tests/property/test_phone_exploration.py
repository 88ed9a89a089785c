"""The walk of `make prove` as far as it goes in a moment; and that it can find a fault."""

import pytest

from firmware.phone.machine import Phone
from firmware.phone.view import Mode
from tests.prove.promises import Study, demand, look
from tests.prove.steps import explore
from tests.prove.world import Scope


def test_p11_every_state_near_rest_is_sound():
    study = Study()
    seen = explore(Scope(most_calls=1), 1500, look, study)
    assert seen.states >= 1500
    assert set(study.modes) == set(Mode)


def test_a_fault_is_found_with_the_shortest_way_to_it():
    def never_talking(node):
        demand(node, node.phone.state.mode is not Mode.TALKING, "somebody talks")

    with pytest.raises(AssertionError, match="somebody talks") as found:
        explore(Scope(most_calls=1), 3000, never_talking, Study())
    (way,) = [row for row in str(found.value).splitlines() if row.startswith("after: ")]
    assert way.removeprefix("after: ").split(" · ") in (
        ["a call arrives", "hook up"],
        ["a call arrives", "key answer"],
        ["an intercom call arrives"],
    )


def test_a_microphone_that_stays_open_is_found(monkeypatch):
    """Planted: a phone that keeps its orders to close the talk path to itself."""
    real = Phone.handle

    def deaf(phone, event, now):
        commands = real(phone, event, now)
        return [x for x in commands if "TalkOn(path=None" not in repr(x)]

    monkeypatch.setattr(Phone, "handle", deaf)
    with pytest.raises(AssertionError, match=r"microphone|path is open at rest|cradle"):
        explore(Scope(most_calls=1), 3000, look, Study())
