"""How the phone is, as one plain sentence: for the status line and for those who listen to it."""

from firmware.control.schema import CallFigures, LineFigures, StatusReply
from firmware.ui.codec_names import codec_name
from firmware.ui.text import Texts


def sentence(status: StatusReply, texts: Texts) -> str:
    """What a person at the desk would say of the phone."""
    if status.calls:
        said = [_of_call(call, texts) for call in status.calls]
        return " ".join((*said, *_besides(status, texts)))
    if status.reason:
        return status.reason
    return _without_call(status, texts)


def _of_call(call: CallFigures, texts: Texts) -> str:
    who = call.name or call.remote or texts.say("call.unknown_caller")
    match call.state:
        case "ringing_here":
            return texts.say("web.said.incoming", who=who)
        case "calling" | "proceeding":
            return texts.say("web.said.calling", who=who)
        case "ringing_there":
            return texts.say("web.said.ringing_there", who=who)
        case "talking" if call.held:
            return texts.say("web.said.on_hold", who=who)
        case "talking":
            return texts.say("web.said.talking", who=who, codec=codec_name(call.codec))
        case _:
            return texts.say("web.said.with", who=who)


def _besides(status: StatusReply, texts: Texts) -> list[str]:
    """What explains why one side may not hear the other."""
    said = [status.reason] if status.reason else []
    if any(call.held_by_them and not call.held for call in status.calls):
        said.append(texts.say("call.held_by_them"))
    if status.muted:
        said.append(texts.say("call.muted"))
    return [text if text.endswith((".", "!", "?")) else f"{text}." for text in said]


def _without_call(status: StatusReply, texts: Texts) -> str:
    match status.state:
        case "idle":
            return _of_lines(status.lines, texts)
        case "off_hook":
            return texts.say("web.said.off_hook")
        case "dialling":
            return texts.say("web.said.dialling")
        case "howler":
            return texts.say("handset_off_hook")
        case "audio_test":
            return texts.say("audio_test.title")
        case _:
            return texts.say("released.title")


def _of_lines(lines: tuple[LineFigures, ...], texts: Texts) -> str:
    bad = next((line for line in lines if not line.registered), None)
    if bad is not None:
        reason = bad.reason or texts.say("line.failed")
        return texts.say("web.said.line_trouble", line=bad.label or bad.name, reason=reason)
    if not lines:
        return texts.say("line.none")
    return texts.say("web.said.ready", lines=", ".join(line.label or line.name for line in lines))
