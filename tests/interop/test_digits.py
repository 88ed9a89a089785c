"""Keys to and from somebody else's phone: as events (test_baresip), by INFO, and as tones."""

import array
import wave

import pytest

from firmware.control import schema as s
from firmware.dsp.dtmf_detect import DtmfDetector
from firmware.dsp.tones import DTMF, TonePlayer
from firmware.media.messages import ToneSegment
from tests.support.baresip import Baresip
from tests.support.kamailio import Kamailio
from tests.support.phone import Phone, line
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.interop, pytest.mark.timeout(60)]
RATE = 8000
KEYS = "4711#"


@pytest.fixture
def talk(need, network, tmp_path):
    """Our phone 101 in a call with baresip 102."""
    need("kamailio", "baresip")
    opened = []

    def call(ours_by, theirs_by="rtpevent", voice=b""):
        kamailio = Kamailio(network, tmp_path / "kamailio")
        account = f"<sip:102@{kamailio.server}>;auth_pass=s102;regint=60"
        far = Baresip(network, tmp_path / "baresip", account, dtmf=theirs_by)
        if voice:
            with wave.open(str(tmp_path / "baresip/tone.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(RATE)
                file.writeframes(voice)
        ours = Phone(
            tmp_path / "phone",
            line("101", kamailio.server, dtmf=ours_by),
            namespace=network,
            address=network.party(),
        )
        opened.extend((far, ours))
        far.wait_registered()
        ours.wait_registered()
        ours.ask(s.Dial(target="102"))
        ours.wait_state("talking")
        return ours, far

    yield call
    for phone in reversed(opened):
        phone.close()


def pressed(far):
    """The keys that baresip says it was sent."""
    far.command("uastat")
    starts = [event for event in far.events if event.get("type") == "CALL_DTMF_START"]
    return "".join(str(event.get("param")) for event in starts)


def test_by_info_both_ways(talk):
    ours, far = talk("info", "info")
    ours.ask(s.Dtmf(digits=KEYS))
    wait_for("our keys there", lambda: pressed(far) == KEYS)
    for key in KEYS:
        far.command("sndcode", key)
    wait_for("their keys here", lambda: ours.status().calls[0].digits == KEYS)


def test_as_tones_both_ways(talk):
    """No events are agreed on; what goes and comes is sound, in G.711."""
    ours, far = talk("inband", voice=bytes(3 * RATE * 2) + sung(KEYS) + bytes(60 * RATE * 2))
    wait_for("their keys here", lambda: ours.status().calls[0].digits == KEYS, 15)
    ours.ask(s.Dtmf(digits=KEYS))
    enough = ours.status().calls[0].duration + 2
    ours.wait("the last key", lambda status: status.calls[0].duration > enough)
    assert heard_in(far.quit()) == KEYS


def sung(keys):
    """Keys of 80 ms with pauses as long."""
    pieces = []
    for key in keys:
        player = TonePlayer((ToneSegment(DTMF[key], 0.08, -16.0),), -1, RATE)
        pieces += [player.block(round(0.16 * RATE))]
    return b"".join(pieces)


def heard_in(recording):
    with wave.open(str(recording), "rb") as file:
        rate, channels = file.getframerate(), file.getnchannels()
        samples = array.array("h", file.readframes(1 << 24))[::channels]
    frames = range(0, len(samples), rate // 50)
    detector = DtmfDetector()
    heard = [detector.hear(samples[at : at + rate // 50].tobytes(), rate) for at in frames]
    return "".join(each.key for several in heard for each in several)
