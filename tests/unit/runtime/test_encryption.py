"""Handshakes driven over real sockets on loopback; the far end is an association of its own."""

import asyncio
import socket

import pytest

from firmware.base.values import replace
from firmware.call.secrecy import NO_MATERIAL
from firmware.config.schema import LineSettings, Settings
from firmware.media.messages import Foreign, PrepareSrtp, SetKeys, StreamReport
from firmware.net.dtls import Association, make_identity
from firmware.phone import commands as c
from firmware.phone.events import KeysFailed, MediaPortReserved
from firmware.rtp.srtp import Heard, Keys
from firmware.runtime.asides import aside
from firmware.runtime.encryption import Encryption
from firmware.runtime.performers import perform
from firmware.sdp.keying import Handshake
from firmware.sip.notifications import CallRef, DialogSaved

CALL = CallRef("c1")
SETTINGS = Settings(lines=(LineSettings(user="101", server="pbx", srtp="require"),))
STREAM = 7
KEYS = Keys("AEAD_AES_128_GCM", b"o" * 28, b"t" * 28)
REPORT = StreamReport(STREAM, 1, 1, 0, 0, 0, 0, 0.0, 0.0, 0.0, 0, -20.0, -20.0, "PCMU", None, 1)


def prints(identity):
    name, digest = identity.fingerprint.split()
    return ((name, bytes.fromhex(digest.replace(":", ""))),)


@pytest.fixture(scope="module")
def far_identity():
    return make_identity()


@pytest.fixture
async def office(house, until):
    """A house that encrypts, with the call's sockets bound and its fingerprint known."""
    house.encryption = Encryption(house)
    house.encryption.use(SETTINGS)
    perform(house, c.ReserveMediaPort(CALL, "127.0.0.1"))
    await until(lambda: house.inbox.events)
    house.streams[STREAM] = CALL
    yield house
    house.encryption.end(STREAM)
    house.pairs[CALL].close()


class FarEnd:
    """Somebody with a socket and a certificate."""

    def __init__(self, house, identity, fingerprint, *, active):
        name, digest = fingerprint.split()
        known = ((name, bytes.fromhex(digest.replace(":", ""))),)
        self.association = Association(identity, known, active=active)
        self.identity = identity
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0)
        self.house = house
        self.association.start()

    @property
    def address(self):
        return self.socket.getsockname()

    def tell(self, source=None):
        """What it has to say reaches the desk as the engine reports it."""
        for data in self.association.take():
            aside(self.house, Foreign(STREAM, data, source or self.address))

    def hear(self):
        while True:
            try:
                self.association.feed(self.socket.recv(2000))
            except BlockingIOError:
                return

    def talk(self, source=None):
        for _ in range(6):
            self.tell(source)
            self.hear()

    def make_keys(self, *, active=False, known=None):
        """The phone's command for a handshake with it."""
        agreed = Handshake(active, known or prints(self.identity))
        return c.MakeKeys(CALL, STREAM, agreed, self.address)


@pytest.fixture
def far(office, far_identity):
    ends = []

    def make(*, active=True):
        (reserved,) = office.inbox.events
        ends.append(FarEnd(office, far_identity, reserved.material.fingerprint, active=active))
        return ends[-1]

    yield make
    for end in ends:
        end.socket.close()


def orders(house):
    return [order for name, order, *_ in house.engine.asked if name == "send"]


def keys_given(house):
    return [order.keys for order in orders(house) if isinstance(order, SetKeys)]


async def test_a_call_gets_material_of_its_own(office):
    (first,) = office.inbox.events
    assert isinstance(first, MediaPortReserved)
    assert len(first.material.seed) == 32
    assert first.material.fingerprint.startswith("sha-256 ")
    perform(office, c.ReserveMediaPort(CALL, "127.0.0.1"))
    second = office.inbox.events[-1]
    assert second.material.seed != first.material.seed


def test_a_phone_that_encrypts_nothing_has_no_material(house):
    perform(house, c.ReserveMediaPort(CALL, "127.0.0.1"))
    assert house.inbox.events[0].material is NO_MATERIAL
    house.pairs[CALL].close()
    perform(house, c.MakeKeys(CALL, STREAM, Handshake(active=True, prints=()), ("127.0.0.1", 4)))
    aside(house, Foreign(STREAM, b"\x16" * 50, ("127.0.0.1", 4)))
    assert house.inbox.events[1:] == []


async def test_a_line_with_keys_in_sdp_needs_no_certificate(house):
    house.encryption = Encryption(house)
    line = replace(SETTINGS.lines[0], srtp_keys="sdes")
    house.encryption.use(replace(SETTINGS, lines=(line,)))
    perform(house, c.ReserveMediaPort(CALL, "127.0.0.1"))
    material = house.inbox.events[0].material
    assert (len(material.seed), material.fingerprint) == (32, "")
    house.pairs[CALL].close()
    perform(house, c.MakeKeys(CALL, STREAM, Handshake(active=True, prints=()), ("127.0.0.1", 4)))
    assert house.inbox.events[1:] == [KeysFailed(STREAM, "DTLS is not ready here")]


@pytest.mark.parametrize("begins", [True, False])
async def test_a_handshake_ends_in_keys_for_the_engine(office, far, begins):
    """RFC 5763 §5, both roles."""
    end = far(active=begins)
    perform(office, end.make_keys(active=not begins))
    end.hear()
    end.talk()
    (keys,) = keys_given(office)
    assert keys.send == end.association.keys.receive
    assert len(office.encryption) == 2, "the association, and what is kept of the call"
    office.encryption.end(STREAM)
    office.encryption.over(CALL)
    assert len(office.encryption) == 0


async def test_who_begins_before_the_answer_is_here_is_heard_after_it(office, far):
    """RFC 5763 §5: the answerer may begin at once, its answer may come later."""
    end = far()
    end.tell()
    assert len(office.encryption) == 1
    perform(office, end.make_keys())
    end.hear()
    end.talk()
    assert len(keys_given(office)) == 1


async def test_a_new_engine_gets_the_keys_again_and_how_far_the_last_one_had_heard(office, far):
    end = far()
    command = end.make_keys()
    perform(office, command)
    end.talk()
    report_twice(office, Heard(0xFA2, 0x10005))
    perform(office, command)
    first, second = (order for order in orders(office) if isinstance(order, SetKeys))
    assert (first.before, second.before) == (None, Heard(0xFA2, 0x10005))
    assert first.keys == second.keys


def report_twice(house, heard, stream=STREAM):
    """The newest counts; after a change of keys the first may still tell of the old ones."""
    aside(house, replace(REPORT, stream=stream, heard=Heard(1, 1)))
    aside(house, replace(REPORT, stream=stream, heard=heard))


def given(house, stream=STREAM, keys=KEYS):
    perform(house, c.MediaOrder(SetKeys(stream, keys)))
    return orders(house)[-1].before


async def test_keys_of_sdp_bring_the_counter_too(office):
    assert given(office) is None
    report_twice(office, Heard(0xFA2, 0x10005))
    assert given(office) == Heard(0xFA2, 0x10005)


async def test_another_key_of_the_far_end_begins_at_zero(office):
    """RFC 4568 §6.4: the roll-over counter of one key is nothing to another."""
    given(office)
    report_twice(office, Heard(0xFA2, 0x10005))
    other = Keys(KEYS.suite, KEYS.send, b"n" * 28)
    assert given(office, keys=other) is None
    aside(office, replace(REPORT, heard=Heard(0xFA2, 0x10006)))
    assert given(office, keys=other) is None, "that report was of the key before"


async def test_the_far_end_goes_on_counting_when_we_move_to_another_stream(office):
    given(office)
    report_twice(office, Heard(0xFA2, 0x10005))
    aside(office, replace(REPORT, final=True, heard=Heard(0xFA2, 0x10007)))
    office.streams[STREAM + 1] = CALL
    moved = Keys(KEYS.suite, b"n" * 28, KEYS.receive)
    assert given(office, STREAM + 1, moved) == Heard(0xFA2, 0x10007)


async def test_nothing_is_kept_of_a_call_that_is_over(office):
    given(office)
    assert len(office.encryption) == 1
    aside(office, DialogSaved(CALL, None))
    assert len(office.encryption) == 0
    for number in range(200):
        office.streams[STREAM] = CallRef(f"c{number}")
        given(office)
    assert len(office.encryption) == 64


async def test_a_far_end_that_keeps_its_association_is_heard_after_we_move(
    office, far, monkeypatch
):
    """RFC 5763 §6.6: either may keep it; the old keys serve until there are others."""
    end = far()
    perform(office, end.make_keys())
    end.talk()
    (first,) = keys_given(office)
    monkeypatch.setattr("firmware.runtime.handshake.PATIENCE", 0.0)
    office.streams[STREAM + 1] = CALL
    perform(office, replace(end.make_keys(), stream=STREAM + 1))
    assert keys_given(office) == [first, first]
    for _ in range(3):
        await asyncio.sleep(0)  # the loop turns, and a patience of nothing is over
    assert office.inbox.events[1:] == []
    office.encryption.end(STREAM + 1)


async def test_hold_by_an_address_of_zeros_keeps_the_association(office, far):
    """RFC 3264 §8.4."""
    end = far()
    command = end.make_keys()
    perform(office, command)
    end.talk()
    perform(office, replace(command, remote=("", 0)))
    perform(office, command)
    assert len(set(map(id, keys_given(office)))) == 1
    end.hear()
    assert end.association.take() == (), "nobody began anew"


async def test_a_wrong_certificate_is_told(office, far):
    end = far()
    perform(office, end.make_keys(known=(("sha-256", b"\0" * 32),)))
    end.talk()
    assert keys_given(office) == []
    (failed,) = office.inbox.events[1:]
    assert failed == KeysFailed(STREAM, "the far end's certificate is not the one it announced")


async def test_a08_a_stranger_does_not_end_the_handshake(office, far):
    """Of what comes from elsewhere nothing is told; the far end comes through."""
    end = far()
    perform(office, end.make_keys())
    alert = b"\x15\xfe\xfd" + bytes(8) + b"\0\x02\x02\x28"
    for last in range(1, 60):
        aside(office, Foreign(STREAM, alert, (f"203.0.113.{last}", 4000)))
        aside(office, Foreign(STREAM, b"\x16" * 60, (f"203.0.113.{last}", 4000)))
    end.talk()
    assert len(keys_given(office)) == 1
    assert office.inbox.events[1:] == []


async def test_a_far_end_behind_a_nat_is_heard_from_where_it_is(office, far):
    end = far()
    perform(office, end.make_keys())
    end.talk(source=("203.0.113.9", 4321))
    assert len(keys_given(office)) == 1


async def test_a08_noise_after_the_handshake_changes_nothing(office, far):
    end = far()
    perform(office, end.make_keys())
    end.talk()
    for data in (b"\x16" * 60, b"\x15\xfe\xfd" + bytes(8) + b"\0\x02\x02\x28", b"\0" * 40, b""):
        aside(office, Foreign(STREAM, data, end.address))
        aside(office, Foreign(STREAM, data, ("203.0.113.9", 4)))
    assert len(keys_given(office)) == 1
    assert office.inbox.events[1:] == []


async def test_another_certificate_is_another_association(office, far):
    """RFC 5763 §6.6."""
    end = far()
    perform(office, end.make_keys())
    end.talk()
    other = far()
    other.association = Association(
        make_identity(), prints(office.encryption._identity), active=True
    )
    other.association.start()
    perform(office, other.make_keys(known=(("sha-256", b"\0" * 32),)))
    other.talk()
    assert len(keys_given(office)) == 1
    assert isinstance(office.inbox.events[-1], KeysFailed)


async def test_the_end_of_a_stream_ends_its_handshake(office, far):
    end = far()
    end.tell()
    perform(office, end.make_keys())
    aside(office, replace(REPORT, final=True))
    assert len(office.encryption) == 0
    end.association.start()
    end.tell()
    assert len(office.encryption) == 0, "nobody's datagrams are not kept"


async def test_a_far_end_that_never_answers_is_told(office, far, until, monkeypatch):
    monkeypatch.setattr("firmware.runtime.handshake.PATIENCE", 0.01)
    perform(office, far().make_keys())
    await until(lambda: len(office.inbox.events) > 1)
    assert office.inbox.events[1].reason == "the far end does not answer the handshake"


def test_a_new_engine_loads_what_encryption_needs(house):
    Encryption(house).prepare_engine()
    assert orders(house) == [PrepareSrtp()]
