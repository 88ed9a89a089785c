"""Calls whose ways are checked: through coturn, through a gateway, and with baresip.

Each phone lives on an island of its own; what each hears is the other's tone.
"""

import pytest

from firmware.control import schema as s
from tests.support.baresip import Baresip
from tests.support.certificates import Authority
from tests.support.coturn import Coturn
from tests.support.gateway import Gateway
from tests.support.islands import Island
from tests.support.kamailio import Kamailio
from tests.support.phone import Phone, line
from tests.support.wav import loudest_tone

pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]


class Sea:
    """A registrar and a relay in the middle, islands around."""

    def __init__(self, hub, folder):
        self.hub = hub
        self._folder = folder
        self.kamailio = Kamailio(hub, folder / "kamailio")
        self.authority = Authority(folder / "authority")
        self.coturn = Coturn(hub, folder / "coturn", authority=self.authority)
        self.islands, self._opened = [], []
        self._count = 0

    def island(self, *, connected=False, gateway=False):
        self._count += 1
        if gateway:
            door = Gateway(self.hub, self._count, self._folder)
            self.islands.append(door)
            made = Island(door, self._count)
            door.start()
        else:
            made = Island(self.hub, self._count, forwarding=connected)
        self.islands.append(made)
        return made

    def phone(
        self,
        user,
        tone_hz,
        *,
        connected=False,
        gateway=False,
        anywhere=False,
        tls=False,
        open_sea=False,
        home=None,
        **more,
    ):
        """Our phone on an island, or in the open sea; `anywhere` = at whatever address that has.

        `tls` = it reaches the relay over TLS, and its line names the authority.
        """
        if home is None:
            home = self.hub if open_sea else self.island(connected=connected, gateway=gateway)
        rows = self.coturn.tls_rows if tls else self.coturn.rows
        text = rows + line(user, self.kamailio.server, **more)
        if tls:
            text += f'\n[line.tls]\nca = "{self.authority.file}"\n'
        made = Phone(
            self._folder / user,
            text,
            namespace=home,
            address="0.0.0.0" if anywhere else home.party(),
            tone_hz=tone_hz,
        )
        self._opened.append(made)
        made.wait_registered()
        return made

    def baresip(self, *, connected=False, **more):
        """Baresip on an island, as 102 with 1000 Hz."""
        account = f"<sip:102@{self.kamailio.server};transport=udp>;auth_pass=s102;regint=60"
        server = self.coturn
        nat = (
            f"medianat=ice;stunserver=turn:{server.server};"
            f"stunuser={server.user};stunpass={server.password}"
        )
        home = self.island(connected=connected)
        made = Baresip(home, self._folder / "baresip", account, nat=nat, **more)
        self._opened.append(made)
        made.wait_registered()
        return made

    def close(self):
        # The inner networks first: an island's end of a wire goes with its gateway.
        for each in (*reversed(self._opened), *reversed(self.islands)):
            each.close()


@pytest.fixture
def sea(need, network, tmp_path):
    need("kamailio", "turnserver")
    made = Sea(network, tmp_path)
    yield made
    made.close()


def talk(caller, way, seconds=2.0):
    """Until that much was heard on a way of this kind; gives the call."""
    caller.wait_state("talking")
    status = caller.wait(
        f"a way by {way}",
        lambda found: found.calls and found.calls[0].way == way and found.calls[0].rtp,
    )
    had = status.calls[0].rtp.received
    enough = had + seconds * 50
    return caller.wait("sound", lambda found: found.calls[0].rtp.received > enough).calls[0]


def assert_heard(file, hertz, after=0):
    found, _, purity = loudest_tone(file, after=after)
    assert found == pytest.approx(hertz, rel=0.01)
    assert purity > 0.9


def between_ours(caller, callee, way):
    """Both hear each other on such a way, from now on."""
    call = talk(caller, way)
    assert callee.status().calls[0].way == way
    marks = [each.heard.stat().st_size for each in (caller, callee)]
    enough = call.duration + 1.5
    caller.wait("sound", lambda found: found.calls[0].duration > enough)
    caller.ask(s.HangUp())
    callee.wait("the end", lambda status: not status.calls)
    caller.close()
    callee.close()
    assert_heard(caller.heard, 1000, marks[0])
    assert_heard(callee.heard, 440, marks[1])


def test_two_phones_that_only_a_relay_can_join(sea):
    """RFC 8656, RFC 8445 §5.1.1.2; the handshake of RFC 5763 goes the same way.

    F9: another address of the caller is another search (RFC 8839 §4.4.1.1.1), and the keys stay.
    """
    more = {"ice": "on", "srtp": "require"}
    caller = sea.phone("101", 440, anywhere=True, **more)
    callee = sea.phone("102", 1000, auto_answer="always", **more)
    caller.ask(s.Dial(target="102"))
    assert talk(caller, "relay", 0.5).secure
    sea.islands[0].renumber(77)
    caller.wait("the way to be lost", lambda found: found.calls[0].way == "")
    between_ours(caller, callee, "relay")
    assert "ALLOCATE processed, success" in sea.coturn.log()


def test_a_relay_over_tls_is_believed_by_the_line_s_own_authority(sea):
    """The certificate is of a private authority, which no system knows."""
    callee = sea.phone("102", 1000, ice="relay", tls=True, auto_answer="always")
    caller = sea.phone("101", 440, ice="on")
    caller.ask(s.Dial(target="102"))
    between_ours(caller, callee, "relay")
    assert "TLS" in sea.coturn.log()


def test_two_phones_behind_gateways_open_them_for_each_other(sea):
    """RFC 8445 §7.3.1.4: the relay is there, and not needed."""
    caller = sea.phone("101", 440, gateway=True, ice="on")
    callee = sea.phone("102", 1000, gateway=True, ice="on", auto_answer="always")
    caller.ask(s.Dial(target="102"))
    between_ours(caller, callee, "srflx")


def test_a_cable_between_two_phones_is_found_beside_the_network(sea):
    """RFC 8445 §5.1.1.1: an address of each that does not lead to the server, but to the other."""
    first, second = sea.island(), sea.island()
    cable(first, second)
    more = {"anywhere": True, "ice": "on", "srtp": "require"}
    caller = sea.phone("101", 440, home=first, **more)
    callee = sea.phone("102", 1000, home=second, auto_answer="always", **more)
    caller.ask(s.Dial(target="102"))
    assert talk(caller, "host", 0.5).secure
    between_ours(caller, callee, "host")


def cable(one, other):
    """A second interface of each, and nothing else on it."""
    far_side = ("peer", "name", "eth1", "netns", other.name)
    one.run("ip", "link", "add", "eth1", "type", "veth", *far_side)
    for number, end in enumerate((one, other), 1):
        end.run("ip", "addr", "add", f"10.96.0.{number}/24", "dev", "eth1")
        end.run("ip", "link", "set", "eth1", "up")


def test_a_handshake_finds_a_caller_behind_a_gateway_without_any_of_this(sea):
    """RFC 5763 §6.7.2: the caller's one check shows where it is; `symmetric_rtp` goes there.

    What its SDP says, an address at home, leads nowhere from here.
    """
    more = {"srtp": "require", "srtp_keys": "dtls"}
    caller = sea.phone("101", 440, gateway=True, **more)
    callee = sea.phone("102", 1000, open_sea=True, symmetric_rtp=True, auto_answer="always", **more)
    caller.ask(s.Dial(target="102"))
    caller.wait_state("talking")
    for each in (caller, callee):
        each.wait("sound", lambda found: found.calls[0].secure and found.calls[0].rtp.received > 50)
    between_ours(caller, callee, "")


# baresip


def hear(ours, far):
    there = far.quit()
    ours.wait("the end of the call", lambda status: not status.calls)
    ours.close()
    assert_heard(there, 440)
    assert_heard(ours.heard, 1000)


@pytest.mark.parametrize(
    ("connected", "mux", "mediaenc"),
    [(True, False, ""), (False, True, "dtls_srtp")],
    ids=["direct", "relay, muxed, encrypted"],
)
def test_we_call_baresip(sea, need, connected, mux, mediaenc):
    """RFC 8839 §4.3.4: it follows RFC 5245, and is shown what was chosen."""
    need("baresip")
    more = {"srtp": "require"} if mediaenc else {}
    ours = sea.phone("101", 440, connected=connected, ice="on", **more)
    far = sea.baresip(connected=connected, mux=mux, mediaenc=mediaenc)
    ours.ask(s.Dial(target="102"))
    call = talk(ours, "host" if connected else "relay")
    assert call.secure == bool(mediaenc)
    hear(ours, far)


@pytest.mark.parametrize(
    ("connected", "mux"), [(True, True), (False, False)], ids=["direct, muxed", "relay"]
)
def test_baresip_calls_us(sea, need, connected, mux):
    need("baresip")
    ours = sea.phone("101", 440, connected=connected, ice="on", auto_answer="always")
    far = sea.baresip(connected=connected, mux=mux)
    far.command("dial", "101")
    talk(ours, "host" if connected else "relay")
    hear(ours, far)
