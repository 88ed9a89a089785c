"""Every state of a phone with one call and a working engine: all there are, none left out."""

import time

import pytest

from tests.prove.exploration import Found, explore


@pytest.mark.timeout(300)
def test_one_call_in_every_state_there_is():
    began = time.monotonic()
    seen = explore(1, 0)
    seconds = time.monotonic() - began
    assert not isinstance(seen, Found), f"{seen.what}\n" + "\n".join(seen.way)
    print(  # noqa: T201 - the figures are the point
        f"\nphone alone, one call, complete: {seen.states} states, {seen.transitions} transitions, "
        f"depth {seen.depth}, {seconds:.1f} s"
    )
    assert seen.states > 5_000
