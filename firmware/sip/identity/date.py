"""The Date header, read tolerantly (RFC 3261 §20.17)."""

import datetime as dt
import re
from typing import Final

_DATE: Final = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?(?P<day>[0-9]{1,2})[ -](?P<month>[A-Za-z]{3})[a-z]*[ -]"
    r"(?P<year>[0-9]{4})\s+(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?"
    r"(?:\s+(?P<zone>[A-Za-z]{1,5}|[+-][0-9]{4}))?"
)
_MONTHS: Final = {
    name: number + 1
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    )
}


def seconds_of(date: str | None) -> float | None:
    """A Date as seconds since 1970; None if it cannot be read.

    It should be GMT; a numeric zone is understood too, any other name counts as GMT.
    """
    match = _DATE.fullmatch((date or "")[:64].strip())
    month = _MONTHS.get(match["month"].lower()) if match is not None else None
    if match is None or month is None:
        return None
    try:
        zone = dt.timezone(_offset(match["zone"] or "GMT"))
        # A leap second is the second before.
        second = min(int(match["second"] or 0), 59)
        year, day = int(match["year"]), int(match["day"])
        hour, minute = int(match["hour"]), int(match["minute"])
        return dt.datetime(year, month, day, hour, minute, second, 0, zone).timestamp()
    except ValueError:
        return None


def _offset(zone: str) -> dt.timedelta:
    if zone[0] not in "+-":
        return dt.timedelta()
    size = dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
    return -size if zone[0] == "-" else size
