"""Somebody calls."""

from firmware.phone.view import CallState, CallView
from firmware.ui import fonts
from firmware.ui.canvas import Canvas
from firmware.ui.scene import Scene, who
from firmware.ui.widgets import header, party, soft_row


def draw(canvas: Canvas, scene: Scene) -> None:
    """Draw the screen."""
    call = scene.view.front_call
    if call is not None:
        state = call.state
        title = "call.answering" if state is CallState.ANSWERING else "call.incoming"
        right = _others(scene) if canvas.is_tall else who(call, scene.texts)[1]
        header(canvas, scene, scene.say(title), right)
        free = party(canvas, scene, call, 13 if canvas.is_tall else 8)
        if canvas.is_tall:
            canvas.row(free + 1, _on_line(scene, call), fonts.SMALL)
    soft_row(canvas, scene)


def _others(scene: Scene) -> str:
    count = len(scene.view.calls) - 1
    return scene.say("call.others", count=count) if count > 0 else scene.time()


def _on_line(scene: Scene, call: CallView) -> str:
    """Who sent the call here, else what it is about, else which of several lines rings."""
    if call.diverted_by:
        return scene.say("call.forwarded_by", who=call.diverted_by)
    if call.subject:
        return call.subject
    lines = scene.view.lines
    label = next((line.label for line in lines if line.name == call.line), "")
    return scene.say("call.on_line", line=label) if label and len(lines) > 1 else ""
