"""`firmware.sip` for programs of one's own: a user agent on sockets, and a queue of what it says.

    async with running(Account(LineName("me"), "201", "pbx.example", "secret")) as phone:
        phone.do(lambda now: phone.agent.register(LineName("me"), now))
        async for notification in phone:
            ...

Decides nothing. Who has a loop of another kind drives `UserAgent` directly (docs/sip.md); the
phone itself does not use this module.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from typing import Self, TypeVar

from firmware.base.tokens import Tokens
from firmware.net.resolver import Resolver
from firmware.net.sip_driver import SipDriver
from firmware.sip.account import Account
from firmware.sip.agent import AgentSettings, UserAgent
from firmware.sip.notifications import Notification

GOODBYE_SECONDS = 2.0
"""How long far ends have, at the end, to answer our BYEs and de-registrations."""
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - a phone listens
Given = TypeVar("Given")
Heard = TypeVar("Heard")


class Runner:
    """One user agent; iterate over it for its notifications."""

    def __init__(self, settings: AgentSettings) -> None:
        self._loop = asyncio.get_running_loop()
        self._said: asyncio.Queue[Notification] = asyncio.Queue()
        tokens = Tokens(os.urandom(32))
        self.agent = UserAgent(settings, tokens)
        self.driver = SipDriver(
            self.agent, Resolver(self._loop.time), tokens, self._said.put_nowait
        )

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Notification:
        return await self._said.get()

    def do(self, intent: Callable[[float], Given]) -> Given:
        """Tell the agent something, at this moment, and perform what follows.

        Raises:
            LocalError: the intent makes no sense.
        """
        try:
            return intent(self._loop.time())
        finally:
            self.driver.settle()

    async def until(self, kind: type[Heard], seconds: float | None = None) -> Heard:
        """The next notification of this kind; others before it are passed over.

        Raises:
            TimeoutError: none came in time.
        """
        async with asyncio.timeout(seconds):
            async for notification in self:
                if isinstance(notification, kind):
                    return notification
        raise AssertionError("the queue has no end")

    async def close(self) -> None:
        """End every call and registration, tell the far ends, release the sockets."""
        self.do(self.agent.shut_down)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                while not self.agent.settled:  # noqa: ASYNC110 - the stack is pure and sets no event
                    await asyncio.sleep(0.01)
        await self.driver.close()


@contextlib.asynccontextmanager
async def running(
    *accounts: Account,
    hosts: tuple[str, ...] = _EVERYWHERE,
    port: int = 0,
    settings: AgentSettings | None = None,
) -> AsyncIterator[Runner]:
    """A user agent with these lines on UDP and TCP at `port` of `hosts` (0 = any free port).

    Raises:
        PortTakenError: the port is in use.
        ListenError: an address cannot be listened on.
        LocalError: two lines have one name.
    """
    runner = Runner(settings or AgentSettings())
    try:
        await runner.driver.listen(hosts, port)
        runner.do(lambda now: runner.agent.set_lines(accounts, now))
        yield runner
    finally:
        await runner.close()
