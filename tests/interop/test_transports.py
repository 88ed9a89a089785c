"""Every transport against real peers, judged by registration, sound and words of failures.

Certificates are made by openssl for each run; nothing is trusted that the test did not make.
"""

import pytest

from firmware.control import schema as s
from tests.support.certificates import Authority, Certificate, self_signed
from tests.support.kamailio import Kamailio
from tests.support.phone import Phone, line
from tests.support.wav import loudest_tone

pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]
HOST = "office.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def make_kamailio(need, network, tmp_path):
    need("kamailio", "openssl")

    def make(certificate: Certificate, **more) -> Kamailio:
        return Kamailio(network, tmp_path / "kamailio", certificate=certificate, **more)

    return make


@pytest.fixture
def make_phone(network, tmp_path):
    phones = []
    addresses = iter([network.party() for _ in range(2)])

    def make(user: str, server: str, tls: dict[str, object] | None = None, **more) -> Phone:
        options = {key: more.pop(key) for key in ("tone_hz", "loop") if key in more}
        text = line(user, server, **more)
        if tls is not None:
            rows = {"server_name": HOST, **tls}
            text += "[line.tls]\n" + "".join(
                f"{key} = {str(value).lower() if isinstance(value, bool) else repr(str(value))}\n"
                for key, value in rows.items()
            )
        folder = tmp_path / user
        phone = Phone(folder, text, namespace=network, address=next(addresses), **options)
        phones.append(phone)
        return phone

    yield make
    for phone in reversed(phones):
        phone.close()


def talk(alice, bob):
    """Alice (440 Hz) calls Bob (620 Hz), and each hears the other."""
    alice.wait_registered()
    bob.wait_registered()
    alice.ask(s.Dial(target="102"))
    alice.wait_state("talking")
    alice.wait("two seconds of sound", lambda status: status.calls[0].duration > 2)
    alice.ask(s.HangUp())
    alice.wait_state("idle")
    bob.wait("the end of the call", lambda status: not status.calls)
    alice.close()
    bob.close()
    for phone, tone in ((alice, 620), (bob, 440)):
        hertz, _, purity = loudest_tone(phone.heard)
        assert hertz == pytest.approx(tone, rel=0.01)
        assert purity > 0.9


@pytest.mark.parametrize("transport", ["tcp", "tls", "ws", "wss"])
def test_two_phones_talk_through_kamailio(make_kamailio, make_phone, authority, transport):
    kamailio = make_kamailio(authority.issue(f"DNS:{HOST}"))
    secure = transport in ("tls", "wss")
    server = kamailio.secure_server if secure else kamailio.server
    more = {"transport": transport, "ws_path": "/sip"}
    tls = {"ca": authority.file} if secure else None
    alice = make_phone("101", server, tls, tone_hz=440, **more)
    bob = make_phone("102", server, tls, tone_hz=620, auto_answer="always", **more)
    talk(alice, bob)


@pytest.mark.parametrize("far", ["tls", "wss"])
def test_a_phone_by_udp_and_one_by_tls_talk(make_kamailio, make_phone, authority, far):
    kamailio = make_kamailio(authority.issue(f"URI:sip:{HOST}"))
    alice = make_phone("101", kamailio.server, tone_hz=440)
    bob = make_phone(
        *("102", kamailio.secure_server, {"ca": authority.file}),
        tone_hz=620,
        auto_answer="always",
        transport=far,
        ws_path="/sip",
    )
    talk(alice, bob)


def test_kamailio_that_asks_for_a_certificate_gets_ours(make_kamailio, make_phone, authority):
    kamailio = make_kamailio(authority.issue(f"DNS:{HOST}"), client_ca=authority.file)
    ours = authority.issue("URI:sip:phone.example")
    tls = {"ca": authority.file, "cert": ours.cert, "key": ours.key}
    phone = make_phone("101", kamailio.secure_server, tls, transport="tls")
    phone.wait_registered()


def reason(phone: Phone) -> str:
    return phone.wait("a reason", lambda found: found.lines[0].reason).lines[0].reason


def spoiled(kind: str, authority: Authority, folder) -> Certificate:
    """A certificate with one fault."""
    match kind:
        case "name":
            return authority.issue("DNS:other.example")
        case "wildcard":
            return authority.issue("DNS:*.example")
        case "expired":
            return authority.issue(f"DNS:{HOST}", begins=-20, ends=-1)
        case "not yet":
            return authority.issue(f"DNS:{HOST}", begins=2, ends=20)
        case "self-signed":
            return self_signed(folder / "self", HOST)
        case _:
            return Authority(folder / "other", "Somebody Else").issue(f"DNS:{HOST}")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("name", "certificate of other.example"),
        ("wildcard", "certificate of *.example"),
        ("expired", "has expired"),
        ("not yet", "not valid yet|Clock not set"),
        ("self-signed", "self-signed"),
        ("authority", "unknown authority"),
    ],
)
def test_f26_each_fault_of_a_certificate_has_its_sentence(
    make_kamailio, make_phone, authority, tmp_path, kind, words
):
    kamailio = make_kamailio(spoiled(kind, authority, tmp_path))
    phone = make_phone("101", kamailio.secure_server, {"ca": authority.file}, transport="tls")
    said = reason(phone)
    assert any(word in said for word in words.split("|")), said
    assert not kamailio.knows("101"), "it went by another transport"


@pytest.mark.parametrize("wss", [False, True])
def test_f26_verification_can_be_switched_off_by_who_owns_the_phone(
    make_kamailio, make_phone, authority, tmp_path, wss
):
    kamailio = make_kamailio(spoiled("name", authority, tmp_path))
    transport = "wss" if wss else "tls"
    tls = {"verify": False}
    phone = make_phone("101", kamailio.secure_server, tls, transport=transport, ws_path="/sip")
    phone.wait_registered()


def test_f26_kamailio_without_our_certificate_says_so(make_kamailio, make_phone, authority):
    kamailio = make_kamailio(authority.issue(f"DNS:{HOST}"), client_ca=authority.file)
    phone = make_phone("101", kamailio.secure_server, {"ca": authority.file}, transport="tls")
    assert "wants our certificate" in reason(phone)


@pytest.fixture
def s_server(need, network, tmp_path):
    """OpenSSL's own server at one more address; returns host:port."""
    need("openssl")

    def start(certificate: Certificate, *words: str) -> str:
        address = network.party()
        network.popen(
            *("openssl", "s_server", "-accept", f"{address}:5061", "-quiet"),
            *("-cert", str(certificate.cert), "-key", str(certificate.key), *words),
            log=tmp_path / "s_server.log",
        )
        return f"{address}:5061"

    return start


def test_f26_a_server_with_tls_1_1_only_is_refused(s_server, make_phone, authority):
    words = ("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    server = s_server(authority.issue(f"DNS:{HOST}"), *words)
    phone = make_phone("101", server, {"ca": authority.file}, transport="tls")
    found = phone.wait("the verdict", lambda status: "TLS" in status.lines[0].reason, seconds=30)
    assert "no TLS newer than 1.1" in found.lines[0].reason


def test_f26_a_server_without_tls_is_not_spoken_to_in_the_clear(
    make_kamailio, make_phone, authority
):
    kamailio = make_kamailio(authority.issue(f"DNS:{HOST}"))
    phone = make_phone("101", kamailio.server, {"ca": authority.file}, transport="tls")
    # It waits for SIP, we for TLS: nobody says a word.
    phone.wait("the verdict", lambda found: "No answer" in found.lines[0].reason, 30)
    assert not kamailio.knows("101")


def test_a_wrong_path_of_a_websocket_is_named(make_kamailio, make_phone, authority):
    kamailio = make_kamailio(authority.issue(f"DNS:{HOST}"))
    phone = make_phone("101", kamailio.server, transport="ws", ws_path="/elsewhere")
    assert reason(phone)
    assert not kamailio.knows("101")


def test_f25_a_server_that_vanishes_is_found_again(make_kamailio, make_phone, authority):
    """Kamailio is killed under a TLS line and started again."""
    kamailio = make_kamailio(authority.issue(f"DNS:{HOST}"))
    phone = make_phone("101", kamailio.secure_server, {"ca": authority.file}, transport="tls")
    phone.wait_registered()
    kamailio.process.terminate()
    kamailio.process.wait(10)
    kamailio.start()
    phone.wait("registration again", lambda _: kamailio.knows("101"), 40)
