"""The walk of `make prove` as far as it goes in a moment; and that it can find a fault."""

from firmware.phone.view import Mode
from hal import events as hal
from tests.prove import exploration
from tests.prove.exploration import Found, Seen, explore


def test_p11_every_state_near_rest_is_sound():
    outcome = explore(most_calls=1, limit=1200)
    assert isinstance(outcome, Seen), outcome
    assert set(outcome.modes) == {mode.value for mode in Mode}


def test_a_fault_is_found_with_the_shortest_way_to_it(monkeypatch):
    def never_lifted(phone):
        exploration.require(not phone.state.hook_up, "somebody lifted")

    monkeypatch.setattr(exploration, "must_hold", never_lifted)
    outcome = explore(most_calls=1, limit=100)
    assert outcome == Found("somebody lifted", ["at rest", repr(hal.HookLifted(0.0))])
