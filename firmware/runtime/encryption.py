"""What encrypted calls need of the world: randomness, a certificate, handshakes, old counters.

    MakeKeys ─▶ association ◀─ Foreign (from the engine, the only reader of the socket)
                    ├─▶ datagrams by the phone's duplicate of the socket
                    └─▶ SetKeys to the engine, or KeysFailed to the phone

Exists only on a phone with a line that encrypts. We send to the address of SDP and nowhere else.
Heard is the host that SDP named; behind a NAT it may have another address, so until that host
speaks one other may, but whatever a stranger spoils is begun anew, a few times (A8).
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
from firmware.runtime.key_memory import KeyMemory
from firmware.sip.notifications import CallRef

if TYPE_CHECKING:
    from firmware.net.dtls import Association, Identity
    from firmware.runtime.house import House

_LOG = logging.getLogger(__name__)
_PATIENCE = 20.0
"""Seconds a handshake may take."""
_STRANGERS = 8
"""So often somebody from elsewhere may spoil a handshake; then only the named host is heard."""
_EARLY = 4
"""Datagrams kept of a far end whose handshake is here before its answer is."""


def handshakes(settings: Settings) -> bool:
    """Whether any line may agree on keys by DTLS."""
    return any(line.srtp != "off" and line.srtp_keys != "sdes" for line in settings.lines)


class _Handshake:
    """One stream's association and what drives it."""

    def __init__(self, command: MakeKeys, identity: "Identity") -> None:
        self.command = command
        self._identity = identity
        self.association = self._fresh()
        self.source = ""
        """The host that is heard, "" before anybody was."""
        self.strangers = 0
        self.has_keys = False
        """Keys of a handshake before serve the stream; silence is no failure then."""
        self.timer: asyncio.TimerHandle | None = None
        self.until = asyncio.get_running_loop().time() + _PATIENCE
        self.told = False

    def _fresh(self) -> "Association":
        from firmware.net.dtls import Association  # noqa: PLC0415 - loaded with the identity

        agreed = self.command.handshake
        association = Association(self._identity, agreed.prints, active=agreed.active)
        association.start()
        return association

    @property
    def named(self) -> str:
        """The host that SDP named."""
        return self.command.remote[0]

    def feed(self, data: bytes, source: str) -> None:
        """Take a datagram if its source may be heard."""
        if source == self.named and self.source not in ("", source) and not self.association.over:
            self._begin_anew()
        if not self.source and (source == self.named or self.strangers < _STRANGERS):
            self.source = source
        if source == self.source:
            self.association.feed(data)
        if self.association.failure and self.source not in ("", self.named):
            self._begin_anew()

    def _begin_anew(self) -> None:
        """What came from elsewhere was not the far end."""
        self.strangers += 1
        self.source = ""
        self.association = self._fresh()

    def stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Encryption:
    """See the module; `house` are the parts it works with."""

    def __init__(self, house: "House") -> None:
        self._house = house
        self._identity: Identity | None = None
        self._running: dict[int, _Handshake] = {}
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
        running = self._running[command.stream] = _Handshake(command, identity)
        known = self._memory.made_with(command.call, command.handshake.prints)
        if known is not None:
            # Whether the far end makes a new association too is not known: the old keys serve
            # until there are others.
            running.has_keys = True
            self._house.engine.send(self.with_history(SetKeys(command.stream, known)))
        for early in self._early.pop(command.stream, ()):
            running.feed(early.data, early.source[0])
        self._settle(running)

    def feed(self, report: Foreign) -> None:
        """A datagram of another protocol came on a media socket."""
        if not report.data or not 20 <= report.data[0] < 64:
            return
        running = self._running.get(report.stream)
        if running is None:
            if report.stream in self._house.streams:
                waiting = self._early.setdefault(report.stream, deque(maxlen=_EARLY))
                waiting.append(report)
        else:
            running.feed(report.data, report.source[0])
            self._settle(running)

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
        if report.final:
            self.end(report.stream)

    def over(self, call: CallRef) -> None:
        """A call is over."""
        self._memory.forget(call)

    def _settle(self, running: _Handshake) -> None:
        """Send what is to be sent, set the clock, tell how it ended."""
        self._send(running)
        running.stop()
        association, command = running.association, running.command
        if association.keys is not None and not running.told:
            running.told = True
            self._memory.made(command.call, command.handshake.prints, association.keys)
            self._house.engine.send(self.with_history(SetKeys(command.stream, association.keys)))
        elif association.failure and not running.told:
            running.told = True
            if not (running.has_keys and association.unanswered):
                self._house.inbox.put(KeysFailed(command.stream, association.failure))
        elif not association.over:
            self._set_clock(running)

    def _send(self, running: _Handshake) -> None:
        pair = self._house.pairs.get(running.command.call)
        datagrams = running.association.take()
        if pair is None or not running.command.remote[0]:
            return
        for datagram in datagrams:
            # The socket is shared: we send on it, the engine reads.
            with contextlib.suppress(OSError):
                pair.rtp.sendto(datagram, running.command.remote)

    def _set_clock(self, running: _Handshake) -> None:
        loop = asyncio.get_running_loop()
        left = max(0.0, running.until - loop.time())
        retry = running.association.next_timer()
        wait = left if retry is None else min(left, max(retry, 0.01))
        running.timer = loop.call_later(wait, self._time_passed, running)

    def _time_passed(self, running: _Handshake) -> None:
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
