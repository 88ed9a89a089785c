"""How a call sounded, as a collector reads it."""

import pytest

from firmware.base.values import replace
from firmware.sip.event.quality import CallQuality, write_quality

CALL = CallQuality(
    call_id="1890463548@alice",
    local_uri="sip:101@pbx",
    remote_uri="sip:102@pbx",
    outgoing=True,
    started_at=1097432623.0,
    ended_at=1097432762.9,
    codec="PCMU",
    received=950,
    lost=50,
    late=20,
)
FULL = replace(
    CALL,
    local_name='Al "x"',
    remote_name="Bob",
    local=("192.0.2.1", 40000),
    remote=("192.0.2.9", 5000),
    ssrc=0x1A3B5C7D,
    jitter_ms=2.4,
    buffer_ms=40.0,
    round_trip_ms=200.0,
    signal_dbm0=-18,
    noise_dbm0=-50,
    echo_loss_db=55,
)


def rows(call):
    return write_quality(call).decode().split("\r\n")


def test_all_that_was_measured():
    """RFC 6035 §4.6.1, RFC 6035 §4.6.2.2, RFC 6035 §4.6.2.4, RFC 6035 §4.6.2.6.1.

    RFC 6035 §4.6.2.5, RFC 6035 §4.6.2.10; its times are as in RFC 3339.
    """
    assert rows(FULL) == [
        "VQSessionReport: CallTerm",
        "CallID: 1890463548@alice",
        'LocalID: "Al \\"x\\"" <sip:101@pbx>',
        'RemoteID: "Bob" <sip:102@pbx>',
        'OrigID: "Al \\"x\\"" <sip:101@pbx>',
        "LocalGroup: 192.0.2.1",
        "RemoteGroup: 192.0.2.9",
        "LocalAddr: IP=192.0.2.1 PORT=40000 SSRC=0x1a3b5c7d",
        "RemoteAddr: IP=192.0.2.9 PORT=5000",
        "LocalMetrics:",
        "Timestamps:START=2004-10-10T18:23:43Z STOP=2004-10-10T18:26:02Z",
        "SessionDesc:PT=0 PD=PCMU SR=8000",
        "JitterBuffer:JBA=3 JBN=40",
        "PacketLoss:NLR=5.0 JDR=2.0",
        "Delay:RTD=200 IAJ=2",
        "Signal:SL=-18 NL=-50 RERL=55",
        "",
    ]


def test_what_was_not_measured_is_not_made_up():
    text = "\n".join(rows(replace(CALL, codec="")))
    for name in ("LocalAddr", "RemoteAddr", "SessionDesc", "JitterBuffer", "Delay", "MOS", "SSRC"):
        assert name not in text
    assert "RemoteGroup: unknown" in text


def test_who_called_is_the_origin():
    assert "OrigID: <sip:102@pbx>" in rows(replace(CALL, outgoing=False))


@pytest.mark.parametrize(
    ("codec", "row"),
    [
        ("G722", "SessionDesc:PT=9 PD=G722 SR=16000"),
        ("opus", "SessionDesc:PD=opus SR=48000"),
        ("L16", "SessionDesc:PD=L16"),
    ],
)
def test_the_codec_by_its_registered_name(codec, row):
    """RFC 6035 §4.6.2.3."""
    assert row in rows(replace(CALL, codec=codec))


def test_a_call_in_which_nothing_came():
    silent = replace(CALL, received=0, lost=0, late=0)
    assert "PacketLoss:NLR=0.0 JDR=0.0" in rows(silent)
    assert "PacketLoss:NLR=100.0 JDR=0.0" in rows(replace(silent, lost=7))
