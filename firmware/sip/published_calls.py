"""Our calls kept at the server for others to watch: the dialog package by PUBLISH (RFC 3903 §4.1).

For servers that do not see calls themselves, or not all. A line of which `Account.publish_calls`
says so publishes its calls, always whole (RFC 4235 §3.10: a server puts together what several
phones of a user publish), as long as it is registered. Who is sent what by us directly is
`firmware.sip.usage.own_calls`.
"""

from typing import Final

from firmware.sip.core import Alarm, Core
from firmware.sip.line import Line
from firmware.sip.names import LineName, PublicationRef
from firmware.sip.notifications import Notification, RegistrationChanged
from firmware.sip.usage.own_calls import MEDIA_TYPE, TELLING, Calls, calls_of, entry_of
from firmware.sip.usage.publication import Publications, State

PACKAGE: Final = "dialog"
_BETWEEN: Final = 1.0
"""RFC 4235 §3.10: no more than one document a second."""


class PublishedCalls:
    """What the server was told last, line by line."""

    def __init__(self, core: Core, publications: Publications) -> None:
        self._core = core
        self._publications = publications
        self._told: dict[LineName, Calls] = {}
        self._version = 0
        self._next = 0.0
        core.listen(self._heard, RegistrationChanged, *TELLING)

    def __len__(self) -> int:
        return len(self._told)

    def line_retired(self, line: Line) -> None:
        """A line is no more."""
        self._told.pop(line.name, None)

    def _heard(self, notification: Notification) -> None:
        del notification
        self.look()

    def look(self) -> None:
        """Publish, as soon as may be, what has changed."""
        if any(line.account.publish_calls for line in self._core.lines.values()):
            self._core.arm(self, Alarm.THROTTLE, self._next)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        """Something has happened to a call, or a line has come up."""
        del alarm
        for name, line in self._core.lines.items():
            wanted = line.account.publish_calls
            if wanted and (name in self._told or line.standing is not None):
                self._look(line, now)

    def _look(self, line: Line, now: float) -> None:
        calls = calls_of(self._core, line)
        if self._told.get(line.name) == calls:
            return
        # Loaded by whoever runs a phone; not by who only has the stack.
        from firmware.sip.event.dialog_info import write_dialogs  # noqa: PLC0415 - see above

        self._told[line.name] = calls
        self._next = now + _BETWEEN
        entries = [entry_of(line, call) for call in calls.values()]
        body = write_dialogs(str(line.identity.uri), entries, self._version)
        self._version += 1
        ref = PublicationRef(f"{PACKAGE}/{line.name}")
        self._publications.publish(ref, line.name, State(PACKAGE, MEDIA_TYPE, body), now)
