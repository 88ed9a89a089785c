"""The handset is up and nothing is dialled: dial tone, or the reason why there is none."""

from firmware.ui import fonts
from firmware.ui.canvas import Canvas
from firmware.ui.scene import Scene
from firmware.ui.widgets import body_bottom, header, labels, paragraph, soft_row


def draw(canvas: Canvas, scene: Scene) -> None:
    """Draw the screen."""
    words = scene.notice(scene.view.notice)
    if words:
        header(canvas, scene, labels(scene.view), scene.time())
        paragraph(canvas, words, 12 if canvas.is_tall else 8, body_bottom(canvas))
    elif canvas.is_tall:
        header(canvas, scene, labels(scene.view), scene.time())
        canvas.row(13, scene.say(_title(scene)), fonts.TITLE)
        _cursor(canvas, 31, 18)
    else:
        header(canvas, scene, scene.say(_title(scene)))
        _cursor(canvas, 9, 14)
    soft_row(canvas, scene)


def _title(scene: Scene) -> str:
    return "off_hook.title" if scene.view.transferee is None else "call.transfer_to"


def _cursor(canvas: Canvas, top: int, height: int) -> None:
    canvas.fill(0, top, 1, top + height - 1)
