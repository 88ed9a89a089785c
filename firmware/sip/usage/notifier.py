"""Who may watch what of ours: SUBSCRIBE (RFC 6665 §4.2).

`UserAgent.notifiers` is a `Notifiers`. A room that has something to notify calls

    notifiers.serve(Service)            once; the package's name stands in its `package`
    notifiers.changed(package, line, now)   the state of that line is another now

and gives every NOTIFY its content when it leaves. SUBSCRIBEs reach us only from sources the line
trusts (A1 to A3, A21); `Service.admit` may still refuse. For a subscription inside a call's dialog
that a REFER makes see `firmware.sip.subscribing.notifying`.
"""

from typing import Final, Protocol

from firmware.sip.bodies import Rows
from firmware.sip.core import Core, Usage
from firmware.sip.dialog import Dialog, contact_of, from_arrival
from firmware.sip.errors import LocalError, ParseError
from firmware.sip.event.package import Reason, Standing
from firmware.sip.headers import values
from firmware.sip.line import Line
from firmware.sip.message import Request
from firmware.sip.methods import SUBSCRIBE
from firmware.sip.subscribing.notifying import (
    LONGEST,
    SHORTEST,
    Content,
    Notifying,
    asked_expires,
    min_expires_rows,
)
from firmware.sip.subscribing.sharing import SharedDialog, event_of
from firmware.sip.transaction.keys import Arrival
from firmware.sip.transaction.server import ServerTransaction

MOST_PER_LINE: Final = 50
_USUAL: Final = 3600


class Service(Protocol):
    """What we notify of one package."""

    @property
    def package(self) -> str:
        """Its name."""

    @property
    def media_types(self) -> tuple[str, ...]:
        """What its bodies can be, the usual one first."""

    @property
    def interval(self) -> float:
        """The least seconds between two NOTIFYs of a subscription."""

    def admit(self, line: Line, arrival: Arrival, now: float) -> int:
        """200: granted; 202: not decided yet (`Notifying.allow` later); a failure: refused."""

    def content(self, usage: Notifying, now: float) -> Content:
        """The state of `usage.line` as it is now; empty for one that is pending."""

    def on_over(self, usage: Notifying, now: float) -> None:
        """A subscription is over."""


class _Held:
    """Stands between one subscription and its service, to count those of a line."""

    def __init__(self, notifiers: "Notifiers", service: Service) -> None:
        self._notifiers = notifiers
        self.service = service

    def content(self, usage: Notifying, now: float) -> Content:
        return self.service.content(usage, now)

    def on_over(self, usage: Notifying, now: float) -> None:
        self._notifiers.forget(usage)
        self.service.on_over(usage, now)


class Notifiers:
    """All subscriptions that others have with us, and the SUBSCRIBE method."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._services: dict[str, Service] = {}
        self._usages: dict[Notifying, str] = {}
        core.outside[SUBSCRIBE] = self._outside
        core.inside[SUBSCRIBE] = self._inside

    def __len__(self) -> int:
        return len(self._usages)

    def __bool__(self) -> bool:
        return True  # also while nobody watches

    @property
    def packages(self) -> str:
        """Our Allow-Events (RFC 6665 §4.4.4)."""
        return ", ".join(self._services)

    def serve(self, service: Service) -> None:
        """Notify a package from now on.

        Raises:
            LocalError: somebody does already.
        """
        if service.package in self._services:
            raise LocalError(f"{service.package} is served already")
        self._services[service.package] = service
        self._core.allow_events = self.packages

    def watchers(self, package: str, line: Line | None = None) -> list[Notifying]:
        """The subscriptions to a package, of one line or of all."""
        return [
            usage
            for usage, name in self._usages.items()
            if name == package and line in (None, usage.line)
        ]

    def changed(self, package: str, line: Line, now: float) -> None:
        """The state of a line is another now."""
        for usage in self.watchers(package, line):
            usage.change(now)

    def line_retired(self, line: Line, now: float) -> None:
        """A line is no more: so is what could be watched of it."""
        for usage in [each for each in self._usages if each.line is line]:
            usage.end(now, Reason.NORESOURCE)

    def shut_down(self, now: float) -> None:
        """End all; they may come back when the phone does (RFC 6665 §4.1.3, probation)."""
        for usage in list(self._usages):
            usage.end(now, Reason.PROBATION, 30)

    def forget(self, usage: Notifying) -> None:
        """A subscription is over."""
        self._usages.pop(usage, None)

    # --- SUBSCRIBE --------------------------------------------------------------------------

    def _inside(self, usage: Usage, transaction: ServerTransaction, now: float) -> None:
        """A SUBSCRIBE in a call's dialog: a refresh, or a new one beside the call (RFC 5057)."""
        shared = self._core.shared.get(usage.dialog.key)
        event = event_of(transaction.arrival)
        known = isinstance(shared, SharedDialog) and event and shared.find(SUBSCRIBE, event)
        if isinstance(shared, SharedDialog) and known:
            shared.serve(transaction, now)
        else:
            self._begin(transaction, usage.line, usage.dialog, now)

    def _outside(self, transaction: ServerTransaction, line: Line, now: float) -> None:
        self._begin(transaction, line, None, now)

    def _begin(
        self, transaction: ServerTransaction, line: Line, dialog: Dialog | None, now: float
    ) -> None:
        core, arrival = self._core, transaction.arrival
        event = event_of(arrival)
        service = self._services.get(event.package) if event else None
        if event is None or service is None:
            # RFC 6665 §4.2.1.1; §4.2.3 for one without Event.
            rows = (("Allow-Events", self.packages),) if self._services else ()
            # RFC 3515 §2.4.4: only a REFER makes a subscription to how it goes.
            refer = event is not None and event.package == "refer"
            core.answer(transaction, 403 if refer else 489, now, rows)
            return
        refused = self._why_not(arrival, line, service)
        verdict = service.admit(line, arrival, now) if refused is None else refused[0]
        if verdict >= 300:
            core.answer(transaction, verdict, now, refused[1] if refused else ())
            return
        target = contact_of(arrival.request.headers)
        assert target is not None
        dialog = dialog or from_arrival(arrival, core.tokens.word(80), target)
        standing = Standing.PENDING if verdict == 202 else Standing.ACTIVE
        usage = Notifying(
            core, line, dialog, event, _Held(self, service),
            standing=standing, interval=service.interval,
        )  # fmt: skip
        self._usages[usage] = service.package
        self._accept(transaction, usage, now)

    def _accept(self, transaction: ServerTransaction, usage: Notifying, now: float) -> None:
        """200 first, the NOTIFY right behind it (RFC 6665 §4.2.1.2)."""
        core, arrival = self._core, transaction.arrival
        granted = min(asked_expires(arrival.request, _USUAL) or 0, LONGEST)
        rows = [
            ("Expires", str(granted)),
            ("Contact", core.contact(usage.line, arrival.flow)),
            ("Allow-Events", self.packages),
            *(("Record-Route", row) for row in arrival.request.headers.all("Record-Route")),
        ]
        tag = usage.dialog.local_tag
        transaction.respond(core.response(arrival, 200, tag, rows), now)
        if granted:
            usage.grant(granted, now)
            usage.notify(now)
        else:
            usage.end(now, Reason.TIMEOUT)  # RFC 6665 §4.4.3: it was a question

    def _why_not(self, arrival: Arrival, line: Line, service: Service) -> tuple[int, Rows] | None:
        request = arrival.request
        asked = asked_expires(request, _USUAL)
        if asked is None or contact_of(request.headers) is None:
            return 400, ()
        if 0 < asked < SHORTEST:
            return 423, min_expires_rows(asked)
        if not _acceptable(request, service.media_types):
            return 406, ()
        held = sum(1 for usage in self._usages if usage.line is line)
        if held >= MOST_PER_LINE:
            return 500, (("Retry-After", "60"),)
        return None


def _acceptable(request: Request, ours: tuple[str, ...]) -> bool:
    """RFC 6665 §4.1.2.1: 406 only for an Accept that names nothing we can write."""
    try:
        rows = values(request.headers, "Accept")
    except ParseError:
        return True
    if not rows:
        return True
    ranges = [each.partition(";")[0].strip().lower() for each in rows]
    kinds = {kind.partition("/")[0] + "/*" for kind in ours}
    return any(each in ours or each in kinds or each == "*/*" for each in ranges)
