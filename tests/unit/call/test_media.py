"""An agreement becomes an order for the engine."""

from firmware.base.direction import Direction
from firmware.call.negotiation import media_of
from firmware.media.messages import PayloadFormat
from firmware.sdp import negotiate
from firmware.sdp.description import Format
from firmware.sdp.negotiate import Capabilities, LocalMedia
from firmware.sdp.parser import parse
from tests.support.desk import sdp

OURS = Capabilities((Format(9, "G722", 8000), Format(0, "PCMU", 8000)))


def test_every_field_finds_its_place():
    offer = parse(sdp(9, 0, 101, extra="a=ptime:30\r\na=rtcp:5999 IN IP4 10.0.0.8\r\n"))
    agreed = negotiate.answer(
        offer, OURS, LocalMedia("192.0.2.1", 4000, 4001), Direction.SENDRECV, 1, 0
    )
    order = media_of(agreed).configure(4)
    assert order.stream == 4
    assert order.remote == ("10.0.0.9", 5000)
    assert order.remote_rtcp == ("10.0.0.8", 5999)
    assert order.formats == (PayloadFormat(9, "G722", 8000), PayloadFormat(0, "PCMU", 8000))
    assert order.dtmf.number == 101
    assert order.direction is Direction.SENDRECV
    assert order.ptime == 30
    assert order.metrics


def test_who_lists_no_metrics_gets_none():
    offer = parse(sdp(0, extra="a=rtcp-xr:stat-summary=loss\r\n"))
    agreed = negotiate.answer(
        offer, OURS, LocalMedia("192.0.2.1", 4000, 4001), Direction.SENDRECV, 1, 0
    )
    assert not media_of(agreed).configure(4).metrics
