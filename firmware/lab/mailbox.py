"""The practice exchange's mailboxes: each holds two new messages and an old one.

There is nothing to listen to in them; they are there so that lamp and stutter tone have a reason.
The body is RFC 3842 §5.2.
"""

from typing import Final

from firmware.sip.event.message_summary import MEDIA_TYPE
from firmware.sip.headers import parse_name_addr
from firmware.sip.line import Line
from firmware.sip.subscribing.notifying import Content, Notifying
from firmware.sip.transaction.keys import Arrival

NEW, OLD = 2, 1


class Mailboxes:
    """A `Service` of `UserAgent.notifiers`."""

    package: Final = "message-summary"
    media_types: Final = (MEDIA_TYPE,)
    interval: Final = 1.0

    def admit(self, line: Line, arrival: Arrival, now: float) -> int:
        """Everybody may watch: the passwords here are no secrets either."""
        del line, arrival, now
        return 200

    def content(self, usage: Notifying, now: float) -> Content:
        """The mailbox that was asked for."""
        del now
        account = parse_name_addr(usage.dialog.local).uri
        body = (
            f"Messages-Waiting: yes\r\nMessage-Account: {account}\r\nVoice-Message: {NEW}/{OLD}\r\n"
        )
        return MEDIA_TYPE, body.encode()

    def on_over(self, usage: Notifying, now: float) -> None:
        """Nothing is kept."""
        del usage, now
