"""Every transport against real peers, judged by registration, sound and words of failures.

Certificates are made by openssl for each run; nothing is trusted that the test did not make.
"""

import pytest

from firmware.control import schema as s
from tests.support.baresip import Baresip, both_heard
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


def talk(alice, bob, before_the_end=lambda: None):
    """Alice (440 Hz) calls Bob (620 Hz), and each hears the other."""
    alice.wait_registered()
    bob.wait_registered()
    alice.ask(s.Dial(target="102"))
    alice.wait_state("talking")
    alice.wait("two seconds of sound", lambda status: status.calls[0].duration > 2)
    before_the_end()
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
    """What is wrong, once it has tried."""
    found = phone.wait("a reason", lambda found: "Registering" not in found.lines[0].reason)
    return found.lines[0].reason


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


@pytest.fixture
def with_baresip(need, make_kamailio, make_phone, authority, network, tmp_path):
    """Our phone 101 and baresip 102, both at Kamailio by one transport."""
    need("baresip")
    opened = []

    def make(transport: str, **more) -> tuple[Phone, Baresip]:
        kamailio = make_kamailio(authority.issue(f"DNS:{HOST}", "IP:10.99.3.1"))
        secure = transport == "tls"
        server = kamailio.secure_server if secure else kamailio.server
        account = f"<sip:102@{server};transport={transport}>;auth_pass=s102;regint=60"
        ca = authority.file if secure else None
        far = Baresip(network, tmp_path / "baresip", account, ca=ca)
        opened.append(far)
        tls = {"ca": authority.file} if secure else None
        ours = make_phone("101", server, tls, transport=transport, **more)
        far.wait_registered()
        ours.wait_registered()
        return ours, far

    yield make
    for far in opened:
        far.close()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_we_call_baresip_through_kamailio(with_baresip, transport):
    ours, far = with_baresip(transport)
    ours.ask(s.Dial(target="102"))
    ours.wait_state("talking")
    both_heard(ours, far)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_baresip_calls_us_through_kamailio(with_baresip, transport):
    ours, far = with_baresip(transport, auto_answer="always")
    far.command("dial", "101")
    ours.wait_state("talking")
    both_heard(ours, far)


@pytest.fixture
def face_to_face(need, authority, network, tmp_path):
    """Our phone 101 and baresip 102 without anything between them; each has a certificate."""
    need("baresip")
    opened = []

    def make(transport: str, **more) -> tuple[Phone, Baresip]:
        here, there = network.party(), "10.99.2.1"
        secure = transport == "tls"
        account = "<sip:102@{address};transport=" + transport + ">;regint=0"
        far = Baresip(
            *(network, tmp_path / "baresip", account),
            certificate=authority.issue(f"IP:{there}") if secure else None,
            ca=authority.file if secure else None,
        )
        assert far.address == there
        opened.append(far)
        # Its connections leave from the address they go to: all of them are this machine's.
        peers = [there, here]
        rows = {"transport": transport, "register": False, "peers": peers, **more}
        text = line("101", f"{there}:{5061 if secure else 5060}", **rows)
        if secure:
            text += f'[line.tls]\nca = "{authority.file}"\n'
        ours = Phone(
            *(tmp_path / "phone", text),
            namespace=network,
            address=here,
            certificate=authority.issue(f"IP:{here}") if secure else None,
        )
        opened.append(ours)
        return ours, far

    yield make
    for phone in reversed(opened):
        phone.close()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_we_call_baresip_directly(face_to_face, transport):
    ours, far = face_to_face(transport)
    ours.ask(s.Dial(target="102"))
    ours.wait_state("talking")
    both_heard(ours, far)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_baresip_calls_us_directly(face_to_face, transport):
    """Over TLS this is the phone in the server's role, with a certificate of its own."""
    ours, far = face_to_face(transport, auto_answer="always")
    port = 5061 if transport == "tls" else 5060
    far.command("dial", f"sip:101@{ours.address}:{port}")  # it adds the transport itself
    ours.wait_state("talking")
    both_heard(ours, far)


def test_f28_a_long_invite_of_a_udp_line_reaches_kamailio_by_tcp(
    make_kamailio, make_phone, authority
):
    kamailio = make_kamailio(authority.issue(f"DNS:{HOST}"))
    alice = make_phone("101", kamailio.server, tone_hz=440, display_name="A" * 250)
    bob = make_phone("102", kamailio.server, tone_hz=620, auto_answer="always")
    talk(alice, bob, before_the_end=lambda: by_tcp(alice))


def by_tcp(phone: Phone) -> None:
    ladder = phone.ask(s.Ladder(), s.LadderReply)
    assert any("TCP" in row for row in ladder.rows), ladder.rows
