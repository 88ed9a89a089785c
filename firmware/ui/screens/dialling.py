"""Digits are being collected."""

from firmware.ui import fonts
from firmware.ui.canvas import Canvas, largest
from firmware.ui.scene import Scene
from firmware.ui.widgets import header, soft_row


def draw(canvas: Canvas, scene: Scene) -> None:
    """Draw the screen."""
    transfers = scene.view.transferee is not None and scene.view.notice is None
    title = scene.say("call.transfer_to") if transfers else scene.notice(scene.view.notice)
    header(canvas, scene, title, scene.time())
    digits = scene.view.digits
    choice = (
        (fonts.CLOCK, fonts.LARGE, fonts.TITLE) if canvas.is_tall else (fonts.LARGE, fonts.BODY)
    )
    font = largest(digits, choice, canvas.width - 3)
    # What was typed last is what a person looks at: a long number loses its beginning.
    room = (canvas.width - 3) // font.width
    top, bottom = (12, 52) if canvas.is_tall else (9, 23)
    y = top + (bottom - top - font.height) // 2
    behind = canvas.text(0, y, digits[-room:], font)
    canvas.fill(behind + 1, y, behind + 2, y + font.height - 2)
    soft_row(canvas, scene)
