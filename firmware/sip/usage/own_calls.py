"""Our own calls as others may watch them: what the dialog package tells (RFC 4235 §3.7.1).

There is no second book of calls: a document is written from the calls as they are when a NOTIFY
leaves, always whole. Whoever may subscribe (a source the line trusts) may know all of it.
"""

from typing import Final, Protocol

from firmware.sip.core import Alarm, Core
from firmware.sip.event.package import Event
from firmware.sip.line import Line
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallProgress,
    CallTrying,
    DialogSaved,
    IncomingCall,
    Notification,
    OfferWanted,
)
from firmware.sip.portrait import CallPortrait
from firmware.sip.subscribing.notifying import Content, Notifying
from firmware.sip.transaction.keys import Arrival

_MEDIA_TYPE: Final = "application/dialog-info+xml"
_TELLING: Final = (
    CallTrying,
    CallProgress,
    CallAnswered,
    CallEnded,
    DialogSaved,
    IncomingCall,
    OfferWanted,
)


class Watched(Protocol):
    """The subscriptions that others have with us."""

    def watchers(self, package: str, line: Line | None = None) -> list[Notifying]:
        """Those to a package."""


class OwnCalls:
    """A service of `Notifiers`."""

    package: Final = "dialog"
    media_types: Final = (_MEDIA_TYPE,)
    interval: Final = 1.0
    """RFC 4235 §3.10."""

    def __init__(self, core: Core, watched: Watched) -> None:
        self._core = core
        self._watched = watched
        self._told: dict[Notifying, tuple[CallPortrait, ...]] = {}
        core.listen(self._heard, *_TELLING)

    def __len__(self) -> int:
        return len(self._told)

    def admit(self, line: Line, arrival: Arrival, now: float) -> int:
        """The line trusts whoever gets this far (A2)."""
        del line, arrival, now
        return 200

    def content(self, usage: Notifying, now: float) -> Content:
        """All calls of the line, or those that the Event names (RFC 4235 §3.2)."""
        # Nobody needs XML before somebody watches us.
        from firmware.sip.event.dialog_info import (  # noqa: PLC0415 - see above
            DialogEntry,
            Participant,
            Phase,
            write_dialogs,
        )

        del now
        calls = self._calls(usage)
        self._told[usage] = calls
        us = usage.line.identity
        entries = [
            DialogEntry(
                f"{call.call_id};{call.local_tag}",
                Phase(call.stage.value),
                call.caller,
                call.call_id,
                call.local_tag,
                call.remote_tag,
                Participant(str(us.uri), us.name),
                Participant(call.remote.uri, call.remote.name, call.target),
            )
            for call in calls
        ]
        return _MEDIA_TYPE, write_dialogs(str(us.uri), entries, usage.sent - 1)

    def on_over(self, usage: Notifying, now: float) -> None:
        """Nothing more is told."""
        del now
        self._told.pop(usage, None)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        """Something happened to a call."""
        del alarm
        self.look(now)

    def look(self, now: float) -> None:
        """Tell everybody who would read something new."""
        for usage in self._watched.watchers(self.package):
            if self._told.get(usage) != self._calls(usage):
                usage.change(now)

    def _heard(self, notification: Notification) -> None:
        del notification
        if self._told:
            self._core.arm(self, Alarm.THROTTLE, 0.0)

    def _calls(self, usage: Notifying) -> tuple[CallPortrait, ...]:
        portraits = (call.portrait() for call in self._core.calls.values())
        return tuple(
            each for each in portraits if each.line is usage.line and _meant(each, usage.event)
        )


def _meant(call: CallPortrait, event: Event) -> bool:
    """RFC 4235 §3.2: call-id, to-tag (ours) and from-tag (theirs) choose a dialog."""
    named = (
        ("call-id", call.call_id),
        ("to-tag", call.local_tag),
        ("from-tag", call.remote_tag),
    )
    return all(event.param(name) in (None, value) for name, value in named)
