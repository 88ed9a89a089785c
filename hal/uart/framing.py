"""Lines on a serial wire that may lose, add or change any byte. Pure.

    ~07 KEY 5 down*E9E7⏎        ~ sequence, word, arguments * checksum, end of line

docs/serial-panel.md is the specification. A reader takes whatever comes: what is no whole line
with the right checksum is counted and dropped, and a `~` begins a line wherever it stands.
"""

import binascii
import re
from dataclasses import dataclass

LONGEST = 480
"""Bytes of a line between `~` and the end: a strip of 256 pixels has 344 of them."""
_BEGIN, _END = b"~", b"\n"
_BODY = re.compile(rb"([0-9A-F]{2}) ([A-Z]{2,8})((?: [!-}]+)*)")


@dataclass(frozen=True, slots=True)
class Message:
    """One line: sequence number (0 to 255), word, and arguments without spaces."""

    seq: int
    word: str
    args: tuple[str, ...] = ()


def checksum(body: bytes) -> int:
    """CRC-16 with polynomial 0x1021 and start value 0xFFFF ("CCITT-FALSE")."""
    return binascii.crc_hqx(body, 0xFFFF)


def encode(message: Message) -> bytes:
    """The line of a message."""
    body = " ".join((f"{message.seq:02X}", message.word, *message.args)).encode("ascii")
    return b"~%s*%04X\n" % (body, checksum(body))


def decode(line: bytes) -> Message | None:
    """The message of what stood between `~` and the end of the line; None if it is none."""
    body, star, sum_ = line.rstrip(b"\r").rpartition(b"*")
    found = _BODY.fullmatch(body)
    if not star or found is None or sum_ != b"%04X" % checksum(body):
        return None
    seq, word, args = found.groups()
    return Message(int(seq, 16), word.decode("ascii"), tuple(args.decode("ascii").split()))


class LineReader:
    """Bytes as they come to messages; `bad` counts lines that were none."""

    def __init__(self) -> None:
        self._line: bytearray | None = None
        self.bad = 0

    def __len__(self) -> int:
        """Bytes of a line that has begun."""
        return len(self._line or b"")

    def feed(self, data: bytes) -> list[Message]:
        """The messages that these bytes complete."""
        messages: list[Message] = []
        for piece in re.split(rb"([~\n])", data):
            if piece == _BEGIN:
                self._begin()
            elif piece == _END:
                self._finish(messages)
            elif self._line is not None:
                self._extend(self._line, piece)
        return messages

    def _begin(self) -> None:
        self.bad += self._line is not None
        self._line = bytearray()

    def _extend(self, line: bytearray, piece: bytes) -> None:
        if len(line) + len(piece) > LONGEST:
            self._line = None
            self.bad += 1
        else:
            line += piece

    def _finish(self, messages: list[Message]) -> None:
        if self._line is None:
            return
        message = decode(bytes(self._line))
        self._line = None
        if message is None:
            self.bad += 1
        else:
            messages.append(message)
