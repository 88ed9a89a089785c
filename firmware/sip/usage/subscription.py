"""Subscriptions that are to stand for good (RFC 6665 §4.1), and the NOTIFY method.

`UserAgent.subscriptions` is a `Subscriptions`:

    subscribe(ref, line, package, now, target="", event_id=None, expires=None, once=False, …)
    refresh(ref, now)          the whole state again, now
    unsubscribe(ref, now)      SubscriptionChanged(ENDED) at once; the network learns it after

What arrives is told as `SubscriptionChanged` and `EventReceived`; how a subscription is kept up is
`sip.subscribing.watch`. It follows the line: registered anew over another way, it is refreshed
over it.

For a subscription inside a call's dialog (REFER) see `sip.subscribing.subscribed`: NOTIFYs inside
calls find it by themselves.
"""

from collections.abc import Callable

from firmware.sip.bodies import Rows
from firmware.sip.core import Alarm, Core, Usage
from firmware.sip.errors import LocalError
from firmware.sip.event.package import Event
from firmware.sip.event.table import PACKAGES, package
from firmware.sip.flow import Flow
from firmware.sip.line import Line
from firmware.sip.methods import NOTIFY
from firmware.sip.notifications import (
    LineName,
    Notification,
    RegistrationChanged,
    RegistrationState,
    SubscriptionRef,
)
from firmware.sip.subscribing.sharing import SharedDialog, event_of
from firmware.sip.subscribing.watch import Subscription, Wish
from firmware.sip.transaction.server import ServerTransaction
from firmware.sip.uri import Params

Unsolicited = Callable[[ServerTransaction, Line, Event, float], None]
InCall = Callable[[Usage, ServerTransaction, Event, float], None]


class Subscriptions:
    """All subscriptions of a user agent, and the NOTIFY method."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._by_ref: dict[SubscriptionRef, Subscription] = {}
        self._ways: dict[LineName, Flow] = {}
        # NOTIFYs outside dialogs, by package: who takes those that a server sends unasked.
        self.unsolicited: dict[str, Unsolicited] = {}
        self.in_calls: dict[str, InCall] = {}
        core.listen(self._registered, RegistrationChanged)
        core.outside[NOTIFY] = self._outside
        core.inside[NOTIFY] = self._inside

    def __len__(self) -> int:
        return len(self._by_ref)

    def __contains__(self, ref: SubscriptionRef) -> bool:
        return ref in self._by_ref

    def __bool__(self) -> bool:
        return True  # also while nothing is watched

    def subscribe(  # noqa: PLR0913 - what a subscription is made of
        self,
        ref: SubscriptionRef,
        line: LineName,
        package_name: str,
        now: float,
        *,
        target: str = "",
        event_id: str | None = None,
        params: Params = (),
        expires: int | None = None,
        accept: tuple[str, ...] = (),
        headers: Rows = (),
        once: bool = False,
        lists: bool = False,
    ) -> None:
        """Watch `target` (a number, user part or URI; the line itself if empty).

        `params` are further parameters of the Event header; `accept` replaces the package's media
        types; `headers` are added to every SUBSCRIBE. With
        `once` the state is fetched and the subscription ends. With `lists` the target may be a
        list of resources (RFC 4662): then documents are `ResourceList`s.

        Raises:
            LocalError: no such line or package, the name is taken, or the target is no address.
        """
        found = package(package_name)
        owner = self._core.lines.get(line)
        if found is None or owner is None:
            raise LocalError(f"there is no line {line!r} or no package {package_name!r}")
        if ref in self._by_ref:
            raise LocalError(f"there is a subscription {ref!r} already")
        if lists:
            from firmware.sip.event.resource_list import (  # noqa: PLC0415 - few watch lists
                OPTION,
                as_list,
            )

            found, headers = as_list(found), (*headers, ("Supported", OPTION))
        uri = owner.target(target) if target else owner.identity.uri
        wish = Wish(
            ref,
            found,
            uri,
            Event(package_name, event_id, params),
            accept or found.accept,
            0 if once else (found.expires if expires is None else expires),
            once,
            headers,
        )
        subscription = Subscription(self._core, owner, wish, self._forget)
        self._by_ref[ref] = subscription
        subscription.start(now)

    def refresh(self, ref: SubscriptionRef, now: float) -> None:
        """Fetch the whole state again, or try again now. Nothing if there is none of that name."""
        found = self._by_ref.get(ref)
        if found is not None:
            found.refresh(now)

    def unsubscribe(self, ref: SubscriptionRef, now: float) -> None:
        """End a subscription. Nothing if there is none of that name."""
        found = self._by_ref.get(ref)
        if found is not None:
            found.end(now)

    # --- what the user agent tells ----------------------------------------------------------

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        """A line was registered: what waits tries again, what stands moves to the new way."""
        del alarm
        for line in self._core.lines.values():
            flow = line.registrar_flow
            if flow is None or self._ways.get(line.name) == flow:
                continue
            self._ways[line.name] = flow
            for subscription in list(self._by_ref.values()):
                if subscription.line is line:
                    subscription.refresh(now)

    def _registered(self, notification: Notification) -> None:
        match notification:
            case RegistrationChanged(state=RegistrationState.REGISTERED):
                self._core.arm(self, Alarm.REFRESH, 0.0)
            case RegistrationChanged(line=line, state=RegistrationState.FAILED):
                # A server that was away may have forgotten our subscriptions too (F17).
                self._ways.pop(line, None)
            case _:
                pass

    def line_retired(self, line: Line, now: float) -> None:
        """A line is removed or has become another."""
        self._ways.pop(line.name, None)
        for subscription in list(self._by_ref.values()):
            if subscription.line is line:
                subscription.end(now)

    def shut_down(self, now: float) -> None:
        """End all."""
        for subscription in list(self._by_ref.values()):
            subscription.end(now)

    # --- NOTIFY -----------------------------------------------------------------------------

    def _inside(self, usage: Usage, transaction: ServerTransaction, now: float) -> None:
        """A NOTIFY in a call's dialog."""
        shared = self._core.shared.get(usage.dialog.key)
        event = event_of(transaction.arrival)
        serve = self.in_calls.get(event.package) if event else None
        if isinstance(shared, SharedDialog) and event and shared.find(NOTIFY, event):
            shared.serve(transaction, now)
        elif event is not None and serve is not None:
            serve(usage, transaction, event, now)
        else:
            self._nobodys(transaction, now)

    def _outside(self, transaction: ServerTransaction, line: Line, now: float) -> None:
        """A NOTIFY outside dialogs, from somebody the line trusts."""
        event = event_of(transaction.arrival)
        serve = self.unsolicited.get(event.package) if event else None
        if event is not None and serve is not None:
            serve(transaction, line, event, now)
        else:
            self._nobodys(transaction, now)

    def _nobodys(self, transaction: ServerTransaction, now: float) -> None:
        """RFC 6665 §4.1.3: 481, or 489 for a package that we do not know at all."""
        event = event_of(transaction.arrival)
        known = event is not None and (event.package in PACKAGES or event.package == "refer")
        self._core.answer(transaction, 481 if known else 489, now)

    def _forget(self, subscription: Subscription) -> None:
        self._by_ref.pop(subscription.wish.ref, None)
