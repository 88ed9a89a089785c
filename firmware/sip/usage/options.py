"""OPTIONS: what we can do (RFC 3261 §11). Asked by proxies to see whether we are alive."""

from firmware.sip.core import ALLOW, SUPPORTS, Core, Usage
from firmware.sip.line import Line
from firmware.sip.transaction.server import ServerTransaction


def install(core: Core) -> None:
    """Serve OPTIONS, outside and inside dialogs."""

    def outside(transaction: ServerTransaction, line: Line, now: float) -> None:
        _answer(core, transaction, line.account.language, now)

    def inside(usage: Usage, transaction: ServerTransaction, now: float) -> None:
        _answer(core, transaction, usage.line.account.language, now)

    core.outside["OPTIONS"] = outside
    core.inside["OPTIONS"] = inside


def _answer(core: Core, transaction: ServerTransaction, language: str, now: float) -> None:
    """Answer as an INVITE would be answered, without the call."""
    headers = [
        ("Allow", ALLOW),
        ("Supported", SUPPORTS),
        ("Accept", "application/sdp"),
        ("Accept-Encoding", "identity"),
        ("Accept-Language", language or "en"),
    ]
    # RFC 6665 §4.4.4.
    core.answer(transaction, 200, now, (*headers, *core.allow_events_rows))
