"""An account at work: what a line has learned since the phone started."""

from dataclasses import dataclass, field

from firmware.sip.account import Account
from firmware.sip.credentials import Keyring
from firmware.sip.flow import Flow, Target
from firmware.sip.notifications import LineName


@dataclass(slots=True, eq=False)
class Line:
    """One line.

    `registrar_flow` is the way the last successful REGISTER went; `targets` are the last
    addresses its server had, `servers` the hosts among them: who may see a digest of ours.
    """

    account: Account
    contact_user: str
    instance_id: str
    keyring: Keyring
    registrar_flow: Flow | None = None
    targets: tuple[Target, ...] = ()
    servers: set[str] = field(default_factory=set)

    @property
    def name(self) -> LineName:
        """The name of the line."""
        return self.account.line

    def serves(self, host: str) -> bool:
        """Whether `host` (name or address) is the line's server or outbound proxy."""
        account = self.account
        proxy = account.proxy_uri
        return host == account.server_uri.host or (proxy is not None and host == proxy.host)

    def trusts_with_digest(self, flow: Flow) -> bool:
        """Whether the far end of `flow` may see a digest made with the line's password (A6)."""
        return flow.remote.host in self.servers
