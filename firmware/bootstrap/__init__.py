"""The composition root: configuration and board become a running phone, or a demonstration.

Beside the audio process's own entry this is the only place that opens a board.
"""

from firmware.bootstrap.demo import demo
from firmware.bootstrap.phone import run

__all__ = ["demo", "run"]
