"""A caller for benchmarks: plain sockets, no stack of ours, the same for every phone measured.

It places a call by INVITE, sends RTP at the pace of an absolute clock, notes with kernel time
stamps when RTP comes back, and hangs up.
"""

import array
import itertools
import math
import re
import secrets
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from functools import lru_cache

from firmware.codec import opus

_SO_TIMESTAMPNS = 35
_STAMP = struct.Struct("qq")


@dataclass(frozen=True, slots=True)
class Codec:
    """What the caller says in a call: its payload type, and packets of 20 ms to send in turn."""

    number: int
    rtpmap: str
    ticks: int
    payloads: tuple[bytes, ...]
    fmtp: str = ""


def _opus() -> Codec:
    """A second of a glide with its second harmonic: what costs a decoder as much as speech."""
    encoder = opus.Opus(16000).encoder("useinbandfec=1")
    encoder.expect_loss(0.05)
    phase, samples = 0.0, array.array("h")
    for index in range(16000):
        phase += 2 * math.pi * (200 + 100 * math.sin(index / 1600)) / 16000
        samples.append(round(5000 * math.sin(phase) + 3000 * math.sin(2 * phase)))
    pcm = samples.tobytes()
    packets = tuple(encoder.encode(pcm[at : at + 640]) for at in range(0, len(pcm), 640))
    return Codec(111, "opus/48000/2", 960, packets, "useinbandfec=1")


@lru_cache
def codec_named(name: str) -> Codec:
    """One of PCMU, G722, OPUS."""
    if name == "OPUS":
        return _opus()
    number, octet = {"PCMU": (0, b"\xff"), "G722": (9, b"\x7f")}[name]
    return Codec(number, f"{name}/8000", 160, (octet * 160,))


@dataclass(slots=True)
class Call:
    """One answered call."""

    answered_after: float
    to: str
    contact: str
    media: tuple[str, int]
    call_id: str
    branch: str
    arrivals: list[float] = field(default_factory=list)


class Caller:
    """A UAC on one address."""

    def __init__(self, make_socket, address: str, target: tuple[str, int], user: str) -> None:
        self.address = address
        self.target = target
        self.user = user
        self.sip = make_socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sip.bind((address, 0))
        self.sip.settimeout(3)
        self.rtp = make_socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind((address, 0))
        self.rtp.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.port = self.sip.getsockname()[1]
        self._numbers = itertools.count(1)

    def close(self) -> None:
        """Release both sockets."""
        self.sip.close()
        self.rtp.close()

    def call(self, codec: str = "PCMU") -> Call:
        """INVITE, wait for 200, ACK."""
        said = codec_named(codec)
        number = said.number
        call_id = f"{secrets.token_hex(8)}@{self.address}"
        branch = f"z9hG4bK{secrets.token_hex(8)}"
        rtp_port = self.rtp.getsockname()[1]
        sdp = (
            f"v=0\r\no=- 1 1 IN IP4 {self.address}\r\ns=-\r\nc=IN IP4 {self.address}\r\nt=0 0\r\n"
            f"m=audio {rtp_port} RTP/AVP {number}\r\na=rtpmap:{number} {said.rtpmap}\r\n"
        )
        sdp += f"a=fmtp:{number} {said.fmtp}\r\n" if said.fmtp else ""
        to = f"<sip:{self.user}@{self.target[0]}:{self.target[1]}>"
        start = time.perf_counter()
        self._send("INVITE", call_id, branch, to, to.strip("<>"), 1, sdp)
        while True:
            answer = self.sip.recv(65535).decode()
            if f"Call-ID: {call_id}" not in answer or "CSeq: 1 INVITE" not in answer:
                continue
            status = int(answer.split()[1])
            if status >= 300:
                raise RuntimeError(answer.splitlines()[0])
            if status >= 200:
                break
        after = time.perf_counter() - start
        contact = re.search(r"^(?:Contact|m): *<?([^>\r\n]+)", answer, re.MULTILINE | re.IGNORECASE)
        peer = re.search(r"^(?:To|t): *([^\r\n]+)", answer, re.MULTILINE | re.IGNORECASE)
        host = re.search(r"^c=IN IP4 (\S+)", answer, re.MULTILINE)
        port = re.search(r"^m=audio (\d+)", answer, re.MULTILINE)
        assert contact is not None, answer
        assert peer is not None, answer
        assert host is not None, answer
        assert port is not None, answer
        call = Call(after, peer[1], contact[1], (host[1], int(port[1])), call_id, branch)
        self._send("ACK", call_id, f"z9hG4bK{secrets.token_hex(8)}", call.to, call.contact, 1)
        return call

    def hang_up(self, call: Call) -> None:
        """BYE and its 200."""
        branch = f"z9hG4bK{secrets.token_hex(8)}"
        self._send("BYE", call.call_id, branch, call.to, call.contact, 2)
        while True:
            answer = self.sip.recv(65535).decode()
            if branch in answer:
                return

    def talk(self, call: Call, seconds: float, codec: str = "PCMU") -> None:
        """Send RTP for a while; `call.arrivals` gets the kernel's time of each packet received."""
        stop = threading.Event()
        ear = threading.Thread(target=self._listen, args=(call, stop))
        ear.start()
        said = codec_named(codec)
        number, samples, payloads = said.number, said.ticks, said.payloads
        ssrc = int.from_bytes(secrets.token_bytes(4), "big")
        begin = time.perf_counter()
        for index in range(int(seconds * 50)):
            wait = begin + index * 0.02 - time.perf_counter()
            if wait > 0:
                time.sleep(wait)  # noqa: TID251 - a benchmark's own clock
            header = struct.pack(
                "!BBHII", 0x80, number, index & 0xFFFF, (index * samples) & 0xFFFFFFFF, ssrc
            )
            self.rtp.sendto(header + payloads[index % len(payloads)], call.media)
        stop.set()
        ear.join()

    def _listen(self, call: Call, stop: threading.Event) -> None:
        while not stop.is_set():
            if not select.select([self.rtp], [], [], 0.1)[0]:
                continue
            _, extra, _, _ = self.rtp.recvmsg(2048, 64)
            for _level, kind, data in extra:
                if kind == _SO_TIMESTAMPNS:
                    seconds, nanoseconds = _STAMP.unpack(data[:16])
                    call.arrivals.append(seconds + nanoseconds / 1e9)

    def _send(  # noqa: PLR0917 - the fields of a request
        self, method: str, call_id: str, branch: str, to: str, uri: str, number: int, sdp: str = ""
    ) -> None:
        kind = "Content-Type: application/sdp\r\n" if sdp else ""
        text = (
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {self.address}:{self.port};branch={branch}"
            f";rport\r\nFrom: <sip:bench@{self.address}>;tag={call_id[:8]}\r\nTo: {to}\r\n"
            f"Call-ID: {call_id}\r\nCSeq: {number} {method}\r\nMax-Forwards: 70\r\n"
            f"Contact: <sip:bench@{self.address}:{self.port}>\r\n{kind}"
            f"Content-Length: {len(sdp)}\r\n\r\n{sdp}"
        )
        self.sip.sendto(text.encode(), self.target)


class MiniRegistrar:
    """Says 200 to every REGISTER and notes when; to an OPTIONS too, as any registrar does."""

    def __init__(self, make_socket, address: str) -> None:
        self._socket = make_socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 5060))
        self._socket.settimeout(0.1)
        self.registered = threading.Event()
        self.at = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._stop.set()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                data, source = self._socket.recvfrom(65535)
            except TimeoutError:
                continue
            text = data.decode("utf-8", "replace")
            if not text.startswith(("REGISTER", "OPTIONS")):
                continue
            self._socket.sendto(accepted(text), source)
            if not self.registered.is_set():
                self.at = time.perf_counter()
                self.registered.set()


def accepted(text: str) -> bytes:
    """A 200 to a request, with its Contact for an hour."""
    rows = text.split("\r\n")
    names = ("via", "v", "from", "f", "call-id", "i", "cseq")
    kept = [row for row in rows if row.partition(":")[0].lower() in names]
    to = next(row for row in rows if row.lower().startswith(("to:", "t:")))
    contacts = [row for row in rows if row.lower().startswith(("contact:", "m:"))]
    answer = ["SIP/2.0 200 OK", *kept, f"{to};tag=1"]
    answer += [f"{contact};expires=3600" for contact in contacts]
    return "\r\n".join([*answer, "Content-Length: 0", "", ""]).encode()


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    ordered = array.array("d", sorted(values))
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
