"""Orders and reports survive the socket."""

import msgspec
import pytest

from firmware.media import messages as m
from firmware.rtp.srtp import Heard, Keys

PCMU = m.PayloadFormat(0, "PCMU", 8000)
ORDERS = [
    m.OpenPath(m.PathName.HANDSET, m.Card("file", play="a.wav")),
    m.ClosePath(m.PathName.RINGER),
    m.SetVolume(m.PathName.SPEAKER, 30),
    m.SetMute(muted=True),
    m.TalkOn(None),
    m.TalkOn(m.PathName.HEADSET, microphone=True),
    m.OpenStream(1, (PCMU,), m.Route.CARD),
    m.ConfigureStream(1, ("::1", 4000), ("::1", 4001), (PCMU,), m.Direction.SENDONLY, None, 30),
    m.SetKeys(1, Keys("AEAD_AES_128_GCM", b"ours", b"theirs", 4), Heard(0xFA2, 1 << 40)),
    m.PrepareSrtp(),
    m.Bridge((1, 2)),
    m.PlayClip(1, 16_000),
    m.Record(1, 8000, (m.ToneSegment((1400.0,), 0.5),), 50),
    m.StopRecord(1),
    m.RouteStream(1, m.Route.CLIP, "welcome", repeat=True),
    m.CloseStream(1),
    m.PlayTone("dial", m.PathName.HANDSET, (m.ToneSegment((350.0, 440.0), 0.0),)),
    m.StopTone("dial"),
    m.LoadClip("welcome", 8000),
    m.SendDigits(1, "12*#"),
    m.Stop(),
]


@pytest.mark.parametrize("order", ORDERS, ids=lambda each: type(each).__name__)
def test_an_order_arrives_as_it_was_sent(order):
    assert m.decode_order(m.encode(order)) == order


def test_there_is_a_case_for_every_order():
    assert {type(order) for order in ORDERS} == set(m.AnyOrder.__args__)


def test_a_report_arrives_as_it_was_sent():
    report = m.HearingChanged(3, m.Silence.OTHER_SOURCE, "192.0.2.1 port 4000")
    assert m.decode_report(m.encode(report)) == report


@pytest.mark.parametrize(
    "packet", [b"", b"\xc1", b"\x80", m.encode(m.EngineReady(1, realtime=True))]
)
def test_what_is_no_order_is_refused(packet):
    with pytest.raises(msgspec.DecodeError):
        m.decode_order(packet)
