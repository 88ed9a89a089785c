"""A stream with its sockets and its near end: where a frame meets the wire."""

from firmware.dsp.mixer import mix
from firmware.media.insert import Clip, Insert
from firmware.media.messages import Route, RouteStream
from firmware.media.pipeline import Desk, NearEnd
from firmware.media.recording import Beep, Recording
from firmware.media.stream import Stream
from firmware.media.wire import MediaSocket


class Leg:
    """See the module; owns nothing, the engine attaches and detaches the sockets."""

    __slots__ = ("beep", "insert", "near", "recording", "rtcp", "rtp", "stream")

    def __init__(self, stream: Stream, near: NearEnd, rtp: MediaSocket, rtcp: MediaSocket) -> None:
        self.stream = stream
        self.near = near
        self.rtp = rtp
        self.rtcp = rtcp
        self.insert: Insert | None = None
        """What is played into the call just now."""
        self.recording: Recording | None = None
        self.beep: Beep | None = None
        """What tells the far end that it is recorded."""

    def hear(self, now: float) -> tuple[bytes, int]:
        """One frame from the far end, and its rate."""
        heard = self.stream.hear(now)
        if self.recording is not None:
            self.recording.heard(*heard)
        return heard

    def record(self, recording: Recording | None) -> None:
        """Copy the call to there from now on; None = nowhere."""
        if self.recording is not None:
            self.recording.close()
        self.recording = recording

    def connect(self, order: RouteStream, clip: Clip | None) -> None:
        """Change what the near end is; who is put on hold hears no more of what was played."""
        self.near.change(order.route, clip, repeat=order.repeat)
        if order.route is Route.NULL:
            self.insert = None

    def exchange(self, desk: Desk, now: float) -> None:
        """One frame from the far end to the near one, and one back."""
        heard, rate = self.hear(now)
        self.tell(self.near.exchange(heard, rate, self.stream.speaks_at, desk), now)

    def tell(self, frame: bytes, now: float) -> None:
        """One frame to the far end, at the rate it is spoken to, and what RTCP has to say."""
        stream = self.stream
        if stream.sends:
            if self.insert is not None:
                frame = mix((frame, self.insert.at(stream.speaks_at)))
            if self.beep is not None and (tone := self.beep.at(stream.speaks_at)):
                frame = mix((frame, tone))
            for datagram in stream.say(frame, now):
                self.rtp.send(datagram, stream.remote)
        else:
            stream.skip()
            frame = b""
        if self.recording is not None:
            self.recording.told(frame, stream.speaks_at)
        if now >= stream.control_due:
            self._send_control(stream.take_control(now))

    def keep_alive(self, now: float) -> None:
        """Once a second: keep the way open while nothing is said (RFC 6263 §7)."""
        datagram = self.stream.keep_alive(now)
        if datagram:
            self.rtp.send(datagram, self.stream.remote)

    def end(self, now: float) -> None:
        """Say goodbye to the far end."""
        self._send_control(self.stream.farewell(now))

    def _send_control(self, datagram: bytes) -> None:
        if datagram:
            stream = self.stream
            # One port for both (RFC 5761) if the far end said so.
            media = self.rtp if stream.remote_control == stream.remote else self.rtcp
            media.send(datagram, stream.remote_control)
