"""What should be heard, lit and bound in a given state, and the commands that make it so.

The phone keeps no list of running tones or open streams to tidy up. After each event the whole of
what should be is derived from the state and compared with what was last asked for; the difference
is what is ordered. So no tone can be left playing and no microphone left open by a forgotten line
of code, and a new audio engine is told everything by comparing with nothing.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from firmware.base.direction import Direction
from firmware.base.values import replace
from firmware.call.capabilities import payload_format
from firmware.call.media import Media
from firmware.media.messages import (
    AnyOrder,
    Bridge,
    CloseStream,
    OpenStream,
    PathName,
    PayloadFormat,
    PlayTone,
    Record,
    Route,
    RouteStream,
    SetMute,
    SetVolume,
    StopRecord,
    StopTone,
    TalkOn,
)
from firmware.phone.commands import (
    CheckWays,
    Command,
    EndRecording,
    FreeMediaPort,
    MakeKeys,
    MediaOrder,
    ReserveMediaPort,
    RingBell,
    SetBuddies,
    SetLamp,
    ShowPresence,
    StartRecording,
)
from firmware.phone.desk import lamps, tones
from firmware.phone.features import audio_test, presence, recording
from firmware.phone.model import AudioTestStage, Call, Engine, LoopEnd, PhoneState
from firmware.phone.turn import Rules
from firmware.phone.view import Mode
from firmware.sdp.keying import Handshake
from firmware.sip.facts import Activity
from firmware.sip.notifications import CallRef, LineName
from hal.ports import LampPattern

_CLOSED = TalkOn(None)


class Port(Struct, frozen=True):
    """A media port that a call should have; another number of its stream wants new sockets."""

    stream: int
    local: str
    emergency: bool = False
    line: LineName = LineName("")


class Stream(Struct, frozen=True):
    """A stream as the engine should have it; `source` is the call, or end of a test, it is for."""

    source: Call | LoopEnd
    expect: tuple[PayloadFormat, ...]
    route: Route
    media: Media | None
    secure: bool = False
    """Nothing may be heard in the clear, not even before the answer."""


class Sound(Struct, frozen=True):
    """All that the engine should be doing."""

    talk: TalkOn = _CLOSED
    muted: bool = False
    volumes: Mapping[PathName, int] = field(default_factory=dict)
    streams: Mapping[int, Stream] = field(default_factory=dict)
    tones: Mapping[str, PlayTone] = field(default_factory=dict)
    bridge: tuple[int, ...] = ()
    """The streams of one conversation."""
    recorded: Mapping[int, tuple[CallRef, Record]] = field(default_factory=dict)
    """The streams that are copied into the files of their calls."""


SILENT = Sound()


class Outputs(Struct, frozen=True):
    """All that lasts: ports, sound, bell, lamps. `sound` None = there is no engine to tell."""

    ports: Mapping[CallRef, Port] = field(default_factory=dict)
    files: Mapping[CallRef, StartRecording] = field(default_factory=dict)
    sound: Sound | None = None
    bell: tuple[float, ...] = ()
    lamps: Mapping[str, LampPattern] = field(default_factory=dict)
    shown: Mapping[LineName, Activity] = field(default_factory=dict)
    buddies: Mapping[LineName, tuple[str, ...]] = field(default_factory=dict)


def wanted(state: PhoneState, rules: Rules, before: Outputs) -> Outputs:
    """What should be, now; `before` lends the streams that did not change."""
    country = rules.settings.phone.country
    files = recording.files(state, before.files)
    sound = _sound(state, rules, before.sound) if state.engine is Engine.UP else None
    if sound is not None and files:
        sound = replace(sound, recorded=recording.copies(state, rules, files))
    return Outputs(
        ports=_ports(state),
        files=files,
        sound=sound,
        bell=tones.bell(state, country),
        # The lamp of a line that is no more goes out.
        lamps={**dict.fromkeys(before.lamps, LampPattern.OFF), **lamps.wanted(state)},
        shown=presence.shown(state, rules, before.shown),
        buddies=presence.watched(state, rules, before.buddies),
    )


def _ports(state: PhoneState) -> dict[CallRef, Port]:
    ports = {
        call.ref: Port(call.stream, call.local, call.emergency, call.line)
        for call in state.calls
        if call.local
    }
    if state.test is not None:
        ends = state.test.ends
        ports |= {end.ref: Port(end.stream, audio_test.LOOPBACK) for end in ends}
    return ports


def _sound(state: PhoneState, rules: Rules, before: Sound | None) -> Sound:
    known = {} if before is None else before.streams
    return Sound(
        talk=TalkOn(state.path, microphone=microphone_open(state)),
        muted=state.muted,
        volumes=state.volumes,
        streams=dict(_streams(state, rules, known)),
        tones={tone.name: tone for tone in tones.wanted(state, rules.settings.phone.country)},
        bridge=_bridge(state),
    )


def _bridge(state: PhoneState) -> tuple[int, ...]:
    """Whoever is on hold is not heard by anybody, nor hears them."""
    streams = tuple(
        call.stream
        for call in state.calls
        if call.ref in state.conference and call.answered and not call.held
        # One that moves has no stream until its new sockets are bound.
        if call.negotiation is not None
    )
    return streams if len(streams) > 1 else ()


def microphone_open(state: PhoneState) -> bool:
    """Whether a call or the audio test owns the microphone. Nothing else ever opens it."""
    if state.path is None:
        return False
    if state.mode is Mode.AUDIO_TEST:
        return state.test is not None and state.test.stage is AudioTestStage.VOICE
    call = state.front_call
    return state.mode is Mode.TALKING and call is not None and call.answered and not call.held


def _streams(
    state: PhoneState, rules: Rules, known: Mapping[int, Stream]
) -> Iterator[tuple[int, Stream]]:
    loop = rules.settings.audio.loop
    for call in state.calls:
        negotiation = call.negotiation
        if negotiation is None:
            continue
        route = _route(state, call, loop=loop)
        was = known.get(call.stream)
        # With a hundred calls up most are as they were.
        if was is None or was.source is not call or was.route is not route:
            media = None if negotiation.media is None else negotiation.media.on(call.way)
            was = Stream(call, negotiation.formats, route, media, negotiation.secure)
        yield call.stream, was
    if state.test is not None and all(end.port for end in state.test.ends):
        yield from _test_streams(state, rules)


def _route(state: PhoneState, call: Call, *, loop: bool) -> Route:
    if call.held:
        return Route.NULL
    if loop:
        return Route.LOOP
    in_front = state.front == call.ref and state.path is not None
    return Route.CARD if in_front and not call.rings_here else Route.NULL


def _test_streams(state: PhoneState, rules: Rules) -> Iterator[tuple[int, Stream]]:
    test = state.test
    if test is None or test.stage is not AudioTestStage.VOICE:
        return
    card, back = test.ends
    formats = tuple(map(payload_format, rules.capabilities.formats[:1]))
    for end, other, route in ((card, back, Route.CARD), (back, card, Route.LOOP)):
        media = Media(
            remote=(audio_test.LOOPBACK, other.port),
            remote_rtcp=(audio_test.LOOPBACK, other.port + 1),
            formats=formats,
            direction=Direction.SENDRECV,
        )
        yield end.stream, Stream(end, formats, route, media)


def difference(before: Outputs, after: Outputs) -> list[Command]:
    """The commands that lead from one to the other; ports outlive the streams on them."""
    commands: list[Command] = []
    old, new = before.sound or SILENT, after.sound
    if new is not None:
        commands += map(MediaOrder, _closed(old, new))
    commands += _file_changes(before, after)
    commands += _port_changes(before, after)
    if new is not None:
        commands += _opened(old, new)
        commands += _copied(old, new)
        commands += map(MediaOrder, _heard(old, new, fresh=before.sound is None))
    if before.bell != after.bell:
        commands.append(RingBell(after.bell))
    commands += (
        SetLamp(lamp, pattern)
        for lamp, pattern in after.lamps.items()
        if before.lamps.get(lamp) is not pattern
    )
    commands += _social_changes(before, after)
    return commands


def _social_changes(before: Outputs, after: Outputs) -> Iterator[Command]:
    for line in {**before.shown, **after.shown}:
        if before.shown.get(line) is not after.shown.get(line):
            yield ShowPresence(line, after.shown.get(line))
    for line in {**before.buddies, **after.buddies}:
        if before.buddies.get(line) != after.buddies.get(line):
            yield SetBuddies(line, after.buddies.get(line, ()))


def _file_changes(before: Outputs, after: Outputs) -> Iterator[Command]:
    yield from (EndRecording(call) for call in before.files if call not in after.files)
    for call, file in after.files.items():
        if call not in before.files:
            yield file


def _port_changes(before: Outputs, after: Outputs) -> Iterator[Command]:
    for call, port in before.ports.items():
        if after.ports.get(call) != port:
            yield FreeMediaPort(call)
    for call, port in after.ports.items():
        if before.ports.get(call) != port:
            yield ReserveMediaPort(call, port.local, port.emergency, port.line)


def _closed(old: Sound, new: Sound) -> Iterator[AnyOrder]:
    """What ends goes first: the microphone, then the tones, then the streams."""
    if old.talk != new.talk and (new.talk.path is None or not new.talk.microphone):
        yield new.talk
    for name, tone in old.tones.items():
        after = new.tones.get(name)
        if after is None or after.path is not tone.path:
            yield StopTone(name, tone.path)
    for stream in old.recorded:
        if stream not in new.recorded and stream in new.streams:
            yield StopRecord(stream)
    for stream in old.streams:
        if stream not in new.streams:
            yield CloseStream(stream)


def _keyed(number: int, stream: Stream, media: Media) -> Iterator[Command]:
    """What brings the keys of a stream, if it is to have any."""
    keys = media.set_keys(number)
    if keys is not None:
        yield MediaOrder(keys)
    elif isinstance(media.keying, Handshake) and (media.remote[0] or media.ways is None):
        checked = media.ways is not None
        yield MakeKeys(
            stream.source.ref, number, media.keying, media.remote, checked, media.symmetric
        )


def _opened(old: Sound, new: Sound) -> Iterator[Command]:
    for number, stream in new.streams.items():
        was = old.streams.get(number)
        if was is stream:
            continue
        if was is None:
            order = OpenStream(number, stream.expect, stream.route, secure=stream.secure)
            yield MediaOrder(order, stream.source.ref)
        elif was.route is not stream.route:
            yield MediaOrder(RouteStream(number, stream.route))
        if stream.media is not None and (was is None or was.media != stream.media):
            yield MediaOrder(stream.media.configure(number))
            yield from _keyed(number, stream, stream.media)
            before = None if was is None or was.media is None else was.media.ways
            if stream.media.ways is not None and stream.media.ways != before:
                yield CheckWays(stream.source.ref, number, stream.media.ways)


def _copied(old: Sound, new: Sound) -> Iterator[Command]:
    for stream, (call, order) in new.recorded.items():
        if old.recorded.get(stream) != (call, order):
            yield MediaOrder(order, call)


def _heard(old: Sound, new: Sound, *, fresh: bool) -> Iterator[AnyOrder]:
    for path, volume in new.volumes.items():
        if fresh or old.volumes.get(path) != volume:
            yield SetVolume(path, volume)
    if old.muted != new.muted:
        yield SetMute(new.muted)
    if old.bridge != new.bridge:
        yield Bridge(new.bridge)
    if (old.talk != new.talk or fresh) and new.talk.path is not None and new.talk.microphone:
        yield new.talk
    for name, tone in new.tones.items():
        if old.tones.get(name) != tone:
            yield tone
