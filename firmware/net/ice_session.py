"""One search for a way to a far end, and its watch over the way that was found (RFC 8445).

    asked(request)    ─┐
    answered(response) ├▶ pairs checked, chosen, watched ─▶ take()   datagrams to send
    fire(now)         ─┘                                 └▶ pair(component), settled, failure

No socket, no clock, no lots of its own: datagrams, moments and tokens come as values. STUN messages
are read and written by aioice; its own way of choosing (the first pair that answers, RFC 5245
§8.1.1.2) is not used, since who says `ice2` must choose once and for good (RFC 8445 §8.1.1), and
the first to answer is often the relay.

What a check costs (RFC 8445 §14.2, §14.3): one is begun every 50 ms, repeated after 0.5, 1, 2 …
seconds.
Where the far end checks us on a pair that waits for its answer, that pair is checked again at once:
the gateway before us is open now.
"""

import enum
import math
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from aioice import stun

from firmware.base.tokens import Tokens
from firmware.net.ice_consent import Consent
from firmware.net.ice_pairs import Checklist, Pair, State
from firmware.sdp.ice import RTP, Address, Candidate, Terms, priority

PACE = 0.05
RTO = 0.5
_SENDINGS = 7
"""RFC 8489 §6.2.1: Rc; the last one waits for its answer 16 times the first RTO."""
PATIENCE = 25.0
"""Seconds after which a search without any pair that works has failed."""
_BETTER = 0.15
"""Seconds for which a pair that works waits for a better one, from our own network perhaps."""
_DIRECT = 0.7
"""The same of a pair through a relay; gateways drop what comes before they are open."""

_FORBIDDEN = 403
_ROLE_CONFLICT = 487


_OPEN = (State.FROZEN, State.WAITING, State.IN_PROGRESS)


class Outgoing(NamedTuple):
    """A datagram to send from a base."""

    base: int
    data: bytes
    remote: Address


class _Purpose(enum.Enum):
    CHECK = enum.auto()
    NOMINATE = enum.auto()
    CONSENT = enum.auto()


@dataclass(slots=True)
class _Transaction:
    """A request that waits for its answer."""

    pair: Pair
    purpose: _Purpose
    data: bytes
    controlling: bool
    due: float
    wait: float = RTO
    sendings: int = 1
    superseded: bool = False
    """Another check of the pair is out: this one's answer counts, its silence does not."""


class Session:
    """See the module; `bases` are our host and relayed candidates, `known` all of ours."""

    def __init__(
        self,
        bases: tuple[Candidate, ...],
        known: tuple[Candidate, ...],
        terms: Terms,
        tokens: Tokens,
        now: float,
    ) -> None:
        self.terms = terms
        self.controlling = terms.controlling
        self.failure = ""
        """A clause once there is no way, or no more."""
        self._bases = bases
        self._known = {(one.component, one.address): one for one in known}
        self._tokens = tokens
        self._tie_breaker = tokens.integer(1 << 64)
        self._list = Checklist(bases, controlling=self.controlling)
        self._out: list[Outgoing] = []
        self._open: dict[bytes, _Transaction] = {}
        self._triggered: deque[Pair] = deque()
        self._next_check = now
        self._consent: dict[Pair, Consent] = {}
        self._selected: dict[int, Pair] = {}
        self._nominating: set[Pair] = set()
        self._whole_since: float | None = None
        self._choose_at = math.inf
        self.settled = False
        """Whether a pair was nominated for every component."""
        self._until = now + PATIENCE
        self.needed = self._components()
        self._list.form(terms.theirs.candidates, self.needed)

    def _components(self) -> frozenset[int]:
        theirs = {one.component for one in self.terms.theirs.candidates}
        both = theirs & {one.component for one in self._bases}
        return frozenset(both) if both and not self.terms.muxed else frozenset({RTP})

    def __len__(self) -> int:
        """What waits for an answer."""
        return len(self._open)

    # What is found

    def pair(self, component: int) -> Pair | None:
        """The way of a component: the nominated pair, before that the best that works."""
        return self._selected.get(component) or next(self._list.valid(component), None)

    def may_come_from(self, base: int, remote: Address) -> bool:
        """Whether media may come on this pair: it was checked."""
        pair = self._list.find(base, remote)
        return pair is not None and pair.state is State.SUCCEEDED

    def take(self) -> list[Outgoing]:
        """What is to be sent."""
        out, self._out = self._out, []
        return out

    # Time

    @property
    def deadline(self) -> float:
        """When `fire` has something to do."""
        if self.failure:
            return math.inf
        moments = [one.due for one in self._open.values()]
        moments += [one.deadline for pair, one in self._consent.items() if self._in_use(pair)]
        if self._triggered or self._list.next_ordinary() is not None:
            moments.append(self._next_check)
        if self.controlling and not self.settled and not self._nominating:
            moments.append(self._choose_at)
        if self.pair(RTP) is None:
            moments.append(self._until)
        return min(moments, default=math.inf)

    def fire(self, now: float) -> None:
        """Time has passed."""
        if self.failure:
            return
        for key, waiting in list(self._open.items()):
            if now >= waiting.due:
                self._repeat(key, waiting, now)
        if now >= self._next_check:
            pair = self._triggered.popleft() if self._triggered else self._list.next_ordinary()
            if pair is not None:
                self._next_check = now + PACE
                pair.state = State.IN_PROGRESS
                self._send(pair, _Purpose.CHECK, now)
        self._watch(now)
        self._choose(now)
        self._despair(now)

    def _despair(self, now: float) -> None:
        if not self.failure and self.pair(RTP) is None and now >= self._until:
            self.failure = "no way to the far end was found"

    def _repeat(self, key: bytes, waiting: _Transaction, now: float) -> None:
        passing = waiting.superseded or waiting.purpose is _Purpose.CONSENT
        if waiting.sendings >= _SENDINGS or passing:
            del self._open[key]
            if not passing:
                self._failed(waiting.pair)
            return
        waiting.sendings += 1
        last = waiting.sendings == _SENDINGS
        waiting.wait *= 2
        waiting.due = now + (16 * RTO if last else waiting.wait)
        self._out.append(Outgoing(waiting.pair.base, waiting.data, waiting.pair.remote.address))

    def _watch(self, now: float) -> None:
        """RFC 7675 §5.1: who has not agreed for thirty seconds is sent nothing."""
        for pair, consent in list(self._consent.items()):
            if not self._in_use(pair):
                continue
            if consent.lost(now):
                del self._consent[pair]
                pair.state = State.FAILED
                chosen = self._selected.pop(pair.component, None)
                if chosen is not None and pair.component == RTP:
                    self.failure = "the far end does not answer on the way any more"
            elif consent.due(now, self._tokens.fraction()):
                self._send(pair, _Purpose.CONSENT, now)

    def _in_use(self, pair: Pair) -> bool:
        return self.pair(pair.component) is pair

    # Choosing

    def _choose(self, now: float) -> None:
        """Who controls nominates once, as soon as waiting for better makes no sense."""
        if not self.controlling or self.settled or self._nominating:
            return
        best = [self.pair(component) for component in self.needed]
        pairs = [pair for pair in best if pair is not None]
        self._choose_at = math.inf
        if len(pairs) < len(best):
            self._whole_since = None
            return
        if self._whole_since is None:
            self._whole_since = now
        patience = _BETTER if all(pair.direct for pair in pairs) else _DIRECT
        pairs = [pair for pair in pairs if not pair.nominated]
        better = any(map(self._list.pending_above, pairs))
        if better and now < self._whole_since + patience:
            self._choose_at = self._whole_since + patience
            return
        for pair in pairs:
            self._nominating.add(pair)
            self._send(pair, _Purpose.NOMINATE, now)

    def _nominated(self, pair: Pair) -> None:
        pair.nominated = True
        before = self._selected.get(pair.component)
        if before is None or (not self.controlling and pair.priority > before.priority):
            # Who follows RFC 5245 may nominate several: the best of them counts (§8.1.1.2).
            self._selected[pair.component] = pair
        self.settled = self.settled or self.needed <= self._selected.keys()
        self._rest(pair.component)

    def _rest(self, component: int) -> None:
        """RFC 8445 §8.1.2: what was not chosen is not checked any more.

        But a far end of the old rules may have chosen several, and goes by the best (RFC 5245
        §8.1.1.2): what it wants is found out.
        """
        chosen = self._selected[component]
        over = [one for one in self._list.pairs if one.component == component and not one.wanted]
        for pair in over:
            if pair.state in _OPEN:
                pair.state = State.FAILED
        self._triggered = deque(pair for pair in self._triggered if pair not in over)
        self._open = {
            key: one
            for key, one in self._open.items()
            if one.pair is chosen or one.pair not in over
        }

    def _rests(self, component: int) -> bool:
        return self.settled or component in self._selected

    # Being asked

    def asked(self, base: int, request: stun.Message, source: Address) -> None:
        """A check of the far end, under our password (RFC 8445 §7.3)."""
        if self._conflict(base, request, source):
            return
        self._out.append(Outgoing(base, answer_to(request, source, self.terms), source))
        if self.failure:
            return
        pair = self._list.find(base, source) or self._learned(base, request, source)
        if pair is None:
            return
        if "USE-CANDIDATE" in request.attributes and not self.controlling:
            pair.wanted = True
        if pair.state is State.SUCCEEDED:
            if pair.wanted:
                self._nominated(pair)
        elif pair not in self._triggered and (pair.wanted or not self._rests(pair.component)):
            # RFC 8445 §7.3.1.4.
            pair.state = State.WAITING
            self._triggered.append(pair)

    def _learned(self, base: int, request: stun.Message, source: Address) -> Pair | None:
        rank = request.attributes.get("PRIORITY")
        component = self._bases[base].component
        if not isinstance(rank, int) or component not in self.needed:
            return None
        name = self._tokens.word(40)
        return self._list.learn(base, Candidate(name, component, rank, *source, "prflx"))

    def _conflict(self, base: int, request: stun.Message, source: Address) -> bool:
        """Both want to choose, or neither does (RFC 8445 §7.3.1.1)."""
        theirs = request.attributes.get("ICE-CONTROLLING" if self.controlling else "ICE-CONTROLLED")
        if theirs is None:
            return False
        ours_is_more = self._tie_breaker >= theirs
        if ours_is_more is self.controlling:
            self._out.append(Outgoing(base, refusal_of(request, self.terms), source))
            return True
        self._switch(controlling=not self.controlling)
        return False

    def _switch(self, *, controlling: bool) -> None:
        self.controlling = controlling
        self._nominating.clear()
        self._list.switch(controlling=controlling)

    # Being answered

    def knows(self, message: stun.Message) -> bool:
        """Whether it answers a request of this search."""
        return message.transaction_id in self._open

    def answered(self, base: int, response: stun.Message, source: Address, now: float) -> None:
        """An answer to one of our checks; what is not under the far end's password is nothing."""
        waiting = self._open.get(response.transaction_id)
        password = self.terms.theirs.credentials.password.encode()
        if waiting is None or not response.check_message_integrity(password):
            return
        del self._open[response.transaction_id]
        pair = waiting.pair
        if response.message_class == stun.Class.ERROR:
            self._refused(waiting, response.error_code, now)
        elif source != pair.remote.address or base != pair.base:
            if waiting.purpose is not _Purpose.CONSENT:
                self._failed(pair)  # RFC 8445 §7.2.5.2.1
        elif waiting.purpose is _Purpose.CONSENT:
            self._agrees(pair, now)
        else:
            self._works(waiting, response.attributes.get("XOR-MAPPED-ADDRESS"), now)

    def _agrees(self, pair: Pair, now: float) -> None:
        consent = self._consent.get(pair)
        if consent is None:
            self._consent[pair] = Consent(now)
        else:
            consent.heard(now)

    def _works(self, waiting: _Transaction, mapped: object, now: float) -> None:
        pair = waiting.pair
        self._agrees(pair, now)
        if pair.state is not State.SUCCEEDED:
            pair.state = State.SUCCEEDED
            self._list.thaw(pair)
            pair.local = self._seen_as(pair, mapped)
        self._triggered = deque(one for one in self._triggered if one is not pair)
        if waiting.purpose is _Purpose.NOMINATE or pair.wanted:
            self._nominating.discard(pair)
            self._nominated(pair)
        self._choose(now)

    def _seen_as(self, pair: Pair, mapped: object) -> Candidate:
        """The candidate of ours that the far end sees (RFC 8445 §7.2.5.3.1)."""
        base = self._bases[pair.base]
        if not isinstance(mapped, tuple) or base.kind == "relay":
            return base
        known = self._known.get((pair.component, mapped))
        if known is not None:
            return known
        rank, (host, port) = _unknown(base), mapped
        name = self._tokens.word(40)
        return Candidate(name, pair.component, rank, host, port, "prflx", base.address)

    def _refused(self, waiting: _Transaction, code: int | None, now: float) -> None:
        pair = waiting.pair
        if code == _ROLE_CONFLICT:
            if self.controlling is waiting.controlling:
                self._switch(controlling=not waiting.controlling)
            if waiting.purpose is not _Purpose.CONSENT:
                self._triggered.append(pair)
        elif waiting.purpose is _Purpose.CONSENT:
            if code == _FORBIDDEN and pair in self._consent:
                self._consent[pair].revoke(now)
        else:
            self._failed(pair)

    def _failed(self, pair: Pair) -> None:
        pair.state = State.FAILED
        self._nominating.discard(pair)

    # Asking

    def _send(self, pair: Pair, purpose: _Purpose, now: float) -> None:
        request = stun.Message(
            stun.Method.BINDING, stun.Class.REQUEST, transaction_id=self._tokens.octets(12)
        )
        theirs = self.terms.theirs.credentials
        # RFC 8445 §7.1.1, §7.2.2; RFC 8489 §14.3.
        request.attributes["USERNAME"] = f"{theirs.ufrag}:{self.terms.ours.ufrag}"
        request.attributes["PRIORITY"] = _unknown(self._bases[pair.base])
        role = "ICE-CONTROLLING" if self.controlling else "ICE-CONTROLLED"
        request.attributes[role] = self._tie_breaker
        if purpose is _Purpose.NOMINATE:
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(theirs.password.encode())
        data = bytes(request)
        for one in self._open.values():
            if one.pair is pair and purpose is not _Purpose.CONSENT:
                one.superseded = True
        wait = RTO if purpose is not _Purpose.CONSENT else 6 * RTO
        self._open[request.transaction_id] = _Transaction(
            pair, purpose, data, self.controlling, now + wait
        )
        self._out.append(Outgoing(pair.base, data, pair.remote.address))


def _unknown(base: Candidate) -> int:
    """What a base is worth as a place that nobody has named (RFC 8445 §7.1.1)."""
    return priority("prflx", base.component, (base.priority >> 8) & 0xFFFF)


def answer_to(request: stun.Message, source: Address, terms: Terms) -> bytes:
    """Where we see who checks us (RFC 8445 §7.3)."""
    response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
    response.attributes["XOR-MAPPED-ADDRESS"] = source
    response.add_message_integrity(terms.ours.password.encode())
    return bytes(response)


def refusal_of(request: stun.Message, terms: Terms) -> bytes:
    """487 (RFC 8445 §7.3.1.1)."""
    response = stun.Message(stun.Method.BINDING, stun.Class.ERROR, request.transaction_id)
    response.attributes["ERROR-CODE"] = (_ROLE_CONFLICT, "Role Conflict")
    response.add_message_integrity(terms.ours.password.encode())
    return bytes(response)
