"""OPTIONS: what we can do (RFC 3261 §11). Asked by proxies to see whether we are alive."""

from firmware.sip.core import ALLOW, Core
from firmware.sip.transaction.server import ServerTransaction


def answer_options(core: Core, transaction: ServerTransaction, now: float) -> None:
    """Answer as an INVITE would be answered, without the call."""
    headers = [
        ("Allow", ALLOW),
        ("Accept", "application/sdp"),
        ("Accept-Encoding", "identity"),
        ("Accept-Language", "en"),
    ]
    core.answer(transaction, 200, now, headers)
