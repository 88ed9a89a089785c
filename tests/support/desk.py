"""A phone machine on a table, with somebody at it and a line behind it; no program around it.

`Desk` hands events to `Phone`, keeps the clock, binds media ports when asked, and keeps account of
what the commands amount to: what sounds where, whether the microphone is open, which streams and
ports and calls are up. Every command is checked against that account as it comes: a stream without
a port, a tone on a path that does not exist, an answer to a call that is over fail the test.
"""

import itertools
import re

from firmware.call.secrecy import NO_MATERIAL
from firmware.config.schema import AudioSettings, LineSettings, PhoneSettings, Settings
from firmware.media import messages as m
from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.events import (
    EngineLost,
    MediaPortRefused,
    MediaPortReserved,
    NetworkChanged,
    Started,
    StopAsked,
    TimePassed,
)
from firmware.phone.machine import Phone
from firmware.phone.view import Mode
from firmware.sip import notifications as n
from firmware.sip.notifications import CallRef, FailureCause, LineName, Party, RegistrationState
from hal.events import HookFlash, HookLifted, HookReplaced

LINE, SECOND_LINE = LineName("desk"), LineName("spare")
ALL_PATHS = tuple(PathName)
ANN = Party("Ann", "201", "sip:201@pbx.example")


def settings(**phone):
    lines = phone.pop("lines", ("desk",))
    audio = phone.pop("audio", AudioSettings())
    made = tuple(LineSettings(user=f"10{i}", server="pbx", name=x) for i, x in enumerate(lines))
    return Settings(phone=PhoneSettings(**phone), lines=made, audio=audio)


def sdp(*formats, port=5000, address="10.0.0.9", direction="sendrecv", extra=""):
    """A far end's description; formats are payload numbers, 101 is telephone-event."""
    numbers = " ".join(map(str, formats or (0, 101)))
    return (
        f"v=0\r\no=- 7 7 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {numbers}\r\na=rtpmap:101 telephone-event/8000\r\n"
        f"a={direction}\r\n{extra}"
    ).encode()


def _row(message):
    """`SetLamp(…)` is kept account of by `_set_lamp`."""
    return re.sub("(?=[A-Z])", "_", type(message).__name__).lower()


class Account:
    """What the commands amount to, each checked as it comes."""

    def __init__(self, paths):
        self.paths = set(paths)
        self.tones, self.streams, self.configured, self.routes = {}, {}, {}, {}
        self.ports, self.calls = {}, {}
        self.transfers, self.followed, self.refused = {}, [], []
        self.texts_kept = {}
        self.texts, self.buddies, self.shown, self.quality = [], {}, [], []
        self.bridged = ()
        self.files, self.recorded = {}, {}
        self.talk = m.TalkOn(None)
        self.muted, self.volumes, self.lamps = False, {}, {}
        self.bell = ()
        self.watches = {}
        self.records, self.logged, self.sent_digits, self.kept = [], [], [], {}

    def take(self, command):
        getattr(self, _row(command))(command)

    def new_engine(self):
        self.bridged, self.recorded = (), {}
        self.tones, self.streams, self.configured, self.routes = {}, {}, {}, {}
        self.talk, self.muted, self.volumes = m.TalkOn(None), False, {}

    def _reserve_media_port(self, command):
        assert command.call not in self.ports, "one port a call"
        self.ports[command.call] = None

    def _free_media_port(self, command):
        assert command.call not in self.streams.values(), "the stream goes before its port"
        self.ports.pop(command.call, None)

    def _place_call(self, command):
        assert command.call not in self.calls
        self.calls[command.call] = "placed"

    def _live(self, command, *stages):
        assert self.calls.get(command.call) in stages, (command, self.calls.get(command.call))

    def _send_offer(self, command):
        self._live(command, "placed")

    def _say_ringing(self, command):
        self._live(command, "arrived")

    def _accept_call(self, command):
        self._live(command, "arrived")
        self.calls[command.call] = "up"

    def _reject_call(self, command):
        self._live(command, "arrived")
        del self.calls[command.call]

    def _end_call(self, command):
        self._live(command, "placed", "up")
        del self.calls[command.call]

    def _reoffer(self, command):
        self._live(command, "up")

    def _answer_reoffer(self, command):
        # A phone that has not answered yet is named by its fork.
        self._live(command, "placed" if command.fork else "up")

    def _reject_reoffer(self, command):
        pass

    def _send_info_digit(self, command):
        self._live(command, "up")

    def _transfer_call(self, command):
        self._live(command, "up")
        assert command.call not in self.transfers, "one transfer a call"
        if command.consultation is not None:
            assert self.calls.get(command.consultation) == "up"
        self.transfers[command.call] = command

    def _follow_transfer(self, command):
        assert command.call not in self.calls
        self.calls[command.call] = "placed"
        self.followed.append(command)

    def _refuse_transfer(self, command):
        self.refused.append(command)

    def _media_order(self, command):
        order = command.order
        if isinstance(order, m.OpenStream):
            assert order.stream not in self.streams
            assert self.ports.get(command.call), "a stream needs the sockets of its call"
            self.streams[order.stream] = command.call
            self.routes[order.stream] = order.route
        elif isinstance(order, m.Record):
            assert self.streams[order.stream] == command.call
            assert self.files[command.call].rate == order.rate, "a recording needs its file"
            self.recorded[order.stream] = order
        else:
            assert command.call is None
            getattr(self, _row(order))(order)

    def _configure_stream(self, order):
        assert order.stream in self.streams
        assert order.formats
        self.configured[order.stream] = order

    def _route_stream(self, order):
        assert self.routes[order.stream] is not order.route, "told twice"
        self.routes[order.stream] = order.route

    def _set_keys(self, order):
        assert self.configured[order.stream].secure, "keys for what is sent in the clear"

    def _make_keys(self, command):
        assert self.streams[command.stream] == command.call
        assert self.configured[command.stream].secure, "keys for what is sent in the clear"

    def _bridge(self, order):
        assert order.streams != self.bridged, "told twice"
        assert len(order.streams) != 1
        assert set(order.streams) <= set(self.streams)
        self.bridged = order.streams

    def _stop_record(self, order):
        del self.recorded[order.stream]

    def _start_recording(self, command):
        assert command.call not in self.files, "one file a call"
        self.files[command.call] = command

    def _end_recording(self, command):
        live = [number for number, call in self.streams.items() if call == command.call]
        assert not self.recorded.keys() & set(live), "the copy ends before its file"
        del self.files[command.call]

    def _close_stream(self, order):
        self.recorded.pop(order.stream, None)
        del self.streams[order.stream]
        self.configured.pop(order.stream, None)
        del self.routes[order.stream]

    def _play_tone(self, order):
        assert order.path in self.paths
        if order.repeat_from >= 0:
            self.tones[order.name] = order

    def _stop_tone(self, order):
        assert self.tones.pop(order.name).path is order.path

    def _talk_on(self, order):
        assert order.path is None or order.path in self.paths
        assert order != self.talk, "told twice"
        self.talk = order

    def _set_mute(self, order):
        self.muted = order.muted

    def _set_volume(self, order):
        assert order.path in self.paths
        self.volumes[order.path] = order.volume

    def _send_digits(self, order):
        assert order.stream in self.streams
        self.sent_digits.append(order.digits)

    def _ring_bell(self, command):
        assert command.cadence != self.bell
        self.bell = command.cadence

    def _set_lamp(self, command):
        assert self.lamps.get(command.lamp) is not command.pattern, "on change only"
        self.lamps[command.lamp] = command.pattern

    def _record_call(self, command):
        self.records.append(command.record)

    def _keep_volume(self, command):
        self.kept[command.path] = command.volume

    def _subscribe(self, command):
        assert command.ref not in self.watches, "one subscription of a name"
        self.watches[command.ref] = command

    def _say_writing(self, command):
        assert command.target or self.calls.get(command.call) == "up"

    def _keep_text(self, command):
        assert command.key not in self.texts_kept
        self.texts_kept[command.key] = command.text

    def _mark_read(self, command):
        assert set(command.keys) <= self.texts_kept.keys()

    def _forget_texts(self, _command):
        self.texts_kept.clear()

    def _send_message(self, command):
        self.texts.append(command)

    def _report_quality(self, command):
        self.quality.append(command)

    def _set_buddies(self, command):
        assert self.buddies.get(command.line) != command.people, "on change only"
        self.buddies[command.line] = command.people

    def _show_presence(self, command):
        activity = None if command.activity is None else command.activity.value
        assert dict(self.shown).get(command.line, "") != activity or not self.shown
        self.shown.append((command.line, activity))

    def _unsubscribe(self, command):
        self.watches.pop(command.ref)

    def _log_notice(self, command):
        self.logged.append(command.text)


class Desk:
    """A phone, a person, a line. Starts registered and with the engine up."""

    def __init__(self, tree=None, paths=ALL_PATHS, *, has_hook=True, registered=True, engine=True):
        self.settings = tree or settings()
        self.phone = Phone(self.settings)
        self.now = 100.0
        self.heard = Account(paths)
        self.all = []
        self.ports = itertools.count(40000, 2)
        self.no_ports = False
        self.material = NO_MATERIAL
        self.send(Started(paths, has_bell=True, has_hook=has_hook))
        self.send(NetworkChanged(up=True))
        if engine:
            self.engine_ready()
        if registered:
            for line in self.settings.lines:
                self.registers(LineName(line.name))

    def send(self, *happenings):
        """Let these happen; returns every command they led to, ports bound on the way included."""
        commands = []
        for event in happenings:
            if isinstance(event, n.CallEnded):
                self.heard.calls.pop(event.call, None)
            if isinstance(event, m.EngineReady | EngineLost):
                self.heard.new_engine()
            for command in self.phone.handle(event, self.now):
                commands.append(command)
                self.heard.take(command)
            for command in [x for x in commands if isinstance(x, c.ReserveMediaPort)]:
                if command.call in self.heard.ports and self.heard.ports[command.call] is None:
                    commands += self._bind(command)
        self.all += commands
        return commands

    def _bind(self, command):
        if self.no_ports:
            # True = for good; a number = so many times.
            self.no_ports = self.no_ports if self.no_ports is True else self.no_ports - 1
            del self.heard.ports[command.call]
            return self.send(MediaPortRefused(command.call, "every media port is taken"))
        port = next(self.ports)
        self.heard.ports[command.call] = port
        return self.send(MediaPortReserved(command.call, command.local, port, self.material))

    def wait(self, seconds):
        """Let time pass, clock by clock."""
        commands, until = [], self.now + seconds
        while (due := self.phone.next_deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            commands += self.send(TimePassed())
            after = self.phone.next_deadline()
            assert after is None or after > self.now, "a clock that is due must ring"
        self.now = until
        return commands

    # What the person does.
    def lift(self):
        return self.send(HookLifted(self.now))

    def replace(self):
        return self.send(HookReplaced(self.now))

    def put_down(self):
        """Put the handset down and leave it there."""
        return self.replace() + self.wait(0.6)

    def flash(self):
        return self.send(HookReplaced(self.now), HookFlash(self.now))

    def press(self, digits):
        return self.send(*(a.Digit(digit) for digit in digits))

    def dials(self, number):
        """Dial with the keys and wait until the number counts as complete."""
        return self.press(number) + self.wait(4.5)

    # What the network does.
    def registers(self, line=LINE):
        return self.send(n.RegistrationChanged(line, RegistrationState.REGISTERED, expires_in=600))

    def registration_fails(self, cause=FailureCause.WRONG_PASSWORD, line=LINE, where="pbx by UDP"):
        state = RegistrationState.FAILED
        return self.send(n.RegistrationChanged(line, state, cause, 401, where=where, retry_in=30))

    def way_found(self, local="192.0.2.1", *, protected=False):
        return self.send(n.OfferWanted(self.front, local, protected=protected))

    def line_is_at_work(self):
        return self.send(n.CallTrying(self.front))

    def far_end_rings(self, body=b"", fork="a", status=180):
        return self.send(n.CallProgress(self.front, status, "Ringing", fork, body))

    def far_end_answers(self, body=None, fork="a", remote=ANN):
        ref = self.front
        self.heard.calls[ref] = "up"
        return self.send(n.CallAnswered(ref, fork, sdp() if body is None else body, remote))

    def far_end_hangs_up(self, ref=None):
        return self.send(n.CallEnded(ref or self.front, by_us=False))

    def call_fails(self, cause, status=0, ref=None):
        return self.send(n.CallEnded(ref or self.front, by_us=False, cause=cause, status=status))

    def calls_us(self, ref="in-1", body=None, caller=ANN, line=LINE, **more):
        ref = CallRef(ref)
        self.heard.calls[ref] = "arrived"
        body = sdp() if body is None else body
        return self.send(n.IncomingCall(ref, line, caller, "100", body, "192.0.2.1", **more))

    def acknowledged(self, ref="in-1", body=b""):
        return self.send(n.CallConfirmed(CallRef(ref), body))

    def transfer_goes(self, ref, status):
        return self.send(n.TransferProgress(ref, status))

    def transfer_succeeds(self, ref):
        self.heard.transfers.pop(ref, None)
        return self.send(n.TransferSucceeded(ref))

    def transfer_fails(self, ref, cause, status=0, *, reached=True):
        self.heard.transfers.pop(ref, None)
        return self.send(n.TransferFailed(ref, cause, status, reached=reached))

    def sends_us(self, ref, target, name="transfer-1"):
        transfer = n.TransferRef(name)
        return self.send(n.TransferAsked(transfer, ref, LINE, target, ANN))

    def engine_ready(self):
        return self.send(m.EngineReady(1, realtime=True))

    def stop(self):
        return self.send(StopAsked())

    # Whole stretches of telephony.
    def talking(self):
        """Lift, dial 201, Ann answers."""
        self.lift()
        self.dials("201")
        self.way_found()
        self.far_end_rings()
        self.far_end_answers()
        return self

    def talking_to_caller(self, ref="in-1"):
        """Ann calls and the handset is lifted."""
        self.calls_us(ref)
        self.lift()
        self.acknowledged(ref)
        return self

    def holds_are_agreed(self):
        """The far ends answer every offer of ours that waits."""
        for call in self.phone.state.calls:
            if call.reoffering:
                self.send(
                    n.ReofferAnswered(
                        call.ref, sdp(direction="recvonly" if call.held else "sendrecv")
                    )
                )

    # What can be observed.
    @property
    def view(self):
        return self.phone.view()

    @property
    def mode(self) -> Mode:
        return self.view.mode

    @property
    def front(self):
        return self.view.front

    @property
    def front_stream(self):
        return self.phone.state.front_call.stream

    @property
    def sounds(self):
        """Name → path of what sounds until it is stopped."""
        return {name: tone.path for name, tone in self.heard.tones.items()}

    @property
    def microphone(self):
        """The path whose microphone is open, or None."""
        return self.heard.talk.path if self.heard.talk.microphone else None

    @property
    def notice(self):
        return self.view.notice.text if self.view.notice else None


def only(commands, kind):
    """The commands of one kind, or the engine orders of one kind."""
    found = [x for x in commands if isinstance(x, kind)]
    return found or [
        x.order for x in commands if isinstance(x, c.MediaOrder) and isinstance(x.order, kind)
    ]
