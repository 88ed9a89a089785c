"""Our own calls as others see them (RFC 4235), by our own watcher on another desk."""

import pytest

from firmware.call.capabilities import capabilities_of
from firmware.call.negotiation import Negotiation
from firmware.config.schema import AudioSettings
from firmware.sip.event.dialog_info import Phase
from firmware.sip.event.xml import read_xml
from firmware.sip.flow import Flow, Transport
from firmware.sip.notifications import EventReceived, IncomingCall
from firmware.sip.oversize import LONGEST
from tests.support.sip_link import LINE, Desk, Stranger
from tests.unit.sip.conftest import answer_to


@pytest.fixture
def secretary(world, pair):
    """A third desk that watches the right one, the callee."""
    right = pair[1]
    desk = Desk(world, "192.0.2.3")
    desk.line("192.0.2.2", register=False, accept_any_user=True)
    right.line("192.0.2.1", register=False, accept_any_user=True, peers=("192.0.2.3",))
    desk.agent.subscriptions.subscribe("blf", LINE, "dialog", world.now, target="101")
    world.run(0.1)
    return desk


def seen(desk):
    """(phase, whether it placed the call, with whom) of each dialog in each document."""
    return [
        [(each.phase, each.initiator, each.remote.uri) for each in told.document.dialogs]
        for told in desk.of(EventReceived)
    ]


def test_a_call_is_seen_from_its_ringing_to_its_end(world, pair, secretary):
    """RFC 4235 §3.7.1: trying, early, confirmed."""
    left, right = pair
    assert seen(secretary) == [[]]
    left.agent.invite("out", LINE, "600", world.now)
    world.run(2.0)
    call = right.last(IncomingCall).call
    right.agent.ring(call, world.now)
    world.run(2.0)
    right.agent.accept(call, b"v=0 answer", world.now)
    world.run(2.0)
    left.agent.end("out", world.now)
    world.run(2.0)
    who = "sip:101@192.0.2.2"
    assert seen(secretary)[1:] == [
        [(Phase.TRYING, False, who)],
        [(Phase.EARLY, False, who)],
        [(Phase.CONFIRMED, False, who)],
        [],
    ]


def test_the_ids_are_those_a_replaces_needs(world, pair, secretary):
    """RFC 4235 §4.1.1; RFC 3891 §3: call-id, local and remote tag as the watched phone has them."""
    left, right = pair
    left.agent.invite("out", LINE, "600", world.now)
    world.run(2.0)
    call = right.last(IncomingCall).call
    dialog = right.agent._core.calls[call].dialog
    (entry,) = secretary.last(EventReceived).document.dialogs
    assert (entry.call_id, entry.local_tag, entry.remote_tag) == dialog.key
    assert entry.remote.target.startswith("sip:")
    assert secretary.last(EventReceived).document.entity == "sip:101@192.0.2.1"


def test_a_call_we_place_is_seen_too(world, pair, secretary):
    left, right = pair
    right.agent.invite("mine", LINE, "700", world.now)
    world.run(2.0)
    assert seen(secretary)[-1] == [(Phase.TRYING, True, "sip:700@192.0.2.1")]
    call = left.last(IncomingCall).call
    left.agent.ring(call, world.now)
    world.run(2.0)
    assert seen(secretary)[-1][0][:2] == (Phase.EARLY, True)
    left.agent.accept(call, b"v=0 answer", world.now)
    world.run(2.0)
    assert seen(secretary)[-1][0][:2] == (Phase.CONFIRMED, True)


def documents(world):
    """What was notified, in its order: (version, state, [(phase, event, code)])."""
    found = []
    for row in world.log:
        head, _, body = row[3].partition(b"\r\n\r\n")
        if head.startswith(b"NOTIFY") and b"dialog-info" in body:
            root = read_xml(body, "dialog-info")
            told = [
                (
                    each.said("state"),
                    each.child("state").get("event"),
                    each.child("state").get("code"),
                )
                for each in root.all("dialog")
            ]
            found.append((int(root.get("version")), root.get("state"), told))
    return found


def test_after_the_first_document_only_what_changed_is_told(world, pair, secretary):
    """RFC 4235 §3.7: partial documents; §4.1.1: each has the next version."""
    left, right = pair
    left.agent.invite("one", LINE, "600", world.now)
    world.run(2.0)
    right.agent.accept(right.last(IncomingCall).call, b"v=0 answer", world.now)
    world.run(2.0)
    left.agent.invite("two", LINE, "600", world.now)
    world.run(2.0)
    left.agent.end("one", world.now)
    world.run(2.0)
    secretary.agent.subscriptions.refresh("blf", world.now)
    world.run(2.0)
    assert documents(world) == [
        (0, "full", []),
        (1, "partial", [("trying", "", "")]),
        (2, "partial", [("confirmed", "", "")]),
        (3, "partial", [("trying", "", "")]),
        (4, "partial", [("terminated", "remote-bye", "")]),
        (5, "full", [("trying", "", "")]),
    ]
    assert [phase for phase, *_ in seen(secretary)[-1]] == [Phase.TRYING]


@pytest.mark.parametrize(
    ("by_caller", "event", "code"), [(True, "cancelled", "487"), (False, "rejected", "486")]
)
def test_how_a_call_that_nobody_took_ended(world, pair, secretary, by_caller, event, code):
    """RFC 4235 §3.7.1."""
    left, right = pair
    left.agent.invite("out", LINE, "600", world.now)
    world.run(2.0)
    right.agent.ring(right.last(IncomingCall).call, world.now)
    world.run(2.0)
    if by_caller:
        left.agent.end("out", world.now)
    else:
        right.agent.reject(right.last(IncomingCall).call, 486, world.now)
    world.run(2.0)
    assert documents(world)[-1][1:] == ("partial", [("terminated", event, code)])
    assert seen(secretary)[-1] == []
    assert len(right.agent._own_calls._endings) == 1


def test_a_document_that_was_not_taken_is_told_whole_the_next_time(world, pair):
    """RFC 4235 §4.1.1: a subscriber that misses one would ask for all; it need not."""
    left, right = pair
    right.line("192.0.2.1", register=False, accept_any_user=True, peers=("192.0.2.9",))
    watcher = Stranger(world, "192.0.2.9")
    verdicts = [200, 500, 200, 200]
    watcher.reply = lambda message: (
        [answer_to(message, verdicts.pop(0))] if getattr(message, "method", "") == "NOTIFY" else []
    )
    rows = (
        "SUBSCRIBE sip:101@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKs\r\n"
        "From: <sip:w@x>;tag=w\r\nTo: <sip:101@x>\r\nCall-ID: s\r\nCSeq: 1 SUBSCRIBE\r\n"
        "Contact: <sip:w@192.0.2.9>\r\nEvent: dialog\r\nExpires: 600\r\n\r\n"
    )
    watcher.tell(rows.encode(), right)
    world.run(2.0)
    left.agent.invite("out", LINE, "600", world.now)
    world.run(40.0)
    assert [state for _, state, _ in documents(world)] == ["full", "partial", "full"]


def test_who_wants_to_stay_unnamed_is_not_found_by_the_contact(world, pair, secretary):
    """RFC 4235 §7."""
    left, _ = pair
    left.agent.invite("out", LINE, "600", world.now, anonymous=True)
    world.run(2.0)
    [entry] = secretary.last(EventReceived).document.dialogs
    assert entry.remote.uri == "sip:anonymous@anonymous.invalid"
    assert entry.remote.target == ""


def test_many_changes_within_a_second_are_one_document(world, pair, secretary):
    """RFC 4235 §3.10: no more than one a second."""
    left, right = pair
    left.agent.invite("out", LINE, "600", world.now)
    world.run(0.05)
    right.agent.accept(right.last(IncomingCall).call, b"v=0 answer", world.now)
    world.run(0.05)
    world.run(1.0)
    assert [len(each) for each in seen(secretary)] == [0, 1]


@pytest.mark.parametrize(("named", "count"), [("{0}", 1), ("other", 0)])
def test_one_dialog_may_be_asked_for(world, pair, secretary, named, count):
    """RFC 4235 §3.2."""
    left, right = pair
    left.agent.invite("out", LINE, "600", world.now)
    world.run(0.1)
    call_id = right.last(IncomingCall).call_id
    secretary.agent.subscriptions.subscribe(
        "one", LINE, "dialog", world.now, target="101",
        params=(("call-id", f'"{named.format(call_id)}"'),), once=True,
    )  # fmt: skip
    world.run(1.0)
    told = [each.document for each in secretary.of(EventReceived) if each.ref == "one"]
    assert [len(document.dialogs) for document in told] == [count]


def test_nothing_is_kept_for_those_who_have_gone(world, pair, secretary):
    _, right = pair
    secretary.agent.subscriptions.unsubscribe("blf", world.now)
    world.run(100.0)
    assert len(right.agent._own_calls) == 0
    assert len(right.agent) == 0
    assert len(secretary.agent) == 0


def test_options_say_what_may_be_watched(world, pair):
    """RFC 6665 §4.4.4."""
    left, right = pair
    request = (
        "OPTIONS sip:101@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKo\r\n"
        "From: <sip:a@x>;tag=a\r\nTo: <sip:101@x>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\n\r\n"
    )
    world.send(left, request.encode(), Flow(Transport.UDP, left.endpoint, right.endpoint))
    world.run(0.1)
    (answer,) = [row[3] for row in world.log if b"Allow-Events" in row[3]]
    assert b"Allow-Events: dialog" in answer


def test_an_invite_and_its_2xx_say_what_may_be_watched(world, pair):
    """RFC 6665 §8.2.2 (its §4.4.4): in what makes a dialog, on both sides."""
    left, right = pair
    left.agent.invite("out", LINE, "600", world.now)
    world.run(0.1)
    right.agent.accept(right.last(IncomingCall).call, b"v=0 answer", world.now)
    world.run(0.1)
    left.agent.subscriptions.subscribe("s", LINE, "dialog", world.now, target="600")
    world.run(0.1)
    rows = {bytes(row[3].split(b" ", 2)[0]): row[3] for row in world.log if b"CSeq: 1 " in row[3]}
    for method in (b"INVITE", b"SUBSCRIBE"):
        assert b"\r\nAllow-Events: dialog, presence\r\n" in rows[method]
    ours = [row[3] for row in world.log if b" 200 " in row[3][:12] and b" INVITE\r\n" in row[3]]
    assert all(b"\r\nAllow-Events: dialog, presence\r\n" in answer for answer in ours)
    assert ours


def test_f28_an_invite_with_all_codecs_is_still_a_datagram(world, pair):
    """RFC 3261 §18.1.1: at most 1300 octets; what we can do must leave room for names."""
    left, _ = pair
    audio = AudioSettings(codecs=("opus", "g722", "pcmu", "pcma"))
    opened = Negotiation.open(capabilities_of(audio), "192.0.2.101", 40000, 7)
    left.script = lambda _: None
    left.agent.invite("out", LINE, "600", world.now)
    world.run(0.1)
    left.agent.offer("out", opened.make_offer(held=False)[1], world.now)
    world.run(0.1)
    invite = next(row[3] for row in world.log if row[3].startswith(b"INVITE"))
    assert len(invite) <= LONGEST - 150


def test_a02_a_stranger_sees_no_calls(world, pair):
    _, right = pair
    spy = Desk(world, "203.0.113.66")
    spy.line("192.0.2.2", register=False)
    spy.agent.subscriptions.subscribe("spy", LINE, "dialog", world.now, target="101")
    world.run(40.0)
    assert spy.of(EventReceived) == []
    assert len(right.agent.notifiers) == 0
