"""Our own presence: published at the server, and shown to who subscribes to us (RFC 3856).

`UserAgent.presence` is a `Presentity`:

    show(line, activity, now)      what the line does, from now on
    hide(line, now)                nothing any more

A line that shows nothing is watched by nobody: a SUBSCRIBE is answered 403.
"""

from typing import Final

from firmware.sip.core import Core
from firmware.sip.errors import LocalError
from firmware.sip.event.package import Reason
from firmware.sip.facts import Activity
from firmware.sip.line import Line
from firmware.sip.names import LineName, PublicationRef
from firmware.sip.subscribing.notifying import Content, Notifying
from firmware.sip.transaction.keys import Arrival
from firmware.sip.usage.notifier import Notifiers
from firmware.sip.usage.publication import Publications, State

PACKAGE: Final = "presence"
PIDF: Final = "application/pidf+xml"
_INTERVAL: Final = 5.0
"""RFC 3856 §6.10: no more than one NOTIFY in five seconds."""


class Presentity:
    """What each line shows of itself; also the notifier's service for the package."""

    package = PACKAGE
    media_types = (PIDF,)
    interval = _INTERVAL

    def __init__(self, core: Core, publications: Publications, notifiers: Notifiers) -> None:
        self._core = core
        self._publications = publications
        self._notifiers = notifiers
        self._shown: dict[LineName, Activity] = {}
        notifiers.serve(self)

    def show(self, line: LineName, activity: Activity, now: float) -> None:
        """Publish what the line does, and tell who watches.

        A line without registrar has no server to publish at: it is only watched.

        Raises:
            LocalError: there is no such line.
        """
        owner = self._core.lines.get(line)
        if owner is None:
            raise LocalError(f"there is no line {line!r}")
        if self._shown.get(line) is activity:
            return
        self._shown[line] = activity
        if owner.account.register:
            state = State(PACKAGE, PIDF, self._document(owner))
            self._publications.publish(_ref(line), line, state, now)
        self._notifiers.changed(PACKAGE, owner, now)

    def hide(self, line: LineName, now: float) -> None:
        """Show nothing any more; nothing if nothing was shown."""
        if self._shown.pop(line, None) is None:
            return
        self._publications.remove(_ref(line), now)
        owner = self._core.lines.get(line)
        if owner is not None:
            for usage in self._notifiers.watchers(PACKAGE, owner):
                usage.end(now, Reason.REJECTED)

    def line_retired(self, line: Line) -> None:
        """A line is no more."""
        self._shown.pop(line.name, None)

    def _document(self, line: Line) -> bytes:
        from firmware.sip.event.presence import write_presence  # noqa: PLC0415 - loaded when used

        uri = str(line.identity.uri)
        return write_presence(uri, uri, self._shown.get(line.name, Activity.AVAILABLE))

    # --- the notifier's service -------------------------------------------------------------

    def admit(self, line: Line, arrival: Arrival, now: float) -> int:
        """Who is trusted by a line that shows itself may watch it (RFC 3856 §6.6.2)."""
        del arrival, now
        return 200 if line.name in self._shown else 403

    def content(self, usage: Notifying, now: float) -> Content:
        """The state as it is when the NOTIFY leaves."""
        del now
        return PIDF, self._document(usage.line)

    def on_over(self, usage: Notifying, now: float) -> None:
        """Nobody need be told."""


def _ref(line: LineName) -> PublicationRef:
    return PublicationRef(f"presence/{line}")
