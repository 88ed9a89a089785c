"""A pin switched on and off by a thread: for dimmed lamps and buzzers on a chip that cannot.

Fit for a hundred times a second. A tone of 440 Hz costs a few per cent of a core and is not clean:
a phone that has the choice rings through its loudspeaker.
"""

import threading
from collections.abc import Callable

_PATIENCE = 1.0


class SoftPwm:
    """On for `duty` (0 to 1) of each period; `write` sets the pin. At 0 and 1 nothing runs."""

    def __init__(self, write: Callable[[int], None], hertz: float) -> None:
        self._write = write
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._hertz = hertz
        self._duty = 0.0

    @property
    def hertz(self) -> float:
        """Periods a second."""
        return self._hertz

    @hertz.setter
    def hertz(self, hertz: float) -> None:
        self._hertz = hertz

    @property
    def duty(self) -> float:
        """The part of each period that is on."""
        return self._duty

    @duty.setter
    def duty(self, duty: float) -> None:
        self._duty = duty
        if not 0 < duty < 1:
            self._end()
            self._write(int(duty))
        elif self._thread is None or not self._thread.is_alive():
            # Here, and not in the thread: whoever switches it on learns that the pin is gone.
            self._write(1)
            self._stop.clear()
            self._thread = threading.Thread(target=self._pulse, name="gpio-pwm", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Off, and no thread any more."""
        self.duty = 0.0

    def _end(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE)
            self._thread = None

    def _pulse(self) -> None:
        try:
            while not self._stop.is_set():
                period, duty = 1 / self._hertz, self._duty
                self._write(1)
                self._stop.wait(period * duty)
                self._write(0)
                self._stop.wait(period * (1 - duty))
        except OSError:
            # Whoever sets this pin next learns that it is gone, and begins anew.
            return
