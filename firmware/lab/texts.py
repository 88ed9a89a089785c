"""Texts between the phones of the practice exchange (RFC 3428): to every phone of a user.

The sender is told that the text arrived as soon as one phone has it, and why not when none has.
"""

import itertools
from dataclasses import dataclass

from firmware.sip.agent import UserAgent
from firmware.sip.bodies import party
from firmware.sip.errors import LocalError, ParseError
from firmware.sip.headers import parse_name_addr
from firmware.sip.names import MessageRef
from firmware.sip.notifications import (
    CallRef,
    LineName,
    MessageOutcome,
    Party,
    RequestReceived,
)


@dataclass(slots=True, eq=False)
class _Text:
    """One MESSAGE that waits for its answer, and how many phones have not said anything."""

    key: str
    waiting: int
    status: int = 480


class Texts:
    """The texts on their way."""

    def __init__(self, agent: UserAgent, line: LineName) -> None:
        self._agent = agent
        self._line = line
        self._numbers = itertools.count(1)
        self._sent: dict[MessageRef, _Text] = {}

    def __len__(self) -> int:
        return len(self._sent)

    def route(
        self, received: RequestReceived, places: list[list[str]], now: float, *, known: bool
    ) -> None:
        """Send a text on to these phones; `known` numbers of the exchange itself keep theirs."""
        request, key = received.request, received.key
        if known or not places:
            self._agent.respond(key, 200 if known else 404, now)
            return
        text = _Text(key, len(places))
        kind = request.headers.get("Content-Type") or "text/plain"
        sender = _sender(request.headers.get("From") or "")
        for ways in places:
            ref = MessageRef(f"text-{next(self._numbers)}")
            self._sent[ref] = text
            try:
                self._agent.messages.relay(
                    ref, self._line, ways[0], (kind, request.body), now, sender=sender
                )
            except LocalError:
                self.delivered(MessageOutcome(ref, self._line, status=480), now)

    def delivered(self, outcome: MessageOutcome, now: float) -> None:
        """A phone has said something to it, or nothing in time."""
        text = self._sent.pop(outcome.ref, None)
        if text is None:
            return
        text.waiting -= 1
        if 200 <= outcome.status < 300:
            self._agent.respond(text.key, outcome.status, now)
            return
        if outcome.status >= 300:
            text.status = outcome.status
        if not text.waiting:
            self._agent.respond(text.key, text.status, now)

    def pass_on(self, call: CallRef, text: str, now: float) -> None:
        """A text inside a call, to the other one's phone; what becomes of it nobody is told."""
        ref = MessageRef(f"text-{next(self._numbers)}")
        try:
            self._agent.messages.send(ref, self._line, "", text, now, call=call)
        except LocalError:
            return  # empty, too long, or the call is over


def _sender(row: str) -> Party:
    try:
        return party(parse_name_addr(row))
    except ParseError:
        return Party("", "", "")
