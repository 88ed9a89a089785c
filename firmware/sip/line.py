"""An account at work: what a line has learned since the phone started."""

from typing import Final

from msgspec import Struct, field

from firmware.sip.account import Account, Home
from firmware.sip.auth.credentials import Keyring
from firmware.sip.flow import Flow, Target
from firmware.sip.headers import NameAddr
from firmware.sip.notifications import LineName
from firmware.sip.uri import Uri


class Standing(Struct, frozen=True):
    """A registration that stands: over which flow, at which of the account's homes, what it gave.

    `service_route` is RFC 3608's, in its order. `gruu` and `temp_gruu` are URIs as the registrar
    wrote them, which is how they must be used (RFC 5627 §4.2); empty if it gave none. `outbound`
    says that the registrar routes by flow (RFC 5626 §4.2.1).
    """

    flow: Flow
    home: Home
    service_route: tuple[NameAddr, ...] = ()
    gruu: str = ""
    temp_gruu: str = ""
    outbound: bool = False


_MOST_ROUTES: Final = 10


class Line(Struct, eq=False):
    """One line.

    `standings` are its registrations that stand, by the number of the home; `targets` are the last
    addresses its server had, `servers` the hosts among them: who may see a digest of ours.
    """

    account: Account
    contact_user: str
    instance_id: str
    keyring: Keyring
    standings: dict[int, Standing] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    servers: set[str] = field(default_factory=set)

    @property
    def name(self) -> LineName:
        """The name of the line."""
        return self.account.line

    @property
    def standing(self) -> Standing | None:
        """The registration that is used: the first of the account's homes that stands."""
        return self.standings[min(self.standings)] if self.standings else None

    @property
    def home(self) -> Home:
        """The registrar and outbound proxy in use; the account's first while none stands."""
        standing = self.standing
        return standing.home if standing else self.account.homes[0]

    @property
    def registrar_flow(self) -> Flow | None:
        """The way of the registration in use."""
        standing = self.standing
        return standing.flow if standing else None

    @property
    def identity(self) -> NameAddr:
        """Our address of record at the registrar in use, with the display name."""
        return self.account.identity_at(self.home.server)

    def stands_on(self, flow: Flow) -> bool:
        """Whether a registration of the line stands on this flow."""
        return any(standing.flow == flow for standing in self.standings.values())

    def target(self, text: str) -> Uri:
        """A thing dialled as a URI, at the registrar in use.

        Raises:
            LocalError: it cannot be called.
        """
        return self.account.target(text, self.home.server)

    def routes(self) -> tuple[NameAddr, ...]:
        """The route set of requests outside dialogs: outbound proxy, then the service route.

        RFC 3608 §6.1: the order of the service route is kept, and it comes after the hop that
        leads out of our network. A route that begins with that hop is not led through it twice.
        """
        standing, proxy = self.standing, self.home.proxy
        service = standing.service_route if standing else ()
        if proxy is None or (service and same_hop(service[0].uri, proxy)):
            return service
        return (NameAddr("", proxy), *service[:_MOST_ROUTES])

    def serves(self, host: str) -> bool:
        """Whether `host` (name or address) is a registrar or outbound proxy of the line."""
        return any(host in home.hosts for home in self.account.homes)

    def routes_through(self, host: str) -> bool:
        """Whether the registrar told us to send our requests to `host` first (RFC 3608)."""
        return any(
            each.service_route and each.service_route[0].uri.host == host
            for each in self.standings.values()
        )

    def trusts_with_digest(self, flow: Flow) -> bool:
        """Whether the far end of `flow` may see a digest made with the line's password (A6)."""
        return flow.remote.host in self.servers


def same_hop(one: Uri, other: Uri) -> bool:
    """Whether two routes lead to the same next hop."""
    return (
        one.host.lower() == other.host.lower()
        and (one.port or 0) == (other.port or 0)
        and one.transport in (None, other.transport or "udp")
    )
