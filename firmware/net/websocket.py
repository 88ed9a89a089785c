"""SIP in WebSocket messages (RFC 7118) on one connection, without its socket.

One message of the WebSocket is one of SIP, as text or as octets; both are taken, and what is no
UTF-8 goes out as octets. A keep-alive of ours travels as a Ping of the WebSocket, its Pong comes
back as the CRLF that the stack waits for (RFC 7118 §6). Frames, masks and the handshake are the
`websockets` library's; this module is imported in a thread, when a line wants it.
"""

import logging
from collections.abc import Sequence
from typing import Final

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidStatus, NegotiationError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN, Event
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from firmware.net.link_error import LinkError
from firmware.net.pipe import PING, PONG, Piece
from firmware.sip.flow import Endpoint
from firmware.sip.framer import MOST_OCTETS, Ping, Pong
from firmware.sip.notifications import FailureCause

Cause = FailureCause
SIP: Final = Subprotocol("sip")
_NORMAL: Final = 1000
_MOST_FRAGMENTS: Final = 64
_QUIET: Final = logging.getLogger("firmware.net.websocket.frames")
_QUIET.setLevel(logging.CRITICAL)
_BYE: Final = "closed by the far end"
_WORDS: Final = {
    1001: "it goes away",
    1002: "it breaks the WebSocket protocol",
    1003: "it does not take our frames",
    1007: "text that is no UTF-8",
    1008: "it does not want us",
    1009: "a message is too long",
    1011: "it has a fault",
}
"""Close codes (RFC 6455 §7.4.1) in words."""


class WebSocketLayer:
    """One WebSocket, either side."""

    def __init__(self, protocol: ClientProtocol | ServerProtocol) -> None:
        self._protocol = protocol
        self._parts: list[bytes] = []
        self._size = 0
        self._text = False
        self.ready = False

    @property
    def unfinished(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._parts)

    def begin(self) -> None:
        """A client asks for the upgrade."""
        if isinstance(self._protocol, ClientProtocol):
            self._protocol.send_request(self._protocol.connect())

    def feed(self, data: bytes) -> list[Piece]:
        """The messages that are whole now.

        Raises:
            LinkError: the handshake failed, or the WebSocket has ended.
        """
        protocol = self._protocol
        protocol.receive_data(data)
        pieces: list[Piece] = []
        for event in protocol.events_received():
            piece = self._taken(event)
            if piece is not None:
                pieces.append(piece)
        if protocol.handshake_exc is not None:
            raise _refused(protocol.handshake_exc)
        if self.ready and protocol.state is not OPEN:
            said = protocol.close_rcvd or protocol.close_sent
            words = _WORDS.get(said.code, _BYE) if said is not None else _BYE
            raise LinkError(Cause.REFUSED, words, pieces)
        return pieces

    def wrap(self, data: bytes) -> None:
        """Send a message, or a keep-alive as the frame that is made for it."""
        protocol = self._protocol
        if protocol.state is not OPEN:
            return
        if data == PING:
            protocol.send_ping(b"")
        elif _is_text(data):
            protocol.send_text(data)
        else:
            # RFC 7118 §4.2: a text frame may hold nothing but UTF-8.
            protocol.send_binary(data)

    def take(self) -> bytes:
        """The octets for the layer below."""
        return b"".join(self._protocol.data_to_send())

    def end(self) -> None:
        """Take leave."""
        if self._protocol.state is OPEN:
            self._protocol.send_close(_NORMAL)

    def _taken(self, event: Event) -> Piece | None:
        match event:
            case Request():
                self._answer(event)
                return None
            case Response():
                self.ready = self._protocol.state is OPEN
                return None
            case Frame():
                return self._frame(event)

    def _answer(self, request: Request) -> None:
        """RFC 7118 §4.1: a client that does not speak `sip` is none of ours."""
        protocol = self._protocol
        assert isinstance(protocol, ServerProtocol)
        protocol.send_response(protocol.accept(request))
        self.ready = protocol.state is OPEN

    def _frame(self, frame: Frame) -> Piece | None:
        match frame.opcode:
            case Opcode.PONG:
                return Pong()
            case Opcode.TEXT | Opcode.BINARY | Opcode.CONT:
                if frame.opcode is not Opcode.CONT:
                    self._text = frame.opcode is Opcode.TEXT
                return self._part(bytes(frame.data), whole=frame.fin)
            case _:
                return None  # a Ping is answered, a Close is returned by the library

    def _part(self, data: bytes, *, whole: bool) -> Piece | None:
        self._parts.append(data)
        self._size += len(data)
        if self._size > MOST_OCTETS or len(self._parts) > _MOST_FRAGMENTS:
            self._protocol.fail(1009)
            raise LinkError(Cause.REFUSED, "its message is too long")
        if not whole:
            return None
        message = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        if self._text and not _is_text(message):
            self._protocol.fail(1007)
            raise LinkError(Cause.REFUSED, "its text is no UTF-8")
        if message in (PING, PONG):
            # RFC 5626 §4.4.1 in a WebSocket message: some clients keep alive that way.
            return Ping() if message == PING else Pong()
        return message


def client_layer(name: str, remote: Endpoint, path: str, *, secure: bool) -> WebSocketLayer:
    """For a WebSocket that we open to `remote`, whose host is called `name`."""
    scheme, usual = ("wss", 443) if secure else ("ws", 80)
    host = f"[{name}]" if ":" in name else name
    port = "" if remote.port == usual else f":{remote.port}"
    uri = parse_uri(f"{scheme}://{host}{port}/{path.lstrip('/')}")
    protocol = ClientProtocol(uri, subprotocols=[SIP], max_size=MOST_OCTETS, logger=_QUIET)
    return WebSocketLayer(protocol)


def server_layer() -> WebSocketLayer:
    """For a WebSocket that somebody opens to us."""
    protocol = ServerProtocol(
        subprotocols=[SIP], select_subprotocol=_only_sip, max_size=MOST_OCTETS, logger=_QUIET
    )
    return WebSocketLayer(protocol)


def _only_sip(_protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol:
    if SIP not in offered:
        raise NegotiationError("this WebSocket carries SIP only")
    return SIP


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _refused(error: Exception) -> LinkError:
    if isinstance(error, InvalidStatus):
        code = error.response.status_code
        return LinkError(Cause.REFUSED, f"no WebSocket: HTTP {code}")
    words = "no WebSocket for SIP" if isinstance(error, InvalidHandshake) else "no WebSocket"
    return LinkError(Cause.REFUSED, words)
