"""From what two ends agreed on to what the audio engine is told."""

from msgspec import Struct

from firmware.base.suites import Keys
from firmware.call.capabilities import payload_format
from firmware.media.messages import ConfigureStream, Direction, PayloadFormat, SetKeys
from firmware.sdp.keying import Inline, Keying
from firmware.sdp.negotiate import Negotiated


class Media(Struct, frozen=True):
    """What a stream should do; the fields are those of `ConfigureStream`.

    `keying` is what encrypts it, None = nothing does.
    """

    remote: tuple[str, int]
    remote_rtcp: tuple[str, int]
    formats: tuple[PayloadFormat, ...]
    direction: Direction
    dtmf: PayloadFormat | None = None
    ptime: int = 20
    keying: Keying | None = None
    leave_out_silence: bool = False

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
        )

    def set_keys(self, stream: int) -> SetKeys | None:
        """The order that brings keys from SDP, None if there are none."""
        if not isinstance(self.keying, Inline):
            return None
        agreed = self.keying
        return SetKeys(stream, Keys(agreed.suite, agreed.ours, agreed.theirs, agreed.mki))


def media_of(agreed: Negotiated, *, leave_out_silence: bool = False) -> Media:
    """The stream that an agreement asks for."""
    return Media(
        remote=agreed.remote,
        remote_rtcp=agreed.rtcp,
        formats=tuple(map(payload_format, agreed.formats)),
        direction=Direction(agreed.direction.value),
        dtmf=None if agreed.dtmf is None else payload_format(agreed.dtmf),
        ptime=agreed.ptime,
        keying=agreed.keying,
        leave_out_silence=leave_out_silence,
    )
