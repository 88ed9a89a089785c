"""A far end on real sockets: registrar, caller and callee in one, run by a thread of its own.

It takes whatever registers, answers every call at once, and speaks and hears PCMU on plain sockets,
so that a test can look at each packet.
"""

import contextlib
import math
import secrets
import socket
import struct
import threading
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from firmware.base.pcm import audioop
from firmware.rtp.srtp import Guard, Keys
from firmware.sdp.crypto import Crypto, attribute, lines_of
from firmware.sdp.parser import parse
from firmware.sip.account import Account
from firmware.sip.agent import AgentSettings, UserAgent
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallRef,
    IncomingCall,
    LineName,
    Notification,
    OfferWanted,
    ReofferReceived,
    RequestReceived,
)
from tests.support.agent_thread import AgentThread, mirrored
from tests.support.namespace import Namespace
from tests.support.waiting import wait_for

LINE = LineName("far")
_FRAME = 160
_SO_TIMESTAMPNS = 35  # asm-generic/socket.h: the kernel's own clock, however busy the test is
Found = TypeVar("Found")


def loopback_address() -> str:
    """An address of this machine that no other test uses."""
    first, second, third = secrets.token_bytes(3)
    return f"127.{64 + first % 64}.{second}.{1 + third % 254}"


def arriving() -> float:
    """Now, on the clock of `Heard.arrived`: who listens may be late, the kernel is not."""
    return time.time()  # noqa: TID251 - the kernel's stamps are of this clock


@dataclass
class Heard:
    """An RTP packet: when we saw it and when the kernel did, its port, its source, its samples."""

    at: float
    arrived: float
    port: int
    ssrc: int
    pcm: bytes


@dataclass
class Registered:
    """A REGISTER: when, and the Contact."""

    at: float
    contact: str
    expires: str


def bracketed(host: str) -> str:
    """An address as it stands in a URI."""
    return f"[{host}]" if ":" in host else host


class FarEnd(AgentThread):
    """A server at `address`:5060; `server` is that as a line's `server`."""

    def __init__(self, address: str, namespace: Namespace | None = None) -> None:
        self.server = f"{bracketed(address)}:5060"
        self.registrations: list[Registered] = []
        self.notifications: list[Notification] = []
        self.heard: list[Heard] = []
        self.sealed: list[bytes] = []
        """SRTP as it came, on a far end that encrypts."""
        self.guard: Guard | None = None
        """Set `encrypts` before the call; then what is said and heard goes through this."""
        self.encrypts = False
        self.named = ""
        """Set before the call: the address it names for its media, where it cannot be reached."""
        self.rests = False
        """Set before the call: it takes comfort noise for silence."""
        self.noises: list[bytes] = []
        """The comfort noise that came."""
        self.says: Callable[[bytes], bytes] = bytes
        """What it does to its descriptions before they leave."""
        self._calls = 0
        self._stop = threading.Event()
        self._speakers: list[threading.Thread] = []
        settings = AgentSettings("far end", hand_up=frozenset({"REGISTER"}), open_house=True)
        super().__init__("far end", address, settings, namespace=namespace)

    def close(self) -> None:
        """Leave without a word, and speak no more."""
        self._stop.set()
        super().close()
        for speaker in self._speakers:
            speaker.join(10)

    # --- what the test does -----------------------------------------------------------------

    def call(self, uri: str) -> CallRef:
        """Call somebody."""
        self._calls += 1
        call = CallRef(f"far-{self._calls}")
        self._do(lambda: self._agent.invite(call, LINE, uri, self._loop.time()))
        return call

    def hang_up(self, call: CallRef) -> None:
        """End a call."""
        self._do(lambda: self._agent.end(call, self._loop.time()))

    def do(self, what: Callable[[UserAgent, float], None]) -> None:
        """Tell its user agent something."""
        self._do(lambda: what(self._agent, self._loop.time()))

    def say(self, message: str, host: str, body: str = "") -> None:
        """Send a request, which may lack Via and Content-Length, to `host`:5060."""
        self._calls += 1
        first, _, rest = message.strip().replace("\n", "\r\n").partition("\r\n")
        via = f"Via: SIP/2.0/UDP {self.server};rport;branch=z9hG4bKsaid{self._calls}"
        size = f"Content-Length: {len(body)}"
        data = f"{first}\r\n{via}\r\n{rest}\r\n{size}\r\n\r\n{body}".encode()
        here, there = Endpoint(self.address, 5060), Endpoint(host, 5060)
        self._do(lambda: self._agent._core.transmit(Flow(Transport.UDP, here, there), data))

    def speak_to(
        self,
        peer: tuple[str, int],
        hertz: float = 620.0,
        seconds: float = 200.0,
        sock: socket.socket | None = None,
        first: int = 0,
    ) -> None:
        """Send a tone to a media port for a while; from another socket it is a stranger's.

        `first` is the number of its first packet.
        """
        who = (peer, hertz, seconds, sock or self._rtp, first)
        self._speakers.append(threading.Thread(target=self._speak, args=who, daemon=True))
        self._speakers[-1].start()

    # --- what the test sees -----------------------------------------------------------------

    def of(self, kind: type[Found]) -> list[Found]:
        """The notifications of one kind."""
        return [each for each in list(self.notifications) if isinstance(each, kind)]

    def wait_registered(self, count: int = 1, seconds: float = 10.0) -> Registered:
        """The newest REGISTER once there were so many."""
        wait_for(f"{count} REGISTERs", lambda: len(self.registrations) >= count, seconds)
        return self.registrations[-1]

    def wait_call(self) -> IncomingCall:
        """The newest call from the phone."""
        return wait_for("a call", lambda: self.of(IncomingCall))[-1]

    def wait_answered(self, call: CallRef) -> None:
        """The answer to a call of ours: whoever gives it talks a moment before we hear it."""
        wait_for("the answer", lambda: call in [each.call for each in self.of(CallAnswered)])

    def wait_ended(self, count: int = 1, seconds: float = 10.0) -> CallEnded:
        """The end of a call."""
        wait_for(f"{count} ended calls", lambda: len(self.of(CallEnded)) >= count, seconds)
        return self.of(CallEnded)[-1]

    def wait_heard(self, what: str, true_of: Callable[[Heard], object], seconds: float) -> Heard:
        """The first packet of which something is true."""
        return wait_for(what, lambda: next(filter(true_of, list(self.heard)), None), seconds)

    # --- its own thread ---------------------------------------------------------------------

    def _begin(self, now: float) -> None:
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        self._rtp = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._rtp.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._rtp.bind((self.address, 0))
        self._loop.add_reader(self._rtp, self._listen)
        account = Account(LINE, "far", self.server, register=False, accept_any_user=True)
        self._agent.set_lines((account,), now)

    def _end(self) -> None:
        self._loop.remove_reader(self._rtp)
        self._rtp.close()

    def _do(self, what: Callable[[], None]) -> None:
        def done() -> None:
            what()
            self._driver.settle()

        self._loop.call_soon_threadsafe(done)

    def _notified(self, thing: Notification) -> None:
        now = self._loop.time()
        match thing:
            case RequestReceived(key, request):
                contact = (request.headers.get("Contact") or "").partition("<")[2]
                uri, _, params = contact.partition(">")
                said = params.partition(";expires=")[2].partition(";")[0]
                expires = said or request.headers.get("Expires") or "3600"
                self._agent.respond(key, 200, now, (("Contact", f"<{uri}>;expires={expires}"),))
                self.registrations.append(Registered(time.monotonic(), uri, expires))
            case IncomingCall(call):
                self._agent.accept(call, self._sdp(crypto=self._key(thing.offer)), now)
            case OfferWanted(call):
                self._agent.offer(call, self._sdp(), now)
            case ReofferReceived(call, offer):
                self._agent.answer_reoffer(call, self._sdp(mirrored(offer)), now)
        self.notifications.append(thing)

    def _key(self, offer: bytes) -> str:
        """Our crypto line for the first one offered, on a far end that encrypts."""
        if not self.encrypts:
            return ""
        theirs = lines_of(parse(offer).media[0])[0]
        own = Crypto(theirs.tag, theirs.suite, secrets.token_bytes(len(theirs.key)))
        self.guard = Guard()
        self.guard.use(Keys(own.suite, own.key, theirs.key))
        return f"a=crypto:{attribute(own).value}\r\n"

    def _sdp(self, direction: str = "sendrecv", crypto: str = "") -> bytes:
        address, port = self._rtp.getsockname()[:2]
        address = self.named or address
        formats = "0 13" if self.rests else "0"
        here = f"IN IP{6 if ':' in address else 4} {address}"
        body = (
            f"v=0\r\no=- 1 1 {here}\r\ns=-\r\nc={here}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/{'SAVP' if crypto else 'AVP'} {formats}\r\n"
            "a=rtpmap:0 PCMU/8000\r\n"
            f"{crypto}a={direction}\r\n"
        )
        return self.says(body.encode())

    def _listen(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data, ancillary, _, source = self._rtp.recvmsg(2048, 64)
                if self.guard is not None:
                    self.sealed.append(data)
                    data = self.guard.open(data) or b""
                seconds, nanoseconds = struct.unpack("=qq", ancillary[0][2])
                if len(data) > 12 and data[1] & 0x7F == 13:
                    self.noises.append(data[12:])
                if len(data) > 12 and data[1] & 0x7F == 0:
                    pcm = audioop.ulaw2lin(data[12:], 2)
                    ssrc = int.from_bytes(data[8:12], "big")
                    arrived = seconds + nanoseconds * 1e-9
                    self.heard.append(Heard(time.monotonic(), arrived, source[1], ssrc, pcm))

    def _speak(
        self,
        peer: tuple[str, int],
        hertz: float,
        seconds: float,
        sock: socket.socket,
        begin: int,
    ) -> None:
        ssrc, began = secrets.randbits(32), time.monotonic()
        for number in range(round(seconds * 50)):
            first = number * _FRAME
            step = 2 * math.pi * hertz / 8000
            samples = array("h", (round(9000 * math.sin(step * (first + n))) for n in range(160)))
            header = struct.pack(">BBHII", 0x80, 0, begin + number & 0xFFFF, first, ssrc)
            if self._stop.wait(max(0.0, began + number * 0.02 - time.monotonic())):
                return
            packet = header + audioop.lin2ulaw(samples.tobytes(), 2)
            if self.guard is not None:
                packet = self.guard.seal(packet) or b""
            with contextlib.suppress(OSError):
                sock.sendto(packet, peer)


def loudest(packets: list[Heard]) -> int:
    """The greatest sample of what was heard, 0 if nothing was."""
    return max((audioop.max(packet.pcm, 2) for packet in packets), default=0)


def pitch(packets: list[Heard]) -> float:
    """The strongest tone in Hz of what was heard."""
    samples = np.frombuffer(b"".join(packet.pcm for packet in packets), dtype="<i2").astype(float)
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    return float(np.argmax(power)) * 8000 / len(samples)


def media_port(offer: bytes) -> int:
    """The audio port of a session description."""
    return int(offer.partition(b"m=audio ")[2].split()[0])
