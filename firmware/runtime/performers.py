"""Carries out what the phone wants: one short function per command, found in a table.

    phone.handle(event) ─▶ commands ─▶ perform(house, command)

Nothing is decided here. What a command brings about (a port that was bound, a port that was not,
a call that the SIP stack will not place) comes back to the phone through the inbox like any other
input. A command about a call that is over is late, not wrong: nothing happens.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from firmware.base.values import replace
from firmware.call.secrecy import NO_MATERIAL, Material
from firmware.control.schema import RecordEvent, RingEvent
from firmware.media.messages import OpenStream, Record, SetKeys
from firmware.net.errors import NetError
from firmware.phone import commands as c
from firmware.phone.events import MediaPortRefused, MediaPortReserved
from firmware.runtime.figures import row_of
from firmware.runtime.house import House
from firmware.runtime.quality import report_quality
from firmware.sip.errors import LocalError
from firmware.sip.notifications import (
    CallEnded,
    CallRef,
    FailureCause,
    MessageOutcome,
    TransferFailed,
)

_LOG = logging.getLogger(__name__)


def perform(house: House, command: c.Command) -> None:
    """Carry out one command."""
    try:
        PERFORMERS[type(command)](house, command)
    except LocalError as error:
        # The call has gone on, or is gone, since the phone asked; it hears so from the stack.
        _LOG.warning("%s came too late: %s", type(command).__name__, error)


def reserve_media_port(house: House, command: c.ReserveMediaPort) -> None:
    """Bind the call's sockets; the phone hears where they are."""
    try:
        pair = house.ports.reserve(command.local, anywhere=command.emergency)
    except NetError as error:
        house.inbox.put(MediaPortRefused(command.call, str(error)))
        return
    free_media_port(house, c.FreeMediaPort(command.call))
    house.pairs[command.call] = pair

    reserved = MediaPortReserved(command.call, pair.address, pair.port)

    def tell(material: Material) -> None:
        told = replace(reserved, material=material)
        if house.ways is None or not house.ways.wanted(command):
            house.inbox.put(told)
        else:
            house.ways.gather(command, pair, lambda ice: house.inbox.put(replace(told, ice=ice)))

    if house.encryption is None:
        tell(NO_MATERIAL)
    else:
        house.encryption.give_material(tell)


def free_media_port(house: House, command: c.FreeMediaPort) -> None:
    """Close the call's sockets."""
    if house.ways is not None:
        house.ways.free(command.call)
    if (pair := house.pairs.pop(command.call, None)) is not None:
        pair.close()


def place_call(house: House, command: c.PlaceCall) -> None:
    """Look for the way to the target; a call that cannot be placed ends before it began."""
    house.last_calls.dialled(command.call, command.target)
    try:
        house.agent.invite(
            *(command.call, command.line, command.target, house.now()),
            emergency=command.emergency,
            replaces=command.replaces,
        )
    except LocalError as error:
        house.inbox.put(
            CallEnded(command.call, by_us=False, cause=FailureCause.OTHER, phrase=str(error))
        )


def send_offer(house: House, command: c.SendOffer) -> None:
    """Send the INVITE that has waited for its session description."""
    house.agent.offer(command.call, command.sdp, house.now())


def say_ringing(house: House, command: c.SayRinging) -> None:
    """Tell the caller that the bell rings here."""
    house.agent.ring(command.call, house.now(), command.sdp)


def accept_call(house: House, command: c.AcceptCall) -> None:
    """Answer a caller; speech may flow from now on."""
    told = (("Answer-Mode", "Auto"),) if command.by_itself else ()
    house.agent.accept(command.call, command.sdp, house.now(), told)


def reject_call(house: House, command: c.RejectCall) -> None:
    """Refuse a caller, with the status that says why."""
    house.agent.reject(command.call, command.status, house.now(), command.warning)


def end_call(house: House, command: c.EndCall) -> None:
    """Give up a call that is being placed, or hang up one that is up."""
    house.agent.end(command.call, house.now(), command.reason)


def reoffer(house: House, command: c.Reoffer) -> None:
    """Propose other media for a call that is up: on hold, resumed, moved."""
    house.agent.reoffer(command.call, command.sdp, house.now())


def answer_reoffer(house: House, command: c.AnswerReoffer) -> None:
    """Accept what the far end proposed for a call that is up."""
    house.agent.answer_reoffer(command.call, command.sdp, house.now(), command.fork)


def reject_reoffer(house: House, command: c.RejectReoffer) -> None:
    """Decline what the far end proposed; the call goes on as it was."""
    house.agent.reject_reoffer(
        command.call, command.status, house.now(), command.warning, command.fork
    )


def subscribe(house: House, command: c.Subscribe) -> None:
    """Watch something from now on."""
    house.agent.subscriptions.subscribe(
        command.ref, command.line, command.package, house.now(), target=command.target
    )


def unsubscribe(house: House, command: c.Unsubscribe) -> None:
    """Watch it no more."""
    house.agent.subscriptions.unsubscribe(command.ref, house.now())


def send_message(house: House, command: c.SendMessage) -> None:
    """Send a text; one that cannot be sent at all has its answer at once."""
    try:
        house.agent.messages.send(
            *(command.ref, command.line, command.target, command.text, house.now()),
            call=command.call,
        )
    except LocalError as error:
        cause = FailureCause.OTHER
        house.inbox.put(MessageOutcome(command.ref, command.line, cause, phrase=str(error)))


def say_writing(house: House, command: c.SayWriting) -> None:
    """Let the far end see that somebody writes."""
    house.agent.messages.compose(
        command.line, command.target, house.now(), active=command.active, call=command.call
    )


def keep_text(house: House, command: c.KeepText) -> None:
    """Write a text into the list of texts."""
    house.keeper.keep_text(command, house.wall())


def mark_read(house: House, command: c.MarkRead) -> None:
    """Note that somebody has looked at texts."""
    house.keeper.mark_texts_read(command.keys)


def forget_texts(house: House, command: c.ForgetTexts) -> None:
    """Empty the list of texts."""
    del command
    house.keeper.forget_texts()


def set_buddies(house: House, command: c.SetBuddies) -> None:
    """Watch these people, and nobody else, on a line."""
    house.agent.buddies.set(command.line, command.people, house.now())


def show_presence(house: House, command: c.ShowPresence) -> None:
    """Tell the server and who watches us what a line does."""
    if command.activity is None:
        house.agent.presence.hide(command.line, house.now())
    else:
        house.agent.presence.show(command.line, command.activity, house.now())


def send_info_digit(house: House, command: c.SendInfoDigit) -> None:
    """Press a key for the far end by a SIP message rather than in the sound."""
    house.agent.info_digit(command.call, command.digit, command.duration_ms, house.now())


def transfer_call(house: House, command: c.TransferCall) -> None:
    """Send the far end of a call elsewhere; a target that cannot be called is not reached."""
    transfers, now = house.agent.transfers, house.now()
    try:
        if command.consultation is None:
            transfers.blind(command.call, command.target, now)
        else:
            transfers.attended(command.call, command.consultation, now)
    except LocalError as error:
        house.inbox.put(TransferFailed(command.call, FailureCause.OTHER, phrase=str(error)))


def follow_transfer(house: House, command: c.FollowTransfer) -> None:
    """Call whom the far end sends us to; a call that cannot be placed ends before it began."""
    try:
        house.agent.transfers.follow(command.transfer, command.call, house.now())
    except LocalError as error:
        house.inbox.put(
            CallEnded(command.call, by_us=False, cause=FailureCause.OTHER, phrase=str(error))
        )


def refuse_transfer(house: House, command: c.RefuseTransfer) -> None:
    """Stay where we are."""
    house.agent.transfers.refuse(command.transfer, command.status, house.now())


def media_order(house: House, command: c.MediaOrder) -> None:
    """Tell the audio process; a stream takes its sockets along."""
    order = command.order
    if isinstance(order, OpenStream) and command.call is not None:
        pair = house.pairs.get(command.call)
        if pair is None:
            _LOG.error("stream %d of call %s has no sockets", order.stream, command.call)
            return
        house.streams[order.stream] = command.call
        house.engine.send(order, (pair.rtp.fileno(), pair.rtcp.fileno()))
    elif isinstance(order, SetKeys) and house.encryption is not None:
        house.engine.send(house.encryption.with_history(order))
    elif isinstance(order, Record):
        _copy_to_file(house, command.call, order)
    else:
        house.engine.send(order)


def _copy_to_file(house: House, call: CallRef | None, order: Record) -> None:
    way = None
    if house.recordings is not None and call is not None:
        way = house.recordings.copy_to(call, order)
    if way is not None:
        house.engine.send(way[0], (way[1],))


def start_recording(house: House, command: c.StartRecording) -> None:
    """Open the file of a call."""
    if house.recordings is not None:
        house.recordings.begin(command)


def end_recording(house: House, command: c.EndRecording) -> None:
    """Finish the file of a call."""
    if house.recordings is not None:
        house.recordings.end(command.call)


def make_keys(house: House, command: c.MakeKeys) -> None:
    """Agree on keys with the far end by DTLS."""
    if house.encryption is not None:
        house.encryption.make_keys(command)


def check_ways(house: House, command: c.CheckWays) -> None:
    """Find out how the far end is reached."""
    if house.ways is not None:
        house.ways.check(command)


def ring_bell(house: House, command: c.RingBell) -> None:
    """Ring the board's bell or silence it, and have the page do the same."""
    house.tell(RingEvent(house.wall(), command.cadence))
    if house.board.ringer is None:
        return
    if command.cadence:
        house.board.ringer.ring(command.cadence)
    else:
        house.board.ringer.silence()


def set_lamp(house: House, command: c.SetLamp) -> None:
    """Light, blink or darken a lamp, if the board has any."""
    if house.board.lamps is not None:
        house.board.lamps.set(command.lamp, command.pattern)


def record_call(house: House, command: c.RecordCall) -> None:
    """Write a call into the list, its reason as a sentence, and tell who listens."""
    at, record = house.wall(), command.record
    if record.reason:
        record = replace(record, reason=house.say(record.reason, dict(record.reason_args)))
    house.keeper.record_call(record, at)
    house.tell(RecordEvent(at, row_of(record, at)))


def keep_volume(house: House, command: c.KeepVolume) -> None:
    """Remember a volume, so that it survives a restart."""
    house.keeper.keep_volume(command.path, command.volume)


def log_notice(house: House, command: c.LogNotice) -> None:
    """Write a sentence into the log."""
    _LOG.info("%s", house.say(command.text, dict(command.args)))


PERFORMERS: Mapping[type, Callable[[House, Any], None]] = {
    c.ReserveMediaPort: reserve_media_port,
    c.FreeMediaPort: free_media_port,
    c.MakeKeys: make_keys,
    c.CheckWays: check_ways,
    c.PlaceCall: place_call,
    c.SendOffer: send_offer,
    c.SayRinging: say_ringing,
    c.AcceptCall: accept_call,
    c.RejectCall: reject_call,
    c.EndCall: end_call,
    c.Reoffer: reoffer,
    c.AnswerReoffer: answer_reoffer,
    c.RejectReoffer: reject_reoffer,
    c.SendInfoDigit: send_info_digit,
    c.Subscribe: subscribe,
    c.Unsubscribe: unsubscribe,
    c.SendMessage: send_message,
    c.SayWriting: say_writing,
    c.KeepText: keep_text,
    c.MarkRead: mark_read,
    c.ForgetTexts: forget_texts,
    c.SetBuddies: set_buddies,
    c.ShowPresence: show_presence,
    c.ReportQuality: report_quality,
    c.TransferCall: transfer_call,
    c.FollowTransfer: follow_transfer,
    c.RefuseTransfer: refuse_transfer,
    c.StartRecording: start_recording,
    c.EndRecording: end_recording,
    c.MediaOrder: media_order,
    c.RingBell: ring_bell,
    c.SetLamp: set_lamp,
    c.RecordCall: record_call,
    c.KeepVolume: keep_volume,
    c.LogNotice: log_notice,
}
