"""Presence: who of those we watch can be reached, and what we show of ourselves.

What the phone shows and whom it watches follows from the state after every event, like a lamp
(`outputs`): nothing has to be remembered when a call ends in one of its many ways.
"""

from collections.abc import Mapping

from firmware.base.values import replace
from firmware.phone.actions import ShowAs
from firmware.phone.desk import lines
from firmware.phone.model import PhoneState
from firmware.phone.texts import notice
from firmware.phone.turn import Rules, Turn
from firmware.phone.view import Notice
from firmware.sip.facts import Activity
from firmware.sip.notifications import LineName, PresenceChanged


def changed(turn: Turn, event: PresenceChanged) -> None:
    """Somebody can be reached now, or not."""
    if (event.line, event.who) not in _wanted_people(turn.rules):
        return
    social = turn.state.social
    buddies = {**social.buddies, (event.line, event.who): event}
    turn.state = replace(turn.state, social=replace(social, buddies=buddies))


def forget(turn: Turn) -> None:
    """The settings have changed: who is not watched any more is not shown either."""
    social, wanted = turn.state.social, _wanted_people(turn.rules)
    if not social.buddies.keys() <= wanted:
        buddies = {key: news for key, news in social.buddies.items() if key in wanted}
        turn.state = replace(turn.state, social=replace(social, buddies=buddies))


def shown(
    state: PhoneState, rules: Rules, before: Mapping[LineName, Activity]
) -> dict[LineName, Activity]:
    """What each line shows; one that cannot be used now goes on showing what it did."""
    activity = _activity(state)
    found = {}
    for setting in rules.settings.lines:
        name = lines.name_of(setting)
        line = state.line(name)
        if not setting.publish_presence or line is None or state.stopped:
            continue
        if lines.is_usable(state, line):
            found[name] = activity
        elif name in before:
            found[name] = before[name]
    return found


def _activity(state: PhoneState) -> Activity:
    """Who wants no calls says so in a call too; who is away and talks is there after all."""
    wanted = state.social.shown_as
    talking = any(call.answered or call.outgoing for call in state.calls)
    return Activity.ON_THE_PHONE if talking and wanted is not Activity.DO_NOT_DISTURB else wanted


def show_as(turn: Turn, event: ShowAs) -> None:
    """The person wants to be seen so from now on."""
    wanted = Activity.AVAILABLE if event.activity is Activity.ON_THE_PHONE else event.activity
    turn.state = replace(turn.state, social=replace(turn.state.social, shown_as=wanted))


def why_not_show(_state: PhoneState, rules: Rules, _event: ShowAs) -> Notice | None:
    """Why nobody would see it."""
    shown = any(line.publish_presence for line in rules.settings.lines)
    return None if shown else notice("presence_not_shown")


def watched(
    state: PhoneState, rules: Rules, before: Mapping[LineName, tuple[str, ...]]
) -> dict[LineName, tuple[str, ...]]:
    """Whom each line watches, from the first moment that it can be used."""
    found = {}
    for setting in rules.settings.lines:
        name = lines.name_of(setting)
        line = state.line(name)
        ready = line is not None and (name in before or lines.is_usable(state, line))
        if setting.buddies and ready and not state.stopped:
            found[name] = setting.buddies
    return found


def _wanted_people(rules: Rules) -> set[tuple[LineName, str]]:
    settings = rules.settings.lines
    return {(lines.name_of(line), who) for line in settings for who in line.buddies}
