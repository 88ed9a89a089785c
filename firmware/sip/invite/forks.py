"""The phones that ring for one INVITE of ours: an early dialog each, until one of them answers.

1xx ─▶ hear() ─▶ the fork's `Early`      2xx ─▶ take() ─▶ its leg, for the session
199, a refused offer ─▶ this fork is over; the others may answer
"""

from collections.abc import Callable, Iterator
from typing import Final

from firmware.sip.bodies import shown
from firmware.sip.core import Core
from firmware.sip.dialog import from_response, record_routes, tag_of
from firmware.sip.errand import say_goodbye
from firmware.sip.exchange import Exchange
from firmware.sip.flow import Flow
from firmware.sip.invite.declining import because
from firmware.sip.invite.early import TERMINATED, Early, Others
from firmware.sip.invite.leg import Leg
from firmware.sip.invite.session_timer import SessionTimer
from firmware.sip.invite.waiting import Kind
from firmware.sip.line import Line
from firmware.sip.message import Request, Response
from firmware.sip.notifications import CallProgress, CallRef

Alone = Callable[[int, str, float], None]
"""The only fork offers nothing that we can take: (status, words, now)."""
MOST_FORKS: Final = 16


class Forks:
    """By the far end's tag; `offer` is what our INVITE offered, empty if it asked for theirs."""

    def __init__(self, core: Core, line: Line, call: CallRef, others: Others, alone: Alone) -> None:
        self.offer = b""
        self._core = core
        self._line = line
        self._call = call
        self._others = others
        self._alone = alone
        self._early: dict[str, Early] = {}
        self._unfit: set[str] = set()

    def __len__(self) -> int:
        return len(self._early)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Early]:
        return iter(list(self._early.values()))

    def leg(self, fork: str) -> Leg | None:
        """The dialog with one fork; with an empty name the only one."""
        if not fork and len(self._early) == 1:
            fork = next(iter(self._early))
        found = self._early.get(fork)
        return None if found is None else found.leg

    def reoffer(self, sdp: bytes, now: float) -> bool:
        """Offer something else to every fork that takes it (RFC 3311 §5.1, RFC 6337 §2.2)."""
        able = [early for early in self if early.open_to_offers]
        for early in able:
            early.reoffer(sdp, now)
        return bool(able)

    def hear(self, exchange: Exchange, response: Response, now: float) -> None:
        """A provisional response above 100: tell the phone, and acknowledge it if it asks."""
        fork = tag_of(response.headers.get("To") or "")
        early = self._of(fork, exchange, response)
        if early is not None:
            if response.status == TERMINATED:
                # RFC 6228 §4: this fork will not answer any more; the others may.
                del self._early[fork]
            early.on_provisional(response, now)
            if response.status == TERMINATED:
                early.close(now)
        elif fork not in self._unfit:
            # Without a tag it makes no dialog (RFC 2543 elements, F22).
            phrase = shown(response.phrase)
            told = CallProgress(self._call, response.status, phrase, shown(fork), response.body)
            self._core.notify(told)

    def wants(self, fork: str) -> bool:
        """Whether an answer of this one is still welcome."""
        return fork not in self._unfit

    def take(
        self, fork: str, exchange: Exchange, response: Response, now: float, *, wanted: bool
    ) -> Leg:
        """The leg of the fork that answers; route set and target are those of the 2xx."""
        # RFC 3261 §13.2.2.4
        early = self._early.pop(fork, None)
        assert exchange.flow is not None
        if early is None:
            leg = self._new_leg(exchange.request, response, exchange.flow)
        else:
            leg = early.hand_over(wanted=wanted)
            self._core.leave(leg.dialog.key)
            leg.dialog.refresh(response.headers)
            leg.dialog.routes = tuple(reversed(record_routes(response.headers)))
            if not wanted:
                leg.close(now)
        leg.peer.learn(response.headers)
        return leg

    def close(self, now: float) -> None:
        """None of them will be the call any more."""
        for early in self:
            early.close(now)
        self._early.clear()

    def _of(self, fork: str, exchange: Exchange, response: Response) -> Early | None:
        known = self._early.get(fork)
        if known is not None:
            return known
        full = len(self._early) >= MOST_FORKS
        if not fork or full or exchange.flow is None or fork in self._unfit:
            return None
        leg = self._new_leg(exchange.request, response, exchange.flow)
        self._early[fork] = early = Early(self._core, leg, self._others, self._refused)
        return early

    def _refused(self, early: Early, status: int, words: str, now: float) -> None:
        """A fork offered what the phone refuses: without another one the call ends."""
        leg = early.leg
        fork = leg.dialog.remote_tag
        if self._early.get(fork) is not early:
            return
        if len(self._early) == 1:
            self._alone(status, words, now)
            return
        # RFC 3261 §15: a caller may end one early dialog; the others go on.
        del self._early[fork]
        self._unfit.add(fork)
        early.close(now)
        say_goodbye(self._core, self._line, leg.dialog, now, because(status, words))
        self._core.notify(CallProgress(self._call, TERMINATED, words, leg.fork))

    def _new_leg(self, request: Request, response: Response, flow: Flow) -> Leg:
        timer = SessionTimer(self._core, self._line.account.session_expires)
        dialog = from_response(request, response, flow)
        leg = Leg(self._core, self._line, self._call, dialog, timer, caller=True)
        leg.fork = shown(dialog.remote_tag)
        leg.ours = Kind.INVITE if self.offer else None
        leg.sdp = self.offer
        return leg
