"""Our own calls as others may watch them: what the dialog package tells (RFC 4235 §3.7.1).

There is no second book of calls: a document is written from the calls as they are when a NOTIFY
leaves, whole after a SUBSCRIBE and else as the difference to what was told before. Whoever may
subscribe (a source the line trusts) may know all of it but who wants to stay unnamed.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Protocol

from firmware.base.values import replace
from firmware.sip.core import Alarm, Core
from firmware.sip.errors import ParseError
from firmware.sip.event.package import Event
from firmware.sip.headers import parse_name_addr
from firmware.sip.identity.privacy import names_nobody
from firmware.sip.line import Line
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallProgress,
    CallRef,
    CallTrying,
    DialogSaved,
    FailureCause,
    IncomingCall,
    Notification,
    OfferWanted,
    Party,
)
from firmware.sip.portrait import CallPortrait, CallStage
from firmware.sip.subscribing.notifying import Content, Notifying
from firmware.sip.transaction.keys import Arrival

if TYPE_CHECKING:
    from firmware.sip.event.dialog_info import DialogEntry

Calls = Mapping[CallRef, CallPortrait]
MEDIA_TYPE: Final = "application/dialog-info+xml"
_MOST_ENDINGS: Final = 64
TELLING: Final = (
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
    media_types: Final = (MEDIA_TYPE,)
    interval: Final = 1.0
    """RFC 4235 §3.10."""

    def __init__(self, core: Core, watched: Watched) -> None:
        self._core = core
        self._watched = watched
        self._told: dict[Notifying, Calls] = {}
        # How calls ended, the latest last, until those who watch have been told.
        self._endings: dict[CallRef, CallEnded] = {}
        core.listen(self._heard, *TELLING)

    def __len__(self) -> int:
        return len(self._told)

    def admit(self, line: Line, arrival: Arrival, now: float) -> int:
        """The line trusts whoever gets this far (A2)."""
        del line, arrival, now
        return 200

    def content(self, usage: Notifying, now: float) -> Content:
        """The calls of the line, or those that the Event names (RFC 4235 §3.2).

        All of them after a SUBSCRIBE, else what has changed and what has ended (§3.7).
        """
        # Nobody needs XML before somebody watches us.
        from firmware.sip.event.dialog_info import write_dialogs  # noqa: PLC0415 - see above

        del now
        calls = self._calls(usage)
        before = {} if usage.whole else self._told.get(usage, {})
        self._told[usage] = calls
        changed = [call for ref, call in calls.items() if before.get(ref) != call]
        gone = [ref for ref in before if ref not in calls]
        full = usage.whole or not (changed or gone)
        entries = [entry_of(usage.line, call) for call in (calls.values() if full else changed)]
        entries += [_ended(usage.line, before[ref], self._endings.get(ref)) for ref in gone]
        identity = str(usage.line.identity.uri)
        return MEDIA_TYPE, write_dialogs(identity, entries, usage.sent - 1, full=full)

    def on_over(self, usage: Notifying, now: float) -> None:
        """Nothing more is told."""
        del now
        self._told.pop(usage, None)
        if not self._told:
            self._endings.clear()

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
        if not self._told:
            return
        self._core.arm(self, Alarm.THROTTLE, 0.0)
        if isinstance(notification, CallEnded):
            self._endings[notification.call] = notification
            while len(self._endings) > _MOST_ENDINGS:
                del self._endings[next(iter(self._endings))]

    def _calls(self, usage: Notifying) -> Calls:
        calls = calls_of(self._core, usage.line)
        return {ref: call for ref, call in calls.items() if _meant(call, usage.event)}


def calls_of(core: Core, line: Line) -> Calls:
    """The calls of a line as they are now."""
    portraits = {ref: call.portrait() for ref, call in core.calls.items()}
    return {ref: each for ref, each in portraits.items() if each.line is line}


def entry_of(line: Line, call: CallPortrait) -> "DialogEntry":
    """A call of the line as a dialog of a document."""
    from firmware.sip.event.dialog_info import (  # noqa: PLC0415 - as above
        DialogEntry,
        Participant,
        Phase,
    )

    us = line.identity
    # RFC 4235 §7: who does not want to be named is not to be found by the Contact either.
    target = "" if _stays_unnamed(call.remote) else call.target
    return DialogEntry(
        f"{call.call_id};{call.local_tag}",
        Phase(call.stage.value),
        call.caller,
        call.call_id,
        call.local_tag,
        call.remote_tag,
        Participant(str(us.uri), us.name),
        Participant(call.remote.uri, call.remote.name, target),
    )


def _stays_unnamed(remote: Party) -> bool:
    try:
        return names_nobody(parse_name_addr(f"<{remote.uri}>"))
    except ParseError:
        return True


def _ended(line: Line, call: CallPortrait, ending: CallEnded | None) -> "DialogEntry":
    """A dialog that was told of and is over."""
    from firmware.sip.event.dialog_info import Phase  # noqa: PLC0415 - as above

    event, code = ("", 0) if ending is None else (_event(call, ending), ending.status)
    entry = entry_of(line, call)
    return replace(entry, phase=Phase.TERMINATED, event=event, code=code)


def _event(call: CallPortrait, ending: CallEnded) -> str:
    """How it ended, in the words of RFC 4235 §3.7.1."""
    if call.stage is CallStage.CONFIRMED:
        failed = _FAILURES.get(ending.cause) if ending.cause is not None else None
        return failed or ("local-bye" if ending.by_us else "remote-bye")
    given_up = ending.status == 487 or ending.cause is FailureCause.CANCELLED
    return "cancelled" if given_up or (ending.by_us and call.caller) else "rejected"


_FAILURES: Final = {
    FailureCause.NO_ANSWER: "timeout",
    FailureCause.NO_ACK: "timeout",
    FailureCause.SESSION_LOST: "error",
}


def _meant(call: CallPortrait, event: Event) -> bool:
    """RFC 4235 §3.2: call-id, to-tag (ours) and from-tag (theirs) choose a dialog."""
    named = (
        ("call-id", call.call_id),
        ("to-tag", call.local_tag),
        ("from-tag", call.remote_tag),
    )
    return all(event.param(name) in (None, value) for name, value in named)
