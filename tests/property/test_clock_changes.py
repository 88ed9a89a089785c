"""Codecs of several RTP clocks in any order, on any network: what is played is played once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.media.messages import PayloadFormat
from firmware.media.reception import Reception
from firmware.rtp.packet import RtpPacket

CLOCKS = {96: 8000, 97: 16000, 98: 48000}
FORMATS = tuple(PayloadFormat(number, "L16", clock) for number, clock in CLOCKS.items())
NOISE = PayloadFormat(13, "CN", 8000)
THERE = ("192.0.2.9", 4000)

STEPS = st.lists(
    st.tuples(
        st.integers(-3, 5),  # step of the sequence
        st.sampled_from([0, 0, 0, 0, 160, -160, 100_000, -100_000, 2**31]),  # a timestamp astray
        st.floats(0, 0.2),  # time that passes
        st.integers(0, 3),  # frames that are heard
        st.sampled_from([96, 96, 97, 98, 13]),  # what is spoken
        st.sampled_from([7, 7, 7, 7, 7, 8]),  # the source
    ),
    max_size=120,
)


@settings(max_examples=150)
@given(STEPS, st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF))
def test_clocks_may_change_with_every_packet(steps, sequence, timestamp):
    ear = Reception(16000)
    ear.expect((*FORMATS, NOISE))
    decoded = []
    for voice in ear._voices.values():
        voice.decoder = _Listener(decoded, voice.speech.rate)
    now, restarts = 0.0, 0
    for count, (ahead, astray, passed, frames, kind, ssrc) in enumerate(steps):
        now += passed
        sequence += ahead
        clock = CLOCKS.get(kind, 8000)
        at = (timestamp + sequence * clock // 50 + astray) & 0xFFFFFFFF
        payload = b"\x50" if kind == 13 else count.to_bytes(2, "big") * (clock // 50)
        ear.receive(RtpPacket(kind, sequence & 0xFFFF, at, ssrc, payload), THERE, now)
        if ear.buffer.restarts != restarts:
            restarts = ear.buffer.restarts
            decoded.clear()
        assert len(ear.buffer) <= 100
        for _ in range(frames):
            pcm = ear.hear(now)
            assert len(pcm) == ear.rate // 50 * 2
        assert len(decoded) == len(set(decoded)), "nothing is said twice"
    for _ in range(400):  # whatever happened, it drains
        now += 0.02
        ear.hear(now)
    assert len(ear.buffer) == 0 or ear.buffer.get(now + 3600) is not None


class _Listener:
    """A decoder that notes what it was given."""

    def __init__(self, decoded, rate):
        self._decoded, self._rate = decoded, rate

    def decode(self, payload):
        self._decoded.append(payload[:2])
        return bytes(self._rate // 50 * 2)

    def recover(self, _payload, _samples):
        return b""

    def conceal(self, _samples):
        return b""
