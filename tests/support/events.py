"""A notifier made by hand: takes SUBSCRIBEs, keeps the dialogs, sends NOTIFYs."""

import re
from dataclasses import dataclass, field

from firmware.sip.message import Headers, Message, Request, Response
from tests.support.sip_link import Desk, Stranger, World

MWI = "application/simple-message-summary"


@dataclass
class Held:
    """One subscription that the desk has with the notifier."""

    request: Request
    tag: str
    cseq: int = 0
    refreshes: list[Request] = field(default_factory=list)

    @property
    def contact(self) -> str:
        latest = self.refreshes[-1] if self.refreshes else self.request
        return re.search("<(.*?)>", latest.headers.get("Contact")).group(1)


class Notifier(Stranger):
    """Answers SUBSCRIBE with 200 (or the next of `verdicts`) and notifies when told to.

    A verdict is a status, or (status, rows), or a function of the request.
    """

    def __init__(self, world: World, host: str = "192.0.2.9", port: int = 5060) -> None:
        super().__init__(world, host, port)
        self.held: list[Held] = []
        self.verdicts: list[object] = []
        self.notifies = True  # whether the first NOTIFY follows by itself
        self.state = "active;expires=3600"
        self.body = b""
        self.media_type = MWI
        self.grants = ""
        self.reply = self.take

    def take(self, message: Message) -> list[Message]:
        if not isinstance(message, Request) or message.method != "SUBSCRIBE":
            return []
        verdict = self.verdicts.pop(0) if self.verdicts else 200
        if callable(verdict):
            return verdict(message)
        status, rows = verdict if isinstance(verdict, tuple) else (verdict, ())
        tag = re.search("tag=(.*)", message.headers.get("To"))
        held = next((h for h in self.held if tag and h.tag == tag.group(1)), None)
        if held is not None:
            held.refreshes.append(message)
        if status >= 300:
            return [self.answer(message, status, *rows, tag=held.tag if held else "refused")]
        if held is None:
            held = Held(message, f"n{len(self.held)}")
            self.held.append(held)
        expires = self.grants or message.headers.get("Expires")
        contact = ("Contact", f"<sip:notifier@{self.endpoint.host}:{self.endpoint.port}>")
        answers: list[Message] = [
            self.answer(message, status, ("Expires", expires), contact, *rows, tag=held.tag)
        ]
        if self.notifies:
            ended = message.headers.get("Expires") == "0"
            state = "terminated;reason=timeout" if ended else self.state
            answers.append(self.notification(held, state, self.body))
        return answers

    def answer(self, request: Request, status: int, *rows: tuple[str, str], tag: str) -> Response:
        headers = Headers([("Via", row) for row in request.headers.all("Via")])
        to = request.headers.get("To")
        headers.add("From", request.headers.get("From"))
        headers.add("To", to if ";tag=" in to else f"{to};tag={tag}")
        for name in ("Call-ID", "CSeq"):
            headers.add(name, request.headers.get(name))
        for name, value in rows:
            headers.add(name, value)
        return Response(status, "Said So", headers)

    def notification(
        self, held: Held, state: str, body: bytes = b"", *rows: tuple[str, str],
        event: str = "", tag: str = "", contact: str = "",
    ) -> Request:  # fmt: skip
        held.cseq += 1
        first = held.request.headers
        host, port = self.endpoint.host, self.endpoint.port
        tag = tag or held.tag
        headers = Headers(
            [
                (
                    "Via",
                    f"SIP/2.0/UDP {host}:{port};branch=z9hG4bK{tag}{id(held)}{held.cseq};rport",
                ),
                ("Max-Forwards", "70"),
                ("From", f"{first.get('To')};tag={tag}"),
                ("To", first.get("From")),
                ("Call-ID", first.get("Call-ID")),
                ("CSeq", f"{held.cseq} NOTIFY"),
                ("Contact", contact or f"<sip:notifier@{host}:{port}>"),
                ("Event", event or first.get("Event")),
            ]
        )
        if state:
            headers.add("Subscription-State", state)
        for name, value in rows:
            headers.add(name, value)
        if body:
            headers.add("Content-Type", self.media_type)
        return Request("NOTIFY", held.contact, headers, body)

    def notify(
        self, desk: Desk, state: str, body: bytes = b"", *rows: tuple[str, str], number: int = -1,
        **more: str,
    ) -> None:  # fmt: skip
        """Send a NOTIFY in the subscription of this number (the newest by default)."""
        self.tell(self.notification(self.held[number], state, body, *rows, **more), desk)
        self.world.run(0.05)
