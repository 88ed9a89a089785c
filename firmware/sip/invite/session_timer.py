"""Session timers: a call that nobody refreshes is over (RFC 4028), in both roles.

    our request  ─ rows() ─▶        2xx ─ took() ─▶ the clock runs
    their request ─ too_brief() ─▶ 422, else 2xx with grant() ─▶ the clock runs

One side refreshes at half the interval; the other hangs up shortly before the end if it did not.
How a refresh is sent is the session's affair.
"""

from typing import Final, Protocol

from firmware.sip.bodies import Refusal, Rows, options
from firmware.sip.core import Alarm, Core
from firmware.sip.errors import ParseError
from firmware.sip.headers import delta_seconds, parse_params
from firmware.sip.message import Headers, Request, Response

MIN_SE: Final = 90
"""No session may be shorter, and what Min-SE means where it is missing (RFC 4028 §5)."""
_MOST_REFUSALS: Final = 3
_LONGEST: Final = 86_400
_SHORTEST: Final = 20
_OPTION: Final = "timer"


class Refreshed(Protocol):
    """Whose session it is."""

    def refresh(self, now: float) -> None:
        """Send a refresh if one may be sent now; it is asked for again."""

    def expired(self, now: float) -> None:
        """The far end has not been heard of for the whole interval."""


class SessionTimer:
    """The clock of one session; `wanted` seconds are asked for, 0 = we do not ask for one."""

    __slots__ = ("_core", "_interval", "_least", "_ours", "_refusals", "_user", "_wanted")

    def __init__(self, core: Core, wanted: int) -> None:
        self._core = core
        self._user: Refreshed | None = None
        self._wanted = max(wanted, MIN_SE) if wanted else 0
        self._least = 0
        self._interval = 0
        self._ours = False
        self._refusals = 0

    @property
    def interval(self) -> int:
        """Seconds a session lives without a refresh; 0 = for ever."""
        return self._interval

    @property
    def ours(self) -> bool:
        """Whether we refresh it."""
        return self._ours

    @property
    def serving(self) -> bool:
        """Whether the call is up: an early dialog has no session to refresh."""
        return self._user is not None

    def serve(self, user: Refreshed) -> None:
        """From now on `user` refreshes and ends the session."""
        self._user = user

    # --- our requests -----------------------------------------------------------------------

    def rows(self) -> Rows:
        """What an INVITE, re-INVITE or UPDATE of ours says (RFC 4028 §7.1, §7.4)."""
        seconds = self._interval or self._wanted
        rows: Rows = ()
        if seconds:
            role = "" if not self._interval else f";refresher={'uac' if self._ours else 'uas'}"
            rows = (("Session-Expires", f"{max(seconds, self._least)}{role}"),)
        if self._least:
            rows = (*rows, ("Min-SE", str(self._least)))
        return rows

    def refused(self, response: Response) -> bool:
        """Take the Min-SE of a 422; whether it is worth another try (RFC 4028 §7.3)."""
        least = _seconds(response.headers, "Min-SE")
        asked = max(self._interval or self._wanted, self._least)
        if least is None or not asked < least <= _LONGEST or self._refusals >= _MOST_REFUSALS:
            return False
        self._refusals += 1
        self._least = least
        return True

    def took(self, request: Request, response: Response, now: float) -> None:
        """Run as the 2xx to our request says (RFC 4028 §7.2)."""
        self._refusals = 0
        granted = _session_expires(response.headers)
        asked = _session_expires(request.headers)
        if granted is not None:
            self._run(granted[0], now, ours=granted[1] != "uas")
        elif asked is not None and _OPTION not in options(response.headers, "Supported"):
            # Only we know of session timers: for our own benefit we go on alone.
            self._run(asked[0], now, ours=True)
        else:
            self.stop()

    # --- requests of the far end ------------------------------------------------------------

    def too_brief(self, headers: Headers) -> Refusal | None:
        """422 for an interval below the least that is allowed (RFC 4028 §9)."""
        asked = _session_expires(headers)
        if asked is None or asked[0] >= MIN_SE or _OPTION not in options(headers, "Supported"):
            return None
        return 422, (("Min-SE", str(MIN_SE)),)

    def grant(self, headers: Headers, now: float) -> Rows:
        """What our 2xx to a request says, and run so (RFC 4028 §9, table 2)."""
        able = _OPTION in options(headers, "Supported")
        theirs = _seconds(headers, "Min-SE") or 0
        self._least = max(self._least, min(theirs, _LONGEST)) if theirs > MIN_SE else self._least
        asked = _session_expires(headers)
        if asked is not None and asked[0] < MIN_SE:
            asked = None  # written by somebody who cannot be told 422
        if asked is None and not self._wanted:
            self.stop()
            return ()
        seconds = self._agreed(asked, max(MIN_SE, theirs))
        role = self._role(asked, able=able)
        self._run(seconds, now, ours=role == "uas")
        row = ("Session-Expires", f"{seconds};refresher={role}")
        return (row, ("Require", _OPTION)) if able else (row,)

    def _agreed(self, asked: tuple[int, str] | None, least: int) -> int:
        if asked is None:
            return max(self._wanted, least)
        # It may be made shorter, never longer.
        return min(asked[0], max(self._wanted, least)) if self._wanted else asked[0]

    def _role(self, asked: tuple[int, str] | None, *, able: bool) -> str:
        if not able:
            return "uas"
        if asked is not None and asked[1] in ("uac", "uas"):
            return asked[1]
        if self._interval:
            return "uas" if self._ours else "uac"  # the role stays where it is
        return "uas" if asked is None else "uac"

    # --- the clock --------------------------------------------------------------------------

    def stop(self) -> None:
        """The session lives for ever, or is over."""
        self._interval = 0
        self._core.disarm(self, Alarm.SESSION, Alarm.EXPIRY)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        """Time for a refresh, or for the end."""
        if self._user is None or not self._interval:
            return
        if alarm is Alarm.SESSION:
            # Until it succeeds, some more tries (RFC 4028 §10).
            self._core.arm(self, Alarm.SESSION, now + self._interval / 8)
            self._user.refresh(now)
        elif alarm is Alarm.EXPIRY:
            user = self._user
            self.stop()
            user.expired(now)

    def _run(self, seconds: int, now: float, *, ours: bool) -> None:
        seconds = min(max(seconds, _SHORTEST), _LONGEST)
        self._interval, self._ours = seconds, ours
        if ours:
            # RFC 4028 §7.2: once half of it has gone by.
            self._core.arm(self, Alarm.SESSION, now + seconds / 2)
        else:
            self._core.disarm(self, Alarm.SESSION)
        # RFC 4028 §10: the end comes shortly before firewalls forget the call.
        self._core.arm(self, Alarm.EXPIRY, now + seconds - min(32.0, seconds / 3))


def _session_expires(headers: Headers) -> tuple[int, str] | None:
    """Seconds and refresher of Session-Expires; what cannot be read is not there."""
    row = headers.get("Session-Expires")
    if row is None:
        return None
    text, semicolon, rest = row.partition(";")
    try:
        params = parse_params(semicolon + rest)
        seconds = delta_seconds(text)
    except ParseError:
        return None
    named = (value for name, value in params if name.lower() == "refresher")
    return seconds, (next(named, None) or "").lower()


def _seconds(headers: Headers, name: str) -> int | None:
    row = headers.get(name)
    try:
        return None if row is None else delta_seconds(row.partition(";")[0])
    except ParseError:
        return None
