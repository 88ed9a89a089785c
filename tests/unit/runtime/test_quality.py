"""From the engine's figures to a report on the wire."""

import msgspec

from firmware.media.messages import Levels, StreamReport
from firmware.phone.commands import ReportQuality
from firmware.phone.parted import Parted
from firmware.runtime.quality import report_quality
from firmware.sip.notifications import CallRef, LineName, Party
from tests.unit.runtime.conftest import Part

LINE, CALL = LineName("101@pbx"), CallRef("c1")
PARTED = Parted(
    *(CALL, LINE, "sip:reports@pbx", Party("Bob", "102", "sip:102@pbx"), False, 900.0, 960.0),
    ("192.0.2.1", 40000),
)


class Agent(Part):
    publications = Part()

    def identity(self, _line):
        return Party("", "101", "sip:101@pbx")


def sent(house, alert="", **figures):
    house.agent = Agent()
    house.last_calls.named(CALL, "id@host")
    report = StreamReport(
        stream=1, sent=500, received=490, lost=10, late=5, duplicate=0, concealed=0, jitter_ms=2.0,
        delay_ms=40.0, round_trip_ms=80.0, remote_lost=0, level_in=-20.0, level_out=-20.0,
        codec="PCMU", source=("192.0.2.9", 5000), ssrc=7, final=True,
        levels=Levels(speech=-14, echo_loss=43),
    )  # fmt: skip
    report = msgspec.structs.replace(report, **figures)
    report_quality(house, ReportQuality(PARTED, report, alert))
    verb, line, target, state, _ = house.agent.publications.asked[-1]
    assert (verb, line, target, state.event) == ("report", LINE, "sip:reports@pbx", "vq-rtcpxr")
    return state.body.decode()


def test_the_figures_of_a_call(house):
    text = sent(house)
    assert "CallID: id@host" in text
    assert "PacketLoss:NLR=2.0 JDR=1.0" in text
    assert "Delay:RTD=80 IAJ=2" in text
    assert "Signal:SL=-14 RERL=43\r\n" in text, "what is not known is left out"
    assert "JBN=40" in text
    # 1000 on the phone's clock is now on the wall's.
    assert "START=2025-11-13T02:11:40Z STOP=2025-11-13T02:12:40Z" in text


def test_nothing_is_made_up_where_nothing_came(house):
    text = sent(house, received=0, lost=0, late=0, round_trip_ms=0.0, source=None)
    for name in ("RTD", "IAJ", "JitterBuffer", "RemoteAddr"):
        assert name not in text


def test_how_people_would_rate_it_is_estimated(house):
    """RFC 6035 §4.6.2.11: without the delay, and with it."""
    clean = sent(house, lost=0, late=0, round_trip_ms=20.0)
    assert "QualityEst:RLQ=93 RCQ=93 MOSLQ=4.4 MOSCQ=4.4" in clean
    bad = sent(house, lost=100, received=400, late=0, round_trip_ms=800.0)
    found = dict(part.split("=") for part in bad.partition("QualityEst:")[2].split()[:4])
    assert float(found["MOSCQ"]) < float(found["MOSLQ"]) < 3.0
    assert "QualityEst" not in sent(house, received=0)


def test_bad_sound_is_told_while_the_call_is_up(house):
    """RFC 6035 §4.7.2."""
    text = sent(house, alert="Critical")
    assert text.startswith("VQAlertReport: Type=NLR Severity=Critical Dir=local\r\n")
    assert "VQSessionReport" not in text
