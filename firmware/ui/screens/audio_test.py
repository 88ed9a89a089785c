"""The local audio test: what the microphone hears comes back, no PBX needed."""

from firmware.ui import fonts
from firmware.ui.canvas import Canvas
from firmware.ui.scene import Scene
from firmware.ui.widgets import body_bottom, header, paragraph, soft_row


def draw(canvas: Canvas, scene: Scene) -> None:
    """Draw the screen."""
    words = scene.notice(scene.view.notice) or scene.say("audio_test.detail")
    if canvas.is_tall:
        header(canvas, scene, "", scene.time())
        canvas.row(12, scene.say("audio_test.title"), fonts.TITLE)
        paragraph(canvas, words, 27, body_bottom(canvas))
    else:
        header(canvas, scene, scene.say("audio_test.title"))
        paragraph(canvas, words, 8, body_bottom(canvas))
    soft_row(canvas, scene)
