"""Nothing goes on: the time, how the lines are, what was missed."""

from firmware.phone.view import LineView, PhoneView
from firmware.sip.notifications import RegistrationState
from firmware.ui import fonts
from firmware.ui.canvas import Align, Canvas
from firmware.ui.scene import Scene
from firmware.ui.widgets import (
    body_bottom,
    header,
    labels,
    line_title,
    line_words,
    paragraph,
    soft_row,
)


def draw(canvas: Canvas, scene: Scene) -> None:
    """Draw the screen."""
    words = trouble(scene)
    if words:
        _troubled(canvas, scene, words)
    elif canvas.is_tall:
        _calm(canvas, scene)
    else:
        _calm_low(canvas, scene)
    soft_row(canvas, scene)


def trouble(scene: Scene) -> str:
    """The one thing that keeps the phone from working, in words; none = all is well."""
    view = scene.view
    if view.notice is not None:
        return scene.notice(view.notice)
    if not view.network_up:
        return scene.say("idle.no_network")
    if not view.audio_alive:
        return scene.say("idle.no_audio")
    if not view.lines:
        return scene.say("line.none")
    return next(filter(None, (_line_trouble(scene, line) for line in _worst_first(view))), "")


def _line_trouble(scene: Scene, line: LineView) -> str:
    words = line_words(scene, line)
    if not words or len(scene.view.lines) == 1:
        return words
    return scene.say("line.of_several", line=line.label, words=words)


def _worst_first(view: PhoneView) -> list[LineView]:
    order = list(RegistrationState)[::-1]
    return sorted(view.lines, key=lambda line: order.index(line.state))


def _troubled(canvas: Canvas, scene: Scene, words: str) -> None:
    header(canvas, scene, labels(scene.view), scene.time())
    paragraph(canvas, words, 12 if canvas.is_tall else 8, body_bottom(canvas))


def _below(scene: Scene) -> str:
    if scene.view.missed:
        return scene.say("idle.missed", count=scene.view.missed)
    return scene.date() or scene.say("clock.unset")


def _calm(canvas: Canvas, scene: Scene) -> None:
    header(canvas, scene, "")
    line_title(canvas, scene.view.lines[0], 0, 0)
    canvas.row(13, scene.time(), fonts.CLOCK, Align.CENTRE)
    canvas.row(38, _below(scene), fonts.BODY, Align.CENTRE)


def _calm_low(canvas: Canvas, scene: Scene) -> None:
    canvas.row(3, scene.time(), fonts.CLOCK)
    edge = fonts.CLOCK.measure(scene.time()) + 6
    line_title(canvas, scene.view.lines[0], edge, 2)
    canvas.row(13, _below(scene), fonts.SMALL, span=(edge, canvas.width))
