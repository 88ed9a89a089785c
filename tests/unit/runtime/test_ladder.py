"""What `ctl ladder` shows of a call, and what it says of its end."""

import pytest

from firmware.runtime.ladder import ladder
from firmware.runtime.trace import Trace
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.ui.text import Texts

HERE = Endpoint("192.0.2.1", 5060)
PBX = Flow(Transport.UDP, HERE, Endpoint("192.0.2.9", 5060))
SENT, RECEIVED = True, False
BOB = Flow(Transport.TCP, HERE, Endpoint("198.51.100.7", 5060), 3)
SDP = (
    "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 40000 RTP/AVP 96 0 101\r\n"
    "a=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n"
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0IGtleQ==\r\na=sendonly\r\n"
)


class Wire:
    """Puts messages into a trace, a tenth of a second apart."""

    def __init__(self):
        self.trace = Trace()
        self.now = 100.0

    def note(self, sent, first, method, *rows, flow=PBX, body="", number=1):
        head = (first, "From: <sip:101@pbx>;tag=1", "To: <sip:102@pbx>", "Call-ID: abc@pbx")
        text = "\r\n".join((*head, f"CSeq: {number} {method}", *rows))
        self.trace.note(sent, f"{text}\r\n\r\n{body}".encode(), flow, self.now)
        self.now += 0.1

    def out(self, method, *rows, **more):
        self.note(SENT, f"{method} sip:102@pbx SIP/2.0", method, *rows, **more)

    def into(self, method, *rows, **more):
        self.note(RECEIVED, f"{method} sip:101@192.0.2.1 SIP/2.0", method, *rows, **more)

    def hear(self, status, *rows, method="INVITE", **more):
        self.note(RECEIVED, f"SIP/2.0 {status}", method, *rows, **more)

    def say(self, status, *rows, method="INVITE", **more):
        self.note(SENT, f"SIP/2.0 {status}", method, *rows, **more)

    def rows(self):
        lost, gap = self.trace.lost("abc@pbx"), self.trace.gap("abc@pbx")
        return ladder(self.trace.messages("abc@pbx"), lost, Texts.load().phrase, gap=gap)


@pytest.fixture
def wire():
    return Wire()


def test_a_call_from_its_invite_to_its_end(wire):
    wire.out("INVITE", "Content-Type: application/sdp", body=SDP)
    wire.hear("180 Ringing")
    wire.hear("200 OK", "Content-Type: application/sdp", body=SDP.replace("sendonly", "recvonly"))
    wire.out("ACK")
    wire.into("BYE", 'Reason: Q.850;cause=16;text="Terminated"')
    wire.say("200 OK", method="BYE")
    why = 'Q.850;cause=16;text="Terminated"'
    media = "  opus PCMU telephone-event · 192.0.2.1:40000 · "
    assert wire.rows() == [
        "Call-ID abc@pbx",
        "<sip:101@pbx> → <sip:102@pbx>",
        "     time  us 192.0.2.1:5060                        192.0.2.9:5060 UDP",
        f"   0.000s  |-- INVITE ----------------------------->|{media}sendonly",
        "   0.100s  |<- 180 Ringing (INVITE) ----------------|",
        f"   0.200s  |<- 200 OK (INVITE) ---------------------|{media}recvonly",
        "   0.300s  |-- ACK -------------------------------->|",
        f"   0.400s  |<- BYE ---------------------------------|  Reason: {why}",
        "   0.500s  |-- 200 OK (BYE) ----------------------->|",
        "ended by the far end (Q.850 16 Terminated)",
    ]


def test_every_far_end_has_a_column_and_arrows_pass_the_others(wire):
    wire.out("INVITE")
    wire.hear("302 Moved Temporarily", "Contact: <sip:bob@198.51.100.7>")
    wire.out("INVITE", flow=BOB, number=2)
    head, *arrows, sent_on, _ = wire.rows()[2:]
    assert sent_on == "sent on by 192.0.2.9:5060 to bob: 302 Moved Temporarily (INVITE)"
    assert head.split() == [
        "time",
        "us",
        str(HERE),
        "192.0.2.9:5060",
        "UDP",
        *str(BOB.remote).split(),
        "TCP",
    ]
    first, second = head.index("192.0.2.9"), head.index("198.51.100.7")
    assert [arrow[first] + arrow[second] for arrow in arrows] == ["||", "||", "-|"]
    assert arrows[1].endswith("|  Contact: <sip:bob@198.51.100.7>")


def test_a_message_that_is_repeated_is_counted_and_not_explained_again(wire):
    for _ in range(3):
        wire.out("INVITE", "Content-Type: application/sdp", body=SDP)
    rows = wire.rows()
    assert [row.split("|")[1].strip("- >") for row in rows[3:6]] == [
        "INVITE", "INVITE ×2", "INVITE ×3",
    ]  # fmt: skip
    assert rows[4].endswith("|")
    assert rows[-1] == "no answer from 192.0.2.9:5060 to 3 attempts"


ENDS = {
    "ended by this phone": lambda w: (w.hear("200 OK"), w.out("ACK"), w.out("BYE")),
    "ended by this phone (SIP 408 no RTP)": lambda w: (
        w.hear("200 OK"),
        w.out("ACK"),
        w.out("BYE", 'Reason: SIP;cause=408;text="no RTP"'),
    ),
    "answered; no end so far": lambda w: (w.hear("200 OK"), w.out("ACK")),
    "no end so far": lambda w: w.hear("183 Session Progress"),
    "refused by 192.0.2.9:5060: 486 Busy Here (INVITE)": lambda w: (
        w.hear("407 Proxy Authentication Required"),
        w.out("INVITE", number=2),
        w.hear("486 Busy Here", number=2),
    ),
    'refused by 192.0.2.9:5060: 503 Service Unavailable (INVITE) (399 pbx "no trunk")': lambda w: (
        w.hear("503 Service Unavailable", 'Warning: 399 pbx "no trunk"')
    ),
    "refused by 192.0.2.9:5060: 407 Proxy Authentication Required (INVITE)": lambda w: w.hear(
        "407 Proxy Authentication Required"
    ),
    "given up by this phone before it was answered": lambda w: (
        w.hear("180 Ringing"),
        w.out("CANCEL"),
        w.hear("200 OK", method="CANCEL"),
        w.hear("487 Request Terminated"),
    ),
}


@pytest.mark.parametrize("said", ENDS)
def test_the_end_of_a_call_that_we_placed(wire, said):
    wire.out("INVITE")
    ENDS[said](wire)
    assert wire.rows()[-1] == said


ENDS_OF_THEIRS = {
    "refused by this phone: 486 Busy Here (INVITE)": lambda w: w.say("486 Busy Here"),
    "given up by the caller before it was answered (SIP 200 Call completed elsewhere)": lambda w: (
        w.into("CANCEL", 'Reason: SIP;cause=200;text="Call completed elsewhere"'),
        w.say("200 OK", method="CANCEL"),
        w.say("487 Request Terminated"),
    ),
    "ended by this phone: its answer was never acknowledged": lambda w: (
        w.say("200 OK"),
        w.say("200 OK"),
        w.out("BYE"),
    ),
    "ended by the far end": lambda w: (
        w.say("200 OK"),
        w.into("ACK"),
        w.into("INVITE", number=2),
        w.say("488 Not Acceptable Here", number=2),
        w.into("BYE", number=3),
    ),
    "no end so far": lambda w: w.say("180 Ringing"),
}


@pytest.mark.parametrize("said", ENDS_OF_THEIRS)
def test_the_end_of_a_call_that_arrived(wire, said):
    wire.into("INVITE")
    ENDS_OF_THEIRS[said](wire)
    assert wire.rows()[-1] == said


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ((), "no answer from 192.0.2.9:5060 to 1 attempts"),
        (("401 Unauthorized", "200 OK"), "registered at 192.0.2.9:5060"),
        (
            ("401 Unauthorized", "403 Forbidden"),
            "not registered at 192.0.2.9:5060: 403 Forbidden (REGISTER)",
        ),
        (
            ("200 OK", "401 Unauthorized"),
            "not registered at 192.0.2.9:5060: 401 Unauthorized (REGISTER)",
        ),
    ],
)
def test_what_became_of_a_registration(wire, answers, said):
    wire.out("REGISTER")
    for answer in answers:
        wire.hear(answer, method="REGISTER")
    assert wire.rows()[-1] == said


def test_a_ladder_without_its_beginning_or_the_end_of_a_message_says_so(wire):
    wire.out("INVITE", body="x" * 5000)
    assert wire.rows()[3].endswith("|  (longer than is kept)")
    for _ in range(201):
        wire.hear("180 Ringing")
    assert wire.rows()[43] == "(82 messages between these are no longer kept)"


def test_a24_no_body_key_credential_or_password_is_shown(wire):
    wire.out(
        "INVITE",
        'Authorization: Digest username="101", nonce="N0NCE", response="0123456789abcdef"',
        "Referred-By: <sip:boss:hunter2@pbx>",
        "Content-Type: application/sdp",
        body=SDP,
    )
    wire.hear("302 Moved", "Contact: <sip:bob:letmein@198.51.100.7>")
    wire.out("MESSAGE", "Content-Type: text/plain", body="the code is 4711")
    shown = "\n".join(wire.rows())
    for secret in ("0123456789abcdef", "N0NCE", "hunter2", "letmein", "c2VjcmV0", "4711"):
        assert secret not in shown
    assert "<sip:bob:•••@198.51.100.7>" in shown


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\x00\x1b[2J garbage",
        b"x" * 65_000,
        b"\r\n\r\n\r\n\r\nfoo",
        b"SIP/2.0 \r\n\r\n",
        b"SIP/2.0 2\xc2\xb20 OK\r\nCSeq: INVITE\r\n\r\n",
        b"INVITE\r\nm: \x1b]0;x\x07\r\nReason: \x1b[31m\r\n\r\nm=audio x",
        b"BYE a\r\nCSeq: 1 BYE\r\nReason: Q.850;cause=99999999999999\r\n\r\n",
        b'BYE a\r\nCSeq: 1 BYE\r\nReason: a;text="\x1b[2J\x9b"\r\n\r\n',
    ],
)
def test_a23_garbage_is_shown_harmlessly(data):
    trace = Trace()
    trace.note(RECEIVED, data, PBX, 0.0)
    rows = ladder(trace.messages(), 0, Texts.load().phrase)
    assert rows
    assert all(row.isprintable() for row in rows)


def test_long_addresses_widen_their_columns_and_long_labels_are_cut(wire):
    far = Flow(Transport.TCP, HERE, Endpoint("2001:db8:1234:5678:9abc:def0:1234:5678", 5061), 1)
    wire.out("INVITE", flow=far)
    wire.hear(f"486 {'very ' * 40}busy", flow=far)
    head, sent, heard = wire.rows()[2:5]
    end = head.index("[2001")
    assert head[:end].rstrip().endswith("192.0.2.1:5060")
    assert sent[end] == heard[end] == "|"
    assert "…" in heard
