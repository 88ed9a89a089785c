"""The media side of one call: offers and answers both ways, and what they mean for its stream.

    idle ──make_offer──▶ busy ──take_answer──▶ idle          (our INVITE, hold, resume)
                           ├──hear_early──▶ busy             (18x; each fork anew)
                           └──take_back──▶ idle              (refused: all as before)
    idle ──answer──▶ idle                                    (their INVITE or re-INVITE)

A `Negotiation` is a value: each step gives the next one. It does not know SIP; when to offer, and
what a refusal means for the call, is decided by the phone. Rules: RFC 3264, RFC 6337, RFC 3960
§3.1.
"""

from typing import TYPE_CHECKING

from msgspec import Struct

from firmware.base.direction import Direction
from firmware.base.values import replace
from firmware.call import ways
from firmware.call.capabilities import payload_format
from firmware.call.media import Media, Way, media_of
from firmware.call.secrecy import IN_THE_CLEAR, Secrecy
from firmware.media.messages import PayloadFormat
from firmware.sdp import negotiate
from firmware.sdp.description import Session as Description
from firmware.sdp.errors import SdpError
from firmware.sdp.keying import Inline, Policy
from firmware.sdp.negotiate import Capabilities, LocalMedia, Negotiated, NothingInCommon
from firmware.sdp.parser import parse
from firmware.sdp.writer import write

if TYPE_CHECKING:
    from firmware.sdp.ice import Ours


class Refused(Struct, frozen=True):
    """A description we cannot live with; `why` is a clause for people and the Warning header."""

    why: str


class Negotiation(Struct, frozen=True):
    """What was said and agreed so far.

    `sent` is our last description, whatever became of it. `offered` is the one that waits for an
    answer. `media` is what the stream should do, None before the first agreement. `held` is
    whether the far end has been told, and has accepted, that we hold it. `secrecy` are the rules
    for keys, `profile` what the `m=` line said when they were agreed on.
    """

    capabilities: Capabilities
    local: LocalMedia
    number: int
    sent: Description | None = None
    offered: Description | None = None
    media: Media | None = None
    held: bool = False
    held_by_them: bool = False
    secrecy: Secrecy = IN_THE_CLEAR
    profile: str = ""
    _holding: bool = False
    """`held`, once what is offered now has been accepted."""
    controlling: bool | None = None
    """Whether we choose among the ways that are found, None before it is known."""

    @classmethod
    def open(
        cls,
        capabilities: Capabilities,
        address: str,
        port: int,
        number: int,
        secrecy: Secrecy = IN_THE_CLEAR,
        ice: "Ours | None" = None,
    ) -> "Negotiation":
        """A call whose media port is bound; `number` becomes the session id of its `o=` lines."""
        local = LocalMedia(address, port, port + 1, ice)
        return cls(capabilities, local, number, secrecy=secrecy)

    @property
    def busy(self) -> bool:
        """Whether an offer of ours waits for its answer (RFC 3264 §4: no second one meanwhile)."""
        return self.offered is not None

    @property
    def secure(self) -> bool:
        """Whether nothing may be said or heard in the clear."""
        encrypted = self.media is not None and self.media.keying is not None
        return encrypted or self.secrecy.policy is Policy.REQUIRE

    @property
    def private(self) -> bool:
        """Whether the media is encrypted with keys that nobody on the way can have read."""
        keying = None if self.media is None else self.media.keying
        return keying is not None and self.secrecy.hides(keying)

    @property
    def formats(self) -> tuple[PayloadFormat, ...]:
        """What may arrive: the formats of our own description, else all that we can."""
        if self.sent is not None:
            for medium in self.sent.media:
                if medium.kind == "audio" and medium.port:
                    return tuple(map(payload_format, medium.formats))
        return tuple(map(payload_format, self.capabilities.formats))

    def at(self, address: str, port: int, ice: "Ours | None" = None) -> "Negotiation":
        """The same with our media elsewhere; the far end learns it by the next offer."""
        # RFC 4568 §7.1.4: another address of ours, another key of ours.
        local = LocalMedia(address, port, port + 1, ice)
        return replace(self, local=local, secrecy=self.secrecy.rekeyed())

    def on(self, way: Way) -> "Negotiation":
        """A way was nominated: the next description says so (RFC 8839 §4.4.1.2.2)."""
        return replace(self, local=ways.settled(self.local, way, controls=bool(self.controlling)))

    @property
    def restarted(self) -> "Negotiation":
        """The same, to look for a way anew with the next offer (RFC 8839 §4.4.1.1.1)."""
        return replace(self, local=ways.restarted(self.local))

    def make_offer(self, *, held: bool) -> tuple["Negotiation", bytes]:
        """An offer, the first or a later one: hold is `sendonly`, or `inactive` if they hold us."""
        direction = Direction.SENDRECV
        if held:
            # RFC 3264 §8.4.
            direction = Direction.INACTIVE if self.held_by_them else Direction.SENDONLY
        local = ways.to_offer(self.local, self.media, controlling=self.controlling)
        made = negotiate.make_offer(
            self._abilities(self.secrecy),
            local,
            direction,
            self.number,
            self._version,
            self.sent,
        )
        made = self._renumbered(made)
        return replace(self, local=local, sent=made, offered=made, _holding=held), write(made)

    def hear_early(self, body: bytes) -> "Negotiation | Refused":
        """The answer in a provisional response: heard now, but of this fork and not yet final.

        Of several forks the one that spoke last is heard.
        """
        agreed = self._accepted(body)
        return (
            agreed
            if isinstance(agreed, Refused)
            else self._agreed(agreed, self.local, offered=True)
        )

    def take_answer(self, body: bytes) -> "Negotiation | Refused":
        """The answer to our offer; an empty one stands for the early answer, if there was one."""
        if not body and self.media is not None and self.offered is not None:
            return replace(self, offered=None, held=self._holding)
        agreed = self._accepted(body)
        if isinstance(agreed, Refused):
            return agreed
        return replace(
            self._agreed(agreed, self.local, offered=True), offered=None, held=self._holding
        )

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
        secrecy = self.secrecy
        local = ways.to_answer(self.local, self.media, offer)
        agreed = self._answered(offer, wish, secrecy, local)
        if self._moved_away(agreed):
            secrecy = secrecy.rekeyed()
            agreed = self._answered(offer, wish, secrecy, local)
        if isinstance(agreed, NothingInCommon):
            return Refused(agreed.reason)
        ours = self._renumbered(agreed.session)
        after = self._agreed(agreed, local, offered=False)
        after = replace(after, sent=ours, secrecy=secrecy, held=held, _holding=held)
        return after, write(ours)

    def _answered(
        self, offer: Description, wish: Direction, secrecy: Secrecy, local: LocalMedia
    ) -> Negotiated | NothingInCommon:
        abilities = self._abilities(secrecy)
        return negotiate.answer(offer, abilities, local, wish, self.number, self._version)

    def _moved_away(self, agreed: Negotiated | NothingInCommon) -> bool:
        """Whether somebody else may listen now, who knows nothing of our counters (RFC 4568 §6.4).

        That wants a new key of ours, with which they begin at zero.
        """
        before = None if self.media is None else self.media.keying
        if isinstance(agreed, NothingInCommon) or self.media is None:
            return False
        if not isinstance(before, Inline) or not isinstance(agreed.keying, Inline):
            return False
        return (before.theirs, self.media.remote) != (agreed.keying.theirs, agreed.remote)

    def _accepted(self, body: bytes) -> Negotiated | Refused:
        if self.offered is None:
            return Refused("an answer without an offer")
        answered = _parsed(body)
        if isinstance(answered, Refused):
            return answered
        agreed = negotiate.accept_answer(self.offered, answered, self._abilities(self.secrecy))
        return Refused(agreed.reason) if isinstance(agreed, NothingInCommon) else agreed

    def _agreed(self, agreed: Negotiated, local: LocalMedia, *, offered: bool) -> "Negotiation":
        terms = ways.terms(local, agreed, controlling=self.controlling, offered=offered)
        can = self.capabilities
        return replace(
            self,
            local=local,
            media=media_of(
                agreed,
                leave_out_silence=can.leave_out_silence,
                symmetric=can.symmetric,
                ways=terms,
            ),
            held_by_them=agreed.held_by_them,
            profile=agreed.profile,
            controlling=self.controlling if terms is None else terms.controlling,
        )

    def _abilities(self, secrecy: Secrecy) -> Capabilities:
        """What we can, in the state in which the call is."""
        current = None if self.media is None else self.media.keying
        means = secrecy.means(current, self.profile)
        return replace(self.capabilities, means=means)

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
