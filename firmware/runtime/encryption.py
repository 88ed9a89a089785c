"""What encrypted calls need of the world: randomness, a certificate, handshakes, old counters.

    MakeKeys ─▶ association ◀─ Foreign (from the engine, the only reader of the socket)
                    ├─▶ datagrams by the phone's duplicate of the socket
                    └─▶ SetKeys to the engine, or KeysFailed to the phone

Exists only on a phone with a line that encrypts. Whom a handshake hears and where it speaks to is
`runtime.handshake`'s.
"""

import asyncio
import contextlib
import logging
import os
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from firmware.base.phrase import phrase
from firmware.base.values import replace
from firmware.call.secrecy import Material
from firmware.config.schema import Settings
from firmware.media.messages import Foreign, PrepareSrtp, SetKeys, StreamReport
from firmware.phone.commands import MakeKeys
from firmware.phone.events import KeysFailed
from firmware.runtime.handshake import Handshaking, is_handshake
from firmware.runtime.key_memory import KeyMemory
from firmware.sip.notifications import CallRef
from firmware.sip.route.stun import TRANSACTION_OCTETS

if TYPE_CHECKING:
    from firmware.net.dtls import Identity
    from firmware.runtime.house import House

_LOG = logging.getLogger(__name__)
_EARLY = 4
"""Datagrams kept of a far end whose handshake is here before its answer is."""


def handshakes(settings: Settings) -> bool:
    """Whether any line may agree on keys by DTLS."""
    return any(line.srtp != "off" and line.srtp_keys != "sdes" for line in settings.lines)


class Encryption:
    """See the module; `house` are the parts it works with."""

    def __init__(self, house: "House") -> None:
        self._house = house
        self._identity: Identity | None = None
        self._running: dict[int, Handshaking] = {}
        self._early: dict[int, deque[Foreign]] = {}
        self._memory = KeyMemory()
        self._making: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """Streams with an association or datagrams that wait for one, and calls with keys."""
        return len(self._running.keys() | self._early.keys()) + len(self._memory)

    # Before a call

    def use(self, settings: Settings) -> None:
        """Get ready for what these lines may ask for, off the loop."""
        if handshakes(settings) and self._identity is None and self._making is None:
            self._making = asyncio.get_running_loop().create_task(self._make_identity())

    async def _make_identity(self) -> None:
        try:
            self._identity = await asyncio.to_thread(_new_identity)
        except ImportError as error:
            _LOG.error(phrase("log.no_dtls", reason=str(error)))
        finally:
            self._making = None

    def prepare_engine(self) -> None:
        """A new engine: let it load what encryption needs while nobody talks."""
        self._house.engine.send(PrepareSrtp())

    def give_material(self, take: Callable[[Material], None]) -> None:
        """What the keys of one more call are made of; the first call may have to wait for it."""
        if self._making is None:
            take(self._material())
        else:
            self._making.add_done_callback(lambda _task: take(self._material()))

    def _material(self) -> Material:
        return Material(os.urandom(32), self._identity.fingerprint if self._identity else "")

    # In a call

    def with_history(self, order: SetKeys) -> SetKeys:
        """The order with how far the far end had come under its key."""
        call = self._house.streams.get(order.stream)
        return (
            order if call is None else replace(order, before=self._memory.given(call, order.keys))
        )

    def make_keys(self, command: MakeKeys) -> None:
        """Begin, or go on with, the handshake of a stream."""
        running = self._running.get(command.stream)
        if running is not None and _same(running.command, command):
            running.command = command if command.checked else running.command
            running.told = False
            self._settle(running)
            return
        if self._identity is None:
            self._house.inbox.put(KeysFailed(command.stream, "DTLS is not ready here"))
            return
        if running is not None:
            running.stop()
        self._begin(command, self._identity)

    def _begin(self, command: MakeKeys, identity: "Identity") -> None:
        now = asyncio.get_running_loop().time()
        running = self._running[command.stream] = Handshaking(command, identity, now)
        known = self._memory.made_with(command.call, command.handshake.prints)
        if known is not None:
            # Whether the far end makes a new association too is not known: the old keys serve
            # until there are others.
            running.has_keys = True
            self._house.engine.send(self.with_history(SetKeys(command.stream, known)))
        for early in self._early.pop(command.stream, ()):
            running.feed(early.data, early.source, now)
        running.open_way(os.urandom(TRANSACTION_OCTETS))
        self._settle(running)

    def feed(self, report: Foreign) -> None:
        """A datagram of another protocol came on a media socket."""
        running = self._running.get(report.stream)
        if not is_handshake(report):
            if running is not None and not report.control:
                running.knock(report.data, report.source)
                self._send(running)
        elif running is not None:
            running.feed(report.data, report.source, asyncio.get_running_loop().time())
            self._settle(running)
        elif report.stream in self._house.streams:
            waiting = self._early.setdefault(report.stream, deque(maxlen=_EARLY))
            waiting.append(report)

    def end(self, stream: int) -> None:
        """A stream is over."""
        self._early.pop(stream, None)
        running = self._running.pop(stream, None)
        if running is not None:
            running.stop()

    def note(self, report: StreamReport) -> None:
        """Once a second how far a stream is; after its last report nothing is kept of it."""
        call = self._house.streams.get(report.stream)
        if call is not None:
            self._memory.reported(call, report.heard)
        running = self._running.get(report.stream)
        if running is not None and report.source is not None:
            running.seen_at(report.source)
            self._send(running)
        if report.final:
            self.end(report.stream)

    def over(self, call: CallRef) -> None:
        """A call is over."""
        self._memory.forget(call)

    def _settle(self, running: Handshaking) -> None:
        """Send what is to be sent, set the clock, tell how it ended."""
        self._send(running)
        running.stop()
        association, command = running.association, running.command
        if association.keys is not None and not running.told:
            running.told = True
            self._memory.made(command.call, command.handshake.prints, association.keys)
            given = SetKeys(command.stream, association.keys, peer=running.peer)
            self._house.engine.send(self.with_history(given))
        elif association.failure and not running.told:
            running.told = True
            if not (running.has_keys and association.unanswered):
                self._house.inbox.put(KeysFailed(command.stream, association.failure))
        elif not association.over:
            self._set_clock(running)

    def _send(self, running: Handshaking) -> None:
        pair = self._house.pairs.get(running.command.call)
        datagrams = running.take()
        if pair is None or not running.command.remote[0]:
            return
        for datagram, place in datagrams:
            # The socket is shared: we send on it, the engine reads.
            with contextlib.suppress(OSError):
                pair.rtp.sendto(datagram, place)

    def _set_clock(self, running: Handshaking) -> None:
        loop = asyncio.get_running_loop()
        left = max(0.0, running.until - loop.time())
        retry = running.association.next_timer()
        wait = left if retry is None else min(left, max(retry, 0.01))
        running.timer = loop.call_later(wait, self._time_passed, running)

    def _time_passed(self, running: Handshaking) -> None:
        if asyncio.get_running_loop().time() >= running.until:
            running.association.give_up()
        else:
            running.association.fire()
        self._settle(running)


def _same(one: MakeKeys, other: MakeKeys) -> bool:
    """RFC 5763 §6.6: the same certificate, roles and addresses are the same association.

    A far end that holds us with the address 0.0.0.0 has gone nowhere; where ways are checked, a
    better one leads to the same end.
    """
    stays = not other.remote[0] or one.remote == other.remote or (one.checked and other.checked)
    return stays and one.handshake == other.handshake


def _new_identity() -> "Identity":
    make: Callable[[], Identity]
    from firmware.net.dtls import make_identity as make  # noqa: PLC0415 - off the loop

    return make()
