"""`firmware.sip` and its driver on real sockets, without a phone around: a user agent in a thread.

For flows that a person starts where the desk phone has no key for them: a test tells the user
agent what to do (`do`) and waits for what it says (`until`). Offers and answers are PCMU, calls
ring, re-offers are accepted, unless `react` takes a notification over by returning True.
"""

import asyncio
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Self, TypeVar

from firmware.base.tokens import Tokens
from firmware.net.resolver import Resolver
from firmware.net.sip_driver import SipDriver
from firmware.sip.account import Account
from firmware.sip.agent import AgentSettings, UserAgent
from firmware.sip.notifications import (
    CallRef,
    IncomingCall,
    LineName,
    Notification,
    OfferWanted,
    ReofferReceived,
)
from tests.support.waiting import wait_for

LINE = LineName("desk")
Found = TypeVar("Found")
MIRROR = {b"a=sendonly": "recvonly", b"a=recvonly": "sendonly", b"a=inactive": "inactive"}


def sdp(host: str, direction: str = "sendrecv", port: int = 40000, version: int = 1) -> bytes:
    """One PCMU stream."""
    return (
        f"v=0\r\no=- 7 {version} IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na={direction}\r\n"
    ).encode()


def mirrored(offer: bytes) -> str:
    """The direction of an answer (one way becomes the other way)."""
    found = (MIRROR[row] for row in offer.split(b"\r\n") if row in MIRROR)
    return next(found, "sendrecv")


class AgentPhone:
    """A user agent at `address`:5060 with one line."""

    def __init__(
        self,
        address: str,
        server: str,
        *,
        user: str = "alice",
        hosts: Path = Path("/etc/hosts"),
        **account: object,
    ) -> None:
        self.address = address
        self.heard: list[Notification] = []
        self.react: Callable[[Notification], bool] = lambda _: False
        self._hosts = hosts
        options = {"register": False, "password": f"s{user}", **account}
        self._account = Account(LINE, user, server, **options)
        self._version = 1
        self._up: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="agent phone", daemon=True)
        self._thread.start()
        self._up.result(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(10)

    def do(self, what: Callable[[UserAgent, float], Found]) -> Found:
        """Tell the user agent something, as its loop would."""
        told: Future[Found] = Future()

        def tell() -> None:
            try:
                told.set_result(what(self._agent, self._loop.time()))
            except BaseException as error:  # noqa: BLE001 - the test's own thread shall see it
                told.set_exception(error)
            self._driver.settle()

        self._loop.call_soon_threadsafe(tell)
        return told.result(10)

    def call(self, target: str, name: str = "out-1", **options: object) -> CallRef:
        """Place a call."""
        call = CallRef(name)
        self.do(lambda agent, now: agent.invite(call, LINE, target, now, **options))
        return call

    def until(
        self, kind: type[Found], true_of: Callable[[Found], object] = lambda _: True
    ) -> Found:
        """The first notification of a kind of which something is true."""

        def look() -> Found | None:
            found = (each for each in list(self.heard) if isinstance(each, kind) and true_of(each))
            return next(found, None)

        try:
            return wait_for(kind.__name__, look, 15)
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + "\n".join(map(repr, self.heard))) from None

    def sdp(self, direction: str = "sendrecv", **more: object) -> bytes:
        """A new description of our audio."""
        self._version += 1
        return sdp(self.address, direction, version=self._version, **more)

    @property
    def alive(self) -> int:
        """How many things the user agent still keeps."""
        return self.do(lambda agent, _: len(agent))

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if not self._up.done():
                self._up.set_exception(error)
            raise

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()
        tokens = Tokens(secrets.token_bytes(32))
        self._agent = UserAgent(AgentSettings(), tokens)
        resolver = Resolver(self._loop.time, hosts=self._hosts)
        self._driver = SipDriver(self._agent, resolver, tokens, self._notified)
        await self._driver.listen((self.address,), 5060)
        self._agent.set_lines((self._account,), self._loop.time())
        if self._account.register:
            self._agent.register(LINE, self._loop.time())
        self._driver.settle()
        self._up.set_result(None)
        await self._done.wait()
        await self._driver.close()

    def _notified(self, heard: Notification) -> None:
        now = self._loop.time()
        if not self.react(heard):
            match heard:
                case OfferWanted(call):
                    self._agent.offer(call, self.sdp(), now)
                case IncomingCall(call):
                    self._agent.ring(call, now)
                case ReofferReceived(call, offer):
                    self._agent.answer_reoffer(call, self.sdp(mirrored(offer)), now)
                case _:
                    pass
        self.heard.append(heard)
