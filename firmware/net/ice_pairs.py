"""The pairs of one search for a way: which there are, in which order, and where each one stands.

    frozen ─▶ waiting ─▶ in progress ─▶ succeeded
                              └───────▶ failed

A value of state and nothing else: who sends, and when, is `ice_session`'s. The rules are those of
RFC 8445 §6.1.2.2–§6.1.2.6; a checklist holds both components of the one stream a call has.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address

from firmware.sdp.ice import Address, Candidate

MOST_PAIRS = 100
"""RFC 8445 §6.1.2.5."""


class State(enum.Enum):
    """RFC 8445 §6.1.2.6."""

    FROZEN = "frozen"
    WAITING = "waiting"
    IN_PROGRESS = "in progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(slots=True, eq=False)
class Pair:
    """A base of ours and a place of the far end; `base` is its number.

    `local` is the candidate that the base speaks for: after a check what the far end saw.
    """

    base: int
    local: Candidate
    remote: Candidate
    priority: int = 0
    state: State = State.FROZEN
    nominated: bool = False
    wanted: bool = False
    """The far end has chosen it, and the check that would prove it is still out."""

    @property
    def component(self) -> int:
        """What travels on it."""
        return self.local.component

    @property
    def direct(self) -> bool:
        """Whether no relay is in between."""
        return "relay" not in (self.local.kind, self.remote.kind)

    @property
    def foundation(self) -> tuple[str, str]:
        """What makes two pairs likely to share their fate (RFC 8445 §6.1.2.6)."""
        return self.local.foundation, self.remote.foundation


class Checklist:
    """See the module; `bases` are our host and relayed candidates, by their number."""

    def __init__(self, bases: tuple[Candidate, ...], *, controlling: bool) -> None:
        self._bases = bases
        self._controlling = controlling
        self.pairs: list[Pair] = []

    def __len__(self) -> int:
        return len(self.pairs)

    def form(self, remote: tuple[Candidate, ...], components: frozenset[int]) -> None:
        """All pairs of the candidates, the best first (RFC 8445 §6.1.2.2).

        What is named twice counts as the better of both (RFC 8445 §6.1.2.4).
        """
        for candidate in sorted(remote, key=lambda one: -one.priority):
            for number, base in enumerate(self._bases):
                if base.component in components and _fit(base, candidate):
                    self._add(number, candidate)
        self._sort()
        del self.pairs[MOST_PAIRS:]
        seen: set[tuple[str, str]] = set()
        for pair in sorted(self.pairs, key=lambda one: (one.component, -one.priority)):
            if pair.foundation not in seen:
                seen.add(pair.foundation)
                pair.state = State.WAITING

    def _add(self, base: int, remote: Candidate) -> Pair | None:
        if self.find(base, remote.address) is not None or len(self.pairs) >= MOST_PAIRS * 2:
            return None
        pair = Pair(base, self._bases[base], remote)
        pair.priority = self._priority(pair)
        self.pairs.append(pair)
        return pair

    def find(self, base: int, remote: Address) -> Pair | None:
        """The pair of these two ends."""
        same = (one for one in self.pairs if one.base == base and one.remote.address == remote)
        return next(same, None)

    def learn(self, base: int, remote: Candidate) -> Pair | None:
        """A far end that checks us from a place it has not named (RFC 8445 §7.3.1.3)."""
        if len(self.pairs) >= MOST_PAIRS or not _fit(self._bases[base], remote):
            return None
        pair = self._add(base, remote)
        if pair is not None:
            pair.state = State.WAITING
            self._sort()
        return pair

    def switch(self, *, controlling: bool) -> None:
        """The roles were others than we thought (RFC 8445 §7.2.5.1)."""
        self._controlling = controlling
        for pair in self.pairs:
            pair.priority = self._priority(pair)
        self._sort()

    def next_ordinary(self) -> Pair | None:
        """What to check next (RFC 8445 §6.1.4.2): the best that waits.

        Where nothing does it is the best frozen pair, unless one that shares its fate is tried.
        """
        waiting = next((one for one in self.pairs if one.state is State.WAITING), None)
        if waiting is not None:
            return waiting
        tried = {one.foundation for one in self.pairs if one.state is State.IN_PROGRESS}
        frozen = (one for one in self.pairs if one.state is State.FROZEN)
        return next((one for one in frozen if one.foundation not in tried), None)

    def thaw(self, like: Pair) -> None:
        """What shares the fate of a pair that works may be checked (RFC 8445 §7.2.5.3.3)."""
        for pair in self.pairs:
            if pair.state is State.FROZEN and pair.foundation == like.foundation:
                pair.state = State.WAITING

    def valid(self, component: int) -> Iterator[Pair]:
        """The pairs that work, the best first."""
        return (
            one for one in self.pairs if one.component == component and one.state is State.SUCCEEDED
        )

    def pending_above(self, pair: Pair) -> bool:
        """Whether something better may still work."""
        open_ = (State.FROZEN, State.WAITING, State.IN_PROGRESS)
        return any(
            one.component == pair.component and one.priority > pair.priority and one.state in open_
            for one in self.pairs
        )

    def _sort(self) -> None:
        self.pairs.sort(key=lambda one: -one.priority)

    def _priority(self, pair: Pair) -> int:
        """RFC 8445 §6.1.2.3."""
        ours, theirs = pair.local.priority, pair.remote.priority
        controlling, controlled = (ours, theirs) if self._controlling else (theirs, ours)
        least, most = min(ours, theirs), max(ours, theirs)
        return (least << 32) + 2 * most + (controlling > controlled)


def _fit(base: Candidate, remote: Candidate) -> bool:
    """Same component, same family of addresses, and no leaving of a link's own addresses."""
    if base.component != remote.component:
        return False
    return _realm(base.host) == _realm(remote.host)


def _realm(host: str) -> str:
    """What can be reached from a host: RFC 8445 §6.1.2.2."""
    if ":" not in host:
        return "IPv4"
    return "link" if IPv6Address(host).is_link_local else "IPv6"
