"""`firmware.sip` and its driver on real sockets, without a phone around: a user agent in a thread.

For flows that a person starts where the desk phone has no key for them: a test tells the user
agent what to do (`do`) and waits for what it says (`until`). Offers and answers are PCMU, calls
ring, re-offers are accepted, unless `react` takes a notification over by returning True.
"""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

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
from tests.support.agent_thread import AgentThread, mirrored
from tests.support.waiting import wait_for

LINE = LineName("desk")
Found = TypeVar("Found")


def sdp(host: str, direction: str = "sendrecv", port: int = 40000, version: int = 1) -> bytes:
    """One PCMU stream."""
    return (
        f"v=0\r\no=- 7 {version} IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na={direction}\r\n"
    ).encode()


class AgentPhone(AgentThread):
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
        self.heard: list[Notification] = []
        self.react: Callable[[Notification], bool] = lambda _: False
        options = {"register": False, "password": f"s{user}", **account}
        self._account = Account(LINE, user, server, **options)
        self._version = 1
        super().__init__("agent phone", address, AgentSettings(), hosts=hosts)

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

    def _begin(self, now: float) -> None:
        self._agent.set_lines((self._account,), now)
        if self._account.register:
            self._agent.register(LINE, now)

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
