"""How the bell rings for which call: the country's rhythm, or the one the caller's server asks for.

A person shall hear at once whether a colleague or a customer calls. Whatever is asked for, the
lamp and the screen show the call all the same.
"""

from typing import Final

from firmware.dsp.cadence import country
from firmware.sip.facts import RingKind

_RHYTHMS: Final = {
    RingKind.INTERNAL: (0.4, 0.2, 0.4, 3.0),
    RingKind.PRIORITY: (0.5, 0.5),
    RingKind.SHORT: (0.4, 9.6),
    RingKind.NONE: (),
}


def rhythm(kind: RingKind, code: str) -> tuple[float, ...]:
    """Seconds on, off, on …; `()` = silent. Calls from outside ring as the country's bells do."""
    return _RHYTHMS.get(kind, country(code).ring)
