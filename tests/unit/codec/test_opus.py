"""Opus: what the far end's wishes do, what recovers a lost packet, and a machine without it."""

import ctypes
import math
from array import array
from functools import lru_cache

import pytest

from firmware.base.pcm import audioop
from firmware.codec import CODECS, CodecUnavailableError, available, opus
from firmware.codec.opus import Opus, Wishes
from firmware.codec.protocols import LibraryMissingError
from firmware.dsp.level import level_of
from firmware.dsp.tone_probe import tone_level
from firmware.dsp.tones import Tone
from tests.support.machine_lacks import need_library
from tests.support.speech import speech

pytestmark = pytest.mark.usefixtures("libopus")
RATE = 16000
FRAME = RATE // 50


@pytest.fixture(scope="module")
def libopus():
    need_library(opus.LIBRARY, "libopus0")


@lru_cache
def voice(seconds: float) -> bytes:
    """A buzz of harmonics that glides and swells somewhat as speech does."""
    samples, phase = array("h"), 0.0
    for index in range(round(seconds * RATE)):
        now = index / RATE
        phase += 2 * math.pi * (120 + 30 * math.sin(now * 5)) / RATE
        swell = 2500 * (1.5 + 0.5 * math.sin(now * 9))
        samples.append(round(swell * sum(math.sin(phase * n) / n for n in range(1, 9))))
    return samples.tobytes()


def frames(pcm: bytes, size: int = FRAME * 2) -> list[bytes]:
    return [pcm[place : place + size] for place in range(0, len(pcm) - size + 1, size)]


def likeness(one: bytes, other: bytes) -> float:
    """Correlation, 1 = the same."""
    power = (audioop.rms(one, 2) * audioop.rms(other, 2)) or 1
    a, b = array("h", one), array("h", other)
    return sum(x * y for x, y in zip(a, b, strict=True)) / len(a) / power


class TestLoss:
    """RFC 6716 §2.1.7: what a packet says again of the one before it."""

    def test_a_single_lost_packet_is_recovered_from_the_next_better_than_invented(self):
        encoder = Opus(RATE).encoder("useinbandfec=1")
        encoder.expect_loss(0.2)
        packets = [encoder.encode(frame) for frame in frames(speech(RATE))[:500]]
        whole, recovering, inventing = (Opus(RATE).decoder() for _ in range(3))
        recovered, invented = [], []
        for number, packet in enumerate(packets):
            true = whole.decode(packet)
            if number % 10 != 5:
                recovering.decode(packet)
                inventing.decode(packet)
                continue
            again = recovering.recover(packets[number + 1], FRAME)
            anyhow = inventing.conceal(FRAME)
            if level_of(true) > -40:
                recovered.append(likeness(true, again))
                invented.append(likeness(true, anyhow))
        assert len(recovered) > 20
        assert sum(recovered) / len(recovered) > 0.8
        assert sum(recovered) / len(recovered) > sum(invented) / len(invented) + 0.2

    def test_what_is_invented_for_one_frame_is_not_silence_and_for_a_second_it_is(self):
        encoder, decoder = Opus(RATE).encoder(), Opus(RATE).decoder()
        for frame in frames(voice(0.5)):
            heard = decoder.decode(encoder.encode(frame))
        first = decoder.conceal(FRAME)
        assert level_of(first) == pytest.approx(level_of(heard), abs=6)
        for _ in range(50):
            last = decoder.conceal(FRAME)
        assert level_of(last) < level_of(first) - 20

    @pytest.mark.parametrize("samples", [0, 1, 39, 40, 41, 160, 333, 1920, 48000])
    def test_any_length_can_be_invented_up_to_what_a_packet_may_hold(self, samples):
        decoder = Opus(RATE).decoder()
        assert len(decoder.conceal(samples)) == min(samples, RATE * 120 // 1000) * 2

    def test_more_loss_reported_means_more_said_twice(self):
        talk = frames(voice(2.0))

        def octets(share: float) -> int:
            # At a constant rate what is said twice would come out of what is said once.
            encoder = Opus(RATE).encoder("useinbandfec=1")
            encoder.expect_loss(share)
            packets = [encoder.encode(frame) for frame in talk]
            decoder = Opus(RATE).decoder()
            again = [decoder.recover(packet, FRAME) for packet in packets]
            return sum(level_of(pcm) > -50 for pcm in again[1:])

        assert octets(0.2) >= octets(0.0)

    def test_a_far_end_that_wants_no_repetition_gets_none(self):
        talk = frames(voice(1.0))
        packets = {}
        for fmtp in ("useinbandfec=1", "useinbandfec=0"):
            encoder = Opus(RATE).encoder(fmtp)
            encoder.expect_loss(0.2)
            packets[fmtp] = [encoder.encode(frame) for frame in talk]
        never = Opus(RATE).encoder("")
        never.expect_loss(0.2)
        assert packets["useinbandfec=0"] == [never.encode(frame) for frame in talk]
        assert packets["useinbandfec=1"] != packets["useinbandfec=0"]


class TestWishes:
    """RFC 7587 §6.1, §7.1."""

    @pytest.mark.parametrize(
        ("fmtp", "wishes"),
        [
            ("", Wishes()),
            ("useinbandfec=1; usedtx=1;cbr=1", Wishes(fec=True, dtx=True, cbr=True)),
            ("USEINBANDFEC=1", Wishes(fec=True)),
            ("maxaveragebitrate=20000", Wishes(bit_rate=20000)),
            ("maxaveragebitrate=510000", Wishes()),
            ("maxaveragebitrate=5", Wishes()),
            ("maxplaybackrate=16000;stereo=1;sprop-stereo=1", Wishes(rate=16000)),
            ("maxplaybackrate=nine;minptime=10;x-unknown", Wishes()),
        ],
    )
    def test_the_parameters_of_rfc_7587(self, fmtp, wishes):
        assert Wishes.read(fmtp) == wishes

    def test_no_more_bits_than_the_far_end_takes(self):
        talk = frames(voice(2.0))

        def bits(fmtp: str) -> float:
            encoder = Opus(RATE).encoder(fmtp)
            return sum(len(encoder.encode(frame)) for frame in talk) * 8 / 2.0

        assert bits("") <= 32000 * 1.15
        assert bits("maxaveragebitrate=12000") <= 12000 * 1.2

    def test_no_more_of_the_band_than_the_far_end_can_play(self):
        encoder, decoder = Opus(48000).encoder("maxplaybackrate=8000"), Opus(48000).decoder()
        both = audioop.add(
            Tone((1000,), -20, 48000).block(48000), Tone((6000,), -20, 48000).block(48000), 2
        )
        heard = b"".join(decoder.decode(encoder.encode(frame)) for frame in frames(both, 1920))
        assert tone_level(heard[48000:], 48000, 1000) > -24
        assert tone_level(heard[48000:], 48000, 6000) < -45

    def test_a_constant_rate_makes_packets_of_one_size(self):
        encoder = Opus(RATE).encoder("cbr=1")
        assert len({len(encoder.encode(frame)) for frame in frames(voice(1.0))}) == 1


class TestSilence:
    """RFC 7587 §3.1.3: with discontinuous transmission most frames of silence stay unsent."""

    def test_silence_is_left_out_if_both_ends_want_it(self):
        encoder = Opus(RATE).encoder("usedtx=1", dtx=True)
        packets = [encoder.encode(bytes(FRAME * 2)) for _ in range(100)]
        assert packets[0]
        assert packets.count(b"") > 60
        assert any(packets[50:])

    @pytest.mark.parametrize(("fmtp", "dtx"), [("usedtx=1", False), ("", True)])
    def test_else_every_frame_is_sent(self, fmtp, dtx):
        encoder = Opus(RATE).encoder(fmtp, dtx=dtx)
        assert all(encoder.encode(bytes(FRAME * 2)) for _ in range(100))


class TestPackets:
    """RFC 6716 §3: the first octet says how long a packet plays."""

    @pytest.mark.parametrize(
        ("payload", "ticks"),
        [
            (b"\x08" + bytes(20), 960),
            (b"\x00" + bytes(20), 480),
            (b"\x18" + bytes(20), 2880),
            (b"\x09" + bytes(20), 1920),
            (b"\x0b\x03" + bytes(30), 2880),
            (b"\x1b\x30" + bytes(30), 0),
            (b"\x0b", 0),
        ],
    )
    def test_ticks(self, payload, ticks):
        """RFC 7587 §4.1: the clock is 48,000 whatever is inside."""
        assert Opus().ticks(payload) == ticks

    def test_the_length_is_the_librarys_for_every_beginning_of_a_packet(self):
        """RFC 6716 §3.1 and §3.2.5."""
        count = opus._library().opus_packet_get_nb_samples
        count.argtypes = (ctypes.c_char_p, ctypes.c_int32, ctypes.c_int32)
        for first in range(256):
            seconds = range(256) if first & 3 == 3 else (0,)
            for payload in (bytes((first,)), *(bytes((first, second)) for second in seconds)):
                library = max(0, count(payload, len(payload), 48000))
                assert Opus().ticks(payload) == library, payload

    def test_a_packet_of_two_channels_is_heard_as_one(self):
        library = opus._library()
        state = library.opus_encoder_create(48000, 2, 2048, None)
        tone = audioop.tostereo(Tone((1000,), -20, 48000).block(48000), 2, 1, 1)
        out = ctypes.create_string_buffer(1275)
        decoder, heard = Opus(48000).decoder(), b""
        for frame in frames(tone, 3840):
            length = library.opus_encode(state, frame, 960, out, 1275)
            heard += decoder.decode(out.raw[:length])
        library.opus_encoder_destroy(state)
        assert tone_level(heard[48000:], 48000, 1000) == pytest.approx(-20, abs=1)

    @pytest.mark.parametrize(("card", "rate"), [(8000, 16000), (16000, 16000), (22050, 24000)])
    def test_the_card_says_how_many_samples(self, card, rate):
        assert Opus().at(card).sample_rate == rate
        assert Opus().at(96000).sample_rate == 48000


class TestMachineWithoutIt:
    @pytest.fixture
    def without(self, monkeypatch):
        opus._library.cache_clear()
        monkeypatch.setattr(opus, "LIBRARY", "libno-such-thing.so.0")
        yield
        monkeypatch.undo()
        opus._library.cache_clear()

    @pytest.mark.usefixtures("without")
    def test_it_is_left_out_of_offers_and_the_package_is_named(self):
        assert [row.name for row in available(("opus", "pcmu"))] == ["pcmu"]
        with pytest.raises(CodecUnavailableError, match="codec opus needs the package libopus0"):
            CODECS["opus"].load()

    def test_a_library_that_is_something_else_is_as_good_as_none(self, monkeypatch):
        opus._library.cache_clear()
        monkeypatch.setattr(opus, "LIBRARY", "libc.so.6")
        with pytest.raises(LibraryMissingError):
            opus.load()
        monkeypatch.undo()
        opus._library.cache_clear()
