"""The media side of one call: offers and answers both ways, and what they mean for its stream.

    idle ──make_offer──▶ busy ──take_answer──▶ idle          (our INVITE, hold, resume)
                           ├──hear_early──▶ busy             (18x; each fork anew)
                           └──take_back──▶ idle              (refused: all as before)
    idle ──answer──▶ idle                                    (their INVITE or re-INVITE)

A `Negotiation` is a value: each step gives the next one. It does not know SIP; when to offer, and
what a refusal means for the call, is decided by the phone. Rules: RFC 3264, RFC 6337, RFC 3960
§3.1.
"""

from msgspec import Struct

from firmware.base.values import replace
from firmware.call.capabilities import payload_format
from firmware.call.media import Media, media_of
from firmware.media.messages import PayloadFormat
from firmware.sdp import negotiate
from firmware.sdp.description import Direction
from firmware.sdp.description import Session as Description
from firmware.sdp.errors import SdpError
from firmware.sdp.negotiate import Capabilities, LocalMedia, Negotiated, NothingInCommon
from firmware.sdp.parser import parse
from firmware.sdp.writer import write


class Refused(Struct, frozen=True):
    """A description we cannot live with; `why` is a clause for people and the Warning header."""

    why: str


class Negotiation(Struct, frozen=True):
    """What was said and agreed so far.

    `sent` is our last description, whatever became of it. `offered` is the one that waits for an
    answer. `media` is what the stream should do, None before the first agreement. `held` is
    whether the far end has been told, and has accepted, that we hold it.
    """

    capabilities: Capabilities
    local: LocalMedia
    number: int
    sent: Description | None = None
    offered: Description | None = None
    media: Media | None = None
    held: bool = False
    held_by_them: bool = False
    _holding: bool = False
    """`held`, once what is offered now has been accepted."""

    @classmethod
    def open(
        cls, capabilities: Capabilities, address: str, port: int, number: int
    ) -> "Negotiation":
        """A call whose media port is bound; `number` becomes the session id of its `o=` lines."""
        return cls(capabilities, LocalMedia(address, port, port + 1), number)

    @property
    def busy(self) -> bool:
        """Whether an offer of ours waits for its answer (RFC 3264 §4: no second one meanwhile)."""
        return self.offered is not None

    @property
    def formats(self) -> tuple[PayloadFormat, ...]:
        """What may arrive: the formats of our own description, else all that we can."""
        if self.sent is not None:
            for medium in self.sent.media:
                if medium.kind == "audio" and medium.port:
                    return tuple(map(payload_format, medium.formats))
        return tuple(map(payload_format, self.capabilities.formats))

    def at(self, address: str, port: int) -> "Negotiation":
        """The same with our media elsewhere; the far end learns it by the next offer."""
        return replace(self, local=LocalMedia(address, port, port + 1))

    def make_offer(self, *, held: bool) -> tuple["Negotiation", bytes]:
        """An offer, the first or a later one: hold is `sendonly`, or `inactive` if they hold us."""
        direction = Direction.SENDRECV
        if held:
            # RFC 3264 §8.4.
            direction = Direction.INACTIVE if self.held_by_them else Direction.SENDONLY
        made = negotiate.make_offer(
            self.capabilities, self.local, direction, self.number, self._version, self.sent
        )
        made = self._renumbered(made)
        return replace(self, sent=made, offered=made, _holding=held), write(made)

    def hear_early(self, body: bytes) -> "Negotiation | Refused":
        """The answer in a provisional response: heard now, but of this fork and not yet final.

        Of several forks the one that spoke last is heard.
        """
        agreed = self._accepted(body)
        return agreed if isinstance(agreed, Refused) else self._agreed(agreed)

    def take_answer(self, body: bytes) -> "Negotiation | Refused":
        """The answer to our offer; an empty one stands for the early answer, if there was one."""
        if not body and self.media is not None and self.offered is not None:
            return replace(self, offered=None, held=self._holding)
        agreed = self._accepted(body)
        if isinstance(agreed, Refused):
            return agreed
        return replace(self._agreed(agreed), offered=None, held=self._holding)

    def hear_again(self, body: bytes) -> "Negotiation | Refused":
        """The answer to our last description, which was offered again unchanged (RFC 4028 §7.4)."""
        if self.sent is None or not body:
            return self
        heard = replace(self, offered=self.sent).hear_early(body)
        return heard if isinstance(heard, Refused) else replace(heard, offered=self.offered)

    def take_back(self) -> "Negotiation":
        """Our offer was refused: all is as it was (RFC 3261 §14.1)."""
        return replace(self, offered=None, _holding=self.held)

    def answer(self, body: bytes, *, held: bool) -> tuple["Negotiation", bytes] | Refused:
        """The answer to their offer; with `held` it says so."""
        offer = _parsed(body)
        if isinstance(offer, Refused):
            return offer
        wish = Direction.SENDONLY if held else Direction.SENDRECV
        agreed = negotiate.answer(
            offer, self.capabilities, self.local, wish, self.number, self._version
        )
        if isinstance(agreed, NothingInCommon):
            return Refused(agreed.reason)
        ours = self._renumbered(agreed.session)
        after = replace(self._agreed(agreed), sent=ours, held=held, _holding=held)
        return after, write(ours)

    def _accepted(self, body: bytes) -> Negotiated | Refused:
        if self.offered is None:
            return Refused("an answer without an offer")
        answered = _parsed(body)
        if isinstance(answered, Refused):
            return answered
        agreed = negotiate.accept_answer(self.offered, answered, self.capabilities)
        return Refused(agreed.reason) if isinstance(agreed, NothingInCommon) else agreed

    def _agreed(self, agreed: Negotiated) -> "Negotiation":
        return replace(self, media=media_of(agreed), held_by_them=agreed.held_by_them)

    @property
    def _version(self) -> int:
        return 0 if self.sent is None else self.sent.origin.version

    def _renumbered(self, made: Description) -> Description:
        # RFC 3264 §8: the version grows by one when anything changed, and only then; nothing else
        # of the o= line ever changes, even if our address does.
        if self.sent is None:
            return made
        made = replace(made, origin=self.sent.origin)
        if made == self.sent:
            return made
        return replace(made, origin=replace(made.origin, version=made.origin.version + 1))


def _parsed(body: bytes) -> Description | Refused:
    if not body:
        return Refused("no session description")
    try:
        return parse(body)
    except SdpError as error:
        return Refused(str(error))
