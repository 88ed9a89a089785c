"""Temporary: US tones until firmware.dsp.cadence has landed."""

from firmware.media.messages import ToneSegment as T

DIAL = (T((350.0, 440.0), 0.0),)
RINGBACK = (T((440.0, 480.0), 2.0), T((), 4.0))
BUSY = (T((480.0, 620.0), 0.5), T((), 0.5))
CONGESTION = (T((480.0, 620.0), 0.25), T((), 0.25))
HOWLER = (T((1400.0, 2060.0, 2450.0, 2600.0), 0.1, -6.0), T((), 0.1))
WAITING = (T((440.0,), 0.3), T((), 9.7))
RING = (T((440.0, 480.0), 2.0, -12.0), T((), 4.0))
