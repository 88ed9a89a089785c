"""Ways between both ends that are checked before sound takes them (RFC 8445), and lost (RFC 7675).

    WayFound ──▶ the stream's far end is where the way leads
    WayLost  ──▶ nothing is sent any more ──▶ a search anew (re-INVITE) ──▶ found, or a clean end

Where a way was chosen that the far end's descriptions do not show, whoever follows the old rules is
told by an offer of its own.
"""

from firmware.base.values import replace
from firmware.call.media import Media, Way
from firmware.call.negotiation import Negotiation
from firmware.phone.commands import EndCall
from firmware.phone.events import WayFound, WayLost
from firmware.phone.features import endings, hold, outgoing
from firmware.phone.model import Call, Ending
from firmware.phone.partings import NO_MEDIA
from firmware.phone.texts import notice
from firmware.phone.turn import Turn


def found(turn: Turn, event: WayFound) -> None:
    """Sound may take this way from now on."""
    call = turn.state.call_of_stream(event.stream)
    media = _media(call)
    if call is None or media is None or call.negotiation is None:
        return
    way = event.way
    before = call.negotiation
    call = replace(call, way=way)
    if way.nominated and media.ways is not None and way.ours == media.ways.ours:
        forks = None if call.forks is None else call.forks.on(way)
        after = before.on(way)
        realign = call.realign or _hidden(before, after, media, way)
        call = replace(call, negotiation=after, forks=forks, realign=realign)
    hold.reconcile(turn, turn.put(call))


def _hidden(before: Negotiation, after: Negotiation, media: Media, way: Way) -> bool:
    """Whether we have to show what was chosen (RFC 8839 §4.3.4)."""
    terms = media.ways
    if terms is None or not terms.controlling or terms.theirs.ice2 or not way.theirs:
        return False
    shown = before.local.shown != replace(after.local.shown, ice=before.local.ice)
    return shown or way.theirs[0].address != media.remote


def lost(turn: Turn, event: WayLost) -> None:
    """There is no way, or none any more: look for another one, once, or end it."""
    call = turn.state.call_of_stream(event.stream)
    if call is None or call.negotiation is None or _media(call) is None:
        return
    had_one = call.way is not None and bool(call.way.remote[0])
    if had_one and call.answered:
        turn.say(notice("call_way_lost", who=call.who, line=call.line), 5.0)
        again = call.negotiation.restarted
        # As after a change of address: a far end that does not follow is the end of it.
        hold.reconcile(turn, turn.put(replace(call, way=None, negotiation=again, moved=True)))
    elif not call.emergency:
        _end(turn, call, event.reason)


def _end(turn: Turn, call: Call, reason: str) -> None:
    turn.do(EndCall(call.ref, NO_MEDIA))
    said = notice("call_no_way", who=call.who, line=call.line, reason=reason)
    ending = Ending(by_us=True, notice=said)
    if call.outgoing:
        outgoing.failed(turn, call, ending, refused=False)
    else:
        endings.by_far_end(turn, call, ending)


def _media(call: Call | None) -> Media | None:
    """What was agreed on, if its way is to be found out."""
    media = None if call is None or call.negotiation is None else call.negotiation.media
    return media if media is not None and media.ways is not None else None
