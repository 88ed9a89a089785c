"""A line with a SIM card's key, and the network that challenges it (RFC 3310, RFC 4169)."""

import base64
import hmac
import json
import re
from pathlib import Path

import pytest

from firmware.sip.account import AkaKeys
from firmware.sip.auth.aka import Card
from firmware.sip.auth.digest import Algorithm, parse_credentials, verify
from firmware.sip.auth.milenage import f1, f2345
from firmware.sip.errors import LocalError
from firmware.sip.notifications import CardAdvanced, FailureCause, RegistrationChanged
from firmware.sip.notifications import RegistrationState as State

ROW = json.loads(
    (Path(__file__).parents[3] / "data" / "milenage" / "vectors.json").read_text(encoding="utf-8")
)[0]
KEY, OPC, RAND = (bytes.fromhex(ROW[name]) for name in ("k", "opc", "rand"))
KEYS = AkaKeys(KEY, opc=OPC)


class Network:
    """An operator's authentication centre: it knows K and counts."""

    def __init__(self, key=KEY, sqn=0x1000):
        self.key, self.sqn = key, sqn

    def nonce(self) -> str:
        """The next challenge (RFC 3310 §3.2)."""
        sqn = self.sqn.to_bytes(6, "big")
        self.sqn += 32
        vector = f2345(self.key, OPC, RAND)
        mac, _ = f1(self.key, OPC, RAND, sqn, b"\x80\0")
        hidden = bytes(a ^ b for a, b in zip(sqn, vector.ak, strict=True))
        return base64.b64encode(RAND + hidden + b"\x80\0" + mac + b"server data").decode()

    def password(self, algorithm: Algorithm) -> str:
        """What the digest must have been made with (RFC 3310 §3.3, RFC 4169 §2.1)."""
        vector = f2345(self.key, OPC, RAND)
        if algorithm.aka == 1:
            return vector.res.decode("utf-8", "surrogateescape")
        text = b"http-digest-akav2-password"
        secret = vector.res + vector.ik + vector.ck
        return base64.b64encode(hmac.digest(secret, text, algorithm.hash_name)).decode()

    def synchronise(self, auts: str) -> bool:
        """Take the card's number from AUTS; False if it is forged (RFC 3310 §3.4)."""
        data = base64.b64decode(auts)
        vector = f2345(self.key, OPC, RAND)
        sqn = bytes(a ^ b for a, b in zip(data[:6], vector.ak_star, strict=True))
        _, mac = f1(self.key, OPC, RAND, sqn, b"\0\0")
        self.sqn = int.from_bytes(sqn, "big") + 32
        return mac == data[6:]


@pytest.fixture
def core():
    return Network()


@pytest.fixture
def desk(world, sip):
    desk = sip.Desk(world, "192.0.2.1")
    desk.line(sip.PBX, aka=KEYS)
    return desk


def asking(pbx, core, algorithm="AKAv1-MD5"):
    """Challenge every REGISTER that does not prove to know K."""

    def verdict(request):
        row = request.headers.get("Authorization") or ""
        claim = parse_credentials(row)
        auts = re.search('auts="([^"]*)"', row)
        if auts is not None:
            empty = verify(row, "REGISTER", b"", lambda *_: "")
            assert empty is not None, "RFC 3310 §3.4: with auts the password is empty"
            assert core.synchronise(auts.group(1))
        elif claim is not None:
            password = core.password(claim.algorithm)
            if verify(row, "REGISTER", b"", lambda *_: password):
                return pbx.verdict(request, 200)
        text = f'Digest realm="ims", nonce="{core.nonce()}", algorithm={algorithm}, qop="auth"'
        return pbx.verdict(request, 401, ("WWW-Authenticate", text))

    return [verdict] * 20


@pytest.mark.parametrize(
    "algorithm", ["AKAv1-MD5", "AKAv2-MD5", "AKAv1-SHA-256", "AKAv2-SHA-256", "akav1-md5"]
)
def test_a_card_registers(world, desk, pbx, sip, core, algorithm):
    """RFC 3310 §3.1 names the algorithms, RFC 4169 §2.1 makes the second password."""
    pbx.verdicts = asking(pbx, core, algorithm)
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert desk.last(RegistrationChanged).state is State.REGISTERED
    assert len(pbx.requests("REGISTER")) == 2


def test_version_2_is_taken_before_version_1(world, desk, pbx, sip, core):
    """RFC 4169 §4.1: both together are to be avoided; nobody talks us down."""
    nonce = core.nonce()
    rows = [
        ("WWW-Authenticate", f'Digest realm="ims", nonce="{nonce}", algorithm={name}, qop="auth"')
        for name in ("AKAv1-MD5", "AKAv2-SHA-256")
    ]
    pbx.verdicts = [lambda request: pbx.verdict(request, 401, *rows), 200]
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert "AKAv2-SHA-256" in pbx.requests("REGISTER")[1].headers.get("Authorization")


def test_a_network_that_counts_behind_the_card_is_told_where_it_is(world, desk, pbx, sip, core):
    """RFC 3310 §3.4: AUTS brings the network's number up to the card's."""
    pbx.verdicts = asking(pbx, core)
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    core.sqn = 0x20
    pbx.inbox.clear()
    pbx.verdicts = [lambda request: asking(pbx, core)[0](without(request)), *asking(pbx, core)]
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert desk.last(RegistrationChanged).state is State.REGISTERED
    sent = [each.headers.get("Authorization") for each in pbx.requests("REGISTER")]
    assert ["auts=" in row for row in sent] == [False, True, False]


def without(request):
    request.headers.set("Authorization", "Digest")
    return request


def test_a_network_that_does_not_know_our_key_gets_no_answer(world, desk, pbx, sip):
    """RFC 3310 §3.3: AUTN is assessed first."""
    pbx.verdicts = asking(pbx, Network(key=b"k" * 16))
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert len(pbx.requests("REGISTER")) == 1
    assert desk.last(RegistrationChanged).cause is FailureCause.WRONG_PASSWORD


def test_a_line_without_a_card_passes_over_such_challenges(world, pbx, sip, core):
    desk = sip.Desk(world, "192.0.2.1")
    desk.line(sip.PBX, password="secret")
    pbx.verdicts = asking(pbx, core)
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert len(pbx.requests("REGISTER")) == 1


@pytest.mark.parametrize("nonce", ["", "AAAA", "kein base64", "\udcff", "=" * 50, "A" * 43])
def test_what_is_no_challenge_is_not_answered(nonce):
    assert Card(KEYS).answer(nonce, 1, "md5") is None


def test_a_challenge_is_answered_once(core):
    card, nonce = Card(KEYS), core.nonce()
    assert card.answer(nonce, 1, "md5").password == bytes.fromhex(ROW["f2"])
    again = card.answer(nonce, 1, "md5")
    assert again.password == b""
    assert again.auts


def test_what_a_card_has_seen_it_takes_no_more_in_another_life(world, pbx, sip, core):
    """RFC 3310 §3.3: a challenge that was answered before a restart is a replay after it."""
    first = sip.Desk(world, "192.0.2.1")
    first.line(sip.PBX, aka=KEYS)
    pbx.verdicts = asking(pbx, core)
    first.agent.register(sip.LINE, world.now)
    world.run(1.0)
    kept = first.last(CardAdvanced)
    assert kept == CardAdvanced(sip.LINE, (0x1000,))
    old = Network(sqn=0x1000).nonce()

    second = sip.Desk(world, "192.0.2.2")
    second.line(sip.PBX, aka=KEYS, card_numbers=kept.numbers)
    row = f'Digest realm="ims", nonce="{old}", algorithm=AKAv1-MD5, qop="auth"'
    pbx.verdicts = [lambda request: pbx.verdict(request, 401, ("WWW-Authenticate", row))]
    pbx.inbox.clear()
    second.agent.register(sip.LINE, world.now)
    world.run(0.1)
    assert "auts=" in pbx.requests("REGISTER")[1].headers.get("Authorization")
    assert not second.of(CardAdvanced), "nothing new was seen"


def test_a_card_that_counts_behind_the_network_just_follows(core):
    """3GPP TS 33.102 C.2: the other direction of being out of step needs no message."""
    card = Card(KEYS, (0x1000,))
    core.sqn = 0x1000 + 32 * 5000
    assert card.answer(core.nonce(), 1, "md5").password
    assert card.numbers == (0x1000 + 32 * 5000,)


def test_numbers_out_of_order_are_taken_from_rows_of_their_own(core):
    """3GPP TS 33.102 C.3: a network may use several of its 32 rows at once."""
    card = Card(KEYS)
    core.sqn = 0x1001
    assert card.answer(core.nonce(), 1, "md5").password
    core.sqn = 0x0802
    assert card.answer(core.nonce(), 1, "md5").password


def test_op_and_opc_are_the_same_card(core):
    made, nonce = Card(AkaKeys(KEY, op=bytes.fromhex(ROW["op"]))), core.nonce()
    assert made.answer(nonce, 1, "md5") == Card(KEYS).answer(nonce, 1, "md5")


@pytest.mark.parametrize(
    "wrong", [{"key": b"short"}, {"opc": b""}, {"opc": b"x" * 15}, {"amf": b"x"}]
)
def test_what_is_no_card_is_refused(wrong):
    with pytest.raises(LocalError):
        AkaKeys(**{"key": KEY, "opc": OPC, **wrong})


def test_a24_the_keys_do_not_show():
    assert KEY.hex() not in repr(KEYS)
    assert "key" not in repr(KEYS)
