"""The SIP half of the phone: up first, so that a phone can be called while the rest still loads.

Nothing here knows the phone machine. What the stack says before somebody listens is kept.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from firmware.base.phrase import phrase
from firmware.base.tokens import Tokens
from firmware.config.schema import ListenTlsSettings, Settings
from firmware.net.link_error import LinkError
from firmware.net.resolver import Recollection, Resolver
from firmware.net.sip_driver import SipDriver
from firmware.net.stream import Door
from firmware.runtime.accounts import Identities, accounts_of, nat_rules
from firmware.runtime.trace import Trace
from firmware.sip.agent import AgentSettings, UserAgent
from firmware.sip.flow import Flow, TlsTerms, Transport
from firmware.sip.notifications import Notification

_LOG = logging.getLogger(__name__)
_FIRST_LOOK_UP = 0.02
GOODBYE_SECONDS = 2.0
"""How long BYE and de-registration may take at the end."""
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - a phone listens


class Signalling:
    """User agent, resolver, driver and the trace for the ladder."""

    def __init__(
        self,
        product: str,
        tokens: Tokens,
        identities: Identities,
        names: Recollection | None = None,
    ) -> None:
        self._clock = asyncio.get_running_loop().time
        self._identities = identities
        self._early: list[Notification] = []
        self._notify: Callable[[Notification], None] = self._early.append
        self.trace = Trace()
        self.resolver = Resolver(self._clock, recollection=names, tokens=tokens)
        self.agent = UserAgent(AgentSettings(product), tokens)
        self.driver = SipDriver(self.agent, self.resolver, tokens, self._notified, self._traced)

    async def start(self, settings: Settings, orphans: tuple[bytes, ...]) -> None:
        """Listen, end what an earlier life left behind, register.

        Raises:
            PortTakenError: somebody else has the port.
        """
        network = settings.network
        await self.driver.listen(network.bind or EVERYWHERE, network.sip_port, network.dscp_sip)
        if network.tls.cert:
            await self._listen_for_tls(network.tls)
        now = self._clock()
        for snapshot in orphans:
            self.agent.end_orphan(snapshot, now)
        self.use_nat(settings)
        self.use_lines(settings)
        self.driver.settle()
        # A literal address is "looked up" at once: that REGISTER shall leave before anything else.
        await self.driver.caught_up(_FIRST_LOOK_UP)

    async def _listen_for_tls(self, wanted: ListenTlsSettings) -> None:
        terms = TlsTerms(ca=wanted.ca, cert=wanted.cert, key=wanted.key)
        try:
            await self.driver.open_door(Door(Transport.TLS, wanted.port, terms))
        except LinkError as error:
            # A phone that nobody can call by TLS is still a phone.
            _LOG.error(phrase("log.no_tls_door", reason=error))

    async def say_goodbye(self) -> None:
        """End every call, take every registration back; returns when the far ends know."""
        self.agent.shut_down(self._clock())
        self.driver.settle()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                while not self.agent.settled:  # noqa: ASYNC110 - the stack is pure and sets no event
                    await asyncio.sleep(0.01)

    def use_nat(self, settings: Settings) -> None:
        """Be called as the settings say by far ends behind a router."""
        self.agent.use_nat(nat_rules(settings), self._clock())

    def use_lines(self, settings: Settings) -> None:
        """Exactly these lines; each that is new or another, and has a registrar, registers."""
        now = self._clock()
        accounts = accounts_of(settings, self._identities)
        fresh = self.agent.set_lines(accounts, now)
        for account in accounts:
            if account.register and account.line in fresh:
                self.agent.register(account.line, now)

    def listen_with(self, notify: Callable[[Notification], None]) -> None:
        """Hand every notification to `notify` from now on, those that waited first."""
        self._notify = notify
        early, self._early = self._early, []
        for notification in early:
            notify(notification)

    def _notified(self, notification: Notification) -> None:
        self._notify(notification)

    def _traced(self, sent: bool, data: bytes, flow: Flow) -> None:  # noqa: FBT001 - a direction
        self.trace.note(sent, data, flow, self._clock())
