"""The tones of countries: frequencies, levels and on-off patterns.

After the national tables that ITU-T collects (E.180 Supplement 2, "Various tones used in national
networks"). Where a country says nothing (a congestion tone in France, a howler outside America) it
gets its busy tone at double pace or the American one; levels are ours. A tone is its segments and
the index from which they repeat (-1: once). What is heard when is for the phone.
"""

import enum
from typing import NamedTuple

from msgspec import Struct


class ToneKind(enum.Enum):
    """What a tone tells."""

    DIAL = "dial"
    STUTTER = "stutter"
    """Dial tone of a line with messages or a service active."""
    RINGBACK = "ringback"
    BUSY = "busy"
    CONGESTION = "congestion"
    HOWLER = "howler"
    CALL_WAITING = "call_waiting"
    CONFIRMATION = "confirmation"
    RECORDING = "recording"
    """Somebody records what is said."""
    SIT = "sit"
    """Special information tone: what was dialled does not exist."""


class Segment(NamedTuple):
    """`seconds` (0 = until stopped) of `frequencies` (Hz; none = silence) at `level` dBov each.

    The fields are those of `firmware.media.messages.ToneSegment`, in its order:
    `ToneSegment(*segment)`.
    """

    frequencies: tuple[float, ...]
    seconds: float
    level: float = -19.0


class Cadence(NamedTuple):
    """A tone: it repeats from `repeat_from`; -1 plays it once."""

    segments: tuple[Segment, ...]
    repeat_from: int = 0


class Country(Struct, frozen=True):
    """A country's tones and the pattern of its bell (on, off, … seconds, repeated)."""

    code: str
    tones: dict[ToneKind, Cadence]
    ring: tuple[float, ...]


_LOUD = -9.0
_QUIET = -25.0
"""A beep in a conversation must not deafen."""


def _steady(*frequencies: float) -> Cadence:
    return Cadence((Segment(frequencies, 0.0),))


def _pattern(*seconds: float, of: tuple[float, ...], level: float = -19.0) -> Cadence:
    """On, off, on, off … for ever."""
    return Cadence(_on_off(seconds, of, level))


def _once(*seconds: float, of: tuple[float, ...], level: float = -19.0) -> Cadence:
    """On, off, on … and an end."""
    return Cadence(_on_off(seconds, of, level), -1)


def _on_off(seconds: tuple[float, ...], of: tuple[float, ...], level: float) -> tuple[Segment, ...]:
    return tuple(
        Segment((), length) if index % 2 else Segment(of, length, level)
        for index, length in enumerate(seconds)
    )


def _stutter(dial: Cadence, on: float = 0.1, off: float = 0.1, times: int = 10) -> Cadence:
    """A broken dial tone that becomes the steady one."""
    first = dial.segments[0]
    broken = (Segment(first.frequencies, on, first.level), Segment((), off)) * times
    return Cadence(broken + dial.segments, len(broken) + dial.repeat_from)


_SIT = Cadence(
    # ITU-T E.180 §7: three rising tones of a third of a second and a pause of one second.
    (Segment((950,), 0.33), Segment((1400,), 0.33), Segment((1800,), 0.33), Segment((), 1.0))
)
# U.S. Federal Standard 1037C, "recorder warning tone"; no country asks for another one.
_RECORDING = _pattern(0.5, 14.5, of=(1400,), level=_QUIET)
_US_HOWLER = _pattern(0.1, 0.1, of=(1400, 2060, 2450, 2600), level=_LOUD)


def _country(  # noqa: PLR0913 - a row of a table
    code: str,
    *,
    dial: Cadence,
    ringback: Cadence,
    busy: Cadence,
    congestion: Cadence,
    call_waiting: Cadence,
    ring: tuple[float, ...],
    stutter: Cadence | None = None,
    howler: Cadence | None = None,
    confirmation: Cadence | None = None,
) -> Country:
    beep = dial.segments[0].frequencies
    tones = {
        ToneKind.DIAL: dial,
        ToneKind.STUTTER: stutter or _stutter(dial),
        ToneKind.RINGBACK: ringback,
        ToneKind.BUSY: busy,
        ToneKind.CONGESTION: congestion,
        ToneKind.HOWLER: howler or _US_HOWLER,
        ToneKind.CALL_WAITING: call_waiting,
        ToneKind.CONFIRMATION: confirmation or _once(0.1, 0.1, 0.1, 0.1, 0.1, of=beep),
        ToneKind.RECORDING: _RECORDING,
        ToneKind.SIT: _SIT,
    }
    return Country(code, tones, ring)


_COUNTRIES = (
    _country(
        "US",
        dial=_steady(350, 440),
        ringback=_pattern(2.0, 4.0, of=(440, 480)),
        busy=_pattern(0.5, 0.5, of=(480, 620), level=-24.0),
        congestion=_pattern(0.25, 0.25, of=(480, 620), level=-24.0),
        call_waiting=_pattern(0.3, 9.7, of=(440,), level=_QUIET),
        ring=(2.0, 4.0),
    ),
    _country(
        "UK",
        dial=_steady(350, 440),
        ringback=_pattern(0.4, 0.2, 0.4, 2.0, of=(400, 450)),
        busy=_pattern(0.375, 0.375, of=(400,)),
        congestion=_pattern(0.4, 0.35, 0.225, 0.525, of=(400,)),
        call_waiting=_pattern(0.1, 2.9, of=(400,), level=_QUIET),
        stutter=_pattern(0.75, 0.75, of=(350, 440)),
        ring=(0.4, 0.2, 0.4, 2.0),
    ),
    _country(
        "DE",
        dial=_steady(425),
        ringback=_pattern(1.0, 4.0, of=(425,)),
        busy=_pattern(0.48, 0.48, of=(425,)),
        congestion=_pattern(0.24, 0.24, of=(425,)),
        call_waiting=_pattern(0.2, 0.2, 0.2, 5.0, of=(425,), level=_QUIET),
        stutter=Cadence((Segment((425,), 0.5), Segment((), 0.05))),
        ring=(1.0, 4.0),
    ),
    _country(
        "FR",
        dial=_steady(440),
        ringback=_pattern(1.5, 3.5, of=(440,)),
        busy=_pattern(0.5, 0.5, of=(440,)),
        congestion=_pattern(0.25, 0.25, of=(440,)),
        call_waiting=_pattern(0.3, 10.0, of=(440,), level=_QUIET),
        ring=(1.5, 3.5),
    ),
    _country(
        "ES",
        dial=_steady(425),
        ringback=_pattern(1.5, 3.0, of=(425,)),
        busy=_pattern(0.2, 0.2, of=(425,)),
        congestion=_pattern(0.2, 0.2, 0.2, 0.2, 0.2, 0.6, of=(425,)),
        call_waiting=_pattern(0.175, 0.175, 0.175, 3.5, of=(425,), level=_QUIET),
        ring=(1.5, 3.0),
    ),
    _country(
        "IT",
        dial=_pattern(0.2, 0.2, 0.6, 1.0, of=(425,)),
        ringback=_pattern(1.0, 4.0, of=(425,)),
        busy=_pattern(0.5, 0.5, of=(425,)),
        congestion=_pattern(0.2, 0.2, of=(425,)),
        call_waiting=_pattern(0.4, 0.1, 0.25, 0.1, 0.15, 14.0, of=(425,), level=_QUIET),
        stutter=_stutter(_steady(425)),
        ring=(1.0, 4.0),
    ),
    _country(
        "JP",
        dial=_steady(400),
        # 400 Hz swinging at 16 Hz is its two sidebands.
        ringback=_pattern(1.0, 2.0, of=(384, 416)),
        busy=_pattern(0.5, 0.5, of=(400,)),
        congestion=_pattern(0.5, 0.5, of=(400,)),
        call_waiting=_pattern(0.064, 0.436, 0.064, 3.436, of=(400,), level=_QUIET),
        ring=(1.0, 2.0),
    ),
    _country(
        "AU",
        dial=_steady(413, 438),
        ringback=_pattern(0.4, 0.2, 0.4, 2.0, of=(413, 438)),
        busy=_pattern(0.375, 0.375, of=(425,)),
        congestion=_pattern(0.375, 0.375, of=(425,)),
        call_waiting=_pattern(0.2, 0.2, 0.2, 4.4, of=(425,), level=_QUIET),
        ring=(0.4, 0.2, 0.4, 2.0),
    ),
    _country(
        "RU",
        dial=_steady(425),
        ringback=_pattern(1.0, 4.0, of=(425,)),
        busy=_pattern(0.35, 0.35, of=(425,)),
        congestion=_pattern(0.175, 0.175, of=(425,)),
        call_waiting=_pattern(0.2, 5.0, of=(425,), level=_QUIET),
        ring=(1.0, 4.0),
    ),
    _country(
        "IN",
        dial=_steady(375, 425),
        ringback=_pattern(0.4, 0.2, 0.4, 2.0, of=(375, 425)),
        busy=_pattern(0.75, 0.75, of=(400,)),
        congestion=_pattern(0.25, 0.25, of=(400,)),
        call_waiting=_pattern(0.2, 0.1, 0.2, 7.5, of=(400,), level=_QUIET),
        ring=(0.4, 0.2, 0.4, 2.0),
    ),
    _country(
        "BR",
        dial=_steady(425),
        ringback=_pattern(1.0, 4.0, of=(425,)),
        busy=_pattern(0.25, 0.25, of=(425,)),
        congestion=_pattern(0.25, 0.25, 0.75, 0.25, of=(425,)),
        call_waiting=_pattern(0.05, 1.0, of=(425,), level=_QUIET),
        ring=(1.0, 4.0),
    ),
    _country(
        "ID",
        dial=_steady(425),
        ringback=_pattern(1.0, 4.0, of=(425,)),
        busy=_pattern(0.5, 0.5, of=(425,)),
        congestion=_pattern(0.25, 0.25, of=(425,)),
        call_waiting=_pattern(0.15, 0.15, 0.15, 10.0, of=(425,), level=_QUIET),
        ring=(1.0, 4.0),
    ),
)
COUNTRIES: dict[str, Country] = {country.code: country for country in _COUNTRIES}
_OTHER_NAMES = {"GB": "UK"}
DEFAULT_COUNTRY = "US"


def country(code: str) -> Country:
    """A country by its two letters; one that is not in the table sounds like `DEFAULT_COUNTRY`."""
    upper = code.upper()
    return COUNTRIES.get(_OTHER_NAMES.get(upper, upper)) or COUNTRIES[DEFAULT_COUNTRY]


def cadence(code: str, kind: ToneKind) -> Cadence:
    """A country's tone."""
    return country(code).tones[kind]
