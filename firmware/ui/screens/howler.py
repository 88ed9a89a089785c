"""The handset was forgotten off the hook."""

from firmware.ui import fonts
from firmware.ui.canvas import Align, Canvas
from firmware.ui.scene import Scene


def draw(canvas: Canvas, scene: Scene) -> None:
    """Draw the screen: all lit, so that it is seen from the door."""
    y = 16 if canvas.is_tall else 4
    canvas.row(y, scene.say("howler.title"), fonts.LARGE, Align.CENTRE)
    words = scene.notice(scene.view.notice) or scene.say("howler.detail")
    canvas.row(y + 18, words, fonts.SMALL, Align.CENTRE)
    canvas.invert(0, 0, canvas.width - 1, canvas.height - 1)
