"""Finds ways between calls and their far ends (RFC 8445): for lines that ask for it.

    ReserveMediaPort ─▶ agent gathers ─▶ MediaPortReserved, three quarters of a second later at most
    CheckWays        ─▶ agent checks  ─▶ WayFound, WayLost
    Foreign (from the engine, the only reader of the sockets) ─▶ agent

An agent belongs to the sockets of a call and ends with them. Nothing of this is loaded on a phone
without such a line; what it needs is loaded in a thread, before a call can come.
"""

import asyncio
import contextlib
import importlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from firmware.base.phrase import phrase
from firmware.base.tokens import Tokens
from firmware.call.media import NOWHERE, Way
from firmware.config.forms import split_server
from firmware.config.rules import ways_of
from firmware.config.schema import NetworkSettings, Settings
from firmware.media.messages import Foreign
from firmware.net.addresses import machine_addresses
from firmware.net.errors import NoMediaPortError
from firmware.net.locate import Ways as Sockets
from firmware.net.locate import locate_stun
from firmware.net.media_ports import MediaPair
from firmware.net.resolver import LookUpError
from firmware.phone.commands import CheckWays, ReserveMediaPort
from firmware.phone.events import MediaPortRefused, WayFound, WayLost
from firmware.runtime.later import WAYS
from firmware.sip.notifications import CallRef

if TYPE_CHECKING:
    from firmware.net.ice_agent import IceAgent
    from firmware.net.ice_places import Servers
    from firmware.runtime.house import House
    from firmware.sdp.ice import Ours

_LOG = logging.getLogger(__name__)
GATHERING = 0.75
"""Seconds for which an INVITE, or the ringing, may wait for the answers of servers.

A question may be asked again after half a second and not before (RFC 8445 §14.3); what is left is
for its answer.
"""
_TLS_PORT = 5349
_FRESH = 300.0
"""Seconds after which the servers are looked up anew."""


class WayFinder:
    """See the module; `sockets` knows our addresses and looks names up."""

    def __init__(
        self,
        house: "House",
        sockets: Sockets,
        tokens: Tokens,
        addresses: Callable[[], tuple[str, ...]] = machine_addresses,
    ) -> None:
        self._addresses = addresses
        self._authorities: tuple[str, ...] = ()
        self._house = house
        self._sockets = sockets
        self._tokens = tokens
        self._network = NetworkSettings()
        self._wishes: dict[str, str] = {}
        self._agents: dict[CallRef, IceAgent] = {}
        self._streams: dict[CallRef, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._gathering: dict[CallRef, asyncio.Task[None]] = {}
        self._ready: asyncio.Task[Servers] | None = None
        self._ready_at = 0.0
        self._troubles: set[str] = set()
        self._refused = self._skipped = 0

    def __len__(self) -> int:
        """Calls with an agent."""
        return len(self._agents)

    def figures(self) -> dict[str, float]:
        """For `stats`: STUN that was bent or a stranger's, candidates that made no sense."""
        refused = self._refused + sum(agent.refused for agent in self._agents.values())
        return {"stun_refused": refused, "candidates_skipped": self._skipped}

    # Before a call

    def use(self, settings: Settings) -> None:
        """Other settings: load what is needed, look the servers up."""
        wishes = {line.name: ways_of(line) for line in settings.lines}
        self._wishes = {name: wish for name, wish in wishes.items() if wish != "off"}
        self._network = settings.network
        named = (line.tls.ca for line in settings.lines if line.name in self._wishes)
        self._authorities = tuple(dict.fromkeys(filter(None, named)))
        self.look_up()

    def look_up(self) -> None:
        """Find the servers, off whatever waits: at start, in another network, now and then."""
        if self._ready is not None:
            self._ready.cancel()
            self._ready = None
        if self._wishes:
            loop = asyncio.get_running_loop()
            self._ready, self._ready_at = loop.create_task(self._find()), loop.time()

    async def _find(self) -> "Servers":
        for name in WAYS:
            await asyncio.to_thread(importlib.import_module, name)
        from firmware.net.ice_places import Servers  # noqa: PLC0415 - loaded in a thread
        from firmware.net.ice_relay import TurnServer, trust_in  # noqa: PLC0415 - as above

        network = self._network
        service = "_turn._tcp" if network.turn_transport == "tcp" else "_turn._udp"
        place = await self._place(network.turn, service) if network.turn else None
        relay = None
        if network.turn and network.turn_transport == "tls":
            host, port = split_server(network.turn)
            place, relay = None, (host, port or _TLS_PORT)
        elif place is not None:
            relay = place
        # Every TURN server answers what a STUN server does.
        seen_by = await self._place(network.stun, "_stun._udp") if network.stun else place
        if relay is None:
            return Servers(seen_by)
        trust = None
        if network.turn_transport == "tls":
            try:
                trust = await asyncio.to_thread(trust_in, self._authorities)
            except OSError as error:
                self._say("log.way_server", server=network.turn, reason=str(error))
                return Servers(seen_by)
        user, password = network.turn_user, network.turn_password
        return Servers(seen_by, TurnServer(*relay, user, password, network.turn_transport, trust))

    async def _place(self, server: str, service: str) -> tuple[str, int] | None:
        try:
            places = await locate_stun(server, self._sockets, service)
        except LookUpError as error:
            self._say("log.way_server", server=server, reason=str(error))
            return None
        return places[0].remote.host, places[0].remote.port

    def _say(self, text: str, **args: str) -> None:
        said = str((text, args))
        if said not in self._troubles:
            self._troubles.add(said)
            _LOG.warning(phrase(text, **args))

    # A call

    def wanted(self, command: ReserveMediaPort) -> bool:
        """Whether these sockets are to have ways."""
        return command.line in self._wishes

    def gather(
        self, command: ReserveMediaPort, pair: MediaPair, take: Callable[["Ours"], None]
    ) -> None:
        """Hand over all ways to a pair of sockets, in time."""
        self.free(command.call)
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._gather(command, pair, take))
        self._gathering[command.call] = task
        self._keep(task)

    async def _gather(
        self, command: ReserveMediaPort, pair: MediaPair, take: Callable[["Ours"], None]
    ) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + GATHERING
        servers = await self._servers(until - loop.time())
        from firmware.net.ice_agent import IceAgent  # noqa: PLC0415 - there already, see `_find`

        call = command.call
        agent = IceAgent(
            pair,
            self._tokens,
            lambda: self._changed(call),
            relay_only=self._wishes.get(command.line) == "relay",
            dscp=self._network.dscp_rtp,
            others=self._other_sockets(command, pair),
        )
        self._agents[call] = agent
        ours = await agent.gather(servers, max(0.0, until - loop.time()))
        self._gathering.pop(call, None)
        if agent.trouble:
            self._say("log.way_server", server=self._network.turn, reason=agent.trouble)
        if not ours.candidates:
            reason = agent.trouble or "no relay gives this line a place"
            self._house.inbox.put(MediaPortRefused(call, reason))
            return
        take(ours)
        if loop.time() - self._ready_at > _FRESH:
            self.look_up()

    def _other_sockets(self, command: ReserveMediaPort, pair: MediaPair) -> tuple[MediaPair, ...]:
        """Sockets on more addresses of the machine; a way that is all the line shows needs none."""
        if self._wishes.get(command.line) == "relay":
            return ()
        from firmware.net.ice_hosts import other_hosts  # noqa: PLC0415 - there, see `_find`

        found = []
        for host in other_hosts(pair.address, self._addresses(), self._network.bind):
            with contextlib.suppress(NoMediaPortError):
                found.append(self._house.ports.reserve(host))
        return tuple(found)

    async def _servers(self, seconds: float) -> "Servers":
        ready = self._ready
        if ready is not None:
            await asyncio.wait({ready}, timeout=seconds)
            if ready.done() and not ready.cancelled():
                return ready.result()
        from firmware.net.ice_places import Servers  # noqa: PLC0415 - there already, see `_find`

        return Servers()

    def check(self, command: CheckWays) -> None:
        """Search by these terms."""
        agent = self._agents.get(command.call)
        if agent is not None:
            self._streams[command.call] = command.stream
            self._skipped += command.terms.theirs.skipped
            agent.begin(command.terms)

    def feed(self, report: Foreign) -> None:
        """A datagram that is no media; ours is what looks like STUN (RFC 7983 §7)."""
        call = self._house.streams.get(report.stream)
        agent = None if call is None else self._agents.get(call)
        if agent is not None and report.data and report.data[0] < 4:
            agent.receive(report.data, report.source, control=report.control)

    def _changed(self, call: CallRef) -> None:
        agent, stream = self._agents.get(call), self._streams.get(call)
        if agent is None or stream is None:
            return
        if agent.failure:
            self._house.inbox.put(WayLost(stream, agent.failure))
            return
        # A way that was lost before it was chosen leaves nothing to be sent to.
        way = agent.way or Way(agent.names, "", NOWHERE)
        self._house.inbox.put(WayFound(stream, way))

    def free(self, call: CallRef) -> None:
        """The sockets are about to be closed."""
        task = self._gathering.pop(call, None)
        if task is not None:
            task.cancel()
        self._streams.pop(call, None)
        agent = self._agents.pop(call, None)
        if agent is not None:
            self._refused += agent.refused
            for relay in agent.close():
                self._keep(asyncio.get_running_loop().create_task(relay.close()))

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give every place back."""
        for call in tuple(self._agents):
            self.free(call)
        if self._ready is not None:
            self._ready.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)
