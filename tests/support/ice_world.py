"""Two searches for a way on a simulated network with gateways, relays and a clock of its own."""

import heapq
import itertools
import math

from aioice import stun

from firmware.base.tokens import Tokens
from firmware.net.ice_session import Outgoing, Session, answer_to
from firmware.sdp.ice import Candidate, Ours, Terms, Theirs, priority

DELAY = 0.01


def an_end(number, *, components=1, relay=False, seen_as="", preference=65535):
    """One end: its own address 10.0.0.number, behind a gateway as `seen_as`, 20.0.0.number.

    `preference` is that of its relay among relays.
    """
    each = range(1, components + 1)
    host = f"10.0.0.{number}"
    found = [Candidate("1", k, priority("host", k), host, 39999 + k, "host") for k in each]
    if seen_as:
        found += [
            Candidate("2", k, priority("srflx", k), seen_as, 6000 + k, "srflx", (host, 39999 + k))
            for k in each
        ]
    if relay:
        place = f"20.0.0.{number}"
        for k in each:
            rank = priority("relay", k, preference)
            found.append(Candidate("3", k, rank, place, 49999 + k, "relay"))
    return Ours(bytes([number]) * 32, tuple(found))


class End:
    """A session with its places; `answers` False = a program that has gone."""

    def __init__(self, ours, theirs, *, controlling, muxed=True, lite=False, ice2=True):
        self.ours = ours
        self.bases = tuple(one for one in ours.candidates if one.kind != "srflx")
        far = Theirs(theirs.credentials, theirs.candidates, lite=lite, ice2=ice2)
        terms = Terms(ours.credentials, far, controlling, muxed)
        tokens = Tokens(ours.seed[:16])
        self.session = Session(self.bases, ours.candidates, terms, tokens, 0.0)
        self.answers = True
        self.mapped = {one.related: one.address for one in ours.candidates if one.kind == "srflx"}

    def outer(self, base):
        """The source that others see."""
        place = self.bases[base].address
        return self.mapped.get(place, place)

    def base_at(self, address):
        inner = {outer: inner for inner, outer in self.mapped.items()}.get(address, address)
        found = [number for number, one in enumerate(self.bases) if one.address == inner]
        return found[0] if found else None

    @property
    def way(self):
        pair = self.session.pair(1)
        return None if pair is None else (pair.local.kind, pair.remote.kind)


class Lite:
    """Stands where a session stands, and only answers (RFC 8445 §2.5)."""

    deadline = math.inf

    def __init__(self, terms):
        self._terms = terms
        self._out = []

    def asked(self, base, message, source):
        self._out.append(Outgoing(base, answer_to(message, source, self._terms), source))

    def fire(self, now):
        pass

    def take(self):
        out, self._out = self._out, []
        return out


def everything(*_way):
    return True


def nothing(*_way):
    return False


class IceWorld:
    """`passes(source, target)` says what the network lets through."""

    def __init__(self, first, second, passes=everything):
        self.ends = (first, second)
        self.passes = passes
        self.now = 0.0
        self.sent = []
        self._queue = []
        self._count = itertools.count()

    def run(self, seconds):
        """Let time pass."""
        until = self.now + seconds
        for _ in range(20000):
            self._flush()
            due = min(one.session.deadline for one in self.ends)
            due = min([due, *(row[0] for row in self._queue[:1])])
            if due > until or due == math.inf:
                self.now = until
                return
            self.now = max(self.now, due)
            self._deliver()
            for end in self.ends:
                end.session.fire(self.now)
        raise AssertionError("a clock rings and rings")

    def _flush(self):
        for end, other in (self.ends, self.ends[::-1]):
            for out in end.session.take():
                source = end.outer(out.base)
                self.sent.append((self.now, source, out.remote))
                assert len(self.sent) < 10000, "a storm"
                base = other.base_at(out.remote)
                if base is not None and self.passes(source, out.remote):
                    row = (self.now + DELAY, next(self._count), other, base, out.data, source)
                    heapq.heappush(self._queue, row)

    def _deliver(self):
        while self._queue and self._queue[0][0] <= self.now:
            _, _, end, base, data, source = heapq.heappop(self._queue)
            if end.answers:
                self.hand(end, base, data, source)

    def hand(self, end, base, data, source):
        """A datagram reaches an end."""
        message = stun.parse_message(data)
        if message.message_class == stun.Class.REQUEST:
            end.session.asked(base, message, source)
        else:
            end.session.answered(base, message, source, self.now)
