"""Several phones that ring for one call of ours: what was agreed with each.

One INVITE is answered by each of them on its own (RFC 3264 §4 speaks of one offer and one answer
*per dialog*). Heard is the one that spoke last; the one that lifts is the call.
"""

from msgspec import Struct

from firmware.base.values import replace
from firmware.call.media import Way
from firmware.call.negotiation import Negotiation


class Forks(Struct, frozen=True):
    """`base` is the state after our offer, `each` what came of it by the far end's tag."""

    base: Negotiation
    each: tuple[tuple[str, Negotiation], ...] = ()

    def of(self, fork: str) -> Negotiation:
        """What was agreed with one of them, the bare offer if it has said nothing yet."""
        return next((state for name, state in self.each if name == fork), self.base)

    def heard(self, fork: str, state: Negotiation) -> "Forks":
        """One of them spoke."""
        others = tuple(item for item in self.each if item[0] != fork)
        return replace(self, each=(*others, (fork, state)))

    def on(self, way: Way) -> "Forks":
        """A way was nominated for the one that is heard."""
        each = tuple((name, state.on(way)) for name, state in self.each)
        return replace(self, each=each)

    def without(self, fork: str) -> "Forks":
        """One of them will not answer any more (RFC 6228)."""
        return replace(self, each=tuple(item for item in self.each if item[0] != fork))

    @property
    def latest(self) -> Negotiation:
        """The one that spoke last."""
        return self.each[-1][1] if self.each else self.base
