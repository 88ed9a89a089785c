"""The call is over or never came about: why, until the handset is down."""

from firmware.ui.canvas import Canvas
from firmware.ui.scene import Scene
from firmware.ui.widgets import body_bottom, header, paragraph, soft_row


def draw(canvas: Canvas, scene: Scene) -> None:
    """Draw the screen."""
    title = scene.say("released.title")
    words = scene.notice(scene.view.notice)
    header(canvas, scene, title if words else "", scene.time())
    paragraph(canvas, words or title, 12 if canvas.is_tall else 8, body_bottom(canvas))
    soft_row(canvas, scene)
