"""A call is up: with whom, for how long, in what quality, and who waits behind it."""

from firmware.phone.view import CallState, CallView, TransferStage, TransferView
from firmware.ui import fonts
from firmware.ui.canvas import Canvas
from firmware.ui.codec_names import codec_name
from firmware.ui.scene import Scene, talked, who
from firmware.ui.softkeys import waiting_call
from firmware.ui.widgets import body_bottom, header, paragraph, party, soft_row


def draw(canvas: Canvas, scene: Scene) -> None:
    """Draw the screen."""
    call = scene.view.front_call
    if call is not None:
        title = _title(scene, call) if canvas.is_tall else _low_title(scene, call)
        header(canvas, scene, title, talked(call, scene.clock.now))
        words = below(scene, call)
        if canvas.is_tall:
            _tall(canvas, scene, call, words)
        else:
            _low(canvas, scene, call, words)
    soft_row(canvas, scene)


def _tall(canvas: Canvas, scene: Scene, call: CallView, words: str) -> None:
    free = party(canvas, scene, call, 12)
    if fonts.SMALL.measure(words) > canvas.width:
        # What is wrong must be read whole: it takes the place of the number.
        free -= fonts.BODY.height
        canvas.fill(0, free, canvas.width - 1, body_bottom(canvas), lit=False)
        paragraph(canvas, words, free, body_bottom(canvas))
    else:
        canvas.row(free + 2, words, fonts.SMALL)


def _low(canvas: Canvas, scene: Scene, call: CallView, words: str) -> None:
    if fonts.SMALL.measure(words) > canvas.width:
        paragraph(canvas, words, 8, body_bottom(canvas))
    elif words:
        canvas.row(8, who(call, scene.texts)[0], fonts.SMALL)
        canvas.row(16, words, fonts.SMALL)
    else:
        party(canvas, scene, call, 8)


def below(scene: Scene, call: CallView) -> str:
    """The row under the party: trouble first, then who waits, then the state of the call."""
    view = scene.view
    if view.notice is not None:
        return scene.notice(view.notice)
    waiting = waiting_call(view)
    if waiting is not None:
        return scene.say("call.waiting", who=who(waiting, scene.texts)[0])
    if call.emergency:
        return scene.say("call.emergency")
    if view.transfer is not None:
        return transferring(scene, view.transfer)
    if call.held:
        return scene.say("call.on_hold")
    if call.ref in view.conference:
        others = (x for x in view.calls if x.ref in view.conference and x.ref != call.ref)
        return scene.say("call.together", who=", ".join(who(x, scene.texts)[0] for x in others))
    if call.held_by_them:
        return scene.say("call.held_by_them")
    return scene.say("call.muted") if view.muted else ""


def transferring(scene: Scene, transfer: TransferView) -> str:
    """How a transfer goes."""
    rings = transfer.stage is TransferStage.RINGING
    text = "call.transferring_rings" if rings else "call.transferring"
    return scene.say(text, who=transfer.target)


def _title(scene: Scene, call: CallView) -> str:
    if call.state is CallState.ENDING:
        return scene.say("call.ending")
    label = next((line.label for line in scene.view.lines if line.name == call.line), "")
    return f"{label} {codec_name(call.codec)}".strip()


def _low_title(scene: Scene, call: CallView) -> str:
    return who(call, scene.texts)[1] or codec_name(call.codec)
