"""Media sockets: arrivals, floods, and the duplicate that the phone keeps."""

import os
import socket
import struct
import time

import pytest

from firmware.media.wire import Wire, read_clip


@pytest.fixture
def udp():
    """Makes bound sockets."""
    made = []

    def make():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        sock.bind(("127.0.0.1", 0))
        made.append(sock)
        return sock

    yield make
    for sock in made:
        sock.close()


@pytest.fixture
def wire():
    wire = Wire()
    yield wire
    wire.close()


def test_everything_that_waits_is_handed_over_in_order(wire, udp):
    ours, far, seen = udp(), udp(), []
    wire.attach(os.dup(ours.fileno()), lambda *datagram: seen.append(datagram))
    for number in range(5):
        far.sendto(bytes((number,)), ours.getsockname())
    wire.drain(500.0)
    assert [data for data, _, _ in seen] == [bytes((number,)) for number in range(5)]
    assert {source for _, source, _ in seen} == {far.getsockname()}
    arrivals = [arrival for _, _, arrival in seen]
    assert arrivals == sorted(arrivals)
    assert 499.0 < arrivals[0] <= 500.0


def test_whoever_comes_last_in_a_flood_is_read_in_the_same_frame(wire, udp, monkeypatch):
    """A8: as long as there is time for all of it."""
    monkeypatch.setattr("firmware.media.wire._BUDGET", 60.0)
    ours, far, seen = udp(), udp(), []
    wire.attach(os.dup(ours.fileno()), lambda data, _source, _at: seen.append(data))
    for number in range(200):
        far.sendto(struct.pack("!I", number), ours.getsockname())
    wire.drain(500.0)
    assert len(seen) == 200


def test_one_frame_takes_only_so_much_of_a_flood(wire, udp, monkeypatch):
    monkeypatch.setattr("firmware.media.wire._BUDGET", 0.0)
    flooded, quiet, far, seen = udp(), udp(), udp(), []
    for ours in (flooded, quiet):
        wire.attach(os.dup(ours.fileno()), lambda data, _source, _at: seen.append(data))
    for number in range(100):
        far.sendto(struct.pack("!I", number), flooded.getsockname())
    far.sendto(b"mine", quiet.getsockname())
    wire.drain(500.0)
    assert b"mine" in seen
    assert len(seen) < 20
    wire.drain(500.02)
    assert len(seen) < 40


def test_what_waited_to_be_read_arrived_when_it_came(wire, udp, monkeypatch):
    """Who reads late makes no jitter of it."""
    monkeypatch.setattr("firmware.media.wire._OLDEST", 1000.0)
    ours, far, seen = udp(), udp(), []
    wire.attach(os.dup(ours.fileno()), lambda _data, _source, at: seen.append(at))
    far.sendto(b"x", ours.getsockname())
    later = time.clock_gettime(time.CLOCK_REALTIME) + 30.0
    monkeypatch.setattr(time, "clock_gettime", lambda _clock: later)
    wire.drain(500.0)
    assert 400.0 < seen[0] < 490.0


@pytest.mark.parametrize("by", [-3e7, -0.5, 0.5, 3e7])
def test_f12_a_clock_that_is_set_between_arrival_and_reading_moves_nothing(
    wire, udp, monkeypatch, by
):
    ours, far, seen = udp(), udp(), []
    wire.attach(os.dup(ours.fileno()), lambda _data, _source, at: seen.append(at))
    wire.drain(499.98)
    far.sendto(b"one", ours.getsockname())
    real = time.clock_gettime
    monkeypatch.setattr("time.clock_gettime", lambda clock: real(clock) + by)
    wire.drain(500.0)
    assert 499.98 <= seen[0] <= 500.0


def test_a_detached_socket_is_deaf_though_the_phone_keeps_its_duplicate(wire, udp):
    ours, far, seen = udp(), udp(), []
    media = wire.attach(os.dup(ours.fileno()), lambda *datagram: seen.append(datagram))
    wire.detach(media)
    far.sendto(b"late", ours.getsockname())
    wire.drain(500.0)
    assert not seen
    assert len(wire) == 0
    assert ours.recv(10) == b"late"


def test_a_datagram_too_long_is_nobody_s(wire, udp):
    ours, far, seen = udp(), udp(), []
    wire.attach(os.dup(ours.fileno()), lambda data, _source, _at: seen.append(data))
    far.sendto(bytes(5000), ours.getsockname())
    wire.drain(500.0)
    assert seen == [b""]


def test_what_cannot_be_sent_is_counted(wire, udp):
    media = wire.attach(os.dup(udp().fileno()), lambda *_: None)
    media.send(b"x", ("255.255.255.255", 9))
    media.send(bytes(70000), ("127.0.0.1", 9))
    assert media.dropped == 2


def test_a_clip_without_a_memory_file_is_empty():
    assert read_clip(()) == b""
    assert read_clip((999_999,)) == b""


@pytest.mark.parametrize(("written", "heard"), [(b"", b""), (b"\1", b""), (b"\1\2\3", b"\1\2")])
def test_a_clip_is_whole_samples(written, heard, memory_file):
    assert read_clip((memory_file(written),))[:] == heard


def test_a_clip_is_not_copied(memory_file):
    """Five minutes of it took 26 ms: longer than a frame."""
    descriptor = memory_file(bytes(8))
    pcm = read_clip((os.dup(descriptor),))
    os.pwrite(descriptor, b"\1\2", 2)
    os.close(descriptor)
    assert pcm[:4] == b"\0\0\1\2"
