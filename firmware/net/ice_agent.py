"""The ways of one call's media sockets: gathered, checked and watched on the loop (RFC 8445).

    gather()   the loop reads the sockets: where a STUN server sees them, and a relay for each
    begin()    both ends have spoken: a search for a way; the engine reads, STUN comes by `receive`
    way()      what the engine is to send to

The engine is the only reader from the moment its stream opens, which is with our offer: audio that
outruns the answer is heard. So nothing has to change hands once a pair is nominated. What comes
through a relay, or on another address of the machine, is read here and carried over (`ice_relay`).

Whoever does not know our password gets no answer at all, not even an error (A2): RFC 8489 §9.1.3
would send one.
"""

import asyncio
import contextlib
import logging
import math
from collections import deque
from collections.abc import Callable

from aioice import stun

from firmware.base.tokens import Tokens
from firmware.base.values import replace
from firmware.call.media import NOWHERE, Way
from firmware.net.ice_pairs import Pair
from firmware.net.ice_places import Places, Servers, read
from firmware.net.ice_relay import Relay, Shovel
from firmware.net.ice_session import Outgoing, Session, answer_to
from firmware.net.media_ports import MediaPair
from firmware.sdp.ice import (
    RTCP,
    RTP,
    Address,
    Credentials,
    Ours,
    Terms,
    Theirs,
)

logging.getLogger("aioice").setLevel(logging.WARNING)  # it tells of every allocation
_EARLY = 16
"""Checks kept of a far end that is quicker than its answer."""
_RESTARTS_AHEAD = 8
"""Offers of restarts that may have come to nothing, one after the other."""
_KINDS = ("relay", "srflx", "prflx")


class IceAgent:
    """See the module; `changed()` is called when `way` or `failure` may be others.

    `others` are sockets on more addresses of ours; they become the agent's.
    """

    def __init__(
        self,
        sockets: MediaPair,
        tokens: Tokens,
        changed: Callable[[], None],
        *,
        relay_only: bool = False,
        dscp: int = 0,
        others: tuple[MediaPair, ...] = (),
    ) -> None:
        self._places = Places(
            sockets, tokens, self._arrived, relay_only=relay_only, dscp=dscp, others=others
        )
        self._tokens = tokens
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._early: deque[tuple[int, stun.Message, Address]] = deque(maxlen=_EARLY)
        self._session: Session | None = None
        self._before: Session | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._told: tuple[Way | None, str] = (None, "")
        self._closed = False
        self.ours: Ours | None = None
        self._awaited: Ours | None = None
        """The names that a far end may use next."""
        self.refused = 0
        """STUN that was bent, or of somebody without our password."""

    async def gather(self, servers: Servers, seconds: float) -> Ours:
        """All places where we may be reached; what takes longer than this is left out."""
        places = await self._places.gather(servers, seconds)
        self.ours = self._awaited = Ours(self._tokens.octets(32), places)
        return self.ours

    @property
    def trouble(self) -> str:
        """Why there is no relay, a clause."""
        return self._places.trouble

    # A search

    def begin(self, terms: Terms) -> None:
        """Both ends have spoken; a search that has begun under these terms goes on."""
        running = self._session
        if self._closed or self.ours is None or (running and _same(running.terms, terms)):
            return
        if running is not None and running.terms.ours != terms.ours:
            # RFC 8839 §4.4.3.1.1: until the new search has found something the old way stays.
            self._before = running if self._way_of(running) is not None else self._before
            terms = replace(terms, controlling=terms.theirs.lite or running.controlling)
        self._expect(terms.ours)
        bases = tuple(base.candidate for base in self._places.bases)
        now = self._loop.time()
        session = Session(bases, self.ours.candidates, terms, self._tokens, now)
        self._session = session
        for number, request, source in tuple(self._early):
            if self._meant(request) is session:
                session.asked(number, request, source)
        self._early.clear()
        self._settle()

    @property
    def names(self) -> Credentials:
        """Ours in the search that runs."""
        return _NOBODY.credentials if self._session is None else self._session.terms.ours

    @property
    def failure(self) -> str:
        """A clause once there is no way, or no more."""
        return "" if self._session is None else self._session.failure

    @property
    def way(self) -> Way | None:
        """What the engine is to send to, None while nothing may be sent."""
        found = None if self._session is None else self._way_of(self._session)
        if found is None and self._before is not None and not self.failure:
            found = self._way_of(self._before)
        return found

    def _way_of(self, session: Session) -> Way | None:
        media, control = session.pair(RTP), session.pair(RTCP)
        if media is None or session.failure:
            return None
        remote = self._engine_sends_to(media)
        pairs = [one for one in (media, control) if one is not None]
        if session.terms.muxed:
            remote_rtcp = remote
        else:
            remote_rtcp = NOWHERE if control is None else self._engine_sends_to(control)
        settled = session.settled
        return Way(
            session.terms.ours,
            _kind(media),
            remote,
            remote_rtcp,
            nominated=settled,
            local=tuple(one.local for one in pairs) if settled else (),
            theirs=tuple(one.remote for one in pairs) if settled else (),
        )

    def _engine_sends_to(self, pair: Pair) -> Address:
        """The far end itself, or the shovel that carries to it."""
        base = self._places.bases[pair.base]
        if not base.carried:
            return pair.remote.address
        shovel = self._shovel(pair.base)
        return NOWHERE if shovel is None else shovel.address

    def _shovel(self, number: int) -> Shovel | None:
        """What carries between the engine and a base, made when it is needed first."""
        base = self._places.bases[number]
        if base.shovel is None:
            engine = self._places.engine[base.candidate.component]
            with contextlib.suppress(OSError):
                base.shovel = Shovel(engine, lambda data: self._carry_out(number, data))
        return base.shovel

    # Arriving

    def receive(self, data: bytes, source: Address, *, control: bool) -> None:
        """STUN that came on a media socket; what is bent is nothing."""
        number = self._places.of_socket(RTCP if control else RTP)
        if number is not None:
            self._stun(number, data, source)

    def _arrived(self, number: int, data: bytes, source: Address) -> None:
        """Through a relay, on another address, or while we gathered: STUN is for us.

        All else is for the engine.
        """
        if data and data[0] < 4:
            self._stun(number, data, source)
        elif self._places.bases[number].carried:
            self._carry_in(number, data, source)

    def _carry_in(self, number: int, data: bytes, source: Address) -> None:
        for session in (self._session, self._before):
            if session is not None and session.may_come_from(number, source):
                # RFC 8445 §12.2: on any pair that works, also on one that we did not choose.
                shovel = self._shovel(number)
                if shovel is not None:
                    shovel.inward(data)
                return

    def _carry_out(self, number: int, data: bytes) -> None:
        """The engine sends over a base of ours: only where the far end agrees (RFC 7675)."""
        base = self._places.bases[number]
        for session in (self._session, self._before):
            pair = None if session is None else session.pair(base.candidate.component)
            if session is not None and pair is not None and not session.failure:
                if pair.base == number:
                    base.send(data, pair.remote.address)
                return

    def _stun(self, number: int, data: bytes, source: Address) -> None:
        message = read(data)
        if message is None or message.message_method != stun.Method.BINDING:
            self.refused += 1
        elif message.message_class == stun.Class.REQUEST:
            self._request(number, message, source)
        elif message.message_class in (stun.Class.RESPONSE, stun.Class.ERROR):
            self._response(number, message, source)

    def _request(self, number: int, message: stun.Message, source: Address) -> None:
        session = self._meant(message)
        if session is not None:
            session.asked(number, message, source)
            self._settle()
            return
        mine = self._named(message)
        if mine is None:
            self.refused += 1
            return
        # RFC 8445 §7.3: it is answered at once, and checked back as soon as we know whom.
        nobody = Terms(mine, _NOBODY, controlling=False, muxed=True)
        self._places.bases[number].send(answer_to(message, source, nobody), source)
        self._early.append((number, message, source))

    def _named(self, message: stun.Message) -> Credentials | None:
        """Ours that a far end uses whose answer has yet to come.

        The first one, that of another fork, or that to a restart.
        """
        name = str(message.attributes.get("USERNAME", ""))
        awaited = () if self._awaited is None else (self._awaited.credentials,)
        for mine in (self.names, *awaited):
            if mine.ufrag and name.startswith(f"{mine.ufrag}:"):
                proven = message.check_message_integrity(mine.password.encode())
                return mine if proven else None
        return None

    def _expect(self, ours: Credentials) -> None:
        """These are in use now; the ones of the next restart may come at any time."""
        ahead = self._awaited
        for _ in range(_RESTARTS_AHEAD):
            if ahead is None:
                return
            if ahead.credentials == ours:
                self._awaited = ahead.restarted
                return
            ahead = ahead.restarted

    def _meant(self, message: stun.Message) -> Session | None:
        """The search that a check is for: it has its names, and our password."""
        name = message.attributes.get("USERNAME")
        for session in (self._session, self._before):
            if session is None:
                continue
            ours, theirs = session.terms.ours, session.terms.theirs.credentials
            if name == f"{ours.ufrag}:{theirs.ufrag}":
                proven = message.check_message_integrity(ours.password.encode())
                return session if proven else None
        return None

    def _response(self, number: int, message: stun.Message, source: Address) -> None:
        for session in (self._session, self._before):
            if session is not None and session.knows(message):
                session.answered(number, message, source, self._loop.time())
                self._settle()
                return
        self.refused += 1

    # Driving

    def _settle(self) -> None:
        """Send what is to be sent, set the clock, tell what is new."""
        if self._closed:
            return
        deadline = math.inf
        for session in (self._session, self._before):
            if session is not None:
                for out in session.take():
                    self._send(out)
                deadline = min(deadline, session.deadline)
        fresh = self._session
        if fresh is not None and fresh.pair(RTP) is not None:
            self._before = None
        self._arm(deadline)
        news = self.way, self.failure
        if news != self._told:
            self._told = news
            self._changed()

    def _send(self, out: Outgoing) -> None:
        self._places.bases[out.base].send(out.data, out.remote)

    def _arm(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if deadline < math.inf:
            self._timer = self._loop.call_at(deadline, self._due)

    def _due(self) -> None:
        now = self._loop.time()
        for session in (self._session, self._before):
            if session is not None:
                session.fire(now)
        self._settle()

    def close(self) -> tuple[Relay, ...]:
        """End it; the sockets stay their owner's. The relays are to be closed yet."""
        self._closed = True
        self._arm(math.inf)
        self._session = self._before = None
        return self._places.close()


_NOBODY = Theirs(Credentials("", ""), ())


def _same(one: Terms, other: Terms) -> bool:
    """RFC 8839 §4.4.3.1: the same names on both sides are the same search."""
    return (one.ours, one.theirs.credentials) == (other.ours, other.theirs.credentials)


def _kind(pair: Pair) -> str:
    """How a far end is reached, by what is most in the way."""
    kinds = (pair.local.kind, pair.remote.kind)
    return next((kind for kind in _KINDS if kind in kinds), "host")
