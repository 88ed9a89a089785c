"""Several far ends and the person at the desk in one conversation. Pure.

    a ──▶ ┌─────────────────────┐ ──▶ a hears b + c + us
    b ──▶ │ at the highest rate │ ──▶ b hears a + c + us
    c ──▶ │ of all              │ ──▶ c hears a + b + us
    us ─▶ └─────────────────────┘ ──▶ we hear a + b + c

Nobody hears themselves. Every member keeps its own jitter buffer, codec and way out; here only
frames are added. The person at the desk is a member like the others and may be muted. Who holds us
cannot hear the conversation, and nobody wants their music in it. A clip that is played belongs to
all of them and outlives the member it was played to: whoever joins hears the rest of it, whoever
is put on hold hears no more.
"""

from collections.abc import Sequence

from firmware.dsp.mixer import mix
from firmware.dsp.resample import Resampler
from firmware.media.insert import Insert
from firmware.media.leg import Leg
from firmware.media.messages import Route
from firmware.media.pipeline import Desk, silence


class Bridge:
    """The members of one conversation; made anew when they change."""

    __slots__ = ("_filters", "insert", "members")

    def __init__(self, members: Sequence[Leg]) -> None:
        self.members = tuple(members)
        self.insert: Insert | None = None
        """What is played to all of them just now."""
        self._filters: dict[tuple[str, int, int, int], Resampler] = {}

    def exchange(self, desk: Desk, now: float) -> None:
        """One frame from everybody to everybody else."""
        heard = [_voice(member, now) for member in self.members]
        rates = [rate for _, rate in heard] + [each.stream.speaks_at for each in self.members]
        rate = max(*rates, desk.rate)
        voices = [self._at("from", index, pcm, of, rate) for index, (pcm, of) in enumerate(heard)]
        played = self._played(rate)
        if desk.rate:
            desk.hear(self._at("ear", 0, mix(voices + played), rate, desk.rate))
        if desk.microphone:
            played.append(self._at("us", 0, desk.microphone, desk.rate, rate))
        for index, member in enumerate(self.members):
            said = mix(voices[:index] + voices[index + 1 :] + played) or silence(rate)
            member.tell(self._at("to", index, said, rate, member.stream.speaks_at), now)

    def _played(self, rate: int) -> list[bytes]:
        """The next frame of what is played to all, if there is anything."""
        if self.insert is None:
            return []
        self.insert.advance()
        return [self.insert.at(rate)]

    def succeed(self, before: "Bridge", stay: Sequence[Leg]) -> None:
        """Take over what is played; `stay` are those of whom too few are left for a conversation.

        Where two clips meet in a new conversation, that of the call in front goes on.
        """
        insert, before.insert = before.insert, None
        if self.members:
            for member in sorted(self.members, key=_in_front, reverse=True):
                insert, member.insert = insert or member.insert, None
            self.insert = insert
        elif insert is not None:
            for leg in stay or filter(_in_front, before.members):
                leg.insert = insert

    def _at(self, way: str, index: int, pcm: bytes, rate: int, wanted: int) -> bytes:
        """A frame at another rate; each way of each member has its own filter."""
        if rate == wanted:
            return pcm
        key = (way, index, rate, wanted)
        resampler = self._filters.get(key)
        if resampler is None:
            resampler = self._filters[key] = Resampler(rate, wanted)
        return resampler.convert(pcm)


def _in_front(leg: Leg) -> bool:
    return leg.near.route is Route.CARD


def _voice(member: Leg, now: float) -> tuple[bytes, int]:
    """What a member contributes; its buffer moves on even while that is nothing."""
    pcm, rate = member.hear(now)
    return (pcm if member.stream.sends else bytes(len(pcm))), rate
