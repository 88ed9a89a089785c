"""The audio engine: every open stream, path and card, moved on by one `tick` each 20 ms.

    tick:  wire ─▶ streams ─▶ near ends ◀─ microphones
                      │            └─▶ desk ─▶ cards
                      └─▶ wire

It is one object for one thread. Whoever owns it (the audio process, or a test) asks `due`, waits,
and calls `tick`; between two ticks it hands orders to `handle`. What cannot be done is a report;
nothing here raises because of an order or a datagram.
"""

import contextlib
from collections.abc import Callable

from firmware.base.tokens import SystemTokens
from firmware.media import bridge, realtime
from firmware.media.cards import Cards, Device, OpenCard
from firmware.media.clock import Beat
from firmware.media.insert import Clip, Insert
from firmware.media.leg import Leg
from firmware.media.messages import (
    AnyOrder,
    AnyReport,
    Bridge,
    ClipEnded,
    ClosePath,
    CloseStream,
    ConfigureStream,
    EngineAlive,
    EngineLog,
    LoadClip,
    OpenPath,
    OpenStream,
    PlayClip,
    PlayTone,
    PrepareSrtp,
    Record,
    Route,
    RouteStream,
    SendDigits,
    SetKeys,
    SetMute,
    SetVolume,
    Stop,
    StopRecord,
    StopTone,
    TalkOn,
)
from firmware.media.pipeline import Desk, NearEnd, silence
from firmware.media.recording import Recording
from firmware.media.stream import Stream
from firmware.media.wire import MediaSocket, Wire, close_descriptors, read_clip
from firmware.rtp import srtp

ALIVE_ACTIVE = 1.0
ALIVE_IDLE = 5.0
_LOOK_EVERY = 0.2
STREAMS = 128
"""As many streams at a time; more are refused with a log line."""


class Engine:
    """See the module; `random` gives the system's random bytes, `clock` monotonic seconds."""

    def __init__(
        self,
        report: Callable[[AnyReport], None],
        open_card: OpenCard,
        random: Callable[[int], bytes],
        clock: Callable[[], float],
    ) -> None:
        now = clock()
        self._clock = clock
        self._report = report
        self._tokens = SystemTokens(random)
        self._wire = Wire()
        self._legs: dict[int, Leg] = {}
        self._clips: dict[str, Clip] = {}
        self._bridge = bridge.Bridge(())
        self._recorded: tuple[Leg, ...] = ()
        self._desk = Desk()
        self._cards = Cards(open_card, report)
        self._beat = Beat(now)
        self._chores_at = now + ALIVE_IDLE
        self._look_at = now
        self._active = False
        self._playing: tuple[Device, ...] = ()
        self._paced = False
        self._failures = 0
        self._swept = False
        self.stopped = False
        """Whether `Stop` was ordered."""

    def __len__(self) -> int:
        """Streams that are open."""
        return len(self._legs)

    @property
    def due(self) -> float:
        """When `tick` must be called next; in it, a card that sets the pace may block."""
        return self._beat.due if self._active else self._chores_at

    # A frame

    def tick(self, now: float) -> None:
        """Move everything on by one frame, and see to what is due less often."""
        if self._active:
            self._frame(now)
        if now >= self._chores_at:
            self._do_chores(now)

    def _frame(self, now: float) -> None:
        if self._playing:
            self._listen(now)
        beat = self._beat
        if self._paced:
            # The card may have kept us waiting.
            now = self._clock()
            skipped = beat.follow(now)
        else:
            skipped = beat.take(now)
        self._wire.drain(now)
        if now >= self._look_at:
            # A silence is told as soon as it has lasted long enough (P9).
            self._look_at = now + _LOOK_EVERY
            for leg in self._legs.values():
                leg.stream.watch(now, self._card_fault(leg))
        self._exchange(skipped, now)
        if self._playing:
            self._play(now)
        if self._failures != self._cards.failures:
            # A clock that broke needs a successor at once.
            self._settle(now)

    def _exchange(self, skipped: int, now: float) -> None:
        """A frame of every call, both ways."""
        self._beep(skipped)
        for leg in self._legs.values():
            stream = leg.stream
            if skipped:
                stream.skip(skipped)
            if leg.insert is not None:
                self._play_into(leg, leg.insert)
            if leg not in self._bridge.members:
                leg.exchange(self._desk, now)
            if leg.near.ended:
                self._report(leg.near.take_ended(stream.number))
            if stream.reports:
                self._flush(stream)
        if self._bridge.members:
            self._converse(self._bridge, now)

    def _converse(self, conversation: bridge.Bridge, now: float) -> None:
        """A frame of several far ends, and of what is played to all of them."""
        if conversation.insert is not None and conversation.insert.over:
            conversation.insert = None
            for member in conversation.members:
                self._report(ClipEnded(member.stream.number))
        conversation.exchange(self._desk, now)

    def _beep(self, skipped: int) -> None:
        """Whoever is recorded hears so, and the person at the desk with them."""
        desk = self._desk
        for leg in self._recorded:
            if leg.recording is not None:
                leg.recording.beep.advance()
                if skipped:
                    leg.recording.skip(skipped)
        for leg in self._recorded:
            if leg.beep is not None and leg.near.route is Route.CARD and desk.rate:
                tone = leg.beep.at(desk.rate)
                if tone:
                    desk.hear(tone)

    def _play_into(self, leg: Leg, insert: Insert) -> None:
        """The next piece of what both ends hear."""
        if insert.over:
            leg.insert = None
            self._report(ClipEnded(leg.stream.number))
            return
        insert.advance()
        if self._desk.rate and leg.near.route is Route.CARD:
            self._desk.hear(insert.at(self._desk.rate))

    def _listen(self, now: float) -> None:
        """What the person says, from the card they talk on."""
        self._cards.listen(now)
        talk = self._talk_device()
        if talk is not None:
            self._desk.begin_frame(talk.rate, talk.microphone, talk.upsets)

    def _play(self, now: float) -> None:
        """What the person hears, on every card that has something to say."""
        if self._routed:
            self._cards.sound_on(self._desk.sounding)
        cards = self._cards
        for device in self._playing:
            frame = self._desk.frame_for(device.paths, device.rate)
            if frame is not None:
                cards.play(device, frame, now)
            elif device is cards.leader:
                # Whoever sets the pace plays on, or the frames would run away.
                cards.play(device, silence(device.rate), now)
            else:
                cards.rest(device)
        for ended in self._desk.take_ended():
            self._report(ended)

    # Once a second

    def _do_chores(self, now: float) -> None:
        """All that is told once a second, in one frame: so the phone wakes up once."""
        for leg in self._legs.values():
            leg.stream.watch(now, self._card_fault(leg))
            leg.stream.watch_sending(now, leg.rtp.dropped, leg.rtp.why)
            leg.keep_alive(now)
            leg.stream.report()
            self._flush(leg.stream)
        worst = self._beat.take_worst() * 1000
        cards = self._cards
        cards.retry(now)
        self._settle(now)
        rest = ALIVE_ACTIVE if self._active or cards.broken else ALIVE_IDLE
        self._report(EngineAlive(worst, cards.xruns, cards.failures, rest, cards.drifts))
        if not self._active and not self._swept:
            realtime.sweep()
        self._swept = not self._active
        self._chores_at = max(self._chores_at + rest, now)

    def _flush(self, stream: Stream) -> None:
        for report in stream.reports:
            self._report(report)
        stream.reports.clear()

    def _card_fault(self, leg: Leg) -> str:
        device = self._talk_device()
        return device.reason if leg.near.route is Route.CARD and device is not None else ""

    def _talk_device(self) -> Device | None:
        return self._cards.of(self._desk.talking)

    def _settle(self, now: float) -> None:
        """Work only while there is something to work on: an idle phone does not tick."""
        active = bool(self._legs) or self._desk.wanted
        if active and not self._active:
            self._beat.restart(now)
        if self._cards.broken or active > self._active:
            self._chores_at = min(self._chores_at, now + ALIVE_ACTIVE)
        self._active = active
        desk = self._desk
        self._cards.capture(desk.talking if desk.microphone_open else None, now)
        self._routed = self._cards.routed
        self._playing = tuple(device for device in self._cards if self._must_play(device))
        if self._talk_device() not in self._playing:
            desk.begin_frame(0, b"")
        self._paced = self._cards.lead(self._playing)
        self._failures = self._cards.failures

    def _must_play(self, device: Device) -> bool:
        """Whether somebody hears it; a null card only brings tones to their end."""
        desk = self._desk
        listens = desk.talking in device.paths and device.card.kind != "null"
        return listens or desk.sounds_on(device.paths)

    # Orders

    def handle(self, order: AnyOrder, descriptors: tuple[int, ...], now: float) -> None:
        """Do what the phone ordered; `descriptors` become the engine's."""
        match order:
            case OpenStream() | LoadClip() | PlayClip() | Record() | OpenPath():
                self._take_in(order, descriptors, now)
            case (
                ConfigureStream()
                | SetKeys()
                | RouteStream()
                | SendDigits()
                | StopRecord()
                | CloseStream()
            ):
                close_descriptors(descriptors)
                self._order_stream(order, now)
            case PrepareSrtp():
                close_descriptors(descriptors)
                with contextlib.suppress(ImportError):
                    srtp.load()
            case Bridge():
                close_descriptors(descriptors)
                self._join(order.streams)
            case _:
                close_descriptors(descriptors)
                self._order_desk(order, now)
        self._settle(now)

    def _take_in(
        self,
        order: OpenStream | LoadClip | PlayClip | Record | OpenPath,
        descriptors: tuple[int, ...],
        now: float,
    ) -> None:
        """Orders that bring descriptors."""
        match order:
            case OpenStream():
                self._open_stream(order, descriptors, now)
            case LoadClip():
                self._clips[order.name] = Clip(read_clip(descriptors), order.rate)
            case PlayClip():
                insert = Insert(Clip(read_clip(descriptors), order.rate))
                leg = self._legs.get(order.stream)
                if leg in self._bridge.members:
                    self._bridge.insert = insert
                elif leg is not None:
                    leg.insert = insert
            case Record():
                self._record(order, descriptors)
            case OpenPath():
                self._desk.open(order.path, order.volume, order.microphone)
                self._cards.assign(order.path, order.card, descriptors, now)

    def _open_stream(self, order: OpenStream, descriptors: tuple[int, ...], now: float) -> None:
        if len(descriptors) != 2 or len(self._legs) >= STREAMS or order.stream in self._legs:
            close_descriptors(descriptors)
            self._log(f"stream {order.stream} cannot be opened")
            return
        stream = Stream(order, self._tokens, now, self._cards.rate)
        sinks = (stream.receive, stream.receive_control)
        attached: list[MediaSocket] = []
        try:
            for descriptor, sink in zip(descriptors, sinks, strict=True):
                attached.append(self._wire.attach(descriptor, sink))
        except OSError as error:
            close_descriptors(descriptors[len(attached) :])
            for media in attached:
                self._wire.detach(media)
            self._log(f"stream {order.stream} cannot be opened: {error}")
            return
        near = NearEnd(order.route, self._clips.get(order.clip))
        self._legs[order.stream] = Leg(stream, near, *attached)

    def _order_stream(
        self,
        order: ConfigureStream | SetKeys | RouteStream | SendDigits | StopRecord | CloseStream,
        now: float,
    ) -> None:
        leg = self._legs.get(order.stream)
        if leg is None:
            self._log(f"{type(order).__name__} for stream {order.stream}, which is not open")
            return
        match order:
            case ConfigureStream():
                leg.stream.configure(order, now)
            case SetKeys():
                leg.stream.set_keys(order)
            case RouteStream():
                leg.connect(order, self._clips.get(order.clip))
                self._settle_beeps()
            case StopRecord():
                leg.record(None)
                self._settle_beeps()
            case SendDigits():
                leg.stream.send_digits(order.digits, order.tone_ms, order.gap_ms)
            case CloseStream():
                self._close_stream(order.stream, now)

    def _join(self, streams: tuple[int, ...]) -> None:
        """Only two make a conversation that the desk has to carry."""
        members = [self._legs[number] for number in streams if number in self._legs]
        before = self._bridge
        self._bridge = bridge.Bridge(members if len(members) > 1 else ())
        self._bridge.succeed(before, members)
        self._settle_beeps()

    def _record(self, order: Record, descriptors: tuple[int, ...]) -> None:
        leg = self._legs.get(order.stream)
        close_descriptors(descriptors[1:] if leg is not None else descriptors)
        if leg is None or not descriptors:
            self._log(f"stream {order.stream} cannot be recorded")
            return
        leg.record(Recording(order, descriptors[0]))
        self._settle_beeps()

    def _settle_beeps(self) -> None:
        """Who must hear that a call is recorded: in a conversation of several all of them.

        Who waits on hold says nothing that could be.
        """
        for leg in self._legs.values():
            talks = leg.recording is not None and leg.near.route is not Route.NULL
            leg.beep = leg.recording.beep if talks and leg.recording is not None else None
        members = self._bridge.members
        warner = next((each.recording for each in members if each.recording is not None), None)
        if warner is not None:
            for leg in members:
                leg.beep = warner.beep
        legs = self._legs.values()
        self._recorded = tuple(leg for leg in legs if leg.recording or leg.beep)

    def _close_stream(self, number: int, now: float) -> None:
        leg = self._legs.pop(number)
        leg.record(None)
        if leg in self._bridge.members:
            self._join(tuple(each.stream.number for each in self._bridge.members))
        self._settle_beeps()
        leg.end(now)
        leg.stream.report(final=True)
        self._flush(leg.stream)
        self._wire.detach(leg.rtp)
        self._wire.detach(leg.rtcp)

    def _order_desk(
        self,
        order: ClosePath | SetVolume | SetMute | TalkOn | PlayTone | StopTone | Stop,
        now: float,
    ) -> None:
        desk = self._desk
        match order:
            case ClosePath():
                desk.close(order.path)
                self._cards.withdraw(order.path)
            case SetVolume():
                desk.set_volume(order.path, order.volume)
            case SetMute():
                self._mute(now, muted=order.muted)
            case TalkOn():
                desk.talk_on(order.path, microphone=order.microphone)
            case PlayTone():
                desk.play(order)
            case StopTone():
                desk.stop(order.name, order.path)
            case Stop():
                self.close(now)

    def _mute(self, now: float, *, muted: bool) -> None:
        """What was said while muted may still wait in the card, and must not be heard after it."""
        talk = self._talk_device()
        if self._desk.muted and not muted and talk is not None:
            self._cards.forget(talk, now)
        self._desk.muted = muted

    def close(self, now: float) -> None:
        """End every stream with a good-bye and release every card."""
        self.stopped = True
        for number in list(self._legs):
            self._close_stream(number, now)
        self._cards.close()

    def _log(self, text: str) -> None:
        self._report(EngineLog("warning", text))
