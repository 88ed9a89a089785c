"""A card's queue held at one level although its clock is not ours. Pure.

How much is queued when a frame is added says how the two clocks compare. As long as that does not
move the clocks are one and the frames pass as they are. When it has moved by a few samples the
drift is known; from then on every frame is made longer or shorter by a part of a sample, on
straight lines between samples, so that the queue and with it the delay stay as they are: an echo
canceller sees no drift, and a person hears none.

A proportional and an integrating term, damped: a step dies away within some seconds, and a constant
drift leaves no error. A step is no drift: taken for one, it would run the queue dry a while later.
"""

import warnings

with warnings.catch_warnings():
    # The standard library's copy announces its end on import; audioop-lts follows it from 3.13.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

_SETTLING = 64
"""Frames whose mean is the level to hold."""
_SMOOTHING = 1 / 32
_NOTICED = 0.0002
"""Seconds by which the level has to move before anything is done: more than it trembles."""
_PROPORTIONAL = 0.004
_INTEGRATING = 0.00001
"""For each frame of error, in parts of a frame."""
_LARGEST = 0.005
_STEP = 0.5
"""Frames off the level from which nothing is learned of the clock: frames came in a heap, or one
never came. Half of a frame is what a clock wrong by 2000 ppm leaves."""
_UNIT = 999_983
"""A prime, so that no ratio of rates can be shortened: the converter's memory is in these units."""


class Steering:
    """One card's; `wanted` is the level in samples that is meant, `rate` samples a second."""

    def __init__(self, rate: int, wanted: int) -> None:
        self._samples = rate // 50
        self._noticed = rate * _NOTICED
        self._bounds = (wanted // 2, wanted * 2)
        self._sum = 0.0
        self._steers = False
        self.begin()

    def begin(self) -> None:
        """The queue was begun anew; the clocks are what they were."""
        self._frames = 0
        self._level = 0.0
        self._target = 0.0
        self._memory: tuple[int, tuple[tuple[int, int], ...]] | None = None

    @property
    def drift_ppm(self) -> float:
        """How much faster the card's clock is than ours, as far as known."""
        return -self._sum * 1e6

    def frame(self, frame: bytes, queued: int) -> bytes:
        """The frame as it should be added to `queued` samples."""
        self._frames += 1
        if self._frames <= _SETTLING:
            self._level += (queued - self._level) / self._frames
            low, high = self._bounds
            self._target = min(max(self._level, low), high)
            return self._resampled(frame, 0.0) if self._steers else frame
        self._level += (queued - self._level) * _SMOOTHING
        error = self._level - self._target
        if not self._steers:
            if abs(error) < self._noticed:
                return frame
            self._steers = True
            # The level to hold was that of the middle of the settling.
            self._sum = error / ((self._frames - _SETTLING // 2) * self._samples)
            # Where it is now is as good a level, and nothing has to be made up for.
            self._target, error = self._level, 0.0
        return self._resampled(frame, error / self._samples)

    def _resampled(self, frame: bytes, error: float) -> bytes:
        """Shorter if too much is queued: `error` frames."""
        if abs(error) < _STEP:
            self._sum = _bounded(self._sum + error * _INTEGRATING)
        longer = -_bounded(self._sum + error * _PROPORTIONAL)
        rate = round(_UNIT * (1 + longer))
        if rate == _UNIT:
            # One to one is a ratio that can be shortened.
            rate += 1
        out, self._memory = audioop.ratecv(frame, 2, 1, _UNIT, rate, self._memory)
        return out


def _bounded(value: float) -> float:
    return min(max(value, -_LARGEST), _LARGEST)
