"""Whatever is ordered of an encrypted stream, nothing is sealed twice at one index of one key."""

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.base.suites import SUITES, Keys
from firmware.base.tokens import Tokens
from firmware.media.messages import ConfigureStream, Direction, OpenStream, PayloadFormat, SetKeys
from firmware.media.stream import Stream

FORMATS = (PayloadFormat(0, "PCMU", 8000), PayloadFormat(9, "G722", 8000))
PLACES = (("192.0.2.9", 4000), ("192.0.2.10", 4000))
CONTROL = ("192.0.2.9", 4001)
AES, GCM = "AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"
KEYS = [
    Keys(suite, fill * SUITES[suite].octets, b"\x09" * SUITES[suite].octets)
    for suite in (AES, GCM)
    for fill in (b"\x01", b"\x02")
]
ORDERS = st.one_of(
    st.tuples(st.just("keys"), st.sampled_from(KEYS)),
    st.tuples(st.just("answer"), st.sampled_from(list(Direction)), st.permutations(FORMATS)),
    st.tuples(st.just("moved"), st.sampled_from(PLACES)),
    st.sampled_from([("plain",), ("digits",), ("engine",)]),
)


class Life:
    """One call: its engines, one after the other, and all that left them sealed."""

    def __init__(self) -> None:
        self.engines = 0
        self.now = 100.0
        self.keys = KEYS[0]
        self.place = PLACES[0]
        self.direction, self.formats = Direction.SENDRECV, FORMATS
        self.sealed: list[tuple[bytes, ...]] = []
        self.start()

    def start(self) -> None:
        self.engines += 1
        opened = OpenStream(1, FORMATS, secure=True)
        self.stream = Stream(opened, Tokens(bytes([self.engines])), self.now)
        self.configure()
        self.stream.set_keys(SetKeys(1, self.keys))

    def configure(self, *, secure: bool = True) -> None:
        self.stream.configure(
            ConfigureStream(
                1, self.place, CONTROL, tuple(self.formats), self.direction, secure=secure
            ),
            self.now,
        )

    def obey(self, order: tuple) -> None:
        match order:
            case ("keys", keys):
                self.keys = keys
            case ("answer", direction, formats):
                self.direction, self.formats = direction, formats
            case ("moved", place):
                self.place = place
            case ("plain",):
                self.configure(secure=False)
            case ("digits",):
                self.stream.send_digits("12", 40, 40)
            case ("engine",):
                self.start()
        self.configure()
        self.stream.set_keys(SetKeys(1, self.keys))

    def talk(self) -> None:
        for turn in range(6):
            self.now += 14
            if self.stream.sends and turn % 3:
                self._note(self.stream.say(bytes(self.stream.speaks_at // 25), self.now))
            else:
                self.stream.skip()
            self.now += 14
            self._note((self.stream.keep_alive(self.now),))
            control = self.stream.take_control(self.now)
            # RFC 3711 §3.4: SRTCP writes its index into the packet, before the tag.
            tag = 10 if self.keys.suite == AES else 0
            index = control[len(control) - tag - 4 :][:4]
            self.sealed.append((self.keys.send, b"control", control[4:8], index))

    def _note(self, datagrams: tuple[bytes, ...]) -> None:
        self.sealed += [
            (self.keys.send, b"speech", each[8:12], each[2:4]) for each in datagrams if each
        ]


@settings(max_examples=60)
@given(st.lists(ORDERS, max_size=8))
def test_a10_no_index_of_a_key_is_used_twice(orders):
    """RFC 3711 §9.1; a call this short never passes the end of its sequence numbers."""
    life = Life()
    life.talk()
    for order in orders:
        life.obey(order)
        life.talk()
    assert len(life.sealed) > 4
    assert len(set(life.sealed)) == len(life.sealed)
