import asyncio
from typing import get_args

import pytest

from firmware.base.phrase import Phrase
from firmware.base.values import replace
from firmware.control import schema as s
from firmware.control.errors import RefusedError
from firmware.media.messages import PathName
from firmware.phone.actions import Digit
from firmware.phone.events import Started
from firmware.phone.view import Mode
from firmware.runtime.desk import ANSWERS, Desk
from firmware.runtime.inputs import _INPUTS
from firmware.runtime.trace import Trace
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.notifications import CallEnded, CallRef, FailureCause
from hal.keys import Key

FLOW = Flow(Transport.UDP, Endpoint("192.0.2.1", 5060), Endpoint("192.0.2.9", 5070))
SENT = True


class Rows:
    """A call list of `count` rows."""

    def __init__(self, count):
        self.asked = []
        self._count = count
        self.trouble = None

    async def rows(self, limit, skip):
        self.asked.append((limit, skip))
        rows = tuple(
            s.LogRow(1.0, "101", "in", "Ann", f"{number}", "missed", 0.0)
            for number in range(skip, min(skip + limit, self._count))
        )
        return rows, skip + limit < self._count, self.trouble


class Picture:
    """A screen that was painted."""

    size = (128, 64)

    def png(self):
        return b"\x89PNG"

    def text(self):
        return "#.#"


@pytest.fixture
async def desk(loop, house):
    """The hands of the control API on a started phone."""
    loop.inbox.put(Started((PathName.HANDSET, PathName.SPEAKER, PathName.RINGER)))
    return Desk(loop, house, Trace(), Rows(450))


def test_every_verb_is_served_once():
    # `events` is the server's own: it turns a connection into a listener.
    verbs = set(get_args(s.AnyRequest)) - {s.Events}
    assert set(ANSWERS) | set(_INPUTS) == verbs
    assert not set(ANSWERS) & set(_INPUTS)


async def test_a_verb_becomes_an_input_of_the_phone(desk, loop):
    assert await desk.handle(s.Path(path=PathName.SPEAKER)) is None
    assert loop.view.path is PathName.SPEAKER


async def test_keys_and_hook_go_through_the_panel(desk, panel):
    await desk.handle(s.Hook(move=s.HookMove.UP))
    assert panel.off_hook
    assert (await desk.handle(s.Status())).off_hook
    await desk.handle(s.Key(key=Key.DIGIT_5))
    assert (await desk.handle(s.Status())).state == "dialling"
    await desk.handle(s.Hook(move=s.HookMove.DOWN))
    assert not panel.off_hook


async def test_on_a_real_board_keys_are_injected(desk, house, loop):

    house.board = replace(house.board, panel=None)
    await desk.handle(s.Hook(move=s.HookMove.UP))
    assert loop.view.mode is Mode.OFF_HOOK


async def test_status_and_stats(desk):
    desk.xruns = lambda: 2
    desk.counters = lambda: {"sip_open": 1.0}
    status = await desk.handle(s.Status())
    assert (status.state, status.audio.xruns) == ("idle", 2)
    stats = await desk.handle(s.Stats())
    assert stats.counters == {"sip_open": 1.0}
    assert stats.uptime >= 0


@pytest.mark.parametrize(
    ("asked", "limit", "skip", "more"),
    [
        (s.Calls(), 50, 0, True),
        (s.Calls(limit=10_000, skip=200), 200, 200, True),
        (s.Calls(limit=-1, skip=-5), 0, 0, True),
        (s.Calls(limit=100, skip=400), 100, 400, False),
    ],
)
async def test_the_call_list_comes_in_pieces(desk, asked, limit, skip, more):
    reply = await desk.handle(asked)
    assert desk._log.asked == [(limit, skip)]
    assert reply.more is more
    assert reply.calls == ()


async def test_a_call_list_that_cannot_be_read_says_why(desk):
    desk._log.trouble = Phrase("storage.busy")
    assert (await desk.handle(s.Calls())).note == "storage.busy"


async def test_a_phone_without_screen_says_so(desk):
    with pytest.raises(RefusedError, match=r"refused\.no_screen"):
        await desk.handle(s.Screen())


async def test_the_picture_as_png_and_as_text(desk):
    desk.screen = Picture()
    reply = await desk.handle(s.Screen())
    assert (reply.width, reply.height, reply.png, reply.text) == (128, 64, b"\x89PNG", "#.#")


async def test_a_new_listener_sees_the_screen_too(desk):
    kinds = [type(event).__name__ for event in desk.present()]
    assert kinds == ["StatusEvent", "LampsEvent"]
    desk.screen = Picture()
    assert [type(event).__name__ for event in desk.present()][-1] == "ScreenEvent"


async def test_the_ladder_of_the_newest_call(desk, monkeypatch):
    monkeypatch.setattr("firmware.runtime.desk._ROWS_AT_ONCE", 100)
    with pytest.raises(RefusedError, match=r"refused\.no_ladder$"):
        await desk.handle(s.Ladder())
    for number in range(300):
        first = b"INVITE sip:a SIP/2.0\r\nCall-ID: one\r\nCSeq: %d INVITE\r\n\r\n" % number
        desk._trace.note(SENT, first, FLOW, float(number))
    reply = await desk.handle(s.Ladder())
    assert len(reply.rows) == 100
    assert reply.more
    desk._house.last_calls.named(CallRef("out-1"), "one")
    assert await desk.handle(s.Ladder(call="out-1")) == reply
    with pytest.raises(RefusedError, match=r"refused\.no_ladder_of call=out-2"):
        await desk.handle(s.Ladder(call="out-2"))
    rest = await desk.handle(s.Ladder(call="one", skip=100))
    assert (len(rest.rows), rest.more) == (24, False)
    assert rest.rows[-1] == "ladder.silence peer=192.0.2.9:5070 count=120"
    assert "ladder.between count=180" in reply.rows


async def test_a_call_that_came_to_nothing_at_once_is_the_newest_one_too(desk):
    calls = desk._house.last_calls
    first = b"INVITE sip:a SIP/2.0\r\nCall-ID: one\r\nCSeq: 1 INVITE\r\n\r\n"
    desk._trace.note(SENT, first, FLOW, 1.0)
    calls.named(CallRef("out-1"), "one")
    calls.dialled(CallRef("out-2"), "carol")
    calls.ended(CallEnded(CallRef("out-2"), by_us=False, cause=FailureCause.NAME_NOT_FOUND))
    rows = (
        "ladder.call call=carol",
        "ladder.unsent",
        "call_name_not_found who=carol line= status= phrase=",
    )
    assert (await desk.handle(s.Ladder())).rows == rows
    assert (await desk.handle(s.Ladder(call="out-2"))).rows == rows
    calls.named(CallRef("out-3"), "one")
    assert (await desk.handle(s.Ladder())).rows[0] == "ladder.of call=one"


async def test_reload_needs_a_file(desk):
    with pytest.raises(RefusedError, match=r"refused\.no_file"):
        await desk.handle(s.Reload())

    async def reload():
        return s.ReloadReply(("phone.country",), (), (), ())

    desk.reload = reload
    assert (await desk.handle(s.Reload())).applied == ("phone.country",)


async def test_nothing_is_transferred_without_a_call(desk):
    with pytest.raises(RefusedError, match="no_call_up"):
        await desk.handle(s.Transfer(target="204"))
    with pytest.raises(RefusedError, match="two_calls"):
        await desk.handle(s.Transfer())


async def test_a_digit_is_heard_before_the_next_request_is_answered(desk, loop):
    loop.inbox.put(Digit("1"))
    first, second = await asyncio.gather(
        desk.handle(s.Hook(move=s.HookMove.UP)), desk.handle(s.Hook(move=s.HookMove.DOWN))
    )
    assert (first, second) == (None, None)
    assert not loop.view.off_hook


async def test_p10_an_emergency_call_that_is_still_up_was_not_hung_up(desk, loop):
    await desk.handle(s.Dial(target="911"))
    with pytest.raises(RefusedError, match="emergency_hang_up_again"):
        await desk.handle(s.HangUp())
    assert loop.view.front_call.emergency
    assert await desk.handle(s.HangUp()) is None
    assert loop.view.calls == ()
