"""The pulses of a rotary dial become digits. Pure.

A dial that runs back opens its pulse contact once per pulse, ten times a second, open for about
60 ms and closed for 40; worn, foreign and exchange dials make 8 to 22 a second and are open for 33
to 75 % of the time. A second contact, closed while the dial is off its rest, tells the end of a
digit; without it the silence after the last pulse does. A train that no dial can make (none, more
than ten, a pulse that never ends) is nothing.
"""

from hal.debounce import Debouncer
from hal.events import Event, KeyDown, KeyUp
from hal.keys import Key

BOUNCE = 0.010
"""Contacts of a dial bounce for some milliseconds; the shortest closed phase is 11 ms."""
REST_BOUNCE = 0.02
"""The second contact moves slowly. A digit is not ended by a flicker of it: it waits so long."""
DIGIT_GAP = 0.25
"""Two digits are at least 250 ms apart, two pulses at most 125."""
LONGEST_PULSE = 0.15
"""An opening that lasts longer is no pulse of a dial."""
_MOST = 10


class RotaryDial:
    """Counts one dial. Feed it both levels at every edge and whenever `deadline` is due.

    `order` is the digit of one pulse, of two … of ten. `off_normal` tells whether the second
    contact exists; without it `turned` is not looked at.
    """

    def __init__(self, order: str = "1234567890", *, off_normal: bool = True) -> None:
        self._order = order
        self._has_off_normal = off_normal
        self._pulse = Debouncer(BOUNCE)
        self._turned = Debouncer(REST_BOUNCE)
        self._ending = False
        self._count = 0
        self._edge = 0.0
        self._spoiled = False

    def __len__(self) -> int:
        """Pulses of the digit under way."""
        return self._count

    @property
    def deadline(self) -> float | None:
        """When to read both levels again; None while the dial rests."""
        times = [t for t in (self._pulse.deadline, self._turned.deadline) if t is not None]
        if self._waits_for_silence():
            times.append(self._edge + DIGIT_GAP)
        return min(times, default=None)

    def sample(
        self,
        pulse_open: bool,  # noqa: FBT001 - the levels are the data
        turned: bool,  # noqa: FBT001 - likewise
        now: float,
    ) -> tuple[Event, ...]:
        """Take both levels as read at `now`; a finished digit is pressed and let go."""
        if self._pulse.sample(pulse_open, now):
            self._pulse_edge(now)
        if self._has_off_normal:
            return self._by_rest(turned, now)
        silent = self._waits_for_silence() and now >= self._edge + DIGIT_GAP
        return self._digit(now) if silent else ()

    def lose(self) -> None:
        """Nobody has seen the contacts for a while: a digit under way may lack pulses."""
        self._spoiled = self._spoiled or self._count > 0 or self._turned.level

    def _by_rest(self, turned: bool, now: float) -> tuple[Event, ...]:  # noqa: FBT001 - a level
        """The digit, once the dial has surely come to rest."""
        if self._turned.sample(turned, now):
            if self._turned.level and not self._ending:
                # On leaving its rest the count begins at nothing, whatever crackled before.
                self._forget()
            self._ending = not self._turned.level
        if not self._ending or self._turned.deadline is not None:
            return ()
        self._ending = False
        return self._digit(now)

    def _pulse_edge(self, now: float) -> None:
        if self._pulse.level:
            self._count += 1
        elif now - self._edge > LONGEST_PULSE:
            self._spoiled = True
        self._edge = now

    def _waits_for_silence(self) -> bool:
        return not self._has_off_normal and self._count > 0 and not self._pulse.level

    def _digit(self, now: float) -> tuple[Event, ...]:
        """The digit of the pulses so far; the count begins anew."""
        # A contact that is open at the end is a broken wire.
        count, spoiled = self._count, self._spoiled or self._pulse.level
        self._forget()
        if spoiled or not 1 <= count <= _MOST:
            return ()
        key = Key(self._order[count - 1])
        return KeyDown(key, now), KeyUp(key, now)

    def _forget(self) -> None:
        self._count, self._spoiled = 0, False
