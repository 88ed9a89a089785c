"""One RTP stream's RTCP: what both ends tell each other of it. Pure.

Who may not be heard may not report either. If somebody has our SSRC, we take another. When a report
is due and where it goes, the stream knows.
"""

from firmware.base.tokens import Tokens
from firmware.media.reception import Reception
from firmware.media.sending import Sending
from firmware.media.unheard import UnheardWatch
from firmware.rtp.latch import Address, ReportLatch
from firmware.rtp.packet import RtpPacket
from firmware.rtp.rtcp import ntp_of
from firmware.rtp.session import RtcpSession
from firmware.rtp.xr import VoipMetrics


class Reporting:
    """See the module. `now` and arrivals are the engine's monotonic seconds."""

    __slots__ = ("_latch", "_parting", "_reception", "_sending", "_tokens", "session", "unheard")

    def __init__(self, sending: Sending, reception: Reception, tokens: Tokens, now: float) -> None:
        self.session = RtcpSession(sending.rtp, reception.rtp, tokens.word(96), 8000, now)
        self.unheard = UnheardWatch()
        """Whether what we send arrives, as far as the far end's reports say."""
        self._sending = sending
        self._reception = reception
        self._tokens = tokens
        self._latch = ReportLatch()
        self._parting = b""

    def begin(self) -> None:
        """There is a new place to send to, which has not reported yet."""
        self.unheard.begin(self._sending.rtp.packets)
        self._latch.forget()

    # Arriving

    def take(self, datagram: bytes, source: Address, arrival: float, *, named: bool) -> bool:
        """RTCP came; `named`: from where the far end's media comes or its RTCP was said to.

        Returns whether we had to leave our SSRC.
        """
        heard = self._reception.latch.locked is not None
        if not self._latch.admit(source, named=named, heard=heard):
            return False
        if named:
            # It is there even if it is muted (F24).
            self._reception.alive_at = arrival
        rtcp = self.session
        before, reported = rtcp.remote, rtcp.reported
        rtcp.receive(datagram, arrival, ntp_of(arrival), source)
        left = self._leave(arrival) if rtcp.clash else False
        if rtcp.remote is not before:
            self._sending.hear_of_loss(rtcp.remote.fraction_lost)
        if rtcp.reported != reported:
            self.unheard.told(self._sending.rtp.packets, rtcp.seen)
        return left

    def meet(self, packet: RtpPacket, source: Address, arrival: float) -> bool:
        """Our own SSRC came; who may not be heard may not disturb either (A8).

        Returns whether we had to leave it.
        """
        if source != self._reception.latch.locked:
            return False
        self.session.met(packet, source, arrival)
        return self._leave(arrival) if self.session.clash else False

    def _leave(self, now: float) -> bool:
        """RFC 3550 §8.2: BYE, and on under another SSRC."""
        self._parting += self.session.leave(*self.another_source(), now, ntp_of(now))
        self._sending.begin_talkspurt()
        self.unheard.begin(self._sending.rtp.packets)
        return True

    def another_source(self) -> tuple[int, int]:
        """An SSRC that nobody has in this call (RFC 3550 §8.1), and a first number."""
        taken = (self._sending.rtp.ssrc, self._reception.rtp.ssrc)
        ssrc = self._tokens.integer(1 << 32)
        while ssrc in taken:
            ssrc = self._tokens.integer(1 << 32)
        return ssrc, self._tokens.integer(1 << 15)

    # Leaving

    @property
    def parts(self) -> bool:
        """Whether a former SSRC's good-bye waits to be sent."""
        return bool(self._parting)

    def packet(self, now: float, said_at: float, metrics: VoipMetrics | None) -> bytes:
        """What is due: a good-bye that waits, or a report; `said_at` is when we last spoke."""
        if self._parting:
            packet, self._parting = self._parting, b""
            return packet
        self.session.note_sent(said_at)
        return self.session.report(now, ntp_of(now), self._tokens.fraction(), metrics)

    def goodbye(self, now: float) -> bytes:
        """The last packet."""
        return self.session.goodbye(now, ntp_of(now))
