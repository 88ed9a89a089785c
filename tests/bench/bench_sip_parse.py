"""How many INVITEs with SDP one core reads and writes in a second.

Each INVITE of a round has its own branch, tag, Call-ID and caller, so that nothing that was read
before helps more than it does on a wire.
"""

import statistics
import time
from collections.abc import Callable

from firmware.sip.parser import parse, validate
from firmware.sip.writer import write

SDP = (
    b"v=0\r\no=- 3922341123 3922341123 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    b"m=audio 40000 RTP/AVP 9 0 8 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    b"a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
    b"a=ptime:20\r\na=sendrecv\r\n"
)
INVITE = (
    b"INVITE sip:600@pbx.example:5080 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKq3v5o7x2k4m6n8p2;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Desk phone" <sip:201@pbx.example:5080>;tag=abcdefgh234567ij\r\n'
    b"To: <sip:600@pbx.example:5080>\r\n"
    b"Call-ID: abcdefghijklmnopqrstuvwxyz234567\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Contact: <sip:k7abcdefghijkl23@192.0.2.10:5060>\r\n"
    b"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n"
    b"Supported: outbound, timer\r\n"
    b"User-Agent: deskphone\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: %d\r\n\r\n" % len(SDP)
) + SDP
CALLERS = 50
ROUNDS = 5
PER_ROUND = 4000


def run() -> dict[str, float]:
    """Messages a second of CPU time, the median of some rounds."""
    message = parse(INVITE)
    assert write(message) == INVITE
    return {
        "parse_per_second": _rate(parse),
        "write_per_second": _rate(lambda _: write(message)),
        "parse_and_write_per_second": _rate(lambda data: write(parse(data))),
        "parse_validate_and_write_per_second": _rate(_checked),
    }


def _invites() -> list[bytes]:
    return [
        INVITE.replace(b"q3v5o7x2", b"%08d" % number)
        .replace(b"abcdefgh234567ij", b"abcdefgh%08d" % number)
        .replace(b"mnopqrst", b"%08d" % number)
        .replace(b"sip:201@", b"sip:%d@" % (200 + number % CALLERS))
        for number in range(PER_ROUND)
    ]


def _checked(data: bytes) -> None:
    message = parse(data)
    assert validate(message) is None
    write(message)


def _rate(work: Callable[[bytes], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        messages = _invites()
        begin = time.process_time()
        for data in messages:
            work(data)
        times.append(time.process_time() - begin)
    return round(PER_ROUND / statistics.median(times))
