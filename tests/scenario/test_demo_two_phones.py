"""Two phones of ours at the practice PBX, over UDP and TCP, IPv4 and IPv6: each hears the other."""

import subprocess
import sys

import pytest

from firmware.control import schema as s
from firmware.lab.app import loopback
from tests.support.phone import Phone, line
from tests.support.wav import loudest_tone

pytestmark = [pytest.mark.realtime, pytest.mark.timeout(90)]
ANN_HZ, BOB_HZ = 440, 620


@pytest.fixture
def pbx():
    """A practice PBX on a free port; gives host:port."""
    command = (sys.executable, "-m", "firmware", "pbx", "--port", "0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        ready = process.stdout.readline().decode()
        yield ready.partition(" at ")[2].partition(";")[0]
        process.terminate()


@pytest.fixture
def phone(tmp_path, pbx):
    """Starts registered phones and stops them."""
    started = []

    def start(user, hertz, address="127.0.0.1", **more):
        host = f"[{address}]" if ":" in address else address
        server = f"{host}:{pbx.rpartition(':')[2]}"
        account = line(user, server, password=user, **more)
        made = Phone(tmp_path / user, account, address=address, port=0, tone_hz=hertz)
        started.append(made)
        made.wait_registered()
        return made

    yield start
    for each in started:
        each.close()


def a_second_of_sound(status):
    rtp = status.calls[0].rtp
    return rtp is not None and rtp.received > 60


@pytest.mark.parametrize("address", loopback())
@pytest.mark.parametrize(("ann_by", "bob_by"), [("udp", "tcp"), ("tcp", "udp")])
def test_ann_calls_bob_and_each_hears_the_other(phone, address, ann_by, bob_by):
    ann = phone("100", ANN_HZ, address, transport=ann_by)
    bob = phone("200", BOB_HZ, address, transport=bob_by, auto_answer="always")
    ann.ask(s.Dial("200"))
    ann.wait_state("talking")
    bob.wait_state("talking")
    for each in (ann, bob):
        each.wait("a second of sound", a_second_of_sound)
    ann.ask(s.HangUp())
    bob.wait("the end of the call", lambda now: not now.calls)
    codes = ann.close(), bob.close()
    assert codes == (0, 0)
    assert loudest_tone(ann.heard)[0] == pytest.approx(BOB_HZ, rel=0.01)
    assert loudest_tone(bob.heard)[0] == pytest.approx(ANN_HZ, rel=0.01)
