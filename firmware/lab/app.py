"""The practice PBX as a program: `deskphone pbx`.

It prints one line with its address when it is ready, and ends on SIGTERM, SIGINT, or when whoever
started it with `--port 0` closes its standard output.
"""

import asyncio
import logging
import os
import signal
import sys

from firmware.base.tokens import Tokens
from firmware.config.schema import PhoneSettings
from firmware.lab.booth import EngineBooth
from firmware.lab.exchange import LINE, Exchange
from firmware.lab.registrar import Registrar
from firmware.net.errors import PortTakenError
from firmware.net.resolver import Resolver
from firmware.net.sip_driver import SipDriver
from firmware.phone.emergency import EMERGENCY_NUMBERS, EmergencyNumbers
from firmware.sip.account import Account
from firmware.sip.agent import AgentSettings, UserAgent
from firmware.sip.notifications import Notification

_LOG = logging.getLogger(__name__)
TAKEN = 3
HOST = "127.0.0.1"


class PracticePbx:
    """The exchange on real sockets."""

    def __init__(self) -> None:
        tokens = Tokens(os.urandom(32))
        self._loop = asyncio.get_running_loop()
        settings = AgentSettings(
            "deskphone practice PBX", hand_up=frozenset({"REGISTER"}), open_house=True
        )
        self._agent = UserAgent(settings, tokens)
        self._booth = EngineBooth(tokens)
        self.registrar = Registrar(tokens)
        self._exchange = Exchange(self._agent, self.registrar, self._booth, emergency_numbers())
        resolver = Resolver(self._loop.time)
        self._driver = SipDriver(self._agent, resolver, tokens, self._notified)
        self._timer: asyncio.TimerHandle | None = None

    @property
    def port(self) -> int:
        """The SIP port."""
        return self._driver.port

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            PortTakenError: somebody else has the port.
        """
        await self._driver.listen((host,), port)
        await self._booth.start()
        account = Account(
            line=LINE,
            user="pbx",
            server=f"{host}:{self.port}",
            register=False,
            accept_any_user=True,
        )
        self._agent.set_lines((account,), self._loop.time())
        self._driver.settle()

    async def stop(self) -> None:
        """End every call."""
        if self._timer is not None:
            self._timer.cancel()
        self._agent.shut_down(self._loop.time())
        self._driver.settle()
        await self._booth.stop()
        await self._driver.close()

    def _notified(self, notification: Notification) -> None:
        self._exchange.handle(notification, self._loop.time())
        self._arm()

    def _due(self) -> None:
        self._timer = None
        self._exchange.fire_timers(self._loop.time())
        self._driver.settle()
        self._arm()

    def _arm(self) -> None:
        deadline = self._exchange.next_deadline()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._due)


def emergency_numbers() -> frozenset[str]:
    """Every country's: whoever practises must not learn that one of them does nothing."""
    found = (EmergencyNumbers.of(PhoneSettings(country=country)) for country in EMERGENCY_NUMBERS)
    return frozenset(number for numbers in found for number in numbers.numbers)


async def serve(port: int, host: str = HOST) -> int:
    """Run until a signal; returns the exit code."""
    pbx = PracticePbx()
    try:
        await pbx.start(host, port)
    except PortTakenError as error:
        sys.stderr.write(f"deskphone pbx: {error}\n")
        return TAKEN
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    sys.stdout.write(f"practice PBX at {host}:{pbx.port}; password = user name\n")
    sys.stdout.flush()
    await stop.wait()
    await pbx.stop()
    return 0


def main(port: int) -> int:
    """`deskphone pbx`."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    return asyncio.run(serve(port))
