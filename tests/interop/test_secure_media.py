"""Encrypted calls with baresip: what each hears is the other's tone, and the lock is true.

Keys in SDP go over TLS through Kamailio; DTLS needs no secret signalling.
"""

import pytest

from firmware.control import schema as s
from tests.support.baresip import Baresip, both_heard
from tests.support.certificates import Authority
from tests.support.kamailio import Kamailio
from tests.support.phone import Phone, line
from tests.support.waiting import wait_for
from tests.support.wav import loudest_tone, sides, spectrum_peak

pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]
HOST = "office.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def office(need, network, authority, tmp_path):
    """Our phone 101 (440 Hz) and baresip 102 (1000 Hz), both registered at Kamailio."""
    need("kamailio", "baresip", "openssl")
    opened = []

    def make(mediaenc: str, *, tls: bool, mux: bool = True, **more) -> tuple[Phone, Baresip]:
        certificate = authority.issue(f"DNS:{HOST}", "IP:10.99.3.1") if tls else None
        kamailio = Kamailio(network, tmp_path / "kamailio", certificate=certificate)
        server = kamailio.secure_server if tls else kamailio.server
        transport = "tls" if tls else "udp"
        account = f"<sip:102@{server};transport={transport}>;auth_pass=s102;regint=60"
        ca = authority.file if tls else None
        folder = tmp_path / "baresip"
        far = Baresip(network, folder, account, ca=ca, mediaenc=mediaenc, mux=mux)
        opened.append(far)
        text = line("101", server, transport=transport, **more)
        if tls:
            text += f'[line.tls]\nca = "{authority.file}"\nserver_name = "{HOST}"\n'
        ours = Phone(tmp_path / "phone", text, namespace=network, address=network.party())
        opened.append(ours)
        far.wait_registered()
        ours.wait_registered()
        return ours, far

    yield make
    for each in reversed(opened):
        each.close()


def test_an_encrypted_call_is_recorded_as_it_is_heard(office):
    ours, _ = office("dtls_srtp", tls=False, srtp="require", srtp_keys="dtls")
    ours.ask(s.Dial(target="102"))
    ours.wait_state("talking")
    (file,) = ours.ask(s.Record(on=True), s.RecordReply).files
    enough = ours.status().calls[0].duration + 2.5
    ours.wait("two seconds of sound", lambda status: status.calls[0].duration > enough)
    assert secure(ours)
    ours.ask(s.HangUp())
    wait_for("the file", lambda: f"Recorded: {file}" in ours.log())
    rate, left, right = sides(file)
    for side, tone in ((left, 440), (right, 1000)):
        assert spectrum_peak(side[rate : 2 * rate], rate)[0] == pytest.approx(tone, rel=0.01)


def secure(phone: Phone) -> bool:
    return phone.status().calls[0].secure


@pytest.mark.parametrize(("mediaenc", "srtp"), [("srtp-mand", "require"), ("srtp", "prefer")])
def test_we_call_with_keys_in_sdp(office, mediaenc, srtp):
    ours, far = office(mediaenc, tls=True, srtp=srtp)
    ours.ask(s.Dial(target="102"))
    ours.wait_state("talking")
    wait_for("the lock", lambda: secure(ours))
    both_heard(ours, far)


@pytest.mark.parametrize(("mediaenc", "mux"), [("srtp-mand", True), ("srtp-mandf", False)])
def test_baresip_calls_with_keys_in_sdp(office, mediaenc, mux):
    more = {"srtp": "require", "auto_answer": "always"}
    ours, far = office(mediaenc, tls=True, mux=mux, **more)
    far.command("dial", "101")
    ours.wait_state("talking")
    wait_for("the lock", lambda: secure(ours))
    both_heard(ours, far)


def test_we_call_with_dtls(office):
    ours, far = office("dtls_srtp", tls=False, srtp="require")
    ours.ask(s.Dial(target="102"))
    ours.wait_state("talking")
    wait_for("the lock", lambda: secure(ours))
    both_heard(ours, far)


def test_baresip_calls_with_dtls(office):
    ours, far = office("dtls_srtp", tls=False, srtp="require", auto_answer="always")
    far.command("dial", "101")
    ours.wait_state("talking")
    wait_for("the lock", lambda: secure(ours))
    both_heard(ours, far)


def test_hold_and_resume_keep_an_encrypted_call_encrypted(office):
    ours, far = office("srtp-mand", tls=True, srtp="require")
    ours.ask(s.Dial(target="102"))
    ours.wait_state("talking")
    ours.ask(s.Hold())
    ours.wait("hold", lambda status: status.calls[0].held)
    ours.ask(s.Resume())
    ours.wait("resume", lambda status: not status.calls[0].held)
    wait_for("the lock", lambda: secure(ours))
    begin = ours.heard.stat().st_size
    enough = ours.status().calls[0].duration + 3
    ours.wait("three seconds of sound", lambda status: status.calls[0].duration > enough)
    hertz, _, purity = loudest_tone(ours.heard, after=begin)
    assert hertz == pytest.approx(1000, rel=0.01)
    assert purity > 0.9
    del far


def test_a_far_end_in_the_clear_is_not_called_where_encryption_is_required(office):
    ours, _ = office("", tls=True, srtp="require")
    ours.ask(s.Dial(target="102"))
    ours.wait("the call to fail", lambda status: not status.calls)
    assert "102 cannot take this call (488)" in ours.log()
