"""What the phone watches at its servers: mailboxes (message waiting) and other people's calls.

Which subscriptions there should be follows from the settings; they begin when their line can be
used, and the SIP stack keeps them from then on. A mailbox may also be told unasked. What arrives
becomes a lamp, a row on the idle screen, the stutter dial tone, and `watched` of the view.
"""

import re
from collections.abc import Iterator
from typing import Final

from firmware.base.values import replace
from firmware.config.schema import LineSettings, Settings
from firmware.phone.actions import CallMailbox, Dial
from firmware.phone.commands import Subscribe, Unsubscribe
from firmware.phone.desk import lines
from firmware.phone.features import outgoing
from firmware.phone.model import Line, Mailbox, PhoneState, Ringing, Watch
from firmware.phone.texts import notice
from firmware.phone.turn import Rules, Turn
from firmware.phone.view import Busyness, Notice
from firmware.sip.bodies import shown
from firmware.sip.errors import ParseError
from firmware.sip.event.message_summary import MessageSummary
from firmware.sip.headers import TOKEN
from firmware.sip.notifications import (
    Barrier,
    EventReceived,
    LineName,
    Party,
    SubscriptionChanged,
    SubscriptionProgress,
    SubscriptionRef,
)
from firmware.sip.uri import parse_uri

_CALL_ID: Final = re.compile(r"[!-+\--:<-~]{1,256}")
"""As it may stand in a Replaces: no blanks, no commas, no semicolons (A21)."""
_MAILBOX, _DIALOG, _REG = "message-summary", "dialog", "reg"


def wanted(settings: Settings) -> Iterator[Watch]:
    """The subscriptions that the settings ask for."""
    for line in settings.lines:
        name = LineName(lines.name_of(line))
        if line.watch_registration and line.register:
            # What comes of it is the SIP stack's business: it registers again (RFC 3680 §4.1).
            yield Watch(SubscriptionRef(f"reg {name}"), name, _REG)
        if line.mwi:
            yield Watch(SubscriptionRef(f"mwi {name}"), name, _MAILBOX)
        for target in line.watch:
            yield Watch(SubscriptionRef(f"calls {name} {target}"), name, _DIALOG, target)


def follow(turn: Turn) -> None:
    """Begin what is wanted and can begin, end what is wanted no more."""
    state = turn.state
    if state.stopped:
        return
    wishes = {watch.ref: watch for watch in wanted(turn.rules.settings)}
    kept = {ref: watch for ref, watch in state.watches.items() if ref in wishes}
    for ref in state.watches:
        if ref not in kept:
            turn.do(Unsubscribe(ref))
    for ref, watch in wishes.items():
        line = state.line(watch.line)
        if ref not in kept and line is not None and lines.is_usable(state, line):
            kept[ref] = watch
            turn.do(Subscribe(ref, watch.line, watch.package, watch.target))
    if kept != state.watches:
        turn.state = replace(state, watches=kept)


def changed(turn: Turn, event: SubscriptionChanged) -> None:
    """A subscription stands, waits or has ended; what it would tell is known no more."""
    watch = turn.state.watches.get(event.ref)
    if watch is None:
        return
    if event.progress is SubscriptionProgress.ENDED:
        # By a final word of the server, or with its line: the next registration begins it anew.
        left = {ref: each for ref, each in turn.state.watches.items() if ref != event.ref}
        turn.state = replace(turn.state, watches=left)
    elif watch.package == _DIALOG:
        if event.progress is SubscriptionProgress.WAITING:
            _put(turn, replace(watch, busyness=Busyness.UNKNOWN, rings=None))
        elif event.progress is SubscriptionProgress.ACTIVE and watch.busyness is Busyness.UNKNOWN:
            # Whoever has no calls is notified without a body by many servers.
            _put(turn, replace(watch, busyness=Busyness.IDLE))


def received(turn: Turn, event: EventReceived) -> None:
    """What a server told."""
    document = event.document
    if isinstance(document, MessageSummary):
        new = document.voice.new if document.voice is not None else 0
        box = Mailbox(document.waiting, new, document.account)
        changed_lines = tuple(
            replace(line, mailbox=box) if line.name == event.line else line
            for line in turn.state.lines
        )
        turn.state = replace(turn.state, lines=changed_lines)
        return
    watch = turn.state.watches.get(event.ref)
    if watch is not None and watch.package == _DIALOG:
        _put(turn, replace(watch, busyness=_busyness(event), rings=_rings(event)))


def _put(turn: Turn, watch: Watch) -> None:
    turn.state = replace(turn.state, watches={**turn.state.watches, watch.ref: watch})


def _busyness(event: EventReceived) -> Busyness:
    # Loaded already, by whoever made the document; a phone that watches nobody does without.
    from firmware.sip.event.dialog_info import DialogInfo, Phase  # noqa: PLC0415 - see above

    document = event.document
    if not isinstance(document, DialogInfo):
        return Busyness.UNKNOWN
    if any(each.phase is Phase.CONFIRMED or each.initiator for each in document.dialogs):
        return Busyness.BUSY
    return Busyness.RINGING if document.dialogs else Busyness.IDLE


def _rings(event: EventReceived) -> Ringing | None:
    """The first call that could be picked up: its ids are there, and so is a way to the caller."""
    from firmware.sip.event.dialog_info import DialogInfo, Phase  # noqa: PLC0415 - as above

    document = event.document
    if not isinstance(document, DialogInfo):
        return None
    for each in document.dialogs:
        known = _CALL_ID.fullmatch(each.call_id) is not None
        known = known and all(map(TOKEN.fullmatch, (each.local_tag, each.remote_tag)))
        target = _way_to(each.remote.uri, each.remote.target, document.entity)
        if each.phase is Phase.EARLY and not each.initiator and known and _host(target):
            caller = _party(each.remote.uri or target, each.remote.name)
            return Ringing(caller, target, each.call_id, each.remote_tag, each.local_tag)
    return None


def _way_to(address: str, contact: str, watched: str) -> str:
    """How the caller is reached: within a domain by their address there, else where they are.

    Somebody's Contact called past the server is a stranger's call, and refused by phones like ours.
    """
    return address if address and _host(address) == _host(watched) else contact or address


def _host(uri: str) -> str:
    """The host of a SIP URI, "" if it is none: nothing else is called on a document's word."""
    try:
        address = parse_uri(uri)
    except ParseError:
        return ""
    return address.host.lower() if address.is_sip else ""


def _party(uri: str, name: str) -> Party:
    try:
        return Party(shown(name), shown(parse_uri(uri).user), shown(uri))
    except ParseError:
        return Party(shown(name), "", shown(uri))


def mailbox(state: PhoneState) -> tuple[Line, Mailbox] | None:
    """The first line with messages waiting, and its mailbox."""
    for line in state.lines:
        if line.mailbox is not None and line.mailbox.waiting:
            return line, line.mailbox
    return None


def mailbox_number(state: PhoneState, rules: Rules) -> tuple[str, LineName, Barrier | None] | None:
    """What the messages key dials, on which line, and why it had better not.

    The number of the settings, else the address that the server named, if it may name that (A19);
    of the line with messages, else of the first that has one.
    """
    found = mailbox(state)
    order = sorted(state.lines, key=lambda line: found is None or line is not found[0])
    for line in order:
        number = next((each.voicemail for each in rules.settings.lines if _is(each, line)), "")
        if number:
            return number, line.name, None
        named = line.mailbox.account if line.mailbox is not None else ""
        if named:
            return named, line.name, rules.toll.barrier(named)
    return None


def call_mailbox(turn: Turn) -> None:
    """The messages key."""
    found = mailbox_number(turn.state, turn.rules)
    if found is not None and found[2] is None:
        outgoing.dial(turn, *found[:2])


def why_no_mailbox(state: PhoneState, rules: Rules, _event: CallMailbox) -> Notice | None:
    """Why the mailbox cannot be called, None if it can be tried."""
    if state.front is not None:
        return notice("call_in_the_way")
    found = mailbox_number(state, rules)
    if found is None:
        return notice("mailbox_unknown")
    number, line, barrier = found
    if barrier is not None:
        return notice("mailbox_barred", number=number)
    return outgoing.why_not(state, rules, Dial(number, line))


def _is(setting: LineSettings, line: Line) -> bool:
    return lines.name_of(setting) == line.name
