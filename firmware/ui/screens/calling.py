"""A call of ours is on its way, or rings at the far end."""

from firmware.phone.view import CallState, CallView
from firmware.ui.canvas import Canvas
from firmware.ui.scene import Scene, who
from firmware.ui.widgets import header, party, soft_row


def draw(canvas: Canvas, scene: Scene) -> None:
    """Draw the screen."""
    call = scene.view.front_call
    if call is not None:
        right = scene.time() if canvas.is_tall else who(call, scene.texts)[1]
        header(canvas, scene, _title(scene, call), right)
        party(canvas, scene, call, 15 if canvas.is_tall else 8)
    soft_row(canvas, scene)


def _title(scene: Scene, call: CallView) -> str:
    if call.emergency:
        return scene.say("call.emergency")
    if call.state is CallState.RINGING_THERE:
        return scene.say("call.ringing_there")
    return scene.say("call.calling")
