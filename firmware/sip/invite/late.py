"""A 2xx to an INVITE that nobody waits for any more: acknowledged, and ended at once."""

from firmware.sip.core import Core
from firmware.sip.dialog import from_response
from firmware.sip.errand import say_goodbye
from firmware.sip.flow import Flow
from firmware.sip.invite.reoffer import ack_parcel
from firmware.sip.line import Line
from firmware.sip.message import Request, Response


def too_late(
    core: Core, line: Line | None, request: Request, response: Response, flow: Flow, now: float
) -> None:
    """RFC 3261 §13.2.2.4: every 2xx is acknowledged; §15: the unwanted dialog ends with BYE."""
    dialog = from_response(request, response, flow)
    ack_parcel(core, dialog, request).send(now)
    say_goodbye(core, line, dialog, now)
