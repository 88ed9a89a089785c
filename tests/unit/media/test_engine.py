"""The engine on a clock that only the test moves: who hears what, judged by content."""

import os
import socket

import pytest

from firmware.dsp.level import level_of
from firmware.dsp.tone_probe import tone_level
from firmware.media.messages import (
    CloseStream,
    DigitHeard,
    Direction,
    EngineAlive,
    EngineLog,
    HearingChanged,
    OpenStream,
    PayloadFormat,
    Route,
    RouteStream,
    SendDigits,
    Silence,
    Stop,
    StreamReport,
    TalkOn,
)
from tests.support.left_open import open_now, opened_since

PCMU = PayloadFormat(0, "PCMU", 8000)
PCMA = PayloadFormat(8, "PCMA", 8000)
G722 = PayloadFormat(9, "G722", 8000)
EVENTS = PayloadFormat(101, "telephone-event", 8000, 1, "0-16")


def share(pcm, rate, frequency):
    """How much of the power in some samples is this tone, 0 to 1."""
    return 10 ** ((tone_level(pcm, rate, frequency) - level_of(pcm)) / 10)


class TestSpeech:
    @pytest.mark.parametrize("payload", [PCMU, PCMA, G722], ids=lambda each: each.name)
    def test_both_hear_each_other(self, bench, sine, payload):
        bench.handset()
        far = bench.call(payload=payload)
        far.say(sine(450, 2, far.rate))
        bench.card.speech = sine(1000, 2, 16000)
        bench.seconds(1.5)
        assert share(bench.card.heard(0.5), 16000, 450) > 0.95
        assert share(far.heard(0.5), far.rate, 1000) > 0.95
        assert level_of(bench.card.heard(0.5)) == pytest.approx(
            level_of(sine(450, 1, 16000)), abs=1
        )
        assert level_of(far.heard(0.5)) == pytest.approx(level_of(sine(1000, 1, 16000)), abs=1)

    def test_a_packet_leaves_with_every_frame_on_one_line(self, bench):
        """RFC 3551 §4.1: the first has the marker."""
        bench.handset()
        far = bench.call()
        bench.step(100)
        numbers = [packet.sequence for packet in far.packets]
        stamps = [packet.timestamp for packet in far.packets]
        assert len(numbers) == 100
        assert numbers == [(numbers[0] + n) & 0xFFFF for n in range(100)]
        assert stamps == [(stamps[0] + 160 * n) & 0xFFFFFFFF for n in range(100)]
        assert [packet.marker for packet in far.packets] == [True] + [False] * 99

    @pytest.mark.parametrize(("ptime", "packets"), [(10, 100), (30, 33), (40, 25), (60, 16)])
    def test_the_far_end_chooses_how_much_goes_into_a_packet(self, bench, sine, ptime, packets):
        bench.handset()
        far = bench.call(ptime=ptime)
        bench.card.speech = sine(1000, 2, 16000)
        bench.step(50)
        assert len(far.packets) == packets
        stamps = [packet.timestamp for packet in far.packets]
        assert stamps == [(stamps[0] + ptime * 8 * n) & 0xFFFFFFFF for n in range(packets)]
        assert share(far.heard(0.5), 8000, 1000) > 0.95

    def test_early_media_is_heard_before_any_answer(self, bench, sine):
        bench.handset()
        far = bench.ring()
        far.say(sine(450, 2, 8000))
        bench.seconds(1)
        assert share(bench.card.heard(0.4), 16000, 450) > 0.95
        assert not far.packets
        bench.answer(far)
        bench.seconds(0.5)
        assert share(bench.card.heard(0.4), 16000, 450) > 0.95
        assert len(far.packets) == 25

    def test_a_looped_call_hears_itself_and_the_handset_hears_nothing(self, bench, sine):
        bench.handset()
        far = bench.call(route=Route.LOOP)
        far.say(sine(450, 2, 8000))
        bench.seconds(1.5)
        assert share(far.heard(0.5), 8000, 450) > 0.95
        assert level_of(bench.card.heard(0.5)) == -127

    def test_a_call_in_the_background_neither_speaks_nor_is_heard(self, bench, sine):
        bench.handset()
        far = bench.call(route=Route.NULL)
        far.say(sine(450, 1, 8000))
        bench.card.speech = sine(1000, 1, 16000)
        bench.seconds(1)
        assert level_of(bench.card.heard(1)) == -127
        assert level_of(far.heard(0.5)) == -127

    def test_two_calls_are_swapped(self, bench, sine):
        bench.handset()
        first, second = bench.call(1), bench.call(2, route=Route.NULL)
        first.say(sine(450, 3, 8000))
        second.say(sine(1000, 3, 8000))
        bench.seconds(1)
        assert share(bench.card.heard(0.4), 16000, 450) > 0.95
        bench.order(RouteStream(1, Route.NULL))
        bench.order(RouteStream(2, Route.CARD))
        bench.seconds(1)
        assert share(bench.card.heard(0.4), 16000, 1000) > 0.95

    def test_the_far_end_changes_its_codec_in_the_middle(self, bench, sine):
        bench.handset()
        far = bench.call(formats=(PCMU, G722))
        far.say(sine(450, 1, 8000))
        bench.seconds(1)
        other = type(far)(G722)
        far.encoder, far.rate, far.payload, far.decoder = (
            other.encoder,
            16000,
            G722,
            other.decoder,
        )
        other.close()
        far.speech = b""
        far.say(sine(1000, 1, 16000))
        bench.seconds(0.9)
        assert share(bench.card.heard(0.4), 16000, 1000) > 0.95

    def test_a_hundred_calls_loop_at_once(self, bench, sine):
        fars = [bench.call(number, route=Route.LOOP) for number in range(100)]
        speech = sine(450, 0.5, 8000)
        for far in fars:
            far.say(speech)
        bench.seconds(0.4)
        assert len(bench.engine) == 100
        assert all(share(far.heard(0.1), 8000, 450) > 0.95 for far in fars)


class TestHold:
    def test_hold_and_resume_keep_the_line_of_time(self, bench):
        bench.handset()
        far = bench.call()
        bench.step(25)
        last = far.packets[-1]
        bench.answer(far, direction=Direction.RECVONLY)
        bench.step(50)
        assert far.packets[-1] == last
        bench.answer(far)
        bench.step(1)
        first = far.packets[-1]
        assert first.ssrc == last.ssrc
        assert first.sequence == (last.sequence + 1) & 0xFFFF
        assert first.timestamp == (last.timestamp + 51 * 160) & 0xFFFFFFFF
        assert first.marker

    def test_nothing_is_heard_of_a_far_end_that_may_only_listen(self, bench, sine):
        bench.handset()
        far = bench.call(direction=Direction.SENDONLY)
        far.say(sine(450, 1, 8000))
        bench.seconds(1)
        assert level_of(bench.card.heard(1)) == -127
        assert len(far.packets) == 50

    def test_an_inactive_stream_is_silent_both_ways(self, bench, sine):
        bench.handset()
        far = bench.call(direction=Direction.INACTIVE)
        far.say(sine(450, 1, 8000))
        bench.seconds(1)
        assert level_of(bench.card.heard(1)) == -127
        assert not far.packets


class TestDigits:
    def test_digits_of_the_far_end_are_told_once(self, bench, event_packets):
        bench.handset()
        far = bench.call(dtmf=EVENTS)
        bench.step(10)
        for digit in "5#":
            for packet in event_packets(far, digit):
                far.send(packet, far.target)
                bench.step(1, speaking=False)
            bench.step(5)
        assert bench.take(DigitHeard) == [DigitHeard(1, "5", 100), DigitHeard(1, "#", 100)]

    def test_a_digit_whose_end_is_lost_is_told_all_the_same(self, bench, event_packets):
        bench.handset()
        far = bench.call(dtmf=EVENTS)
        bench.step(10)
        for packet in event_packets(far, "7")[:-3]:
            far.send(packet, far.target)
            bench.step(1, speaking=False)
        bench.seconds(1.2)
        assert [report.digit for report in bench.take(DigitHeard)] == ["7"]

    def test_our_digits_leave_as_events_and_speech_goes_on_after_them(self, bench, sine):
        bench.handset()
        far = bench.call(dtmf=EVENTS)
        bench.card.speech = sine(1000, 9, 16000)
        bench.step(10)
        bench.order(SendDigits(1, "12"))
        bench.seconds(1)
        events = [packet for packet in far.packets if packet.payload_type == 101]
        starts = sorted(
            {packet.timestamp for packet in events}, key=[p.timestamp for p in events].index
        )
        assert len(starts) == 2
        for start, code in zip(starts, (1, 2), strict=True):
            mine = [packet for packet in events if packet.timestamp == start]
            assert {packet.payload[0] for packet in mine} == {code}
            assert [bool(packet.payload[1] & 0x80) for packet in mine][-3:] == [True] * 3
            assert mine[0].marker
            assert mine[-1].payload[2:] == (800).to_bytes(2, "big")
        numbers = [packet.sequence for packet in far.packets]
        assert numbers == [(numbers[0] + n) & 0xFFFF for n in range(len(numbers))]
        assert share(far.heard(0.3), 8000, 1000) > 0.95

    def test_without_events_digits_are_sung(self, bench):
        bench.handset()
        far = bench.call()
        bench.step(10)
        bench.order(SendDigits(1, "5", 200, 100))
        bench.step(9)
        heard = far.heard(0.16)
        assert tone_level(heard, 8000, 770) > -16
        assert tone_level(heard, 8000, 1336) > -16


class TestNetwork:
    def test_loss_reorder_and_duplicates_leave_speech(self, bench, sine, wire_order):
        bench.handset()
        far = bench.call(route=Route.CARD)
        far.say(sine(450, 9, 8000))
        for packet in wire_order(far, 200):
            if packet is not None:
                far.send(packet, far.target)
            bench.step(1, speaking=False)
        heard = bench.card.heard(2)
        assert share(heard, 16000, 450) > 0.6
        bench.step(50)
        report = bench.take(StreamReport)[-1]
        assert report.lost > 0
        assert report.duplicate > 0
        assert report.concealed > 0

    def test_a_new_ssrc_is_heard_soon(self, bench, sine):
        bench.handset()
        far = bench.call()
        far.say(sine(450, 9, 8000))
        bench.seconds(1)
        far.ssrc, far.sequence, far.timestamp = 0xBEEF, 7, 123456
        bench.seconds(0.2)
        bench.seconds(0.3)
        assert share(bench.card.heard(0.2), 16000, 450) > 0.95

    def test_a_stranger_is_not_heard(self, bench, sine):
        bench.handset()
        far = bench.call()
        stranger = type(far)()
        stranger.ssrc = 0x666
        stranger.say(sine(1000, 5, 8000))
        far.say(sine(450, 5, 8000))
        for _ in range(75):
            stranger.send(stranger.next_packet(), far.target)
            bench.step(1)
        stranger.close()
        heard = bench.card.heard(0.8)
        assert share(heard, 16000, 450) > 0.95
        assert tone_level(heard, 16000, 1000) < -60

    def test_a08_a_strangers_flood_before_every_packet_costs_no_sound(
        self, bench, sine, monkeypatch
    ):
        """7,500 packets a second; when they are read late, so is what was wanted."""
        monkeypatch.setattr("firmware.media.wire._BUDGET", 60.0)  # a busy machine is no matter here
        bench.handset()
        far = bench.call()
        stranger = type(far)()
        far.say(sine(450, 5, 8000))
        bench.seconds(0.5)
        for _ in range(50):
            for _ in range(150):
                stranger.rtp.sendto(b"\x80\x00" + bytes(10) + b"\x55" * 160, far.target)
            bench.step(1)
        stranger.close()
        assert share(bench.card.heard(0.8), 16000, 450) > 0.95
        bench.seconds(1)
        report = bench.take(StreamReport)[-1]
        assert (report.lost, report.late, report.concealed) == (0, 0, 0)

    def test_without_an_address_we_speak_to_where_media_comes_from(self, bench, sine):
        bench.handset()
        far = bench.call(remote=("", 0))
        bench.step(10, speaking=False)
        assert not far.packets
        far.say(sine(450, 2, 8000))
        bench.seconds(1)
        assert share(bench.card.heard(0.4), 16000, 450) > 0.95
        assert len(far.packets) > 40

    def test_garbage_is_nothing(self, bench, sine):
        bench.handset()
        far = bench.call()
        far.say(sine(450, 9, 8000))
        for number in range(300):
            far.rtp.sendto(os.urandom(number), far.target)
            far.rtcp.sendto(
                bytes((0x80, 200 + number % 5)) + os.urandom(number), far.control_target
            )
            bench.step(1)
        bench.seconds(1)
        assert share(bench.card.heard(0.4), 16000, 450) > 0.95
        assert not bench.take(EngineLog)


class TestReports:
    def test_a_silent_far_end_is_told_after_two_seconds_and_again_when_it_speaks(self, bench):
        bench.handset()
        far = bench.call()
        bench.seconds(5)
        assert not bench.take(HearingChanged)
        bench.seconds(1.5, speaking=False)
        assert not bench.take(HearingChanged)
        bench.seconds(2, speaking=False)
        assert bench.take(HearingChanged) == [HearingChanged(1, Silence.NO_PACKETS, "")]
        bench.seconds(1.5)
        assert bench.take(HearingChanged) == [HearingChanged(1, None, "")]
        assert far.packets

    def test_packets_that_nobody_can_decode_are_the_reason(self, bench):
        bench.handset()
        far = bench.call()
        far.payload = PayloadFormat(33, "PCMU", 8000)
        bench.seconds(3.1)
        assert bench.take(HearingChanged) == [
            HearingChanged(1, Silence.NOT_DECODABLE, "payload type 33: nobody offered it")
        ]

    def test_packets_from_elsewhere_are_the_reason(self, bench):
        bench.handset()
        far = bench.call()
        bench.step(10)
        stranger = type(far)()
        stranger.ssrc = 0x666
        for _ in range(160):
            stranger.send(stranger.next_packet(), far.target)
            bench.step(1, speaking=False)
        host, port = stranger.address
        stranger.close()
        assert bench.take(HearingChanged) == [
            HearingChanged(1, Silence.OTHER_SOURCE, f"{host} port {port}")
        ]

    def test_a_held_call_may_be_silent(self, bench):
        bench.handset()
        bench.call(direction=Direction.SENDONLY)
        bench.seconds(5, speaking=False)
        assert not bench.take(HearingChanged)

    def test_a_ringing_call_may_be_silent(self, bench):
        bench.handset()
        bench.ring()
        bench.seconds(5, speaking=False)
        assert not bench.take(HearingChanged)

    def test_the_figures_of_a_call_come_once_a_second_and_at_its_end(self, bench, sine):
        bench.handset()
        far = bench.call()
        far.say(sine(450, 9, 8000))
        bench.card.speech = sine(1000, 9, 16000)
        bench.seconds(3.1)
        bench.order(CloseStream(1))
        reports = bench.take(StreamReport)
        assert [report.final for report in reports] == [False] * 3 + [True]
        last = reports[-1]
        assert last.sent == 155
        assert last.received == 155
        assert (last.lost, last.late, last.duplicate) == (0, 0, 0)
        assert last.codec == "PCMU"
        assert last.source == far.address
        assert last.ssrc == far.packets[0].ssrc
        assert last.jitter_ms < 2
        assert reports[1].level_in == pytest.approx(level_of(sine(450, 1, 8000)), abs=1)
        assert reports[1].level_out == pytest.approx(level_of(sine(450, 1, 8000)), abs=1)

    def test_an_idle_engine_rests_between_signs_of_life(self, bench):
        assert bench.engine.due == pytest.approx(bench.now + 5)
        ticks = 0
        for _ in range(1050):
            bench.now += 0.02
            if bench.now >= bench.engine.due:
                bench.engine.tick(bench.now)
                ticks += 1
        told = bench.take(EngineAlive)
        assert ticks == len(told) == 4
        assert {each.next_s for each in told} == {5.0}

    def test_a_busy_engine_gives_a_sign_of_life_every_second_and_rests_afterwards(self, bench):
        bench.handset()
        bench.call()
        bench.seconds(3.1)
        assert [each.next_s for each in bench.take(EngineAlive)] == [1.0] * 3
        bench.order(CloseStream(1))
        bench.order(TalkOn(None))
        assert bench.engine.due > bench.now + 0.5


class TestOrders:
    def test_an_order_for_a_stream_that_is_not_open_is_a_line_in_the_log(self, bench):
        bench.order(CloseStream(7))
        bench.order(SendDigits(7, "1"))
        assert len(bench.take(EngineLog)) == 2

    def test_a_stream_without_its_sockets_is_refused_and_leaves_no_descriptor(self, bench):
        read, write = os.pipe()
        bench.order(OpenStream(1, (PCMU,)), [read])
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(read)
        os.close(write)
        assert len(bench.engine) == 0

    @pytest.mark.parametrize("place", [0, 1])
    def test_what_is_no_socket_makes_no_stream_and_no_engine_fall(self, bench, place):
        descriptors = [os.memfd_create("no socket"), os.memfd_create("no socket")]
        os.close(descriptors[1 - place])
        descriptors[1 - place] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM).detach()
        bench.order(OpenStream(1, (PCMU,)), descriptors)
        assert len(bench.engine) == 0
        assert bench.take(EngineLog)
        for descriptor in descriptors:
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(descriptor)

    def test_stop_ends_every_stream_with_a_goodbye(self, bench):
        bench.handset()
        far = bench.call()
        bench.step(10)
        bench.order(Stop())
        assert bench.engine.stopped
        assert len(bench.engine) == 0
        assert [report.final for report in bench.take(StreamReport)] == [True]
        goodbye = far.rtcp.recv(2048)
        assert b"\x81\xcb" in goodbye
        assert bench.card.closed

    def test_ten_thousand_calls_leave_nothing_behind(self, bench, call_orders):
        before = open_now()
        for _ in range(10_000):
            for order, descriptors in call_orders():
                bench.order(order, descriptors)
            bench.reports.clear()
        assert len(bench.engine) == 0
        assert len(bench.engine._wire) == 0
        assert opened_since(before) == []
