"""NOTIFYs that nobody asked for: messages wait, read your configuration again (A5).

Many servers send message-summary, check-sync and ua-profile outside any subscription. All come from
sources that the line trusts; what only lights a lamp is taken from them. An order to read the
configuration could be forged by whoever forges the server's address in a datagram, so it must come

- in a dialog of ours, or
- over the connection the line registered by, or TLS from its server, or
- with a digest made with the line's password (we challenge).

It is never acted on in a call, and at most once a minute for each line: what comes sooner or in a
call is told once, when that is over.
"""

from collections.abc import Callable
from typing import Final, Protocol

from firmware.sip.auth.gatekeeper import Gatekeeper
from firmware.sip.core import Alarm, Core, Usage
from firmware.sip.event.package import BodyError, Event, kind_of
from firmware.sip.line import Line
from firmware.sip.notifications import (
    ConfigCheckAsked,
    EventReceived,
    LineName,
    Notification,
    ProfileUrl,
    SubscriptionRef,
)
from firmware.sip.transaction.server import ServerTransaction

_EVENTS: Final = frozenset({"check-sync", "resync", "reboot"})
"""Nobody wrote an RFC for these; `check-sync;reboot=true` is the usual way to ask for a restart."""
_BETWEEN: Final = 60.0
_IN_CALL: Final = 5.0

Order = ConfigCheckAsked | ProfileUrl


class Tables(Protocol):
    """Who takes NOTIFYs that belong to no subscription: outside dialogs, and in calls."""

    @property
    def unsolicited(self) -> dict[str, Callable[[ServerTransaction, Line, Event, float], None]]:
        """By package, from a source the line trusts."""

    @property
    def in_calls(self) -> dict[str, Callable[[Usage, ServerTransaction, Event, float], None]]:
        """By package, in the dialog of a call."""


class Unasked:
    """Serves them."""

    def __init__(self, core: Core, tables: Tables) -> None:
        self._core = core
        self._waiting: dict[tuple[LineName, type[Order]], Order] = {}
        self._told: dict[tuple[LineName, type[Order]], float] = {}
        self._gatekeepers: dict[LineName, Gatekeeper] = {}
        tables.unsolicited["message-summary"] = self._summary
        for name in (*_EVENTS, "ua-profile"):
            tables.unsolicited[name] = self._outside
            tables.in_calls[name] = self._inside
        core.listen(self._heard, EventReceived)

    def __len__(self) -> int:
        return len(self._waiting)

    # --- a lamp -----------------------------------------------------------------------------

    def _summary(
        self, transaction: ServerTransaction, line: Line, event: Event, now: float
    ) -> None:
        """RFC 3842 §3.5, from the line's own server, whether subscribed or not."""
        # The phone has it loaded; who only registers and calls needs none of these.
        from firmware.sip.event.message_summary import (  # noqa: PLC0415 - see above
            MEDIA_TYPE,
            read_summary,
        )

        core, request = self._core, transaction.arrival.request
        kind = kind_of(request.headers.get("Content-Type") or MEDIA_TYPE)
        if request.body and kind != MEDIA_TYPE:
            core.answer(transaction, 415, now, [("Accept", MEDIA_TYPE)])
            return
        try:
            document = read_summary(request.body) if request.body else None
        except BodyError:
            core.answer(transaction, 400, now)
            return
        core.answer(transaction, 200, now)
        if document is not None:
            core.notify(EventReceived(SubscriptionRef(""), line.name, event.package, document))

    # --- orders -----------------------------------------------------------------------------

    def _inside(
        self, usage: Usage, transaction: ServerTransaction, event: Event, now: float
    ) -> None:
        """One in the dialog of a call."""
        self._take(transaction, usage.line, event, now)

    def _outside(
        self, transaction: ServerTransaction, line: Line, event: Event, now: float
    ) -> None:
        if self._believed(transaction, line, now):
            self._take(transaction, line, event, now)

    def _believed(self, transaction: ServerTransaction, line: Line, now: float) -> bool:
        """A5; a request that is not is challenged with 401."""
        core, arrival = self._core, transaction.arrival
        flow = arrival.flow
        if flow.transport.reliable and flow == line.registrar_flow:
            return True
        if flow.transport.secure and line.trusts_with_digest(flow):
            return True
        gatekeeper = self._gatekeeper(line)
        if gatekeeper is not None and gatekeeper.admits(arrival.request, now) is not None:
            return True
        if gatekeeper is None:
            core.answer(transaction, 403, now)  # without a password nobody can prove anything
        else:
            core.answer(transaction, 401, now, gatekeeper.challenges(arrival.request, now))
        return False

    def _gatekeeper(self, line: Line) -> Gatekeeper | None:
        account = line.account
        if not account.password:
            return None
        found = self._gatekeepers.get(line.name)
        if found is None:
            realm = account.realm or account.server_uri.host
            user = account.auth_user or account.user
            found = Gatekeeper(realm, {user: account.password}, self._core.tokens)
            self._gatekeepers[line.name] = found
        return found

    def _take(self, transaction: ServerTransaction, line: Line, event: Event, now: float) -> None:
        if event.package in _EVENTS:
            restart = event.package == "reboot" or event.param("reboot") == "true"
            order: Order | None = ConfigCheckAsked(line.name, restart=restart)
        else:
            order = self._profile(transaction, line, now)
        if order is not None:
            self._core.answer(transaction, 200, now)
            self._told_or_kept(order, now)

    def _profile(self, transaction: ServerTransaction, line: Line, now: float) -> ProfileUrl | None:
        """What a NOTIFY names, None if it was refused."""
        from firmware.sip.event.ua_profile import PACKAGE, ProfileReader  # noqa: PLC0415 - rare

        request = transaction.arrival.request
        kind = request.headers.get("Content-Type") or ""
        if kind_of(kind) not in PACKAGE.accept:
            accept = [("Accept", ", ".join(PACKAGE.accept))]
            self._core.answer(transaction, 415, now, accept)
            return None
        try:
            return ProfileUrl(line.name, ProfileReader().read(kind, request.body).url)
        except BodyError:
            self._core.answer(transaction, 400, now)
            return None

    def _heard(self, notification: Notification) -> None:
        """A profile by subscription counts as much."""
        if not isinstance(notification, EventReceived) or notification.package != "ua-profile":
            return
        from firmware.sip.event.ua_profile import Profile  # noqa: PLC0415 - it is loaded by now

        line, document = notification.line, notification.document
        if isinstance(document, Profile):
            self._waiting[line, ProfileUrl] = ProfileUrl(line, document.url)
            self._core.arm(self, Alarm.THROTTLE, 0.0)

    def _told_or_kept(self, order: Order, now: float) -> None:
        self._waiting[order.line, type(order)] = order
        self.on_alarm(Alarm.THROTTLE, now)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        """Tell what may be told."""
        del alarm
        core = self._core
        self._core.disarm(self, Alarm.THROTTLE)
        self._told = {key: at for key, at in self._told.items() if now - at < _BETWEEN}
        for key, order in list(self._waiting.items()):
            if core.calls or key in self._told:
                core.arm(self, Alarm.THROTTLE, now + _IN_CALL)
                continue
            del self._waiting[key]
            self._told[key] = now
            core.notify(order)
