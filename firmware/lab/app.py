"""The practice PBX as a program: `deskphone pbx`.

It prints one line with its address when it is ready, then one for each other door, and one whenever
somebody comes or goes: who is registered. It ends on SIGTERM, SIGINT, or when whoever reads its
standard output through a pipe is gone: the demonstration that started it may be killed.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from firmware.base.tokens import Tokens
from firmware.config.schema import PhoneSettings
from firmware.lab.booth import EngineBooth
from firmware.lab.exchange import LINE, Exchange
from firmware.lab.mailbox import Mailboxes
from firmware.lab.registrar import Registrar
from firmware.net.addresses import family_of
from firmware.net.errors import NetError, PortTakenError
from firmware.net.resolver import Resolver
from firmware.net.sip_driver import SipDriver
from firmware.net.stream import Door
from firmware.phone.emergency import EMERGENCY_NUMBERS, EmergencyNumbers
from firmware.sip.account import Account
from firmware.sip.agent import AgentSettings, UserAgent
from firmware.sip.flow import TlsTerms, Transport
from firmware.sip.notifications import Notification

_LOG = logging.getLogger(__name__)
OK, FAILED, TAKEN = 0, 1, 3
HOSTS = ("127.0.0.1", "::1")
"""The practice PBX serves this machine alone: its passwords are no secrets."""
PORT = 5080


Certificate = tuple[Path, Path]
"""Files with a certificate (with its chain) and its key, PEM."""


class PracticePbx:
    """The exchange on real sockets; `say` is told who is registered, whenever that changes."""

    def __init__(self, say: Callable[[str], None] = lambda _: None) -> None:
        self._say = say
        self._registered: tuple[str, ...] = ()
        tokens = Tokens(os.urandom(32))
        self._loop = asyncio.get_running_loop()
        settings = AgentSettings(
            "deskphone practice PBX", hand_up=frozenset({"REGISTER", "MESSAGE"}), open_house=True
        )
        self._agent = UserAgent(settings, tokens)
        self._agent.notifiers.serve(Mailboxes())
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

    def port_of(self, transport: Transport) -> int:
        """The port of a door."""
        return self._driver.port_of(transport)

    async def start(self, hosts: tuple[str, ...], port: int, doors: tuple[Door, ...] = ()) -> None:
        """Listen, by UDP, TCP and through `doors` (TLS, WebSockets); then there is sound.

        Raises:
            PortTakenError: somebody else has the port.
            ListenError: it cannot be listened on.
        """
        await self._driver.listen(hosts, port)
        for door in doors:
            await self._driver.open_door(door)
        await self._booth.start()
        account = Account(
            line=LINE,
            user="pbx",
            server=f"{hosts[0]}:{self.port}",
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
        self._look()
        self._arm()

    def _due(self) -> None:
        self._timer = None
        self._exchange.fire_timers(self._loop.time())
        self._driver.settle()
        self._look()
        self._arm()

    def _look(self) -> None:
        """Say who is registered if that is news."""
        registered = self.registrar.listing(self._loop.time())
        if registered != self._registered:
            self._registered = registered
            self._say(f"registered: {', '.join(registered) or 'nobody'}")

    def _arm(self) -> None:
        now = self._loop.time()
        clocks = (self._exchange.next_deadline(), self.registrar.next_end(now))
        deadline = min((at for at in clocks if at is not None), default=None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._due)


def emergency_numbers() -> frozenset[str]:
    """Every country's: whoever practises must not learn that one of them does nothing."""
    found = (EmergencyNumbers.of(PhoneSettings(country=country)) for country in EMERGENCY_NUMBERS)
    return frozenset(number for numbers in found for number in numbers.numbers)


async def serve(port: int, hosts: tuple[str, ...], doors: tuple[Door, ...] = ()) -> int:
    """Run until a signal; returns the exit code."""
    pbx = PracticePbx(_say)
    try:
        await pbx.start(hosts, port, doors)
    except PortTakenError as error:
        return _failed(error, TAKEN)
    except NetError as error:
        return _failed(error, FAILED)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        _say(f"practice PBX at {hosts[0]}:{pbx.port}; password = user name")
        for door in doors:
            _say(f"also by {door.transport.value} at {hosts[0]}:{pbx.port_of(door.transport)}")
        _watch_reader(stop)
        await stop.wait()
    finally:
        await pbx.stop()
    return OK


def _say(words: str) -> None:
    """A line on standard output; a reader that is too slow, or gone, misses it."""
    with contextlib.suppress(BlockingIOError, BrokenPipeError):
        os.write(sys.stdout.fileno(), f"{words}\n".encode())


def _watch_reader(stop: asyncio.Event) -> None:
    """End when nobody reads a piped standard output any more."""
    output = sys.stdout.fileno()
    loop = asyncio.get_running_loop()

    def gone() -> None:
        loop.remove_reader(output)
        stop.set()

    if stat.S_ISFIFO(os.fstat(output).st_mode):
        # The writing end of a pipe is never readable, until it has no reader.
        loop.add_reader(output, gone)
        # Nor may one that never reads on stop the exchange.
        os.set_blocking(output, False)


def loopback() -> tuple[str, ...]:
    """The loopback addresses of this machine; it may have no IPv6."""
    return tuple(host for host in HOSTS if _exists(host))


def _exists(host: str) -> bool:
    with socket.socket(family_of(host), socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True


def _failed(error: Exception, code: int) -> int:
    sys.stderr.write(f"deskphone pbx: {error}\n")
    return code


def doors_of(
    port: int, *, tls: Certificate | None, ws: bool, wss: Certificate | None
) -> list[Door]:
    """The doors that were asked for: TLS one port up, WebSocket two, secure WebSocket three."""
    wanted = (
        (Transport.TLS, 1, tls is not None, tls),
        (Transport.WS, 2, ws, None),
        (Transport.WSS, 3, wss is not None, wss),
    )
    return [
        Door(kind, port and port + step, _terms(files))
        for kind, step, open_, files in wanted
        if open_
    ]


def _terms(files: Certificate | None) -> TlsTerms | None:
    return None if files is None else TlsTerms(cert=str(files[0]), key=str(files[1]))


def main(
    port: int | None,
    *,
    tls: Certificate | None = None,
    ws: bool = False,
    wss: Certificate | None = None,
) -> int:
    """`deskphone pbx`; 0 = any port that is free."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    number = PORT if port is None else port
    return asyncio.run(serve(number, loopback(), tuple(doors_of(number, tls=tls, ws=ws, wss=wss))))
