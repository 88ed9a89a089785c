"""Where one call's media sockets may be reached: gathered before the first word (RFC 8445 §5.1.1).

    the sockets themselves   host
    as a STUN server sees    srflx, asked from these very sockets
    at a TURN server         relay

While it gathers the loop reads the sockets, and whatever else comes is handed on. After that nobody
here reads any of them.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Coroutine, Iterator

from aioice import stun
from msgspec import Struct

from firmware.base.tokens import Tokens
from firmware.net.ice_relay import Relay, RelayError, Shovel, TurnServer
from firmware.net.media_ports import MediaPair
from firmware.sdp.ice import RTCP, RTP, Address, Candidate, priority

_PACE = 0.05
"""Seconds from one new question to the next (RFC 8445 §14.2)."""
_ASK_AGAIN = 0.2
_ASKINGS = 3
"""So often, and after so many seconds, a STUN server is asked: a person waits for the INVITE."""
_LARGEST = 2048

Stray = Callable[[int, bytes, Address], None]
"""Takes the number of a base, a datagram and its source."""


class Servers(Struct, frozen=True):
    """Who may be asked while gathering; None = nobody."""

    stun: Address | None = None
    turn: TurnServer | None = None


class Base:
    """A place we send from."""

    def __init__(self, candidate: Candidate, sender: socket.socket | Relay) -> None:
        self.candidate = candidate
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
        self, sockets: MediaPair, tokens: Tokens, stray: Stray, *, relay_only: bool, dscp: int
    ) -> None:
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
        self._asked: dict[bytes, tuple[int, Address]] = {}
        self._seen = {component: asyncio.Event() for component in self._sockets}
        self._reads = False
        self._line = asyncio.Lock()
        self._asked_at = -_PACE

    async def gather(self, servers: Servers, seconds: float) -> tuple[Candidate, ...]:
        """All of them; what takes longer than this is left out."""
        self._reads = True
        for component, sock in self._sockets.items():
            if not self._relay_only:
                self.bases.append(Base(self._host(component), sock))
            self._loop.add_reader(sock, self._readable, component, sock)
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

    def of_socket(self, component: int) -> int | None:
        """The number of a socket's base."""
        for number, base in enumerate(self.bases):
            if base.relay is None and base.candidate.component == component:
                return number
        return None

    def stop_reading(self) -> None:
        """Leave the sockets to the engine."""
        if self._reads:
            self._reads = False
            for sock in self._sockets.values():
                self._loop.remove_reader(sock)

    def close(self) -> tuple[Relay, ...]:
        """The sockets stay their owner's; the relays are to be closed yet."""
        self.stop_reading()
        for base in self.bases:
            if base.shovel is not None:
                base.shovel.close()
        return tuple(base.relay for base in self.bases if base.relay is not None)

    def _host(self, component: int) -> Candidate:
        host, port = self.engine[component]
        return Candidate("1", component, priority("host", component), host, port, "host")

    def _wishes(self, servers: Servers) -> Iterator[Coroutine[None, None, None]]:
        for component in self._sockets:
            here = self.engine[component][0]
            if servers.turn is not None:  # takes longest
                yield self._allocate(component, servers.turn)
            if servers.stun is not None and (":" in servers.stun[0]) == (":" in here):
                yield self._ask(component, servers.stun)

    async def _turn(self) -> None:
        """Wait until a new question may leave; whoever came first is first."""
        async with self._line:
            await asyncio.sleep(self._asked_at + _PACE - self._loop.time())
            self._asked_at = self._loop.time()

    async def _ask(self, component: int, server: Address) -> None:
        """Where a STUN server sees a socket of ours (RFC 8445 §5.1.1.2)."""
        number = self.of_socket(component)
        if number is None:
            return
        request = stun.Message(
            stun.Method.BINDING, stun.Class.REQUEST, transaction_id=self._tokens.octets(12)
        )
        self._asked[request.transaction_id] = component, server
        await self._turn()
        for _ in range(_ASKINGS):
            self.bases[number].send(bytes(request), server)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._seen[component].wait(), _ASK_AGAIN)
                return

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
        yield from self._reflexive.values()
        yield from (base.candidate for base in self.bases if base.relay is not None)

    def _readable(self, component: int, sock: socket.socket) -> None:
        try:
            data, source = sock.recvfrom(_LARGEST)
        except OSError:
            return
        number, place = self.of_socket(component), (source[0], source[1])
        if not self._answered(data, place) and number is not None:
            self._stray(number, data, place)

    def _answered(self, data: bytes, source: Address) -> bool:
        """Whether a server has told where it sees us."""
        message = read(data)
        asked = None if message is None else self._asked.get(message.transaction_id)
        seen = None if message is None else message.attributes.get("XOR-MAPPED-ADDRESS")
        if asked is None or source != asked[1] or not isinstance(seen, tuple):
            return False
        component, base = asked[0], self.engine[asked[0]]
        self._seen[component].set()
        if seen != base:  # RFC 8445 §5.1.3: else it is the same place again
            rank, (host, port) = priority("srflx", component), seen
            self._reflexive[component] = Candidate("2", component, rank, host, port, "srflx", base)
        return True


def read(data: bytes) -> stun.Message | None:
    """A STUN message, None if it is none; the library does not always say so politely."""
    try:
        return stun.parse_message(data)
    except (ValueError, struct.error, KeyError, IndexError):
        return None
