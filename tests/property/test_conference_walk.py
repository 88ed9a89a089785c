"""A conversation of three, and then anything: hands, callers, servers, clocks at random.

Besides what holds on every walk (`test_phone_walk`): who is mixed is up and of the conversation,
the members wait or talk all together, and it never has fewer than two.
"""

from hypothesis import given
from hypothesis import strategies as st

from firmware.phone import actions as a
from firmware.phone import events as e
from firmware.phone.view import Mode
from firmware.sip.notifications import CallRef, LineName
from hal import events as hal
from tests.property import test_phone_walk as walk
from tests.support.desk import Desk, settings

OFTEN = st.one_of(
    st.sampled_from(
        (
            a.Join(),
            a.Join(on=True),
            a.Join(on=False),
            a.Hold(),
            a.Resume(),
            a.Transfer(),
            a.HangUp(),
            a.Dial("911"),
            a.Dial("202"),
            hal.HookLifted(0),
            hal.HookReplaced(0),
            hal.HookFlash(0),
            e.EngineLost(),
        )
    ).map(lambda event: lambda _desk: event),
    st.builds(
        lambda i, j: lambda desk: a.Transfer(call=walk._ref(desk, i), to=walk._ref(desk, j)),
        walk.refs,
        walk.refs,
    ),
)
LEAVES = st.sampled_from(("join", "end"))
MOST = st.sampled_from((2, 3, 8))
steps = st.lists(
    st.one_of(OFTEN, OFTEN, walk.plain, walk.about_calls, walk.about_calls, walk.arrivals),
    max_size=25,
)


def meeting(leaves, most, members, *, agreed):
    """A desk at which `members` calls are one conversation."""
    tree = settings(conference_on_leave=leaves, max_calls=max(most, members))
    desk = walk.Walker(tree)
    Desk.talking(desk)
    for name in ("in-bob", "in-eve")[: members - 1]:
        desk.calls_us(name, line=LineName("desk"))
        desk.send(a.Answer(CallRef(name)))
        desk.acknowledged(name)
        desk.holds_are_agreed()
    desk.send(a.Join())
    if agreed:
        desk.holds_are_agreed()
    assert len(desk.phone.state.conference) == members
    return desk


def check(desk):
    state = desk.phone.state
    walk.check(desk)
    refs = {call.ref for call in state.calls if call.answered}
    assert set(state.conference) <= refs
    members = [call for call in state.calls if call.ref in state.conference]
    assert len({call.held for call in members}) <= 1, "all of them wait, or none"
    open_ = [call for call in members if call.negotiation is not None]
    if state.engine.value == "up" and len(open_) > 1 and not open_[0].held:
        assert set(desk.heard.bridged) == {call.stream for call in open_}
    if members and not members[0].held and desk.mode is Mode.TALKING:
        assert state.front in state.conference, "nobody talks behind the back of the person"


def go(desk, path):
    for step in path:
        if isinstance(step, float):
            desk.wait(step)
        else:
            desk.happens(step(desk))
        check(desk)


@walk.relaxed
@given(LEAVES, MOST, st.sampled_from((2, 3)), st.booleans(), steps)
def test_p11_whatever_happens_in_a_conference_ends_and_leaves_nothing(
    leaves, most, members, agreed, path
):
    desk = meeting(leaves, most, members, agreed=agreed)
    go(desk, path)
    walk.comes_to_rest(desk, check)
    assert desk.heard.bridged == ()


@walk.relaxed
@given(LEAVES, MOST, st.booleans(), steps)
def test_p10_help_is_called_from_every_conference(leaves, most, agreed, path):
    desk = meeting(leaves, most, 2, agreed=agreed)
    go(desk, path)
    if not desk.phone.state.lines:
        return
    desk.send(a.Dial("911"))
    call = desk.phone.state.emergency_call
    assert call is not None
    assert desk.heard.calls[call.ref] in ("placed", "up")
    assert desk.front == call.ref
    check(desk)
