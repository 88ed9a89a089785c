"""A user agent and its driver on real sockets, in a thread of its own, without a phone around.

`FarEnd` and `AgentPhone` are this with a character: who they are (`_begin`) and what they do about
what is told (`_notified`).
"""

import asyncio
import contextlib
import secrets
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Self

from firmware.base.tokens import Tokens
from firmware.net.resolver import Resolver
from firmware.net.sip_driver import SipDriver
from firmware.sip.agent import AgentSettings, UserAgent
from firmware.sip.notifications import Notification
from tests.support.namespace import Namespace

_MIRROR = {b"a=sendonly": "recvonly", b"a=recvonly": "sendonly", b"a=inactive": "inactive"}


def mirrored(offer: bytes) -> str:
    """The direction of an answer: one way becomes the other way (RFC 3264 §6.1)."""
    found = (_MIRROR[row] for row in offer.split(b"\r\n") if row in _MIRROR)
    return next(found, "sendrecv")


class AgentThread:
    """At `address`:5060 from the moment it is made; whoever derives from it is ready by then."""

    def __init__(
        self,
        name: str,
        address: str,
        settings: AgentSettings,
        *,
        namespace: Namespace | None = None,
        hosts: Path = Path("/etc/hosts"),
    ) -> None:
        self.address = address
        self._settings = settings
        self._namespace = namespace
        self._hosts = hosts
        self._up: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        self._up.result(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave without a word, as a server whose power fails."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._done.set)
        # The next test may count threads.
        self._thread.join(10)

    # --- its own thread ---------------------------------------------------------------------

    def _run(self) -> None:
        try:
            if self._namespace is not None:
                self._namespace.enter()
            asyncio.run(self._serve())
        except BaseException as error:
            if not self._up.done():
                self._up.set_exception(error)
            raise

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()
        tokens = Tokens(secrets.token_bytes(32))
        self._agent = UserAgent(self._settings, tokens)
        resolver = Resolver(self._loop.time, hosts=self._hosts)
        self._driver = SipDriver(self._agent, resolver, tokens, self._notified)
        await self._driver.listen((self.address,), 5060)
        self._begin(self._loop.time())
        self._driver.settle()
        self._up.set_result(None)
        await self._done.wait()
        self._end()
        await self._driver.close()

    def _begin(self, now: float) -> None:
        """The agent is listening: give it its lines."""
        raise NotImplementedError

    def _end(self) -> None:
        """Give back what `_begin` took."""

    def _notified(self, heard: Notification) -> None:
        """The agent tells something."""
        raise NotImplementedError
