"""One RTP stream of a call: what is sent, what is heard, what was counted. Pure.

It lives from the offer to the end of the call. An answer, a hold or a new far end configure it
anew; SSRC, sequence, timestamp and jitter buffer stay. Datagrams come in by `receive`, go out as
the values of `say` and of the RTCP calls; what the phone should know collects in `reports`.

    receive ─┬▶ reception ─▶ hear                       say ─▶ sending ─▶ datagrams
             └▶ reporting ─▶ take_control               watch, report ◀─ supervision
"""

import math

from firmware.base.direction import Direction
from firmware.base.tokens import Tokens
from firmware.dsp.dtmf_detect import DtmfDetector
from firmware.media.formats import USUAL_RATE, Speech, is_comfort_noise, is_events, load
from firmware.media.keepalive import KeepAlive
from firmware.media.messages import (
    AnyReport,
    ConfigureStream,
    DigitHeard,
    EngineLog,
    FirstHeard,
    Foreign,
    OpenStream,
    SetKeys,
    StreamSecured,
)
from firmware.media.reception import Reception
from firmware.media.reporting import Reporting
from firmware.media.sending import Sending, rest_of
from firmware.media.supervision import Supervision
from firmware.rtp.latch import Address, normal
from firmware.rtp.packet import parse_rtp
from firmware.rtp.rtcp import is_rtcp
from firmware.rtp.srtp import Guard
from firmware.rtp.telephone_event import DigitEvent

NEVER = math.inf
_NOWHERE: Address = ("", 0)
_FOREIGN_A_SECOND = 200
"""STUN and DTLS passed on: enough for any handshake, no way to flood the phone."""


class Stream:
    """See the module. `now` and arrivals are the engine's monotonic seconds."""

    __slots__ = (
        "_card",
        "_direction",
        "_foreign",
        "_guard",
        "_hears",
        "_keep",
        "_key_ear",
        "_named",
        "_reception",
        "_reporting",
        "_said_at",
        "_secure",
        "_sending",
        "_suite",
        "_supervision",
        "_symmetric",
        "_tells",
        "_waits",
        "control_due",
        "number",
        "remote",
        "remote_control",
        "reports",
        "sends",
        "speaks_at",
    )

    def __init__(
        self, order: OpenStream, tokens: Tokens, now: float, card: int = USUAL_RATE
    ) -> None:
        """Begin to listen; nothing is sent before `configure`. `card`: its samples a second."""
        self.number = order.stream
        self.reports: list[AnyReport] = []
        """What happened since the engine last looked, in order."""
        self.remote = self.remote_control = self._named = _NOWHERE
        self.sends = False
        """Whether frames must be said now."""
        self.speaks_at = 8000
        """Samples a second of the frames `say` takes."""
        self.control_due = NEVER
        self._direction = Direction.RECVONLY
        self._hears = True
        self._symmetric = False
        self._foreign = [0, 0]
        self._said_at = now
        self._secure = order.secure
        self._guard = Guard()
        self._suite = ""
        self._sending = Sending(tokens)
        self._card = card
        self._reception = Reception(card)
        self._reception.expect(order.expect)
        self._reporting = Reporting(self._sending, self._reception, tokens, now)
        self._supervision = Supervision(
            self.number, self._reception, self._sending, self._reporting, self._guard
        )
        self._tells = True
        self._key_ear: DtmfDetector | None = None
        self._keep = KeepAlive()
        self._keep.avoid(order.expect)
        self._waits = True

    def configure(self, order: ConfigureStream, now: float) -> None:
        """An offer/answer exchange ended."""
        self._secure = order.secure
        if not order.secure:
            self._guard.forget()
        formats = order.formats + ((order.dtmf,) if order.dtmf else ())
        self._reception.expect(formats)
        self._direction = order.direction
        self._hears = order.direction.receives
        host = order.remote[0]
        self._keep.avoid(formats)
        if order.remote != self._named:
            self._named = order.remote
            self._waits = True
            self._keep.begin(self._sending.rtp.packets, now)
            self._reporting.begin()
        self._tells = order.metrics
        # RFC 3264 §8.4: whoever holds us by 0.0.0.0 wants RTCP as little as RTP.
        unnamed = not host and order.direction.sends
        self._symmetric = (order.symmetric if host else unnamed) and not order.checked
        self._reception.latch.configure(normal(order.remote) if host else None)
        self.remote = order.remote if host else _NOWHERE
        self.remote_control = order.remote_rtcp if order.remote_rtcp[0] else _NOWHERE
        if self._symmetric and host:
            self._follow_source()
        speech = self._chosen(order)
        if speech is not None:
            self._sending.configure(speech, order.dtmf, order.ptime, rest_of(order, speech))
            self._reporting.session.configure(speech.clock)
            self.speaks_at = speech.rate
        # Keys come as tones only from who cannot send them as events.
        as_tones = order.dtmf is None and speech is not None
        self._key_ear = (self._key_ear or DtmfDetector()) if as_tones else None
        self._settle_sending()
        self._supervision.expect(now, expecting=self._hears and bool(order.formats))
        self.control_due = self._reporting.session.next_report if self.remote_control[0] else NEVER

    def _chosen(self, order: ConfigureStream) -> Speech | None:
        """The first format that this machine can send."""
        for payload in order.formats:
            if is_events(payload) or is_comfort_noise(payload):
                continue
            speech = load(payload, self._card)
            if not isinstance(speech, str):
                return speech
            self._log(f"cannot send {payload.name}: {speech}")
        return None

    def set_keys(self, order: SetKeys) -> None:
        """Encrypt under these keys, if encryption is what was agreed on."""
        if not self._secure:
            return
        try:
            lost_count = self._guard.use(order.keys, order.before)
        except (ImportError, KeyError, ValueError) as error:
            self._log(f"cannot encrypt: {type(error).__name__}")
            return
        if lost_count:
            self._sending.rtp.restart(*self._reporting.another_source())
        if order.peer is not None and self._symmetric:
            self._reception.latch.learn(order.peer)
            self._follow_source()
        self._settle_sending()

    def _settle_sending(self) -> None:
        keys = self._guard.keys
        suite = keys.suite if self._secure and keys is not None else ""
        self.sends = (
            self._direction.sends
            and self._sending.speech is not None
            and bool(self.remote[0])
            and (bool(suite) or not self._secure)
        )
        if suite != self._suite:
            self._suite = suite
            self.reports.append(StreamSecured(self.number, suite))

    # Arriving

    def receive(self, datagram: bytes, source: Address, arrival: float) -> None:
        """Take what came on the RTP socket, whatever it is (RFC 7983 §7)."""
        if self._secure:
            datagram = self._guard.open_any(datagram)
        packet = parse_rtp(datagram)
        if packet is None:
            self._receive_other(datagram, source, arrival)
            return
        digits = self._reception.receive(packet, source, arrival)
        if digits:
            self._tell_digits(digits)
        if packet.ssrc == self._sending.rtp.ssrc and self._reporting.meet(packet, source, arrival):
            self._tell_source(arrival)
        if self._waits:
            self._look_out(arrival)
        if self._symmetric:
            self._follow_source()

    def _tell_source(self, now: float) -> None:
        """We left our SSRC to somebody else; the good-bye of the old one is due."""
        self._log("somebody else has our SSRC; we take another")
        if self._reporting.parts and self.control_due < NEVER:
            self.control_due = now

    def _look_out(self, arrival: float) -> None:
        """Whether what has just come is speech at last; a silence after it will be told too."""
        reception = self._reception
        if reception.heard_at == arrival and not reception.resting:
            self._waits = False
            self._supervision.expect(arrival, expecting=self._hears)
            self.reports.append(FirstHeard(self.number))

    def receive_control(self, datagram: bytes, source: Address, arrival: float) -> None:
        """Take what came on the RTCP socket."""
        if self._secure:
            datagram = self._guard.open_any(datagram)
        self._receive_other(datagram, source, arrival, control=True)

    def _receive_other(
        self, datagram: bytes, source: Address, arrival: float, *, control: bool = False
    ) -> None:
        if is_rtcp(datagram):
            self._take_report(datagram, source, arrival)
        elif datagram and (datagram[0] < 4 or 20 <= datagram[0] < 64):
            self._pass_on(datagram, source, control=control)

    def _pass_on(self, datagram: bytes, source: Address, *, control: bool) -> None:
        """For the phone, as long as it is no flood; what is the far end's has room of its own.

        Else strangers could drown what shows that it still agrees (RFC 7675 §5.1).
        """
        known = source in (self.remote, self.remote_control)
        self._foreign[known] += 1
        if self._foreign[known] <= _FOREIGN_A_SECOND:
            self.reports.append(Foreign(self.number, datagram, source, control))

    def _take_report(self, datagram: bytes, source: Address, arrival: float) -> None:
        locked = self._reception.latch.locked
        media = self.remote if locked is None else locked
        named = source[0] in (self.remote_control[0], media[0])
        if self._reporting.take(datagram, source, arrival, named=named):
            self._tell_source(arrival)

    def _follow_source(self) -> None:
        """Speak to where the far end's media comes from: it named no address, or is behind a NAT.

        RTCP goes along if it shares the port, else to the port that was named.
        """
        locked = self._reception.latch.locked
        if locked is None or locked == self.remote:
            return
        if not self.remote[0] or self.remote_control == self.remote:
            self.remote_control = locked
            self.control_due = self._reporting.session.next_report
        self.remote = locked
        self._settle_sending()

    def _tell_digits(self, digits: tuple[DigitEvent, ...]) -> None:
        for digit in digits:
            if digit.duration_ms is not None:
                self.reports.append(DigitHeard(self.number, digit.digit, digit.duration_ms))

    # A frame

    def hear(self, now: float) -> tuple[bytes, int]:
        """The next 20 ms from the far end and its sample rate."""
        reception = self._reception
        pcm = reception.hear(now)
        if not self._hears:
            pcm = bytes(len(pcm))
        elif self._key_ear is not None:
            for pressed in self._key_ear.hear(pcm, reception.rate):
                self.reports.append(DigitHeard(self.number, pressed.key, pressed.duration_ms))
        return pcm, reception.rate

    def say(self, pcm: bytes, now: float) -> tuple[bytes, ...]:
        """20 ms for the far end at `speaks_at`: the datagrams for `remote`."""
        self._said_at = now
        packets = self._sending.packets(pcm)
        return self._sealed(packets) if self._secure else packets

    def _sealed(self, packets: tuple[bytes, ...]) -> tuple[bytes, ...]:
        sealed = map(self._guard.seal, packets)
        return tuple(packet for packet in sealed if packet is not None)

    def skip(self, frames: int = 1) -> None:
        """Frames pass in which nothing is said."""
        self._sending.skip(frames)

    def send_digits(self, digits: str, tone_ms: int, gap_ms: int) -> None:
        """Queue DTMF for the far end."""
        self._sending.queue_digits(digits, tone_ms, gap_ms)

    def keep_alive(self, now: float) -> bytes:
        """Once a second: what keeps the way to `remote` open, empty if nothing is needed."""
        # RFC 6263 §4.3: where both share a port, our reports do it.
        shared = self.remote_control == self.remote
        locked_out = self._secure and self._guard.keys is None
        if not all(self.remote) or shared or locked_out:
            return b""
        rtp = self._sending.rtp
        if not self._keep.due(rtp.packets, now):
            return b""
        packet = rtp.empty(self._keep.number)
        return self._guard.seal(packet) or b"" if self._secure else packet

    # RTCP

    def take_control(self, now: float) -> bytes:
        """The RTCP packet that is due, for `remote_control`."""
        # RFC 3611 §5.1: not to who lists what it wants and leaves them out.
        metrics = self._supervision.metrics() if self._tells else None
        packet = self._reporting.packet(now, self._said_at, metrics)
        self.control_due = self._reporting.session.next_report
        return self._sealed_control(packet)

    def _sealed_control(self, packet: bytes) -> bytes:
        return self._guard.seal_control(packet) or b"" if self._secure else packet

    def farewell(self, now: float) -> bytes:
        """RTCP's good-bye, empty if the far end was never known."""
        if not self.remote_control[0]:
            return b""
        return self._sealed_control(self._reporting.goodbye(now))

    # Reporting

    def watch(self, now: float, card_fault: str) -> None:
        """Look whether the far end can be heard; `card_fault` is what is wrong with our ear."""
        self._tell_digits(self._reception.expired_digits(now))
        changed = self._supervision.hearing(now, card_fault)
        if changed is not None:
            self._waits = self._waits or changed.cause is not None
            self.reports.append(changed)

    def watch_sending(self, now: float, refused: int, why: str) -> None:
        """Once a second: whether what we send gets out and arrives.

        `refused` is how many datagrams our kernel did not take so far, and `why` the last one.
        """
        changed = self._supervision.arriving(refused, why, sends=self.sends)
        if changed is not None:
            self.reports.append(changed)
        self._supervision.drift(now)

    def report(self, *, final: bool = False) -> None:
        """Once a second, and a last time: the figures of this stream."""
        self._foreign = [0, 0]
        self.reports.append(self._supervision.report(final=final))

    def _log(self, text: str) -> None:
        self.reports.append(EngineLog("warning", f"stream {self.number}: {text}"))
