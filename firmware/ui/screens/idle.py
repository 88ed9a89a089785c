"""Nothing goes on: the time, how the lines are, what was missed."""

from firmware.phone.view import LineView
from firmware.sip.notifications import RegistrationState
from firmware.ui import fonts
from firmware.ui.canvas import Align, Canvas
from firmware.ui.line_words import is_counting, line_words, seconds_of
from firmware.ui.scene import Scene
from firmware.ui.widgets import (
    body_bottom,
    header,
    labels,
    line_title,
    paragraph,
    soft_row,
)


def draw(canvas: Canvas, scene: Scene) -> None:
    """Draw the screen."""
    words, line = _trouble_of_all(scene), None
    if not words:
        line = _worst(scene)
        words = _line_trouble(scene, line, counts=canvas.is_tall)
    if words:
        _troubled(canvas, scene, words, line)
    elif canvas.is_tall:
        _calm(canvas, scene)
    else:
        _calm_low(canvas, scene)
    soft_row(canvas, scene)


def _trouble_of_all(scene: Scene) -> str:
    """What keeps the whole phone from working, in words; none = look at the lines."""
    view = scene.view
    if view.notice is not None:
        return scene.notice(view.notice)
    if not view.network_up:
        return scene.say("idle.no_network")
    if not view.audio_alive:
        return scene.say("idle.no_audio")
    return "" if view.lines else scene.say("line.none")


def _line_trouble(scene: Scene, line: LineView | None, *, counts: bool) -> str:
    if line is None:
        return ""
    words = line_words(line, scene.clock.now, scene.say, counts=counts)
    if not words or len(scene.view.lines) == 1:
        return words
    return scene.say("line.of_several", line=line.label, words=words)


def _worst(scene: Scene) -> LineView | None:
    """The line in the worst state of those about which there is something to say."""
    order = list(RegistrationState)[::-1]
    ranked = sorted(scene.view.lines, key=lambda line: order.index(line.state))
    return next((line for line in ranked if line_words(line, scene.clock.now, scene.say)), None)


def _troubled(canvas: Canvas, scene: Scene, words: str, line: LineView | None) -> None:
    right = scene.time()
    if line is not None and is_counting(line) and not canvas.is_tall:
        # Two rows are not enough for the reason and the seconds.
        right = scene.say("line.trying_short", seconds=seconds_of(line, scene.clock.now))
    header(canvas, scene, labels(scene.view), right)
    paragraph(canvas, words, 12 if canvas.is_tall else 8, body_bottom(canvas))


def _below(scene: Scene) -> str:
    if scene.view.missed:
        return scene.say("idle.missed", count=scene.view.missed)
    if scene.view.unread:
        return scene.say("idle.texts", count=scene.view.unread)
    waiting = [line for line in scene.view.lines if line.messages_waiting]
    if waiting:
        count = sum(line.new_messages for line in waiting)
        text = "idle.messages" if count else "idle.messages_wait"
        return scene.say(text, count=count) if count else scene.say(text)
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
