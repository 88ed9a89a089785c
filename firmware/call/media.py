"""From what two ends agreed on to what the audio engine is told."""

from typing import TYPE_CHECKING

from msgspec import Struct

from firmware.base.direction import Direction
from firmware.base.suites import Keys
from firmware.base.values import replace
from firmware.call.capabilities import payload_format
from firmware.media.messages import ConfigureStream, PayloadFormat, SetKeys
from firmware.sdp.keying import Inline, Keying
from firmware.sdp.negotiate import Negotiated

if TYPE_CHECKING:
    from firmware.sdp.ice import Candidate, Credentials, Terms

NOWHERE = ("", 0)


class Way(Struct, frozen=True):
    """A checked way between both ends of a stream (RFC 8445); `ours` says which search found it.

    `kind` is how the far end is reached: host, srflx, prflx or relay. `remote` and `remote_rtcp`
    are what the engine sends to. `nominated` = it stays; `local` and `theirs` are then the ends of
    the pairs, one a component.
    """

    ours: "Credentials"
    kind: str
    remote: tuple[str, int]
    remote_rtcp: tuple[str, int] = NOWHERE
    nominated: bool = False
    local: "tuple[Candidate, ...]" = ()
    theirs: "tuple[Candidate, ...]" = ()


class Media(Struct, frozen=True):
    """What a stream should do; the fields are those of `ConfigureStream`.

    `keying` is what encrypts it, None = nothing does. `ways` = the way is to be found out by these
    terms, and nothing is sent but on one that was checked.
    """

    remote: tuple[str, int]
    remote_rtcp: tuple[str, int]
    formats: tuple[PayloadFormat, ...]
    direction: Direction
    dtmf: PayloadFormat | None = None
    ptime: int = 20
    keying: Keying | None = None
    leave_out_silence: bool = False
    symmetric: bool = False
    metrics: bool = True
    ways: "Terms | None" = None

    def on(self, way: Way | None) -> "Media":
        """The same on the way that was found; without one nothing can be sent."""
        if self.ways is None:
            return self
        if way is None:
            return replace(self, remote=NOWHERE, remote_rtcp=NOWHERE)
        return replace(self, remote=way.remote, remote_rtcp=way.remote_rtcp)

    def configure(self, stream: int) -> ConfigureStream:
        """The order for the stream with this number."""
        return ConfigureStream(
            stream=stream,
            remote=self.remote,
            remote_rtcp=self.remote_rtcp,
            formats=self.formats,
            direction=self.direction,
            dtmf=self.dtmf,
            ptime=self.ptime,
            secure=self.keying is not None,
            leave_out_silence=self.leave_out_silence,
            checked=self.ways is not None,
            symmetric=self.symmetric,
            metrics=self.metrics,
        )

    def set_keys(self, stream: int) -> SetKeys | None:
        """The order that brings keys from SDP, None if there are none."""
        if not isinstance(self.keying, Inline):
            return None
        agreed = self.keying
        return SetKeys(stream, Keys(agreed.suite, agreed.ours, agreed.theirs, agreed.mki))


def media_of(
    agreed: Negotiated,
    *,
    leave_out_silence: bool = False,
    symmetric: bool = False,
    ways: "Terms | None" = None,
) -> Media:
    """The stream that an agreement asks for."""
    return Media(
        remote=agreed.remote,
        remote_rtcp=agreed.rtcp,
        formats=tuple(map(payload_format, agreed.formats)),
        direction=agreed.direction,
        dtmf=None if agreed.dtmf is None else payload_format(agreed.dtmf),
        ptime=agreed.ptime,
        keying=agreed.keying,
        metrics=agreed.metrics,
        leave_out_silence=leave_out_silence,
        symmetric=symmetric,
        ways=ways,
    )
