"""A network on paper: when each packet arrives, how often, or not at all. Seeded.

The same list of arrivals drives the engine on virtual time and a real phone through real sockets.
"""

import random
from dataclasses import dataclass
from typing import NamedTuple

PACKET = 0.020
_ASIDE = (0.021, 0.041)
"""Seconds that a packet out of order is behind: its next one or two come first."""
_TWIN = 0.001


class Arrival(NamedTuple):
    """Packet `index` comes at `at` seconds after the first one was sent."""

    at: float
    index: int


@dataclass(frozen=True)
class Network:
    """Shares are 0 to 1, `jitter` is seconds of uniform delay, `skew` how slow the far clock is.

    `burst` is the mean length of a loss in packets: 1 loses each packet for itself.
    """

    loss: float = 0.0
    burst: float = 1.0
    jitter: float = 0.0
    reorder: float = 0.0
    double: float = 0.0
    skew: float = 0.0

    def arrivals(self, packets: int, seed: int) -> list[Arrival]:
        """What becomes of so many packets, in the order of their coming."""
        rng = random.Random(f"{seed} {self}")  # noqa: S311 - a seeded network
        out: list[Arrival] = []
        lost = False
        for index in range(packets):
            lost = self._loses(rng, lost=lost)
            at = index * PACKET * (1 + self.skew) + rng.random() * self.jitter
            if rng.random() < self.reorder:
                at += rng.uniform(*_ASIDE)
            if lost:
                continue
            out.append(Arrival(at, index))
            if rng.random() < self.double:
                out.append(Arrival(at + _TWIN, index))
        return sorted(out)

    def _loses(self, rng: random.Random, *, lost: bool) -> bool:
        """The next packet's fate: two states (Gilbert) when losses come in bursts."""
        chance = rng.random()
        if self.burst <= 1:
            return chance < self.loss
        if lost:
            return chance >= 1 / self.burst
        return chance < self.loss / (1 - self.loss) / self.burst


NETWORKS: dict[str, Network] = {
    "clean": Network(),
    "jitter 20": Network(jitter=0.020),
    "jitter 40": Network(jitter=0.040),
    "jitter 80": Network(jitter=0.080),
    "reorder 5": Network(reorder=0.05),
    "dup 5": Network(double=0.05),
    "skew +1000": Network(skew=1e-3),
    "skew -1000": Network(skew=-1e-3),
    "loss 5": Network(loss=0.05),
    "loss 10": Network(loss=0.10),
    "burst 5": Network(loss=0.05, burst=2.0),
    "long burst 5": Network(loss=0.05, burst=4.0),
}
"""The networks of the sound rows."""
