"""From which port to which: RTP and RTCP of a call on their sockets."""

import pytest

from firmware.media.messages import CloseStream, ConfigureStream, PayloadFormat
from firmware.rtp.rtcp import Goodbye, parse_rtcp

PCMU = PayloadFormat(0, "PCMU", 8000)


@pytest.mark.parametrize("shared", [True, False])
def test_reports_share_the_port_of_speech_only_if_both_ends_said_so(bench, shared):
    """RFC 5761 §5.1.1; RFC 4961 §3: a port answers from where it is heard."""
    bench.handset()
    far = bench.ring()
    theirs = far.rtp if shared else far.rtcp
    order = ConfigureStream(1, far.address, theirs.getsockname(), (PCMU,))
    bench.order(order)
    bench.far_ends.remove(far)
    bench.seconds(4)
    bench.order(CloseStream(1))
    came = []
    while True:
        try:
            came.append(theirs.recvfrom(2048))
        except BlockingIOError:
            break
    ours = far.target if shared else far.control_target
    assert {source for _, source in came} == {ours}
    reports = [parsed for data, _ in came if (parsed := parse_rtcp(data))]
    assert len(reports) >= 2
    assert isinstance(reports[-1][-1], Goodbye)
    assert len(came) - len(reports) == (200 if shared else 0)
    far.close()
