"""The sound of the practice exchange: echo and announcements, by an audio engine of its own.

The same engine, SDP and media sockets as the phone's. If the engine dies, its streams are opened
again on the same sockets.
"""

import asyncio
import contextlib
import itertools
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

from firmware.base.direction import Direction
from firmware.base.tokens import Tokens
from firmware.call.capabilities import capabilities_with, payload_format
from firmware.codec import CODECS
from firmware.codec.g711 import MU_LAW
from firmware.media.messages import (
    AnyReport,
    CloseStream,
    ConfigureStream,
    EngineLog,
    EngineReady,
    LoadClip,
    OpenStream,
    Route,
    RouteStream,
)
from firmware.net.engine_link import EngineLink
from firmware.net.errors import NetError
from firmware.net.media_ports import MediaPair, MediaPorts
from firmware.sdp.description import Session
from firmware.sdp.errors import SdpError
from firmware.sdp.negotiate import (
    LocalMedia,
    Negotiated,
    accept_answer,
    answer,
    make_offer,
)
from firmware.sdp.parser import parse
from firmware.sdp.writer import write
from firmware.sip.notifications import CallRef

_LOG = logging.getLogger(__name__)
CLIPS = ("welcome", "emergency", "call_back")
CLIP_RATE = 8000
FIRST_PORT, LAST_PORT = 41000, 41999
_PATIENCE = 10.0


@dataclass(slots=True)
class _Stand:
    """One call's sound: where, what, and what was agreed."""

    stream: int
    pair: MediaPair
    route: Route
    clip: str
    session_id: int
    version: int = 0
    offer: Session | None = None
    agreed: Negotiated | None = None


class EngineBooth:
    """The booth of `firmware.lab.exchange` with a real engine."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._ports = MediaPorts(FIRST_PORT, LAST_PORT, tokens)
        self._engine = EngineLink(self._report, self._lost, self._started)
        self._stands: dict[CallRef, _Stand] = {}
        self._numbers = itertools.count(1)
        self._ready = asyncio.Event()
        self._can = capabilities_with(tuple(CODECS))

    def __len__(self) -> int:
        return len(self._stands)

    async def start(self) -> None:
        """Start the engine and wait until it runs; one that is slow is not waited for."""
        await self._engine.start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._ready.wait()

    @property
    def engine(self) -> int | None:
        """The process id of the audio engine, None between two of them."""
        return self._engine.pid

    async def stop(self) -> None:
        """End every stream and the engine."""
        for call in list(self._stands):
            self.close(call)
        await self._engine.close()

    # --- what the exchange asks -------------------------------------------------------------

    def answer(self, call: CallRef, offer: bytes, local: str, route: Route, clip: str) -> bytes:
        """Our SDP for an incoming call; an INVITE without SDP gets our offer."""
        stand = self._open(call, local, route, clip)
        if stand is None:
            return b""
        if not offer:
            return self._offer(stand)
        sdp = self._answer(stand, offer)
        if not sdp:
            self.close(call)
        return sdp

    def answer_again(self, call: CallRef, offer: bytes) -> bytes:
        """Our SDP for a re-INVITE."""
        stand = self._stands.get(call)
        if stand is None:
            return b""
        stand.version += 1
        return self._answer(stand, offer) if offer else self._offer(stand)

    def offer(self, call: CallRef, local: str, clip: str) -> bytes:
        """Our offer for a call that we place; an earlier one, for another address, is void."""
        self.close(call)
        stand = self._open(call, local, Route.CLIP, clip)
        return self._offer(stand) if stand is not None else b""

    def answered(self, call: CallRef, answer: bytes) -> bool:
        """The far end has answered our offer; whether there is a format to speak in."""
        stand = self._stands.get(call)
        if stand is None or stand.offer is None:
            return False
        try:
            agreed = accept_answer(stand.offer, parse(answer), self._can)
        except SdpError as error:
            _LOG.warning("call %s: %s", call, error)
            return False
        if not isinstance(agreed, Negotiated):
            return False
        self._configure(stand, agreed)
        return True

    def close(self, call: CallRef) -> None:
        """The call is over."""
        stand = self._stands.pop(call, None)
        if stand is not None:
            self._engine.send(CloseStream(stand.stream))
            stand.pair.close()

    # --- streams ----------------------------------------------------------------------------

    def _open(self, call: CallRef, local: str, route: Route, clip: str) -> _Stand | None:
        try:
            pair = self._ports.reserve(local)
        except NetError as error:
            _LOG.error("call %s: %s", call, error)
            return None
        stand = _Stand(next(self._numbers), pair, route, clip, self._tokens.integer(1 << 62))
        self._stands[call] = stand
        self._open_stream(stand)
        return stand

    def _open_stream(self, stand: _Stand) -> None:
        expect = tuple(payload_format(item) for item in self._can.formats)
        order = OpenStream(stand.stream, expect, stand.route, stand.clip)
        self._engine.send(order, (stand.pair.rtp.fileno(), stand.pair.rtcp.fileno()))
        if stand.clip:
            self._engine.send(RouteStream(stand.stream, Route.CLIP, stand.clip, repeat=True))

    def _answer(self, stand: _Stand, offer: bytes) -> bytes:
        try:
            agreed = answer(
                parse(offer),
                self._can,
                _local(stand.pair),
                Direction.SENDRECV,
                stand.session_id,
                stand.version,
            )
        except SdpError as error:
            _LOG.warning("an offer that is no SDP: %s", error)
            return b""
        if not isinstance(agreed, Negotiated):
            return b""
        self._configure(stand, agreed)
        return write(agreed.session)

    def _offer(self, stand: _Stand) -> bytes:
        stand.offer = make_offer(
            self._can,
            _local(stand.pair),
            Direction.SENDRECV,
            stand.session_id,
            stand.version,
            stand.offer,
        )
        return write(stand.offer)

    def _configure(self, stand: _Stand, agreed: Negotiated) -> None:
        stand.agreed = agreed
        self._engine.send(_configured(stand.stream, agreed))

    # --- the engine -------------------------------------------------------------------------

    def _started(self) -> None:
        for name in CLIPS:
            with _memory(_clip(name)) as descriptor:
                self._engine.send(LoadClip(name, CLIP_RATE), (descriptor,))
        for stand in self._stands.values():
            self._open_stream(stand)
            if stand.agreed is not None:
                self._configure(stand, stand.agreed)

    def _lost(self, reason: str) -> None:
        _LOG.error("the audio process is gone (%s); another one is started", reason)

    def _report(self, report: AnyReport) -> None:
        match report:
            case EngineReady():
                self._ready.set()
            case EngineLog():
                _LOG.info("%s", report.text)
            case _:
                _LOG.debug("%s", report)


def _local(pair: MediaPair) -> LocalMedia:
    return LocalMedia(pair.address, pair.port, pair.port + 1)


def _configured(stream: int, agreed: Negotiated) -> ConfigureStream:
    return ConfigureStream(
        stream,
        agreed.remote,
        agreed.rtcp,
        tuple(payload_format(item) for item in agreed.formats),
        agreed.direction,
        payload_format(agreed.dtmf) if agreed.dtmf is not None else None,
        agreed.ptime,
    )


def _clip(name: str) -> bytes:
    """An announcement as PCM."""
    file = resources.files("firmware.lab") / "announcements" / f"{name}.ulaw"
    return MU_LAW.decoder().decode(file.read_bytes())


@contextlib.contextmanager
def _memory(data: bytes) -> Iterator[int]:
    """The descriptor of a piece of memory that holds `data`."""
    descriptor = os.memfd_create("clip")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        yield descriptor
    finally:
        os.close(descriptor)
