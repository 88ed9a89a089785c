"""Encrypted calls: which rules hold for one, what the engine says of it, and keys that fail.

There is no way from encrypted to plain: where keys cannot be had the call ends (A9; RFC 8643 §3.2).
"""

from firmware.base.values import replace
from firmware.call.secrecy import IN_THE_CLEAR, Material, Secrecy, secrecy_of
from firmware.media.messages import StreamSecured
from firmware.phone.commands import EndCall, RejectCall
from firmware.phone.desk import lines
from firmware.phone.events import KeysFailed
from firmware.phone.features import endings, outgoing
from firmware.phone.model import Call, Ending
from firmware.phone.texts import notice
from firmware.phone.turn import Turn
from firmware.sdp.keying import Policy

_SECURE_TRANSPORTS = ("tls", "wss")


def rules(turn: Turn, call: Call, material: Material) -> Secrecy:
    """What the settings of its line say for a call."""
    settings = turn.rules.settings.lines
    line = next((line for line in settings if lines.name_of(line) == call.line), None)
    if line is None:
        return IN_THE_CLEAR
    return secrecy_of(
        line.srtp,
        line.srtp_keys,
        material,
        protected=call.protected and line.transport in _SECURE_TRANSPORTS,
        emergency=call.emergency,
    )


def impossible(secrecy: Secrecy) -> bool:
    """Whether encryption is required and there is nothing to agree on keys with."""
    return secrecy.policy is Policy.REQUIRE and not secrecy.means(None, "").able


def refuse(turn: Turn, call: Call) -> None:
    """End a call before it began, rather than have it in the clear."""
    said = notice("call_no_keys", who=call.who, line=call.line)
    if call.outgoing:
        turn.do(EndCall(call.ref))
        outgoing.failed(turn, call, Ending(by_us=True, notice=said), refused=False)
    else:
        turn.do(RejectCall(call.ref, 488, "encryption is required and not ready"))
        endings.by_far_end(turn, call, Ending(by_us=True, notice=said))


def secured(turn: Turn, event: StreamSecured) -> None:
    """The engine encrypts a stream from now on, or no more."""
    call = turn.state.call_of_stream(event.stream)
    if call is not None:
        turn.put(replace(call, suite=event.suite))


def failed(turn: Turn, event: KeysFailed) -> None:
    """The far end is not who its certificate should show, or does not speak DTLS after all."""
    call = turn.state.call_of_stream(event.stream)
    if call is None:
        return
    turn.do(EndCall(call.ref))
    said = notice("call_keys_failed", who=call.who, line=call.line, reason=event.reason)
    ending = Ending(by_us=True, notice=said)
    if call.outgoing:
        outgoing.failed(turn, call, ending, refused=False)
    else:
        endings.by_far_end(turn, call, ending)
