"""SIP in WebSocket messages (RFC 7118) between two layers that are joined by hand."""

import pytest
from websockets.frames import Opcode

from firmware.net.link_error import LinkError
from firmware.net.websocket import client_layer, server_layer
from firmware.sip.flow import Endpoint
from firmware.sip.framer import MOST_OCTETS, Ping, Pong

HERE = Endpoint("10.0.0.2", 8088)
OPTIONS = b"OPTIONS sip:101@office.example SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n"


def join(one, other):
    """Carry octets both ways until nobody says more; returns what each found."""
    heard = {one: [], other: []}
    while True:
        forth, back = one.take(), other.take()
        if not forth and not back:
            return heard[one], heard[other]
        if forth:
            heard[other] += other.feed(forth)
        if back:
            heard[one] += one.feed(back)


@pytest.fixture
def ends():
    """A phone and a server after their handshake."""
    phone, server = client_layer("office.example", HERE, "/", secure=False), server_layer()
    phone.begin()
    server.begin()
    join(phone, server)
    assert phone.ready
    assert server.ready
    return phone, server


class TestHandshake:
    """RFC 7118 §4.1."""

    @pytest.mark.parametrize(
        ("name", "port", "secure", "host"),
        [
            ("office.example", 8088, False, "office.example:8088"),
            ("office.example", 80, False, "office.example"),
            ("office.example", 443, True, "office.example"),
            ("fd00::2", 8088, False, "[fd00::2]:8088"),
        ],
    )
    def test_the_phone_asks_for_sip_on_the_path_of_its_line(self, name, port, secure, host):
        phone = client_layer(name, Endpoint("10.0.0.2", port), "/sip/ws", secure=secure)
        phone.begin()
        lines = phone.take().decode().split("\r\n")
        assert lines[0] == "GET /sip/ws HTTP/1.1"
        assert f"Host: {host}" in lines
        assert "Sec-WebSocket-Protocol: sip" in lines

    def test_a_server_of_ours_takes_sip_and_nothing_else(self):
        server = server_layer()
        with pytest.raises(LinkError, match="no WebSocket for SIP"):
            server.feed(
                b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Protocol: chat\r\n\r\n"
            )
        assert server.take().startswith(b"HTTP/1.1 400 ")
        assert not server.ready

    def test_a_web_page_there_is_named_by_its_answer(self):
        phone = client_layer("office.example", HERE, "/", secure=False)
        phone.begin()
        with pytest.raises(LinkError, match="HTTP 404"):
            phone.feed(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    def test_a_server_that_agrees_silently_is_believed(self):
        phone = client_layer("office.example", HERE, "/", secure=False)
        server = server_layer()
        phone.begin()
        server.feed(phone.take())
        answer = server.take().replace(b"Sec-WebSocket-Protocol: sip\r\n", b"")
        phone.feed(answer)
        assert phone.ready

    @pytest.mark.parametrize("octets", [b"SIP/2.0 400 Bad\r\n\r\n", b"\0" * 200, b"\r\n" * 50])
    def test_what_is_no_http_is_no_websocket(self, octets):
        for layer in (client_layer("a", HERE, "/", secure=False), server_layer()):
            layer.begin()
            with pytest.raises(LinkError, match="no WebSocket"):
                layer.feed(octets + b"\r\n\r\n")


class TestMessages:
    """RFC 7118 §4.2."""

    def test_text_goes_as_text_and_octets_as_octets(self, ends):
        phone, server = ends
        phone.wrap(OPTIONS)
        text = phone.take()
        assert text[0] & 0x0F == Opcode.TEXT
        phone.wrap(OPTIONS + b"\xff\xfe")
        octets = phone.take()
        assert octets[0] & 0x0F == Opcode.BINARY
        assert server.feed(text + octets) == [OPTIONS, OPTIONS + b"\xff\xfe"]

    def test_both_kinds_of_frames_are_taken(self, ends):
        phone, server = ends
        server._protocol.send_binary(OPTIONS)
        server._protocol.send_text(OPTIONS)
        assert phone.feed(server.take()) == [OPTIONS, OPTIONS]

    def test_a_message_in_fragments_is_one_message(self, ends):
        phone, server = ends
        server._protocol.send_text(OPTIONS[:10], fin=False)
        phone.feed(server.take())
        assert phone.unfinished
        server._protocol.send_ping(b"between")
        server._protocol.send_continuation(OPTIONS[10:], fin=True)
        assert phone.feed(server.take()) == [OPTIONS]
        assert not phone.unfinished

    def test_two_messages_in_one_read_are_two(self, ends):
        phone, server = ends
        phone.wrap(OPTIONS)
        phone.wrap(OPTIONS)
        assert server.feed(phone.take()) == [OPTIONS, OPTIONS]


class TestKeepAlive:
    """RFC 7118 §6."""

    def test_ours_is_a_ping_and_its_pong_is_the_answer(self, ends):
        phone, server = ends
        phone.wrap(b"\r\n\r\n")
        ping = phone.take()
        assert ping[0] & 0x0F == Opcode.PING
        assert server.feed(ping) == []
        assert phone.feed(server.take()) == [Pong()]

    def test_theirs_by_line_breaks_is_understood(self, ends):
        phone, server = ends
        server._protocol.send_text(b"\r\n\r\n")
        server._protocol.send_text(b"\r\n")
        assert phone.feed(server.take()) == [Ping(), Pong()]

    def test_theirs_by_ping_is_answered(self, ends):
        phone, server = ends
        server._protocol.send_ping(b"there?")
        assert phone.feed(server.take()) == []
        pong = phone.take()
        assert pong[0] & 0x0F == Opcode.PONG


class TestEnd:
    def test_leaving_is_said(self, ends):
        phone, server = ends
        phone.end()
        with pytest.raises(LinkError, match="closed by the far end"):
            server.feed(phone.take())
        assert server.take()[0] & 0x0F == Opcode.CLOSE

    @pytest.mark.parametrize(
        ("code", "words"), [(1001, "it goes away"), (1008, "it does not want us"), (4000, "closed")]
    )
    def test_a_close_code_has_words(self, ends, code, words):
        # RFC 6455 §7.4.1
        phone, server = ends
        server._protocol.send_text(OPTIONS)
        server._protocol.send_close(code)
        with pytest.raises(LinkError, match=words) as caught:
            phone.feed(server.take())
        assert list(caught.value.found) == [OPTIONS]

    def test_after_the_end_nothing_is_sent(self, ends):
        phone, _ = ends
        phone.end()
        phone.take()
        phone.wrap(OPTIONS)
        assert phone.take() == b""


class TestLimits:
    """A14."""

    def test_a14_a_frame_that_announces_too_much_ends_it(self, ends):
        phone, server = ends
        server._protocol.send_binary(b"x" * (MOST_OCTETS + 1))
        with pytest.raises(LinkError, match="too long"):
            phone.feed(server.take())
        server._protocol.receive_data(phone.take())
        assert server._protocol.close_rcvd.code == 1009

    def test_a14_fragments_do_not_add_up_for_ever(self, ends):
        phone, server = ends
        server._protocol.send_binary(b"x" * 40_000, fin=False)
        phone.feed(server.take())
        server._protocol.send_continuation(b"x" * 40_000, fin=False)
        with pytest.raises(LinkError, match="too long"):
            phone.feed(server.take())

    def test_a14_a_thousand_empty_fragments_end_it(self, ends):
        phone, server = ends
        server._protocol.send_binary(b"", fin=False)
        for _ in range(1000):
            server._protocol.send_continuation(b"", fin=False)
        with pytest.raises(LinkError, match="too long"):
            phone.feed(server.take())

    def test_a14_text_that_is_no_utf8_ends_it(self, ends):
        phone, server = ends
        server._protocol.send_text(b"\xff\xff")
        with pytest.raises(LinkError, match="no UTF-8"):
            phone.feed(server.take())

    def test_a13_a_request_that_never_ends_is_refused(self):
        server = server_layer()
        with pytest.raises(LinkError, match="no WebSocket"):
            server.feed(b"GET / HTTP/1.1\r\n" + b"X-More: of it\r\n" * 1000)

    @pytest.mark.parametrize("octets", [b"\xff\xff\xff\xff", b"\x83\x80\0\0\0\0", b"\x01" * 40])
    def test_broken_frames_end_it(self, ends, octets):
        for layer in ends:
            with pytest.raises(LinkError):
                layer.feed(octets)
