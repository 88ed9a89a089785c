"""P3: the dearest message that can be made is read, judged and answered within 5 ms.

Hypothesis builds messages out of the pieces that readers have to look at twice (quotes, commas,
escapes, folds, brackets) and is told to look for the dearest one. CPU time is measured, the best
of some; on a machine slower than the one the promise is about, the limit grows with it. How slow
it is now, with what others do on it, is measured beside what seems dear.
"""

import time
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings, target
from hypothesis import strategies as st

from firmware.base.direction import Direction
from firmware.sdp import negotiate
from firmware.sdp.description import Format
from firmware.sdp.parser import parse as parse_sdp
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.message import Message, Request
from firmware.sip.notifications import SubscriptionRef
from firmware.sip.parser import parse
from tests.support.sip_link import LINE, Desk, Stranger, World

PROMISED = 0.005
HERE = Endpoint("192.0.2.1", 5060)
SERVER = Endpoint("192.0.2.9", 5060)
FLOW = Flow(Transport.UDP, HERE, SERVER)
LOOPS = 40_000
LOOPS_SECONDS = 0.0015
"""What counting so far takes on the machine of the promise."""
TRIES = 30

methods = st.sampled_from(["INVITE", "OPTIONS", "BYE", "NOTIFY", "REFER", "ACK", "CANCEL", "FOO"])
names = st.sampled_from(
    [
        *("Via", "Contact", "Route", "Record-Route", "To", "Supported", "Require", "X"),
        *("Authorization", "Proxy-Authorization", "Reason", "Call-Info", "Alert-Info", "Accept"),
        *("Content-Type", "Replaces", "Refer-To", "Event", "P-Asserted-Identity", "v", "m"),
    ]
)
pieces = st.sampled_from(
    [
        *(",", ";", '"', '"\\', "\\", "<", "<>,", " ", "\t", "%41", "\\\0", "[", ":", "=", "?&"),
        *("a=b,", ";a", ';a="b"', "<sip:a@b>,", "<sip:a%41@b;c=d?e=f>,", '"a"<sip:[::1]>,'),
        *("<sip:" + "%41" * 40 + "@b>,", "SIP/2.0/UDP a,", "SIP/2.0/UDP a;branch=z9hG4bKy,"),
        *("SIP/2.0/UDP [1::2]:5060;rport;received=[1::2];branch=z9hG4bKy,", 'Digest a="b",'),
        *("\r\n ", "\r\n \t a", " " * 3000 + "x\r\n ", "\udcff", "é", "a" * 60 + ",", "x"),
    ]
)
heads = st.sampled_from(["", '"', "<", "<sip:a@b>;x", "Digest ", "SIP/2.0/UDP a;x", "sip:a@b"])
hostile = st.tuples(names, heads, pieces, st.integers(1, 8200), st.integers(1, 256))


def message(method: str, rows: list[tuple[str, str, str, int, int]], blanks: int) -> bytes:
    """A message of at most one datagram in which some rows are hostile and the others right."""
    head = (
        f"{method} sip:101@192.0.2.1 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx\r\nFrom: <sip:9@b>;tag=1\r\n"
        f"To: <sip:101@b>\r\nCall-ID: c\r\nCSeq: 1 {method}\r\nContact: <sip:9@192.0.2.9>\r\n"
    )
    for name, begin, piece, length, times in rows:
        value = (begin + piece * (length // len(piece) + 1)).strip(",")
        row = f"{name}: {value}\r\n"
        room = max(0, 65_000 - len(head) - blanks)
        head += row * min(times, room // len(row))
    return head.encode("utf-8", "surrogateescape") + b" " * blanks + b"\r\n\r\n"


def phone() -> Desk:
    """A desk that trusts the sender: a stranger's message is not even read."""
    desk = Desk(World(), HERE.host)
    desk.line(SERVER.host, register=False)
    return desk


def seconds(data: bytes) -> float:
    desk = phone()
    begin = time.process_time()
    desk.agent.receive(data, FLOW, 1000.0)
    desk.agent.take_effects()
    return time.process_time() - begin


def slowness() -> float:
    """How much longer than on the machine of the promise everything takes now; 1 at least."""
    begin, number = time.process_time(), 0
    while number < LOOPS:
        number += 1
    return max(1.0, (time.process_time() - begin) / LOOPS_SECONDS)


def is_kept(cost: Callable[[], float]) -> bool:
    """Whether the promise is: the best of many, each judged by how slow the machine was.

    Who is too dear is so each time; who is not needs one moment in which nobody else empties the
    processor's caches, which counting does not notice.
    """
    if min(cost() for _ in range(3)) < PROMISED:
        return True
    before = slowness()
    for _ in range(TRIES):
        took, after = cost(), slowness()
        if took < PROMISED * min(before, after):
            return True
        before = after
    return False


def test_the_sender_of_the_messages_below_is_trusted():
    desk = phone()
    desk.agent.receive(message("OPTIONS", [], 0), FLOW, 1000.0)
    assert b"SIP/2.0 200" in b"".join(each.data for each in desk.agent.take_effects())


@settings(max_examples=250)
@given(methods, st.lists(hostile, min_size=1, max_size=3), st.sampled_from([0, 0, 0, 30_000]))
@example("INVITE", [("X", "", "\r\n ", 60_000, 1)], 0)
@example("INVITE", [("X", "", "\\\0", 8100, 256)], 0)
@example("OPTIONS", [("Contact", "", "<sip:" + "%41" * 40 + "@b>,", 8100, 1)], 0)
@example("OPTIONS", [("Route", "", "<sip:a%41@b;c=d?e=f>,", 2600, 1)], 0)
@example("BYE", [("Record-Route", "<sip:a@b>;x", ';a="b"', 8100, 8)], 0)
@example("INVITE", [("Via", "", "SIP/2.0/UDP [1::2]:5060;branch=z9hG4bKy,", 2700, 1)], 0)
def test_p03_the_dearest_message_costs_less_than_five_milliseconds(method, rows, blanks):
    data = message(method, rows, blanks)
    spent = min(seconds(data) for _ in range(3))
    target(spent * 1000, label="milliseconds")
    assert spent < PROMISED or is_kept(lambda: seconds(data))


# --- documents of event packages ------------------------------------------------------------------


def filled(head: str, piece: str, tail: str, octets: int = 60_000, most: int = 1400) -> str:
    """A document of that piece again and again; `{0}` is which one it is."""
    count = min(most, (octets - len(head) - len(tail)) // len(piece))
    return head + "".join(piece.format(number) for number in range(count)) + tail


def listed(resources: int, kind: str, part: str, parts: int = 0) -> str:
    """A list whose members point to `parts` parts in turn; 0: each to its own."""
    own = parts or resources
    instance = '<instance id="1" state="active" cid="{}"/>'
    rows = "".join(
        f'<resource uri="{number}">{instance.format(number % own)}</resource>'
        for number in range(resources)
    )
    said = "".join(
        f"--B\r\nContent-Type: {kind}\r\nContent-ID: <{number}>\r\n\r\n{part}\r\n"
        for number in range(own)
    )
    return (
        "--B\r\nContent-Type: application/rlmi+xml\r\n\r\n"
        f'<list uri="sip:l@b" version="0" fullState="true">{rows}</list>\r\n{said}--B--\r\n'
    )


DIALOG = '<dialog id="{0}"><state>confirmed</state></dialog>'
CALLS = '<dialog-info version="1" state="full" entity="sip:a@b">'
LIST, DIALOGS = "multipart/related;boundary=B", "application/dialog-info+xml"
BUSY = CALLS + "<dialog id='1'><state>confirmed</state></dialog></dialog-info>"
DENSE = filled("<presence entity='sip:a@b'>", "<note/>", "</presence>")
documents = pytest.mark.parametrize(
    ("package", "kind", "body"),
    [
        ("dialog", DIALOGS, filled(CALLS, DIALOG, "</dialog-info>")),
        ("dialog", DIALOGS, filled(CALLS, "<a b='' c=''/>", "</dialog-info>")),
        ("dialog", DIALOGS, filled(CALLS, "<a>&#65;</a>", "</dialog-info>")),
        ("dialog", DIALOGS, filled(CALLS, "<a/>&#10;&amp;x", "</dialog-info>")),
        ("dialog", LIST, listed(110, DIALOGS, BUSY)),
        ("dialog", LIST, listed(200, DIALOGS, BUSY, 1)),
        ("dialog", LIST, listed(5, DIALOGS, filled(CALLS, "<a/>", "</dialog-info>"))),
        ("presence", LIST, listed(200, "application/pidf+xml", DENSE, 1)),
        ("presence", "application/pidf+xml", DENSE),
        (
            "reg",
            "application/reginfo+xml",
            filled(
                '<reginfo version="0" state="full"><registration id="a" aor="s" state="active">',
                '<contact id="{0}" state="active"/>',
                "</registration></reginfo>",
            ),
        ),
        (
            "conference",
            "application/conference-info+xml",
            filled(
                '<conference-info entity="s" state="full" version="0"><users>',
                '<user entity="{0}"/>',
                "</users></conference-info>",
            ),
        ),
        ("message-summary", "application/simple-message-summary", "Voice-Message: 1/1\r\n" * 3000),
    ],
)


def watching(package: str) -> tuple[Desk, Request]:
    """A desk that watches something, and the SUBSCRIBE that its server took."""
    world = World()
    desk = Desk(world, HERE.host)
    server = Stranger(world, SERVER.host)

    def reply(asked: Message) -> list[bytes]:
        rows = "".join(
            f"{name}: {asked.headers.get(name)}\r\n" for name in ("Via", "From", "Call-ID", "CSeq")
        )
        rows += f"To: {asked.headers.get('To')};tag=z\r\nContact: <sip:9@{SERVER.host}>\r\n"
        return [f"SIP/2.0 200 OK\r\n{rows}Expires: 300\r\n\r\n".encode()]

    server.reply = reply
    desk.line(SERVER.host, register=False)
    desk.agent.subscriptions.subscribe(
        SubscriptionRef("s"), LINE, package, world.now, lists=package in ("dialog", "presence")
    )
    world.run(1.0)
    return desk, server.requests("SUBSCRIBE")[0]


def notified(asked: Request, kind: str, body: str) -> bytes:
    headers = asked.headers
    target = (headers.get("Contact") or "").partition("<")[2].partition(">")[0]
    return (
        f"NOTIFY {target} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKn\r\n"
        f"From: {headers.get('To')};tag=z\r\nTo: {headers.get('From')}\r\nCSeq: 1 NOTIFY\r\n"
        f"Call-ID: {headers.get('Call-ID')}\r\nContact: <sip:9@{SERVER.host}>\r\n"
        f"Event: {headers.get('Event')}\r\nSubscription-State: active\r\n"
        f"Content-Type: {kind}\r\n\r\n{body}"
    ).encode()


@documents
def test_p03_the_dearest_notification_costs_less_than_five_milliseconds(package, kind, body):
    def cost() -> float:
        desk, asked = watching(package)
        data = notified(asked, kind, body)
        assert len(data) < 65_536
        begin = time.process_time()
        desk.agent.receive(data, FLOW, desk.now)
        effects = desk.agent.take_effects()
        took = time.process_time() - begin
        answer = parse(effects[-1].data)
        assert answer.status in {200, 400}, "it was read"
        return took

    assert is_kept(cost)


# --- bodies of several parts, and session descriptions --------------------------------------------

MIXED = "multipart/mixed;boundary=B"
SDP = "application/sdp"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (MIXED, filled("", "--B\r\n", "", most=9000)),
        (MIXED, filled("", "--B\r\na: b" + "\r\n " * 600 + "\r\n\r\n", "")),
        (MIXED, filled("", "--B\r\nContent-Type: x/y" + ";a=b" * 120 + "\r\n\r\nx\r\n", "")),
        (f"{MIXED}{'B' * 69}", f"--{'B' * 70}x\r\n" * 800),
        (SDP, filled("v=0\r\n", "m=audio 1 RTP/AVP 0 8 9\r\n", "")),
    ],
)
@pytest.mark.parametrize("method", ["INVITE", "MESSAGE", "INFO"])
def test_p03_the_dearest_body_costs_less_than_five_milliseconds(method, kind, body):
    head = message(method, [], 0).removesuffix(b"\r\n")
    data = head + f"Content-Type: {kind}\r\n\r\n{body}".encode()
    assert len(data) < 65_536
    assert is_kept(lambda: seconds(data))


OFFER = "v=0\r\nc=IN IP4 192.0.2.9\r\n"
EVERY_TYPE = " ".join(str(number) for number in range(128))
MAPS = "".join(
    f"a=rtpmap:{number} opus/48000/2\r\na=fmtp:{number} mode=1;annexb=no\r\n"
    for number in range(128)
)
OURS = negotiate.Capabilities((Format(9, "G722", 8000), Format(0, "PCMU", 8000)))
HERE_TOO = negotiate.LocalMedia("192.0.2.1", 4000, 4001)


@pytest.mark.parametrize(
    "offer",
    [
        OFFER + f"m=audio 4000 RTP/AVP {EVERY_TYPE}\r\n" * 64,
        OFFER + f"m=audio 4000 RTP/AVP {EVERY_TYPE}\r\n{MAPS}" * 7,
        f"{OFFER}m=audio 4000 RTP/AVP {EVERY_TYPE}\r\na=fmtp:0 {'mode=;' * 10_000}\r\n",
        OFFER + "m=audio 4000 RTP/AVP 0\r\n" + "a=x:y\r\n" * 1900,
    ],
)
def test_p03_the_dearest_offer_costs_less_than_five_milliseconds(offer):
    def cost() -> float:
        begin = time.process_time()
        read = parse_sdp(offer.encode())
        negotiate.answer(read, OURS, HERE_TOO, Direction.SENDRECV, 1, 1)
        return time.process_time() - begin

    assert is_kept(cost)
