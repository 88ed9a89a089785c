"""Every cell of the four machines of RFC 3261 §17: §17.1.1, §17.1.2, §17.2.1, §17.2.2.

What RFC 6026 §7.1, §7.2 change in them is drawn in.

The rows below are written from the figures. A cell that is not here must not be in the table.
"""

import pytest

from firmware.sip.transaction.tables import (
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    TIMER_EVENT,
    Action,
    Again,
    Event,
    Start,
    State,
    Stop,
)
from firmware.sip.transaction.timing import Timer

FIGURES = {
    "INVITE client": (
        INVITE_CLIENT,
        """
        calling     timer A          calling     repeat, A again
        calling     timer B          terminated  timeout
        calling     1xx              proceeding  stop AB, tell
        calling     2xx              accepted    stop AB, start M, tell
        calling     3xx-6xx          completed   stop AB, ack, start D, tell
        calling     transport error  terminated  error
        calling     flow lost        terminated  error
        proceeding  1xx              proceeding  tell
        proceeding  2xx              accepted    start M, tell
        proceeding  3xx-6xx          completed   ack, start D, tell
        proceeding  flow lost        terminated  error
        completed   3xx-6xx          completed   ack
        completed   timer D          terminated
        completed   transport error  terminated
        completed   flow lost        terminated
        accepted    2xx              accepted    tell
        accepted    timer M          terminated
        """,
    ),
    "non-INVITE client": (
        NON_INVITE_CLIENT,
        """
        trying      timer E          trying      repeat, E again
        trying      timer F          terminated  timeout
        trying      1xx              proceeding  tell
        trying      2xx              completed   stop EF, start K, tell
        trying      3xx-6xx          completed   stop EF, start K, tell
        trying      transport error  terminated  error
        trying      flow lost        terminated  error
        proceeding  timer E          proceeding  repeat, E at T2
        proceeding  timer F          terminated  timeout
        proceeding  1xx              proceeding  tell
        proceeding  2xx              completed   stop EF, start K, tell
        proceeding  3xx-6xx          completed   stop EF, start K, tell
        proceeding  transport error  terminated  error
        proceeding  flow lost        terminated  error
        completed   timer K          terminated
        """,
    ),
    "INVITE server": (
        INVITE_SERVER,
        """
        proceeding  request again    proceeding  repeat
        proceeding  send 1xx         proceeding  send
        proceeding  send 2xx         accepted    send, start L
        proceeding  send 3xx-6xx     completed   send, start G, start H
        proceeding  transport error  proceeding  error
        proceeding  flow lost        proceeding  error
        completed   request again    completed   repeat
        completed   ACK              confirmed   stop GH, start I
        completed   timer G          completed   repeat, G again
        completed   timer H          terminated  timeout
        completed   transport error  completed   error
        completed   flow lost        terminated  error
        confirmed   ACK              confirmed
        confirmed   timer I          terminated
        accepted    request again    accepted
        accepted    ACK              accepted    tell
        accepted    send 2xx         accepted    send
        accepted    transport error  accepted    error
        accepted    flow lost        accepted    error
        accepted    timer L          terminated
        """,
    ),
    "non-INVITE server": (
        NON_INVITE_SERVER,
        """
        trying      request again    trying
        trying      send 1xx         proceeding  send
        trying      send 2xx         completed   send, start J
        trying      send 3xx-6xx     completed   send, start J
        trying      flow lost        terminated  error
        proceeding  request again    proceeding  repeat
        proceeding  send 1xx         proceeding  send
        proceeding  send 2xx         completed   send, start J
        proceeding  send 3xx-6xx     completed   send, start J
        proceeding  transport error  terminated  error
        proceeding  flow lost        terminated  error
        completed   request again    completed   repeat
        completed   transport error  terminated  error
        completed   flow lost        terminated
        completed   timer J          terminated
        """,
    ),
}

WORDS = {
    Action.SEND: "send",
    Action.REPEAT: "repeat",
    Action.TELL: "tell",
    Action.TELL_TIMEOUT: "timeout",
    Action.TELL_ERROR: "error",
    Action.SEND_ACK: "ack",
}


def words(step):
    match step:
        case Start(timer):
            return f"start {timer.value}"
        case Again(timer, at_t2):
            return f"{timer.value} at T2" if at_t2 else f"{timer.value} again"
        case Stop(timers):
            return "stop " + "".join(timer.value for timer in timers)
        case _:
            return WORDS[step]


def drawn(figure):
    cells = {}
    for line in map(str.strip, figure.strip().splitlines()):
        state, event, after, steps = line[:12], line[12:29], line[29:41], line[41:]
        cells[State(state.strip()), Event(event.strip())] = (State(after.strip()), steps.strip())
    return cells


CELLS = [
    pytest.param(name, state, event, id=f"{name}: {state.value}, {event.value}")
    for name in FIGURES
    for state in State
    for event in Event
]


@pytest.mark.parametrize(("name", "state", "event"), CELLS)
def test_a_cell_is_what_the_figure_draws(name, state, event):
    table, figure = FIGURES[name]
    row = table.get((state, event))
    here = None if row is None else (row.next, ", ".join(words(step) for step in row.steps))
    assert here == drawn(figure).get((state, event))


@pytest.mark.parametrize("name", FIGURES)
def test_every_state_but_the_end_can_be_left(name):
    table, _ = FIGURES[name]
    states = {state for state, _ in table}
    reachable = {row.next for row in table.values()} - {State.TERMINATED}
    assert reachable <= states
    for state in states:
        assert any(row.next is not state for (here, _), row in table.items() if here is state)


def test_every_timer_is_an_event():
    assert set(TIMER_EVENT) == set(Timer)
