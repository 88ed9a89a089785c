"""Who calls, as the person at the phone reads it: what a server asserts, hides, and sent on.

A whole phone with its SIP stack and its screen on a simulated wire; the texts are those that the
screen draws.
"""

import datetime as dt

import pytest

from firmware.phone import actions as a
from firmware.phone.commands import CallOutcome
from firmware.phone.view import Mode
from firmware.ui.canvas import Canvas
from firmware.ui.render import render
from firmware.ui.scene import Clock
from firmware.ui.text import Texts
from tests.support.agent_phone import sdp
from tests.support.desk_phone import DeskPhone
from tests.support.sip_link import Stranger, World

PBX, DESK = "192.0.2.9", "192.0.2.1"


@pytest.fixture
def world():
    return World()


@pytest.fixture
def pbx(world):
    return Stranger(world, PBX)


@pytest.fixture
def desk(world, pbx):
    del pbx
    return DeskPhone(world, DESK, "101", PBX)


@pytest.fixture
def shown(desk, monkeypatch):
    """The texts on the screen now."""
    drawn = []
    real = Canvas.text

    def text(canvas, *args, **more):
        drawn.extend(arg for arg in args if isinstance(arg, str))
        return real(canvas, *args, **more)

    monkeypatch.setattr(Canvas, "text", text)

    def look():
        drawn.clear()
        clock = Clock(desk.now, dt.datetime(2026, 1, 1, 12, 0, tzinfo=dt.UTC))
        render(desk.view, clock, (128, 64), Texts.load())
        return drawn

    return look


@pytest.fixture
def ring(world, desk, pbx):
    """The PBX calls the desk with these headers."""

    def call(*rows, source="", sender='"Alice" <sip:alice@pbx.example>'):
        body = sdp(PBX)
        rows = (
            "INVITE sip:101@192.0.2.1 SIP/2.0",
            f"Via: SIP/2.0/UDP {source or PBX}:5060;branch=z9hG4bKin;rport",
            "Max-Forwards: 70",
            f"From: {sender};tag=alice",
            "To: <sip:101@192.0.2.1>",
            "Call-ID: in",
            "CSeq: 1 INVITE",
            f"Contact: <sip:alice@{PBX}>",
            *rows,
            "Content-Type: application/sdp",
            f"Content-Length: {len(body)}",
        )
        far = Stranger(world, source) if source else pbx
        far.tell("\r\n".join(rows).encode() + b"\r\n\r\n" + body, desk)
        world.run(1.0)

    return call


def cancel(world, desk, pbx, *rows):
    message = (
        "CANCEL sip:101@192.0.2.1 SIP/2.0",
        f"Via: SIP/2.0/UDP {PBX}:5060;branch=z9hG4bKin;rport",
        "From: <sip:alice@pbx.example>;tag=alice",
        *("To: <sip:101@192.0.2.1>", "Call-ID: in", "CSeq: 1 CANCEL", *rows, "", ""),
    )
    pbx.tell("\r\n".join(message).encode(), desk)
    world.run(1.0)


def test_what_the_caller_says_of_itself(ring, shown):
    ring()
    assert "Alice" in shown()


def test_what_the_network_asserts_stands_above(ring, shown):
    """RFC 3325 §9.1."""
    ring('P-Asserted-Identity: "Ann Lee" <sip:201@pbx.example>', "P-Preferred-Identity: <sip:x@y>")
    assert "Ann Lee" in shown()
    assert "201" in shown()
    assert "Alice" not in shown()


def test_the_old_header_says_as_much(ring, shown):
    ring('Remote-Party-ID: "Bob Ray" <sip:202@pbx.example>;party=calling;privacy=off;screen=yes')
    assert "Bob Ray" in shown()


@pytest.mark.parametrize(
    "rows",
    [
        ('P-Asserted-Identity: "Ann Lee" <sip:201@pbx.example>', "Privacy: id"),
        ('Remote-Party-ID: "Ann Lee" <sip:201@pbx.example>;party=calling;privacy=full',),
    ],
)
def test_who_hides_is_not_named_although_the_network_knows(ring, shown, rows):
    """RFC 3323 §4.1.1.3, RFC 3325 §9.3."""
    ring(*rows, sender='"Anonymous" <sip:anonymous@anonymous.invalid>')
    assert "Anonymous" in " ".join(shown())
    assert not any("Ann" in text or "201" in text for text in shown())


def test_a21_a_stranger_s_assertion_is_not_even_rung(desk, ring):
    ring('P-Asserted-Identity: "The Bank" <sip:1@bank.example>', source="203.0.113.66")
    assert desk.mode is Mode.IDLE


@pytest.mark.parametrize(
    "row",
    [
        'Diversion: "Reception" <sip:100@pbx.example>;reason=user-busy;counter=1',
        (
            'History-Info: "Reception" <sip:100@pbx.example?Reason=SIP%3Bcause%3D486>;index=1,'
            " <sip:101@192.0.2.1>;index=1.1;mp=1"
        ),
    ],
)
def test_who_sent_the_call_on_is_shown(ring, shown, row):
    """RFC 5806 and RFC 7044 §10.2."""
    ring(row)
    assert any("Reception" in text for text in shown())
    assert "Alice" in shown()


def test_what_the_call_is_about(ring, shown):
    ring("Subject: The lamp in room 7")
    assert any("lamp in room 7" in text for text in shown())


def test_answered_elsewhere_is_no_missed_call(world, desk, pbx, ring):
    """RFC 3326 §2."""
    ring()
    cancel(world, desk, pbx, 'Reason: SIP;cause=200;text="Call completed elsewhere"')
    assert (desk.mode, desk.view.missed) == (Mode.IDLE, 0)
    assert desk.ledger.records[-1].outcome is CallOutcome.ELSEWHERE


def test_given_up_is_one(world, desk, pbx, ring):
    ring()
    cancel(world, desk, pbx)
    assert desk.view.missed == 1


def test_unwanted_is_said_to_the_network(world, desk, pbx, ring):
    """RFC 8197 §4."""
    ring()
    desk.tell(a.Unwanted())
    world.run(0.1)
    assert pbx.responses(607)[0].headers.get("CSeq") == "1 INVITE"
    assert desk.mode is Mode.IDLE


def test_our_own_call_that_is_unwanted_says_so(world, desk, pbx, shown):
    """RFC 8197 §4, from the other side."""

    def refuse(message):
        if getattr(message, "method", "") != "INVITE":
            return []
        headers = message.headers
        rows = [f"Via: {row}" for row in headers.all("Via")]
        rows += [f"{name}: {headers.get(name)}" for name in ("From", "Call-ID", "CSeq")]
        rows.append(f"To: {headers.get('To')};tag=x")
        return [
            (
                "\r\n".join(["SIP/2.0 607 Unwanted", *rows, "Content-Length: 0"]) + "\r\n\r\n"
            ).encode()
        ]

    pbx.reply = refuse
    desk.lift()
    desk.press("201")
    world.run(8.0)
    assert any("does not want calls from you" in text for text in [" ".join(shown())])
