"""Click to dial: the line's server asks this phone to call somebody, and a person agrees first.

    REFER ─▶ beep and sentence ──handset, a path key, answer or dial──▶ the call
                       └──end, dismiss, a quarter of a minute, anything else──▶ declined

It is off unless `line.click_to_dial` is set (RFC 5359 §2.18), comes from the line's own server
(`firmware.sip.transfer.room`), and obeys the rule for numbers that somebody else came up with
(A19).
"""

from firmware.base.values import replace
from firmware.phone.actions import Answer, DialNow, HangUp
from firmware.phone.commands import FollowTransfer, RefuseTransfer
from firmware.phone.desk import paths, tones
from firmware.phone.features import incoming, placing
from firmware.phone.model import Click, PhoneState, Timer, named
from firmware.phone.texts import SENT_TO_BARRED, notice
from firmware.phone.turn import Rules, Turn
from firmware.phone.view import Mode, Notice
from firmware.sip.notifications import DialAsked

PATIENCE = 15.0
"""Seconds in which somebody must lift; the server waits a second longer for its answer."""
_TOLD = 10.0


def asked(turn: Turn, event: DialAsked) -> None:
    """A REFER outside of any call."""
    state, target = turn.state, event.target
    who = named(event.referrer) if event.referrer is not None else event.line
    number = target.user or target.uri
    why = turn.rules.toll.barrier(number)
    if why is not None:
        turn.do(RefuseTransfer(event.transfer, 403))
        turn.say(notice(SENT_TO_BARRED[why], who=who, number=number), _TOLD)
    elif state.mode is not Mode.IDLE or state.calls or state.click is not None:
        turn.do(RefuseTransfer(event.transfer, 486))
    else:
        click = Click(event.transfer, event.line, target, who)
        turn.state = replace(state, click=click)
        turn.set_timer(Timer.CLICK, PATIENCE)
        turn.say(notice("click_asked", who=who, number=number), PATIENCE)
        tones.beep_of_click(turn)


def go(turn: Turn) -> bool:
    """A person agrees: call; False if nobody has asked for that."""
    click = turn.state.click
    if click is None:
        return False
    _forget(turn)
    target = click.target
    new = placing.new_call(turn, target.user or target.uri, click.line)
    new = replace(new, remote=target)
    turn.state = replace(turn.state, calls=(*turn.state.calls, new))
    turn.front(new.ref)
    turn.enter(Mode.CALLING)
    paths.open_some(turn)
    turn.do(FollowTransfer(click.transfer, new.ref))
    return True


def declined(turn: Turn) -> bool:
    """A person does not agree; False if nobody has asked."""
    click = turn.state.click
    if click is None:
        return False
    turn.do(RefuseTransfer(click.transfer, 603))
    _forget(turn)
    return True


def agreed(turn: Turn, _event: Answer | DialNow) -> None:
    """A key says yes; the natural path is opened."""
    go(turn)


def refused(turn: Turn, _event: HangUp) -> None:
    """A key says no."""
    declined(turn)


def over(turn: Turn) -> None:
    """Nobody has lifted."""
    click = turn.state.click
    if click is not None and declined(turn):
        number = click.target.user or click.target.uri
        turn.say(notice("click_over", who=click.who, number=number), _TOLD)


def drop_if_busy(turn: Turn) -> None:
    """The phone has something else to do meanwhile."""
    click, state = turn.state.click, turn.state
    if click is not None and (state.mode is not Mode.IDLE or state.stopped):
        turn.do(RefuseTransfer(click.transfer, 486))
        turn.state = replace(state, click=None)
        turn.cancel(Timer.CLICK)


def why_no_answer(state: PhoneState, rules: Rules, event: Answer) -> Notice | None:
    """Why nothing can be answered now, None if it can: a click, too, is answered."""
    return None if state.click is not None else incoming.why_not(state, rules, event)


def _forget(turn: Turn) -> None:
    turn.state = replace(turn.state, click=None)
    turn.cancel(Timer.CLICK)
    turn.unsay()
