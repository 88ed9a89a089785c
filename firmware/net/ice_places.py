"""Where one call's media sockets may be reached: gathered before the first word (RFC 8445 §5.1.1).

    the sockets themselves   host
    others of the machine    host, on its other addresses
    as a STUN server sees    srflx, asked from these very sockets
    at a TURN server         relay

While it gathers the loop reads the call's sockets, and whatever else comes is handed on. After that
nobody here reads them. The sockets on other addresses are ours, and stay the loop's: what travels
over them is carried to the engine like what a relay brings.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Coroutine, Iterator

from aioice import stun
from msgspec import Struct

from firmware.base.tokens import Tokens
from firmware.net.addresses import family_of
from firmware.net.ice_relay import Relay, RelayError, Shovel, TurnServer
from firmware.net.media_ports import MediaPair
from firmware.sdp.ice import RTCP, RTP, Address, Candidate, priority

_PACE = 0.05
"""Seconds from one new question to the next (RFC 8445 §14.2)."""
RTO = 0.5
"""RFC 8445 §14.3: never less, and with a pace of 50 ms never more for as few places as we have."""
_LARGEST = 2048

Stray = Callable[[int, bytes, Address], None]
"""Takes the number of a base, a datagram and its source."""


class Servers(Struct, frozen=True):
    """Who may be asked while gathering; None = nobody."""

    stun: Address | None = None
    turn: TurnServer | None = None


class Base:
    """A place we send from; what is `carried` does not reach the engine by itself."""

    def __init__(
        self, candidate: Candidate, sender: socket.socket | Relay, *, carried: bool = False
    ) -> None:
        self.candidate = candidate
        self.carried = carried or isinstance(sender, Relay)
        self._sender = sender
        self.shovel: Shovel | None = None
        """What carries between the engine and a relay, once it is needed."""

    @property
    def relay(self) -> Relay | None:
        """The relay, None for a socket."""
        return self._sender if isinstance(self._sender, Relay) else None

    def send(self, data: bytes, remote: Address) -> None:
        """Send now or not at all."""
        with contextlib.suppress(OSError):
            if isinstance(self._sender, Relay):
                self._sender.send(data, remote)
            else:
                self._sender.sendto(data, remote)


class Places:
    """See the module; `stray` takes what comes and answers no server's question."""

    def __init__(
        self,
        sockets: MediaPair,
        tokens: Tokens,
        stray: Stray,
        *,
        relay_only: bool,
        dscp: int,
        others: tuple[MediaPair, ...] = (),
    ) -> None:
        self._others = others
        self._sockets = {RTP: sockets.rtp, RTCP: sockets.rtcp}
        self.engine = {
            RTP: (sockets.address, sockets.port),
            RTCP: (sockets.address, sockets.port + 1),
        }
        """Where the engine has its ends."""
        self.bases: list[Base] = []
        self.trouble = ""
        """Why there is no relay, a clause."""
        self._tokens = tokens
        self._stray = stray
        self._relay_only = relay_only
        self._dscp = dscp
        self._loop = asyncio.get_running_loop()
        self._reflexive: dict[int, Candidate] = {}
        self._asked: dict[bytes, tuple[int, Address, asyncio.Event]] = {}
        self._reads = False
        self._line = asyncio.Lock()
        self._asked_at = -_PACE

    async def gather(self, servers: Servers, seconds: float) -> tuple[Candidate, ...]:
        """All of them; what takes longer than this is left out."""
        self._reads = True
        for component, sock in self._sockets.items():
            if not self._relay_only:
                self.bases.append(Base(_host("1", component, *self.engine[component]), sock))
            self._loop.add_reader(sock, self._readable, self.of_socket(component), sock)
        self._open_others()
        wishes = [self._loop.create_task(wish) for wish in self._wishes(servers)]
        try:
            if wishes:
                await asyncio.wait(wishes, timeout=seconds)
        finally:
            for wish in wishes:
                wish.cancel()
            self.stop_reading()
        self._asked.clear()
        return tuple(self._candidates())

    def _open_others(self) -> None:
        """RFC 8445 §5.1.1.1: a place on each address; the call's own is worth most."""
        for rank, pair in enumerate(self._others, 1):
            for component, sock in ((RTP, pair.rtp), (RTCP, pair.rtcp)):
                where = (pair.address, pair.port + component - RTP)
                place = _host(str(10 + 2 * rank), component, *where, preference=65535 - rank)
                self._loop.add_reader(sock, self._readable, len(self.bases), sock)
                self.bases.append(Base(place, sock, carried=True))

    def of_socket(self, component: int) -> int | None:
        """The number of the base of a socket that the engine reads."""
        for number, base in enumerate(self.bases):
            if not base.carried and base.candidate.component == component:
                return number
        return None

    def stop_reading(self) -> None:
        """Leave the sockets to the engine."""
        if self._reads:
            self._reads = False
            for sock in self._sockets.values():
                self._loop.remove_reader(sock)

    def close(self) -> tuple[Relay, ...]:
        """The call's sockets stay their owner's; the relays are to be closed yet."""
        self.stop_reading()
        others, self._others = self._others, ()
        for pair in others:
            self._loop.remove_reader(pair.rtp)
            self._loop.remove_reader(pair.rtcp)
            pair.close()
        for base in self.bases:
            if base.shovel is not None:
                base.shovel.close()
        return tuple(base.relay for base in self.bases if base.relay is not None)

    def _wishes(self, servers: Servers) -> Iterator[Coroutine[None, None, None]]:
        if servers.turn is not None:  # takes longest
            for component in self._sockets:
                yield self._allocate(component, servers.turn)
        if servers.stun is not None:
            for number, base in enumerate(self.bases):
                if family_of(servers.stun[0]) is family_of(base.candidate.host):
                    yield self._ask(number, servers.stun)

    async def _turn(self) -> None:
        """Wait until a new question may leave; whoever came first is first."""
        async with self._line:
            await asyncio.sleep(self._asked_at + _PACE - self._loop.time())
            self._asked_at = self._loop.time()

    async def _ask(self, number: int, server: Address) -> None:
        """Where a STUN server sees a socket of ours (RFC 8445 §5.1.1.2)."""
        request = stun.Message(
            stun.Method.BINDING, stun.Class.REQUEST, transaction_id=self._tokens.octets(12)
        )
        told = asyncio.Event()
        self._asked[request.transaction_id] = number, server, told
        await self._turn()
        wait = RTO
        while not told.is_set():  # whoever gathers has less patience
            self.bases[number].send(bytes(request), server)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), wait)
            wait *= 2  # RFC 8489 §6.2.1

    async def _allocate(self, component: int, server: TurnServer) -> None:
        """A relayed place (RFC 8445 §5.1.1.2)."""
        number: list[int] = []

        def inward(data: bytes, source: Address) -> None:
            if number:
                self._stray(number[0], data, source)

        await self._turn()
        try:
            relay = await Relay.allocate(server, inward, self._dscp)
        except RelayError as error:
            self.trouble = str(error)
            return
        rank = priority("relay", component, self._tokens.integer(1 << 8))
        related = ("0.0.0.0", 9) if self._relay_only else relay.seen_as  # noqa: S104 - says nothing
        place = Candidate("3", component, rank, *relay.address, "relay", related)
        number.append(len(self.bases))
        self.bases.append(Base(place, relay))

    def _candidates(self) -> Iterator[Candidate]:
        yield from (base.candidate for base in self.bases if base.relay is None)
        yield from (place for _, place in sorted(self._reflexive.items()))
        yield from (base.candidate for base in self.bases if base.relay is not None)

    def _readable(self, number: int | None, sock: socket.socket) -> None:
        try:
            data, source = sock.recvfrom(_LARGEST)
        except OSError:
            return
        place = (source[0], source[1])
        if not self._answered(data, place) and number is not None:
            self._stray(number, data, place)

    def _answered(self, data: bytes, source: Address) -> bool:
        """Whether a server has told where it sees us."""
        message = read(data) if self._asked else None
        asked = None if message is None else self._asked.get(message.transaction_id)
        seen = None if message is None else message.attributes.get("XOR-MAPPED-ADDRESS")
        if asked is None or source != asked[1] or not isinstance(seen, tuple):
            return False
        asked[2].set()
        base = self.bases[asked[0]].candidate
        if seen != base.address:  # RFC 8445 §5.1.3: else it is the same place again
            self._reflexive[asked[0]] = _seen_as(base, *seen)
        return True


def _host(
    foundation: str, component: int, host: str, port: int, *, preference: int = 65535
) -> Candidate:
    rank = priority("host", component, preference)
    return Candidate(foundation, component, rank, host, port, "host")


def _seen_as(base: Candidate, host: str, port: int) -> Candidate:
    """Another base is another foundation (RFC 8445 §5.1.1.3), and worth as much as its base."""
    foundation = str(int(base.foundation) + 1)
    rank = priority("srflx", base.component, base.priority >> 8 & 0xFFFF)
    return Candidate(foundation, base.component, rank, host, port, "srflx", base.address)


def read(data: bytes) -> stun.Message | None:
    """A STUN message, None if it is none; the library does not always say so politely."""
    try:
        return stun.parse_message(data)
    except (ValueError, struct.error, KeyError, IndexError):
        return None
