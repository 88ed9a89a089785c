"""What is wrong with the switches of hook and headset socket, and what to write. Pure."""

from collections.abc import Iterator

from firmware.base.phrase import Phrase, phrase
from firmware.wiring.evidence import HEADSET, HOOK, Evidence, Moves
from firmware.wiring.keypad import Finding
from firmware.wiring.learned import Lesson
from firmware.wiring.wires import wire
from hal.board_spec import BoardSpec, Contact

LONGEST_LOCKOUT = {"keypad": 200, "hook": 500}
"""Milliseconds, as a board file may have them."""


def longer(table: str, lockout: int) -> tuple[Lesson, ...]:
    """Twice the time in which a contact is not looked at."""
    return (Lesson(table, "lockout_ms", min(lockout * 2, LONGEST_LOCKOUT[table])),)


_HOOK = {"silent": "board.test.hook_silent", "once": "board.test.hook_once"}
_HEADSET = {"silent": "board.test.headset_silent", "once": "board.test.headset_once"}


def hook_findings(spec: BoardSpec, seen: Evidence) -> Iterator[Finding]:
    """What is wrong with the cradle switch."""
    hook = seen.moves[HOOK]
    where: Phrase | str = wire(spec.hook.pin) if spec.hook is not None else spec.name
    if (text := _fault(hook)) is not None:
        yield Finding(phrase(_HOOK[text], pins=where))
    elif hook.order is False and not is_to_be_found_out(spec):
        yield _reversed(spec, where)
    if hook.bounces:
        lessons = longer("hook", spec.hook.lockout_ms) if spec.hook is not None else ()
        yield Finding(phrase("board.test.hook_bounces", pins=where), lessons)


def hook_lessons(spec: BoardSpec, seen: Evidence) -> Iterator[Lesson]:
    """Of which kind a hook is that was to be found out."""
    order = seen.moves[HOOK].order
    if is_to_be_found_out(spec) and order is not None:
        right = Contact.CLOSED if order else Contact.OPEN
        yield Lesson("hook", "lifted", right.value)


def is_to_be_found_out(spec: BoardSpec) -> bool:
    """A walk takes such a contact for closed, with the handset off, until it is told otherwise."""
    return spec.guesses_hook


def headset_findings(spec: BoardSpec, seen: Evidence) -> Iterator[Finding]:
    """What is wrong with the switch in the headset socket."""
    if spec.headset is None:
        return
    socket, where = seen.moves[HEADSET], wire(spec.headset.pin)
    if (text := _fault(socket)) is not None:
        yield Finding(phrase(_HEADSET[text], pins=where))
    elif socket.order is False:
        right = _other(spec.headset.plugged).value
        lesson = Lesson("headset", "plugged", right)
        said = phrase("board.test.headset_reversed", pins=where, right=right)
        yield Finding(said, (lesson,))


def _fault(moves: Moves) -> str | None:
    """How it failed to tell both ways."""
    told = list(moves.told.values())
    if not told:
        return None
    if set(told) == {None}:
        return "silent"
    return "once" if None in told or (len(told) > 1 and moves.order is None) else None


def _reversed(spec: BoardSpec, where: Phrase | str) -> Finding:
    """The switch is of the other kind: normally open in place of normally closed, or so."""
    table, lifted = ("usb", spec.usb.lifted) if spec.usb is not None else ("", Contact.AUTO)
    if spec.hook is not None:
        table, lifted = "hook", spec.hook.lifted
    right = _other(lifted).value
    if not table:
        return Finding(phrase("board.test.hook_panel", pins=where))
    said = phrase("board.test.hook_reversed", pins=where, table=table, right=right)
    return Finding(said, (Lesson(table, "lifted", right),))


def _other(contact: Contact) -> Contact:
    return Contact.CLOSED if contact is Contact.OPEN else Contact.OPEN
