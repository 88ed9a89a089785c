"""The control API's hands: each verb becomes an input of the phone, or an answer about it.

The verbs and their shapes are in `firmware.control.schema`; a table says what each one does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from firmware.base.phrase import Phrase, phrase
from firmware.config.redact import redact
from firmware.config.schema import Settings
from firmware.control import schema as s
from firmware.control.errors import RefusedError
from firmware.phone.view import PhoneView
from firmware.runtime.figures import call_of, stats_of, status_of
from firmware.runtime.house import House
from firmware.runtime.inputs import (
    check_done,
    hands_on,
    inputs_of,
    message_inputs,
    record_inputs,
    transfer_inputs,
)
from firmware.runtime.ladder import ladder
from firmware.runtime.last_calls import CallNote
from firmware.runtime.loop import PhoneLoop
from firmware.runtime.news import present
from firmware.runtime.playing import play
from firmware.runtime.screen import Screen
from firmware.runtime.sent import sent
from firmware.runtime.text_keeper import TextKeeper
from firmware.runtime.texts import texts_of
from firmware.runtime.trace import Trace
from firmware.runtime.transfers import carried_out

_ROWS_AT_ONCE = 200


class CallLog(Protocol):
    """The call list, read off the loop."""

    async def rows(self, limit: int, skip: int) -> tuple[tuple[s.LogRow, ...], bool, Phrase | None]:
        """A piece of the list, newest first, whether it goes on, and what is wrong with it."""


class Desk:
    """Implements the handler of `firmware.control.server`."""

    def __init__(self, loop: PhoneLoop, house: House, trace: Trace, log: CallLog) -> None:
        self._loop = loop
        self._house = house
        self._trace = trace
        self._log = log
        self._started = house.now()
        self.screen: Screen | None = None
        self.reload: Callable[[], Awaitable[s.ReloadReply]] | None = None
        self.page: Callable[[], s.PageEvent] | None = None
        self.counters: Callable[[], dict[str, float]] = dict
        self.wall: Callable[[], float] = house.now
        self.texts: TextKeeper | None = None
        self.xruns: Callable[[], int] = int
        self.words: Callable[[Phrase], str] = str
        self.settings: Callable[[], Settings | None] = _none
        self.opened: asyncio.Event | None = None
        """Set when the phone knows what it is; whoever asks before that waits for it."""

    # --- what the control server calls ------------------------------------------------------

    async def handle(self, request: s.AnyRequest) -> s.AnyResult:
        """Carry out a request."""
        if self.opened is not None:
            await self.opened.wait()
        answer = ANSWERS.get(type(request))
        if answer is not None:
            result: s.AnyResult = await answer(self, request)
            return result
        panel = self._house.board.panel
        if panel is not None and isinstance(request, s.Key | s.Hook):
            hands_on(panel, request)
            await asyncio.sleep(0)  # the panel posts: the phone has it on the loop's next round
            return None
        for event in inputs_of(request, self._loop.phone, self._house.now()):
            self._loop.inbox.put(event)
        check_done(request, self.view)
        return None

    def present(self) -> Iterable[s.AnyEvent]:
        """How things stand."""
        house = self._house
        at = self.wall()
        events = list(present(self.view, house.reports, house.say, house.now(), at))
        if self.screen is not None and (png := self.screen.png()):
            width, height = self.screen.size
            events.append(s.ScreenEvent(at, width, height, png))
        if self.page is not None:
            events.append(self.page())
        return events

    @property
    def view(self) -> PhoneView:
        """The phone now."""
        return self._loop.view

    # --- answers ----------------------------------------------------------------------------

    async def status(self, _request: s.Status) -> s.StatusReply:
        """`status`."""
        house = self._house
        return status_of(self.view, house.reports, house.say, house.now(), self.xruns())

    async def stats(self, _request: s.Stats) -> s.StatsReply:
        """`stats`."""
        status = await self.status(s.Status())
        return stats_of(status, self._house.now() - self._started, self.counters())

    async def calls(self, request: s.Calls) -> s.CallsReply:
        """`calls`."""
        now, reports = self._house.now(), self._house.reports
        limit = max(0, min(request.limit, _ROWS_AT_ONCE))
        rows, more, trouble = await self._log.rows(limit, max(0, request.skip))
        note = self.words(trouble) if trouble is not None else ""
        calls = tuple(call_of(call, reports.get(call.ref), now) for call in self.view.calls)
        return s.CallsReply(calls, rows, more, note)

    async def messages(self, request: s.Messages) -> s.MessagesReply:
        """`messages`."""
        return await texts_of(request, self.texts, self.view, self._house.now(), self.wall())

    async def message(self, request: s.Message | s.Tell) -> None:
        """`message` and `tell`: answered when it is known what became of it."""
        inputs = message_inputs(request, self._loop.phone)

        def begin() -> None:
            for event in inputs:
                self._loop.inbox.put(event)

        await sent(self._loop, begin)

    async def picture(self, _request: s.Screen) -> s.ScreenReply:
        """`screen`."""
        if self.screen is None:
            raise RefusedError(Phrase("refused.no_screen"))
        width, height = self.screen.size
        return s.ScreenReply(width, height, self.screen.png(), self.screen.text())

    async def ladder(self, request: s.Ladder) -> s.LadderReply:
        """`ladder`."""
        call_id, note = self._meant(request.call)
        messages = self._trace.messages(call_id) if call_id else []
        ended = None if note is None else note.ended
        if not messages and ended is None:
            if request.call is None:
                raise RefusedError(Phrase("refused.no_ladder"))
            raise RefusedError(phrase("refused.no_ladder_of", call=request.call))
        lost, gap = self._trace.lost(call_id), self._trace.gap(call_id)
        dialled = "" if note is None else note.dialled
        rows = ladder(messages, lost, self.words, ended, gap, dialled)
        rows = [redact(row, self.settings()) for row in rows]
        piece = rows[request.skip : request.skip + _ROWS_AT_ONCE]
        return s.LadderReply(tuple(piece), len(rows) > request.skip + len(piece))

    def _meant(self, name: str | None) -> tuple[str, CallNote | None]:
        """The Call-ID of what a ladder is asked for, and what else is known of that call."""
        calls = self._house.last_calls
        newest = calls.newest
        if name is None and newest is not None and newest.ended and not newest.call_id:
            return "", newest  # it came to nothing before anything was said
        name = self._trace.last_call_id() if name is None else name
        note = calls.find(name)
        return (self._registration(name) if note is None else note.call_id), note

    def _registration(self, name: str) -> str:
        """The Call-ID of a line's registration; another name is one already."""
        settings = self.settings()
        for line in settings.lines if settings else ():
            if name in (line.name, f"{line.user}@{line.server}"):
                return self._trace.last_registration(line.user, line.server)
        return name

    async def read_again(self, _request: s.Reload) -> s.ReloadReply:
        """`reload`."""
        if self.reload is None:
            raise RefusedError(Phrase("refused.no_file"))
        return await self.reload()

    async def transfer(self, request: s.Transfer) -> None:
        """`transfer`: answered when it is known how it went."""
        inputs = transfer_inputs(request, self._loop.phone)

        def begin() -> None:
            for event in inputs:
                self._loop.inbox.put(event)

        await carried_out(self._loop, begin)

    async def record(self, request: s.Record) -> s.RecordReply:
        """`record`."""
        for event in record_inputs(request, self._loop.phone):
            self._loop.inbox.put(event)
        tapes, view = self._house.recordings, self.view
        meant = view.front if request.call is None else request.call
        calls = view.conference if meant in view.conference else (meant,)
        refs = [call.ref for call in view.calls if call.ref in calls]
        return s.RecordReply(() if tapes is None else tapes.files(refs))

    async def play(self, request: s.Play) -> None:
        """`play`."""
        await play(self._house, self.view, request)


def _none() -> None:
    """Before anybody says which settings are in force."""


ANSWERS: Mapping[type, Callable[[Desk, Any], Awaitable[s.AnyResult]]] = {
    s.Status: Desk.status,
    s.Stats: Desk.stats,
    s.Calls: Desk.calls,
    s.Messages: Desk.messages,
    s.Message: Desk.message,
    s.Tell: Desk.message,
    s.Screen: Desk.picture,
    s.Ladder: Desk.ladder,
    s.Reload: Desk.read_again,
    s.Transfer: Desk.transfer,
    s.Play: Desk.play,
    s.Record: Desk.record,
}
