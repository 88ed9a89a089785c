"""Keeps the user agent informed of where a STUN server sees the phone.

Asked at start, after every change of the network, and now and then; how long the NAT remembers is
measured once for each network. A phone that is not behind one learns just that.
"""

import asyncio
import contextlib
import logging

from firmware.base.phrase import phrase
from firmware.base.tokens import Tokens
from firmware.net.locate import Place, locate_stun
from firmware.net.resolver import LookUpError
from firmware.net.sip_driver import SipDriver
from firmware.net.stun_client import StunClient, binding_life

_LOG = logging.getLogger(__name__)
_AGAIN_SECONDS = 600.0
_AFTER_FAILURE = 60.0


class OuterAddress:
    """One STUN server, `host[:port]` or a domain."""

    def __init__(self, server: str, driver: SipDriver, tokens: Tokens) -> None:
        self._server = server
        self._driver = driver
        self._tokens = tokens
        self._client = StunClient(driver.send_foreign, tokens)
        self._tasks: list[asyncio.Task[None]] = []
        self._told: tuple[str, str] | None = None
        driver.foreign = self._client.receive
        self.restart()

    def restart(self) -> None:
        """Ask anew: the network is another one."""
        self.stop()
        self._tasks = [asyncio.get_running_loop().create_task(self._ask_for_ever())]

    def stop(self) -> None:
        """Ask no more."""
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    async def _ask_for_ever(self) -> None:
        measured = False
        while True:
            place = await self._ask()
            if place is not None and not measured:
                measured = True
                await self._measure(place)
            await asyncio.sleep(_AGAIN_SECONDS if place is not None else _AFTER_FAILURE)

    async def _ask(self) -> Place | None:
        """Ask the first server that answers; gives it if we are behind a NAT."""
        try:
            places = await locate_stun(self._server, self._driver)
        except LookUpError as error:
            _LOG.info(phrase("log.stun_silent", server=self._server, reason=error))
            return None
        for place in places:
            local = self._driver.endpoint_for(place.local)
            seen = await self._client.ask(local, place.remote)
            if seen is not None:
                self._say(str(local), str(seen))
                self._driver.seen_from_outside(local, seen)
                return place if seen != local else None
        _LOG.info(phrase("log.stun_silent", server=self._server, reason="–"))
        return None

    async def _measure(self, place: Place) -> None:
        with contextlib.suppress(OSError):
            life = await binding_life(place.remote, self._tokens)
            if life:
                _LOG.info(phrase("log.nat_remembers", seconds=round(life)))
                self._driver.agent.binding_life(life)

    def _say(self, local: str, seen: str) -> None:
        if self._told != (local, seen):
            self._told = (local, seen)
            _LOG.info(phrase("log.seen_from_outside", local=local, seen=seen))
