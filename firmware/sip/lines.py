"""All lines of a user agent and their registrations: which there are, and what they must hear of.

    settings ─▶ set() ─▶ new lines, kept lines, retired lines
    network, flows, clocks, suspicions ─▶ each registration that they concern

How one line registers is in `usage/registration.py`.
"""

from collections.abc import Callable, Iterator

from firmware.sip.account import Account
from firmware.sip.auth.credentials import Keyring
from firmware.sip.core import Core
from firmware.sip.errors import LocalError
from firmware.sip.flow import Endpoint, Flow
from firmware.sip.line import Line
from firmware.sip.notifications import EventReceived, LineName, Notification
from firmware.sip.reach.keepalive import Keepalives
from firmware.sip.usage.registration import Registration

Retired = Callable[[Line, float], None]


class Lines:
    """The lines of `core.lines`; `retired` ends what else has lived on a line that is removed."""

    def __init__(self, core: Core, keepalives: Keepalives, retired: Retired) -> None:
        self._core = core
        self._keepalives = keepalives
        self._retired = retired
        self._registrations: dict[LineName, Registration] = {}

    def __len__(self) -> int:
        """How many of them have ever registered."""
        return len(self._registrations)

    def __iter__(self) -> Iterator[Registration]:
        return iter(self._registrations.values())

    def line(self, name: LineName) -> Line:
        """A line by its name.

        Raises:
            LocalError: there is no such line.
        """
        line = self._core.lines.get(name)
        if line is None:
            raise LocalError(f"there is no line {name!r}")
        return line

    def registration(self, name: LineName) -> Registration:
        """The registration of a line, from now on if it had none.

        Raises:
            LocalError: there is no such line.
        """
        line = self.line(name)
        found = self._registrations.get(name)
        if found is None:
            found = Registration(self._core, line, self._keepalives)
            self._registrations[name] = found
        return found

    def set(self, accounts: tuple[Account, ...], now: float) -> frozenset[LineName]:
        """Have exactly these lines; returns those that are new and not registered.

        Raises:
            LocalError: two lines have one name.
        """
        if len({account.line for account in accounts}) != len(accounts):
            raise LocalError("two lines have one name")
        core = self._core
        old, core.lines = core.lines, {}
        for account in accounts:
            line = old.get(account.line)
            if line is not None and line.account.is_bound_like(account):
                line.account = account
            else:
                line = self._new(account, line)
            core.lines[account.line] = line
        for name, line in old.items():
            if core.lines.get(name) is not line:
                self._retire(line, now)
        return frozenset(name for name, line in core.lines.items() if old.get(name) is not line)

    def shut_down(self, now: float) -> None:
        """Take every registration back."""
        for registration in self:
            registration.unregister(now)

    # --- what they must hear of -------------------------------------------------------------

    def clock_set(self, now: float) -> None:
        """The wall clock has been set."""
        for registration in self:
            registration.clock_set(now)

    def network_changed(self, now: float) -> None:
        """Register again everywhere, soon."""
        for registration in self:
            registration.network_changed(now)

    def seen_from_outside(self, local: Endpoint, seen: Endpoint, now: float) -> None:
        """A STUN server saw our socket `local` there: the registrars learn it if it is news."""
        if self._core.appearance.told_by_stun(local, seen):
            self.address_known(now)

    def address_known(self, now: float) -> None:
        """What we are called from outside may be another."""
        for registration in self:
            registration.address_known(now)

    def told(self, told: Notification) -> None:
        """RFC 3680: the registrar of a line says what became of its bindings, where we asked."""
        if isinstance(told, EventReceived) and told.package == "reg" and told.ref:
            registration = self._registrations.get(told.line)
            if registration is not None:
                registration.told(told.document)

    def suspect(self, line: Line, now: float) -> None:
        """Something failed as if the registrar had forgotten us (F17)."""
        registration = self._registrations.get(line.name)
        if registration is not None and registration.line is line:
            registration.suspect(now)

    def flow_probed(self, flow: Flow, now: float, *, alive: bool) -> None:
        """Silence makes us look whether we are still registered, an answer whether still there."""
        for registration in self:
            if registration.line.stands_on(flow):
                registration.probed(flow, now, alive=alive)

    def flow_lost(self, flow: Flow, now: float) -> None:
        """A connection is gone."""
        for registration in self:
            registration.flow_lost(flow, now)

    # --- helpers ----------------------------------------------------------------------------

    def _new(self, account: Account, old: Line | None) -> Line:
        tokens = self._core.tokens
        contact = account.contact_user or (old.contact_user if old else tokens.word(80))
        instance = account.instance_id or (old.instance_id if old else _urn(tokens.octets(16)))
        return Line(account, contact, instance, Keyring(account, tokens))

    def _retire(self, line: Line, now: float) -> None:
        self._retired(line, now)
        registration = self._registrations.pop(line.name, None)
        if registration is not None:
            registration.retire(now)


def _urn(octets: bytes) -> str:
    """A random UUID as a URN (RFC 4122 §4.4), for +sip.instance."""
    digits = bytearray(octets)
    digits[6] = digits[6] & 0x0F | 0x40
    digits[8] = digits[8] & 0x3F | 0x80
    text = digits.hex()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
