"""A registrar that really keeps bindings, for tests that ask what is left at it."""

from firmware.sip.headers import contact_list, parse_name_addr
from firmware.sip.message import Headers, Message, Request, Response


class Bindings:
    """Makes a `Pbx` keep what it is told: all Contacts of a user, or the last `most`."""

    def __init__(self, pbx, most: int = 10) -> None:
        self.pbx = pbx
        self.most = most
        self.removed = 0
        self.refuses_removal = False
        self._users: dict[str, dict[str, str]] = {}
        pbx.reply = self._reply

    def hosts(self, user: str) -> list[str]:
        """Where a user is bound, the oldest first."""
        rows = self._users.get(user, {}).values()
        return [parse_name_addr(row).uri.host for row in rows]

    def forget(self) -> None:
        """As after a restart without a database."""
        self._users.clear()

    def _reply(self, message: Message) -> list[Message]:
        if not isinstance(message, Request) or message.method != "REGISTER":
            return []
        headers = message.headers
        bound = self._users.setdefault(parse_name_addr(headers.get("To")).uri.user, {})
        for contact in contact_list(headers):
            seconds = contact.param("expires") or headers.get("Expires")
            if seconds == "0" and self.refuses_removal:
                return [self._answer(message, 500)]
            known = bound.pop(str(contact.uri), None)
            if seconds != "0":
                bound[str(contact.uri)] = f"<{contact.uri}>;expires={seconds}"
            elif known is not None:
                self.removed += 1
        while len(bound) > self.most:
            del bound[next(iter(bound))]
        return [self._answer(message, 200, *bound.values())]

    def _answer(self, request: Request, status: int, *contacts: str) -> Response:
        rows = [("Via", row) for row in request.headers.all("Via")]
        rows += [(name, request.headers.get(name)) for name in ("From", "Call-ID", "CSeq")]
        rows.append(("To", f"{request.headers.get('To')};tag=r"))
        rows += [("Contact", contact) for contact in contacts]
        return Response(status, "Said So", Headers(rows))
