"""P1: ten thousand malformed messages, from strangers and from the server itself."""

import random
from pathlib import Path

import pytest

from firmware.control import schema as s
from tests.support.far_end import bracketed
from tests.support.ground import BOTH_FAMILIES

pytestmark = BOTH_FAMILIES
VECTORS = sorted((Path(__file__).parents[1] / "data" / "rfc4475").glob("*.dat"))
COUNT = 10_000
_BATCH = 50
_SPICE = (b"\r\n", b"\0", b"\xff", b'"', b"<", b">", b";", b",", b":", b"@", b"%", b" ", b"\t")
_WORDS = (b"Via: ", b"Content-Length: -1\r\n", b"Contact: *\r\n", b"sip:", b"99999999999999999999")


def mutated(vector, dice):
    """One vector with a handful of faults."""
    data = bytearray(vector)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(data) or 1)
        match dice.randrange(6):
            case 0:
                del data[at : at + dice.randint(1, 40)]
            case 1:
                data[at:at] = dice.choice(_SPICE) * dice.randint(1, 5)
            case 2:
                data[at:at] = dice.choice(_WORDS)
            case 3:
                data[at : at + 1] = bytes([dice.randrange(256)])
            case 4:
                end = min(len(data), at + dice.randint(1, 200))
                data[at:at] = data[at:end]
            case _:
                del data[at:]
    return bytes(data)


def resident(pid):
    """The memory of a process in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


class Postman:
    """Sends batches from an address; after each, the phone answers a good question."""

    def __init__(self, sock, phone):
        self._sock, self._phone, self._asked = sock, phone, 0

    def send(self, datagrams):
        for datagram in datagrams:
            self._sock.sendto(datagram[:65_000], (self._phone.address, 5060))

    def heard(self):
        """What came back and was not read yet."""
        self._sock.settimeout(0)
        try:
            return self._sock.recv(65_535)
        except BlockingIOError:
            return b""

    def ask(self, user):
        """OPTIONS; the status of the answer."""
        self._asked += 1
        address, port = self._sock.getsockname()[:2]
        host = bracketed(address)
        branch = f"z9hG4bK-ask-{port}-{self._asked}"
        self.send(
            [
                (
                    f"OPTIONS sip:{user}@{self._phone.host} SIP/2.0\r\n"
                    f"Via: SIP/2.0/UDP {host}:{port};branch={branch};rport\r\n"
                    f"From: <sip:far@{host}>;tag=1\r\nTo: <sip:{user}@{self._phone.host}>\r\n"
                    f"Call-ID: {branch}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
                    "Content-Length: 0\r\n\r\n"
                ).encode()
            ]
        )
        while True:
            answer = self._sock.recv(65_535)
            if branch.encode() in answer:
                return int(answer.split()[1])


@pytest.fixture
def postmen(phone, far_end, ground):
    """One at the server's own address, one at a stranger's."""
    return [Postman(ground.socket(host), phone) for host in (far_end.address, ground.stranger)]


@pytest.mark.parametrize("seed", [4475])
def test_p01_ten_thousand_malformed_messages(phone, far_end, postmen, seed):
    dice = random.Random(seed)  # noqa: S311 - the same faults every time
    vectors = [path.read_bytes() for path in VECTORS]
    server, stranger = postmen

    def flood(count):
        for _ in range(count // _BATCH):
            batch = [mutated(dice.choice(vectors), dice) for _ in range(_BATCH)]
            server.send(batch[: _BATCH // 2])
            stranger.send(batch[_BATCH // 2 :])
            assert server.ask("101") == 200

    flood(1000)  # whatever is imported or cached for the first time
    before = resident(phone.pid)
    flood(COUNT)
    grown = resident(phone.pid) - before
    assert grown < 5 << 20, f"{grown / (1 << 20):.1f} MB"

    assert stranger.heard() == b""  # nor did the stranger learn that anybody is there
    assert "Traceback" not in phone.log()
    stats = phone.ask(s.Stats(), s.StatsReply)
    assert stats.counters["handler_failures"] == 0
    phone.wait_registered()
    phone.ask(s.Dial(target="204"))
    far_end.wait_call()
    phone.wait_state("talking")
