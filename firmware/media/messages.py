"""The only messages to and from the audio engine: orders down, reports up.

They cross a SOCK_SEQPACKET socket as msgpack, one message a packet; descriptors travel by
SCM_RIGHTS on the very message that needs them, in the order its docstring names. Times are
monotonic seconds, levels are dBov (0 = full scale square wave), volumes are per cent.
"""

import enum
import struct

import msgspec

from firmware.base.direction import Direction
from firmware.base.suites import Heard, Keys
from firmware.media.kinds import (
    Card,
    Levels,
    Microphone,
    PathName,
    PayloadFormat,
    Route,
    ToneSegment,
)

# To be had here as well, beside all that follows.
__all__ = [
    "Card",
    "Direction",
    "Levels",
    "Microphone",
    "PathName",
    "PayloadFormat",
    "Route",
    "ToneSegment",
]


class Order(msgspec.Struct, frozen=True, tag=True):
    """Root of what the phone tells the engine."""


class OpenPath(Order, frozen=True, tag="open_path"):
    """Make a path known and say which card serves it; the device itself opens when needed.

    Descriptors: for a `file` card with `record`, a SOCK_SEQPACKET/stream socket to the WAV writer;
    for a `browser` card, the listening `audio.sock`. Paths with equal cards share one device: what
    they play is mixed. The first such order needs the descriptors, later ones may leave them out.
    `microphone` None = its sound is passed on as it is.
    """

    path: PathName
    card: Card
    volume: int = 70
    microphone: Microphone | None = None


class ClosePath(Order, frozen=True, tag="close_path"):
    """Forget a path and release its card."""

    path: PathName


class SetVolume(Order, frozen=True, tag="set_volume"):
    """Set what is heard on a path, 0 to 100 per cent."""

    path: PathName
    volume: int


class SetMute(Order, frozen=True, tag="set_mute"):
    """Discard (or stop discarding) the microphone before any buffer."""

    muted: bool


class TalkOn(Order, frozen=True, tag="talk_on"):
    """Which path the person talks on; None = on hook: every capture device is closed."""

    path: PathName | None
    microphone: bool = False


class OpenStream(Order, frozen=True, tag="open_stream"):
    """Begin to receive on the RTP and RTCP sockets of a call (goes with the offer: early media).

    Descriptors: RTP socket, RTCP socket. `expect` are the formats we offered. `route` says what
    the near end is until `RouteStream`. `secure` = what comes in the clear is not heard.
    """

    stream: int
    expect: tuple[PayloadFormat, ...]
    route: Route = Route.NULL
    clip: str = ""
    secure: bool = False


class ConfigureStream(Order, frozen=True, tag="configure_stream"):
    """An offer/answer exchange ended: SSRC, sequence, timestamp and jitter state are kept.

    `formats[0]` is what we send; all of them may arrive. `dtmf` is the telephone-event format or
    None. `remote` and `remote_rtcp` are address and port; an address of `""` sends nothing until
    the first valid packet arrives. `secure` = nothing is sent or heard but under the keys of
    `SetKeys`, which follows; without it any keys are forgotten. `leave_out_silence`: by comfort
    noise if that is among the formats, or as the codec does it.
    """

    stream: int
    remote: tuple[str, int]
    remote_rtcp: tuple[str, int]
    formats: tuple[PayloadFormat, ...]
    direction: Direction = Direction.SENDRECV
    dtmf: PayloadFormat | None = None
    ptime: int = 20
    secure: bool = False
    leave_out_silence: bool = False
    checked: bool = False
    """Only checked places are sent to (RFC 8445 §12.1): nobody is followed, `""` is nobody."""
    symmetric: bool = False
    """Send to where the far end's media really comes from, once that is known (RFC 4961, A8)."""
    metrics: bool = True
    """Whether RTCP may tell the far end how it is heard (RFC 3611)."""


class SetKeys(Order, frozen=True, tag="set_keys"):
    """The SRTP keys of a stream; one that stays the same keeps its counters.

    `before` is how far an engine before this one had heard (`StreamReport.heard`). `peer` is where
    the far end was when it proved who it is: a stream that follows its far end sends there at once.
    """

    stream: int
    keys: Keys
    before: Heard | None = None
    peer: tuple[str, int] | None = None


class PrepareSrtp(Order, frozen=True, tag="prepare_srtp"):
    """Load what encryption needs while no call waits for it."""


class RouteStream(Order, frozen=True, tag="route_stream"):
    """Change what the near end of a stream is."""

    stream: int
    route: Route
    clip: str = ""
    repeat: bool = False


class Bridge(Order, frozen=True, tag="bridge"):
    """These streams and the desk are one conversation; it replaces the one before, () ends it.

    What their routes say comes back with the end; a stream that closes leaves, and the last one
    that stays is alone with the desk.
    """

    streams: tuple[int, ...]


class CloseStream(Order, frozen=True, tag="close_stream"):
    """End a stream: RTCP BYE, last `StreamReport`, descriptors closed."""

    stream: int


class PlayTone(Order, frozen=True, tag="play_tone"):
    """Play a tone on a path, mixed with speech; it replaces the tone of the same `name` there.

    The segments repeat from index `repeat_from`; -1 plays them once (at least 40 ms, to the end).
    """

    name: str
    path: PathName
    segments: tuple[ToneSegment, ...]
    repeat_from: int = 0


class StopTone(Order, frozen=True, tag="stop_tone"):
    """End a tone within 40 ms at the ear; `path` None = wherever it plays."""

    name: str
    path: PathName | None = None


class LoadClip(Order, frozen=True, tag="load_clip"):
    """Load 16-bit mono PCM at `rate` from a memfd descriptor under a name."""

    name: str
    rate: int


class PlayClip(Order, frozen=True, tag="play_clip"):
    """Play 16-bit mono PCM at `rate`, from a memfd descriptor, into a call for both ends to hear.

    The conversation goes on; another one takes its place, and its end is a `ClipEnded`. Who is one
    conversation with that stream (`Bridge`) hears it as well, and is told of its end; a stream
    whose route becomes null hears no more of it.
    """

    stream: int
    rate: int


RECORD_HEAD = struct.Struct("<Q")
"""Before the samples of a recorded packet: how many frames of 20 ms the recording has before it."""


class Record(Order, frozen=True, tag="record"):
    """Copy a call, us left and the far end right, to a recorder from now on (`media.recording`).

    Descriptor: a SOCK_SEQPACKET socket. `begin` is how many frames the recording has already;
    `tone` is repeated for everybody to hear. Another recording of the stream ends.
    """

    stream: int
    rate: int
    tone: tuple[ToneSegment, ...] = ()
    begin: int = 0


class StopRecord(Order, frozen=True, tag="stop_record"):
    """The call is not recorded any more."""

    stream: int


class SendDigits(Order, frozen=True, tag="send_digits"):
    """Queue DTMF on a stream: RFC 4733 if `dtmf` was negotiated, else in-band."""

    stream: int
    digits: str
    tone_ms: int = 100
    gap_ms: int = 70


class Stop(Order, frozen=True, tag="stop"):
    """End the process after closing every stream."""


class Report(msgspec.Struct, frozen=True, tag=True):
    """Root of what the engine tells the phone."""


class EngineReady(Report, frozen=True, tag="ready"):
    """The engine runs; `realtime` tells whether SCHED_FIFO was granted, else `reason` why not."""

    pid: int
    realtime: bool
    reason: str = ""


class EngineAlive(Report, frozen=True, tag="alive"):
    """Once a second while a stream or path is open, every 5 s when idle; feeds the watchdog.

    `worst_late_ms` is the worst lateness of a tick since the last report. `xruns` is how often a
    card's buffer ran over or dry, `card_failures` how often one could not be opened or broke, each
    try again included; both count from the engine's start.
    """

    worst_late_ms: float
    xruns: int
    card_failures: int = 0
    next_s: float = 5.0
    """Seconds after which the next sign of life comes at the latest."""
    drifts: tuple[tuple[PathName, float], ...] = ()
    """Paths whose card does not set the pace: how much faster its clock is, in ppm."""


class StreamReport(Report, frozen=True, tag="stream"):
    """Once a second a stream, and a last one when it closes (`final`).

    `source` is where media really comes from; `level_in` is the far end's speech, `level_out` ours.
    """

    stream: int
    sent: int
    received: int
    lost: int
    late: int
    duplicate: int
    concealed: int
    jitter_ms: float
    delay_ms: float
    round_trip_ms: float
    remote_lost: int
    level_in: float
    level_out: float
    codec: str
    source: tuple[str, int] | None
    ssrc: int
    final: bool = False
    refused: int = 0
    """Datagrams that were forged, bent, replayed or in the clear where keys were agreed on."""
    heard: Heard | None = None
    """How far the far end's SSRC has come, for the engine that may have to go on."""
    mos: float | None = None
    """The opinion of the last seconds by the E-model, None before anything was heard."""
    remote_mos: float | None = None
    """What the far end says of us (RFC 3611 §4.7.5)."""
    target_ms: float = 0.0
    """The delay the jitter buffer aims at."""
    stretched: int = 0
    """Sounds made shorter or longer to get there."""
    drift_ppm: float | None = None
    """How much faster the far end's clock is than ours, None before that is known."""
    levels: Levels = Levels()


class Silence(enum.Enum):
    """Why nothing is heard."""

    NO_PACKETS = "no_packets"
    NO_SOUND = "no_sound"
    """The far end shows that it is there, by RTCP or an empty packet, and sends nothing to hear."""
    OTHER_SOURCE = "other_source"
    CARD_FAILED = "card_failed"
    NOT_DECODABLE = "not_decodable"
    NOT_AUTHENTIC = "not_authentic"


class HearingChanged(Report, frozen=True, tag="hearing"):
    """A stream that should receive has been silent for 2 s (`cause`), or is heard again (None)."""

    stream: int
    cause: Silence | None
    detail: str = ""


class Unheard(enum.Enum):
    """Why the far end does not hear us."""

    NOT_ARRIVING = "not_arriving"
    """Its own reports say that nothing of ours arrives."""
    REFUSED = "refused"
    """Our own machine does not let it out."""


class UnheardChanged(Report, frozen=True, tag="unheard"):
    """What we send on a stream is not heard (`cause`), or is heard again (None)."""

    stream: int
    cause: Unheard | None
    detail: str = ""


class StreamSecured(Report, frozen=True, tag="secured"):
    """From now on nothing is sent or heard but under this crypto suite; "" = no longer so."""

    stream: int
    suite: str


class FirstHeard(Report, frozen=True, tag="first_heard"):
    """Speech arrives on a stream: its first packet, or the first after a silence was reported.

    It is told at once, also before any answer (RFC 3264 §5.1), and again for another far end.
    """

    stream: int


class DigitHeard(Report, frozen=True, tag="digit"):
    """A key of the far end: a telephone-event ended, or a tone where none were agreed on."""

    stream: int
    digit: str
    duration_ms: int


class PathReport(Report, frozen=True, tag="path"):
    """A card opened, or cannot be used; `reason` is a clause for people.

    A card that is open has a `reason` if something of it does not work: its mixer, its microphone.
    """

    path: PathName
    open: bool
    reason: str = ""


class ToneEnded(Report, frozen=True, tag="tone_ended"):
    """A one-shot tone was played to its end."""

    name: str
    path: PathName


class ClipEnded(Report, frozen=True, tag="clip_ended"):
    """A clip that does not repeat, or one that was played into a call, came to its end."""

    stream: int


class Foreign(Report, frozen=True, tag="foreign"):
    """A STUN or DTLS datagram that arrived on a media socket (RFC 7983)."""

    stream: int
    data: bytes
    source: tuple[str, int]
    control: bool = False
    """Whether it came on the RTCP socket."""


class EngineLog(Report, frozen=True, tag="log"):
    """A line for the log."""

    level: str
    text: str


AnyOrder = (
    OpenPath
    | ClosePath
    | SetVolume
    | SetMute
    | TalkOn
    | OpenStream
    | ConfigureStream
    | SetKeys
    | PrepareSrtp
    | RouteStream
    | Bridge
    | CloseStream
    | PlayTone
    | StopTone
    | LoadClip
    | PlayClip
    | Record
    | StopRecord
    | SendDigits
    | Stop
)
AnyReport = (
    EngineReady
    | EngineAlive
    | StreamReport
    | HearingChanged
    | UnheardChanged
    | StreamSecured
    | FirstHeard
    | DigitHeard
    | PathReport
    | ToneEnded
    | ClipEnded
    | Foreign
    | EngineLog
)

_ENCODER = msgspec.msgpack.Encoder()
_ORDERS: msgspec.msgpack.Decoder[AnyOrder] = msgspec.msgpack.Decoder(AnyOrder)
_REPORTS: msgspec.msgpack.Decoder[AnyReport] = msgspec.msgpack.Decoder(AnyReport)


def encode(message: AnyOrder | AnyReport) -> bytes:
    """A message as one packet."""
    return _ENCODER.encode(message)


def decode_order(packet: bytes) -> AnyOrder:
    """An order from its packet.

    Raises:
        msgspec.DecodeError: the packet is no order.
    """
    return _ORDERS.decode(packet)


def decode_report(packet: bytes) -> AnyReport:
    """A report from its packet.

    Raises:
        msgspec.DecodeError: the packet is no report.
    """
    return _REPORTS.decode(packet)
