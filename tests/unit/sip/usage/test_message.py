"""Short texts: sent, received, refused; who is writing."""

import pytest

from firmware.sip.errors import LocalError
from firmware.sip.names import FailureCause, LineName, MessageRef, Party
from firmware.sip.notifications import CallEnded, ConnectedParty
from firmware.sip.told import ComposingChanged, MessageOutcome, MessageReceived
from firmware.sip.usage.message import MOST_OCTETS

REF, LINE = MessageRef("m1"), LineName("desk")
ALICE = Party("Alice", "alice", "sip:alice@pbx.example")
TEXT = ("Content-Type", "text/plain;charset=utf-8")
COMPOSING = ("Content-Type", "application/im-iscomposing+xml")


def composing(state, refresh=""):
    inner = f"<state>{state}</state>{refresh}"
    return f'<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing">{inner}</isComposing>'


@pytest.fixture
def say(world, desk, pbx, sip):
    """Send a MESSAGE to the desk; gives the answer."""
    count = iter(range(10_000_000))

    def tell(*rows, body=b"", sender=pbx):
        number = next(count)
        if isinstance(body, str):
            body = body.encode()
        message = sip.request("MESSAGE", "sip:101@192.0.2.1", *rows, body=body,
                              branch=f"z9hG4bKm{number}", call_id=f"m{number}",
                              sender=sender.endpoint.host)  # fmt: skip
        before = len(sender.inbox)
        sender.tell(message, desk)
        world.run(0.02)
        return sender.inbox[-1] if len(sender.inbox) > before else None

    return tell


class TestReceived:
    def test_a_text_is_told_and_answered_with_nothing_but_200(self, desk, say):
        """RFC 3428 §7."""
        answer = say(TEXT, ("Subject", "Lunch"), body="Grüß dich\r\nCome!")
        assert (answer.status, answer.body, answer.headers.get("Contact")) == (200, b"", None)
        assert desk.of(MessageReceived) == [
            MessageReceived(LINE, ALICE, "Grüß dich\nCome!", subject="Lunch")
        ]

    def test_a_text_that_does_not_say_what_it_is(self, desk, say):
        """RFC 3261 §20.15: it should have."""
        assert say(("Content-Type", ""), body="Hello").status == 200
        assert desk.last(MessageReceived).text == "Hello"

    def test_when_it_was_sent(self, desk, say):
        say(TEXT, ("Date", "Sat, 13 Nov 2010 23:29:00 GMT"), body="x")
        assert desk.last(MessageReceived).sent_at == 1289690940.0

    @pytest.mark.parametrize(
        ("kind", "body", "text"),
        [
            ("text/plain", b"caf\xc3\xa9", "café"),
            ("text/plain", b"caf\xe9", "café"),
            ("text/plain; charset=ISO-8859-1", b"caf\xe9", "café"),
            ('Text/Plain; charset="utf-8"', "日本".encode(), "日本"),
            ("text/plain;charset=klingon", b"x", "x"),
            ("text/plain", b"a\x1b[2Jb\x00\tc\r\n", "a[2Jb c"),
        ],
    )
    def test_a23_only_letters_are_shown(self, desk, say, kind, body, text):
        assert say(("Content-Type", kind), body=body).status == 200
        assert desk.last(MessageReceived).text == text

    def test_the_text_among_other_parts(self, desk, say):
        body = "--b\r\nContent-Type: text/html\r\n\r\n<b>x</b>\r\n--b\r\n\r\nplain\r\n--b--"
        say(("Content-Type", "multipart/alternative;boundary=b"), body=body)
        assert desk.last(MessageReceived).text == "plain"

    def test_the_text_in_its_envelope(self, desk, say):
        """RFC 3862 §3."""
        body = "From: <im:a@b>\r\nTo: <im:c@d>\r\n\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
        say(("Content-Type", "Message/CPIM"), body=body)
        assert desk.last(MessageReceived).text == "Hello"

    @pytest.mark.parametrize(
        ("rows", "body", "status"),
        [
            ([("Content-Type", "text/html")], b"<b>x</b>", 415),
            ([("Content-Type", "message/cpim")], b"From: x\r\n\r\nno inside", 415),
            ([("Content-Type", "application/octet-stream")], b"\x00" * 4000, 415),
            ([TEXT], b"x" * 4097, 413),
            ([("Content-Type", "multipart/mixed")], b"x", 400),
            ([COMPOSING], b"<not-xml", 400),
            ([COMPOSING], b"<isComposing/>", 400),
            ([TEXT, ("Content-Encoding", "gzip")], b"\x1f\x8b", 415),
            ([TEXT, ("Require", "magic")], b"x", 420),
        ],
    )
    def test_what_is_not_taken(self, desk, say, rows, body, status):
        """RFC 3428 §7: 415 says what would be."""
        answer = say(*rows, body=body)
        assert answer.status == status
        assert desk.of(MessageReceived) == []
        if status == 415 and "Content-Encoding" not in dict(rows):
            assert answer.headers.get("Accept") == "text/plain, application/im-iscomposing+xml"

    def test_an_empty_one_is_taken_and_not_shown(self, desk, say):
        assert say().status == 200
        assert say(TEXT, body=b"\x00\x07").status == 200
        assert desk.of(MessageReceived) == []

    def test_a15_xml_that_wants_to_grow_does_not(self, desk, say):
        bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><isComposing>&b;</isComposing>'
        assert say(COMPOSING, body=bomb).status == 400
        assert say(COMPOSING, body="<isComposing>" * 200).status == 400
        assert len(desk.agent.messages) == 0

    def test_a21_the_network_says_who_sent_it(self, desk, say):
        say(TEXT, ("P-Asserted-Identity", '"Bob" <sip:102@pbx>'), body="x")
        assert desk.last(MessageReceived).sender == Party("Bob", "102", "sip:102@pbx")

    def test_a21_a_stranger_s_text_is_never_seen_nor_answered(self, world, desk, say, sip):
        stranger = sip.Stranger(world, "203.0.113.66")
        assert say(TEXT, body="Your bank needs your PIN", sender=stranger) is None
        assert desk.of(MessageReceived) == []

    def test_a11_a_flood_of_texts_is_cut(self, world, say):
        answers = [say(TEXT, body=f"{number}") for number in range(60)]
        refused = [answer for answer in answers if answer.status == 480]
        assert 30 <= len(refused) <= 40
        assert refused[0].headers.get("Retry-After") == "10"
        world.run(10.0)
        assert say(TEXT, body="later").status == 200

    @pytest.mark.slow
    def test_ten_thousand_texts_leave_nothing(self, world, desk, say):
        for _ in range(10_000):
            say(TEXT, body="x")
        world.run(60.0)
        assert len(desk.agent) == 0


class TestInCalls:
    def test_both_may_write(self, talking):
        """RFC 3428 §4: a MESSAGE in the dialog belongs to what is said there."""
        world, left, right, out, arrived = talking
        right.agent.messages.send(REF, LINE, "", "Look at the door", world.now, call=arrived)
        left.agent.messages.send(REF, LINE, "", "I see", world.now, call=out)
        world.run(0.1)
        heard = left.last(MessageReceived)
        assert (heard.text, heard.call) == ("Look at the door", out)
        assert right.last(MessageReceived).text == "I see"
        texts = [row[3] for row in world.log if row[3].startswith(b"MESSAGE")]
        assert all(b";tag=" in text.partition(b"To: ")[2].split(b"\r\n")[0] for text in texts)
        assert right.last(MessageOutcome).status == 200
        assert left.of(CallEnded) == []

    def test_that_somebody_writes_is_seen_there_too(self, talking):
        world, left, right, out, arrived = talking
        right.agent.messages.compose(LINE, "", world.now, active=True, call=arrived)
        world.run(1.0)
        assert (left.last(ComposingChanged).active, left.last(ComposingChanged).call) == (True, out)
        world.run(16.0)
        assert not left.last(ComposingChanged).active

    def test_what_waits_when_the_call_ends_is_not_sent_elsewhere(self, talking):
        world, left, right, out, _ = talking
        world.silent.add(right.endpoint)
        for number in range(3):
            ref = MessageRef(f"m{number}")
            left.agent.messages.send(ref, LINE, "", "secret", world.now, call=out)
        world.run(0.1)
        left.agent.end(out, world.now)
        world.run(60.0)
        sent = {row[3] for row in world.log if row[3].startswith(b"MESSAGE")}
        assert len({text.partition(b"CSeq: ")[2].split(b"\r\n")[0] for text in sent}) == 1
        assert len(left.of(MessageOutcome)) == 3
        with pytest.raises(LocalError):
            left.agent.messages.send(REF, LINE, "", "too late", world.now, call=out)

    def test_a21_a_far_end_that_is_no_friend_cannot_name_itself(self, world, desk, pbx, sip):
        """RFC 3325 §9.1: straight from the far end, an assertion is worth nothing."""
        pbx.reply = lambda message: (
            [sip.answer_to(message, 200, ("Contact", "<sip:600@203.0.113.66>"))]
            if getattr(message, "method", "") == "INVITE"
            else []
        )
        desk.agent.invite("out", LINE, "600", world.now)
        world.run(0.1)
        desk.agent.offer("out", sip.OFFER, world.now)
        world.run(0.1)
        ours = pbx.requests("INVITE")[-1].headers
        tag = ours.get("From").partition("tag=")[2]
        stranger = sip.Stranger(world, "203.0.113.66")
        bank = ("P-Asserted-Identity", '"The Bank" <sip:1@bank.example>')
        message = sip.request("MESSAGE", "sip:101@192.0.2.1", TEXT, bank, tag=tag, body=b"PIN?",
                              call_id=ours.get("Call-ID"), sender="203.0.113.66")  # fmt: skip
        message.headers.set("From", '"The Bank" <sip:1@bank.example>;tag=pbx')
        stranger.tell(message, desk)
        world.run(0.1)
        assert desk.last(MessageReceived).sender.user == "600"
        assert desk.of(ConnectedParty) == []


class TestComposing:
    def test_somebody_writes_until_the_text_comes(self, desk, say):
        """RFC 3994 §3.3."""
        line = LINE
        say(COMPOSING, body=composing("active", "<refresh>90</refresh>"))
        say(COMPOSING, body=composing("active"))
        assert desk.of(ComposingChanged) == [ComposingChanged(line, ALICE, active=True)]
        say(TEXT, body="Hello")
        assert desk.of(ComposingChanged)[1:] == [ComposingChanged(line, ALICE, active=False)]
        assert len(desk.agent.messages) == 0

    def test_in_an_envelope(self, desk, say):
        """RFC 3994 §3.5."""
        inside = f"Content-Type: application/im-iscomposing+xml\r\n\r\n{composing('active')}"
        say(("Content-Type", "message/cpim"), body=f"From: <im:a@b>\r\n\r\n{inside}")
        assert desk.last(ComposingChanged).active

    @pytest.mark.parametrize("state", ["idle", "asleep"])
    def test_or_stops(self, desk, say, state):
        """RFC 3994 §3.5: what nobody knows is as idle."""
        say(COMPOSING, body=composing("active"))
        say(COMPOSING, body=composing(state))
        say(COMPOSING, body=composing(state))
        assert [news.active for news in desk.of(ComposingChanged)] == [True, False]

    @pytest.mark.parametrize(
        ("refresh", "seconds"),
        [("", 120), ("<refresh>60</refresh>", 60), ("<refresh>x</refresh>", 120)],
    )
    def test_or_says_nothing_more(self, world, desk, say, refresh, seconds):
        """RFC 3994 §3.3: two minutes unless it says otherwise."""
        say(COMPOSING, body=composing("active", refresh))
        world.run(seconds - 1)
        assert desk.last(ComposingChanged).active
        world.run(2)
        assert not desk.last(ComposingChanged).active
        assert len(desk.agent.messages) == 0

    def test_a_removed_line_has_no_writers(self, world, desk, say):
        say(COMPOSING, body=composing("active"))
        desk.agent.set_lines((), world.now)
        world.run(60.0)
        assert len(desk.agent) == 0

    def test_not_everybody_at_once(self, desk, say):
        for number in range(60):
            desk.agent.messages._allowances.clear()
            asserted = ("P-Asserted-Identity", f"<sip:{number}@pbx>")
            say(COMPOSING, asserted, body=composing("active"))
        assert len(desk.agent.messages) == 32


@pytest.fixture
def verdicts(pbx, sip):
    """What the PBX says to each of our MESSAGEs in turn, the last one for good; None: nothing."""

    def set_to(*statuses):
        left = list(statuses)

        def reply(message):
            if getattr(message, "method", "") != "MESSAGE":
                return []
            status = left.pop(0) if len(left) > 1 else left[0]
            return [] if status is None else [sip.answer_to(message, status)]

        pbx.reply = reply

    return set_to


def bodies(pbx):
    """What of our texts the PBX has seen, retransmissions apart: letters, `active`, `idle`."""
    seen = {
        request.headers.get("Call-ID"): request.body.decode() for request in pbx.requests("MESSAGE")
    }
    words = ("active", "idle")
    return [next((word for word in words if f">{word}<" in body), body) for body in seen.values()]


class TestOneAfterTheOther:
    def test_a_second_text_waits_for_the_answer_to_the_first(self, world, desk, pbx, verdicts):
        """RFC 3428 §8: no new MESSAGE to a URI while another is pending."""
        verdicts(None)
        for number in range(3):
            desk.agent.messages.send(MessageRef(f"m{number}"), LINE, "102", f"{number}", world.now)
        desk.agent.messages.send(MessageRef("other"), LINE, "103", "to somebody else", world.now)
        world.run(0.4)
        assert bodies(pbx) == ["0", "to somebody else"]
        verdicts(200)
        world.run(2.0)
        assert sorted(bodies(pbx)) == ["0", "1", "2", "to somebody else"]
        order = [news.ref for news in desk.of(MessageOutcome) if news.ref != "other"]
        assert order == ["m0", "m1", "m2"]
        world.run(40.0)
        assert len(desk.agent) == 0

    def test_one_that_is_refused_does_not_hold_up_the_next(self, world, desk, verdicts):
        verdicts(415, 200)
        for number in range(2):
            desk.agent.messages.send(MessageRef(f"m{number}"), LINE, "102", "x", world.now)
        world.run(0.2)
        causes = [news.cause for news in desk.of(MessageOutcome)]
        assert causes == [FailureCause.NOT_ACCEPTABLE, None]

    def test_where_nobody_answers_those_behind_do_not_wait_as_long(self, world, desk, verdicts):
        verdicts(None)
        for number in range(5):
            desk.agent.messages.send(MessageRef(f"m{number}"), LINE, "102", "x", world.now)
        world.run(40.0)
        assert [news.cause for news in desk.of(MessageOutcome)] == [FailureCause.NO_ANSWER] * 5
        assert len(desk.agent) == 0

    def test_a_destination_takes_only_so_many(self, world, desk, verdicts):
        verdicts(None)
        for number in range(16):
            desk.agent.messages.send(MessageRef(f"m{number}"), LINE, "102", "x", world.now)
        with pytest.raises(LocalError):
            desk.agent.messages.send(MessageRef("more"), LINE, "102", "x", world.now)
        desk.agent.messages.compose(LINE, "102", world.now, active=True)  # not worth an error
        assert len(desk.agent.messages) == 17


class TestWriting:
    """RFC 3994 §3.2."""

    def test_a_pause_is_told_after_fifteen_seconds(self, world, desk, pbx, verdicts):
        verdicts(200)
        for _ in range(10):
            desk.agent.messages.compose(LINE, "102", world.now, active=True)
            world.run(10.0)
        assert bodies(pbx) == ["active", "active"]  # the second refreshes the first, after 60 s
        world.run(4.0)
        assert bodies(pbx) == ["active", "active"]
        world.run(2.0)
        assert bodies(pbx) == ["active", "active", "idle"]
        world.run(200.0)
        assert len(bodies(pbx)) == 3
        assert len(desk.agent) == 0

    def test_the_text_itself_says_enough(self, world, desk, pbx, verdicts):
        verdicts(200)
        desk.agent.messages.compose(LINE, "102", world.now, active=True)
        world.run(1.0)
        desk.agent.messages.send(REF, LINE, "102", "Hello", world.now)
        world.run(100.0)
        assert bodies(pbx) == ["active", "Hello"]
        assert len(desk.agent) == 0

    def test_who_stops_and_goes_on_does_not_flood(self, world, desk, pbx, verdicts):
        verdicts(200)
        for _ in range(40):
            desk.agent.messages.compose(LINE, "102", world.now, active=True)
            desk.agent.messages.compose(LINE, "102", world.now, active=False)
            world.run(0.25)
        assert bodies(pbx) == ["active", "idle"] * 2

    def test_while_nobody_answers_only_the_latest_is_kept(self, world, desk, pbx, verdicts):
        verdicts(None)
        desk.agent.messages.compose(LINE, "102", world.now, active=True)
        world.run(6.0)
        desk.agent.messages.compose(LINE, "102", world.now, active=False)
        desk.agent.messages.compose(LINE, "102", world.now, active=True)
        desk.agent.messages.compose(LINE, "102", world.now, active=False)
        verdicts(200)
        world.run(30.0)
        assert bodies(pbx) == ["active", "idle"]

    @pytest.mark.parametrize("status", [415, 405, 501])
    def test_who_does_not_understand_is_told_no_more(self, world, desk, pbx, verdicts, status):
        """RFC 3994 §4."""
        verdicts(status)
        for _ in range(5):
            desk.agent.messages.compose(LINE, "102", world.now, active=True)
            world.run(20.0)
        assert bodies(pbx) == ["active"]
        assert len(desk.agent) == 0

    def test_a_removed_line_writes_to_nobody(self, world, desk, pbx, verdicts):
        verdicts(200)
        desk.agent.messages.compose(LINE, "102", world.now, active=True)
        world.run(0.1)
        desk.agent.set_lines((), world.now)
        world.run(100.0)
        assert bodies(pbx) == ["active"]
        assert len(desk.agent) == 0


class TestSent:
    @pytest.fixture
    def verdict(self, pbx, sip):
        """What the PBX says to our texts."""

        def set_to(status):
            pbx.reply = lambda message: (
                [sip.answer_to(message, status)] if getattr(message, "method", "") else []
            )

        return set_to

    def test_a_text_goes_out_and_is_taken(self, world, desk, pbx, verdict):
        """RFC 3428 §4: no Contact, no dialog."""
        verdict(200)
        desk.agent.messages.send(REF, LINE, "102", "Grüße", world.now)
        world.run(0.1)
        request = pbx.requests("MESSAGE")[0]
        assert request.uri == "sip:102@192.0.2.9"
        assert request.headers.get("Content-Type") == "text/plain;charset=utf-8"
        assert "Contact" not in request.headers
        assert request.body == "Grüße".encode()
        outcome = MessageOutcome(REF, LINE, status=200, phrase="Said So")
        assert desk.of(MessageOutcome) == [outcome]
        assert len(desk.agent.messages) == 0

    @pytest.mark.parametrize(
        ("status", "cause"),
        [(202, None), (404, FailureCause.NOT_FOUND), (480, FailureCause.NO_ANSWER)],
    )
    def test_what_became_of_it(self, world, desk, verdict, status, cause):
        verdict(status)
        desk.agent.messages.send(REF, LINE, "102", "x", world.now)
        world.run(0.1)
        outcome = desk.last(MessageOutcome)
        assert (outcome.status, outcome.cause) == (status, cause)

    def test_nobody_answers(self, world, desk, pbx):
        pbx.reply = lambda _: []
        desk.agent.messages.send(REF, LINE, "102", "x", world.now)
        world.run(40.0)
        assert desk.last(MessageOutcome).cause is FailureCause.NO_ANSWER

    def test_an_anonymous_line_writes_anonymously(self, world, desk, pbx, sip, verdict):
        """RFC 3323 §4.1.1.3."""
        verdict(200)
        desk.line(sip.PBX, anonymous=True)
        desk.agent.messages.send(REF, LINE, "102", "x", world.now)
        world.run(0.1)
        headers = pbx.requests("MESSAGE")[0].headers
        assert "anonymous.invalid" in headers.get("From")
        assert headers.get("Privacy") == "id"

    @pytest.mark.parametrize(
        ("line", "target", "text"),
        [
            ("desk", "102", ""),
            ("desk", "102", " \n"),
            ("desk", "102", "x" * (MOST_OCTETS + 1)),
            ("desk", "1 02", "x"),
            ("none", "102", "x"),
        ],
    )
    def test_what_cannot_be_sent_is_said_at_once(self, world, desk, line, target, text):
        """RFC 3428 §8: no larger than fits into a datagram."""
        with pytest.raises(LocalError):
            desk.agent.messages.send(REF, line, target, text, world.now)
        assert len(desk.agent.messages) == 0

    def test_one_name_one_text(self, world, desk):
        desk.agent.messages.send(REF, LINE, "102", "x", world.now)
        with pytest.raises(LocalError):
            desk.agent.messages.send(REF, LINE, "102", "x", world.now)

    def test_somebody_here_writes(self, world, desk, pbx, verdict):
        """RFC 3994 §3.2: what it looks like."""
        verdict(200)
        desk.agent.messages.compose(LINE, "102", world.now, active=True)
        desk.agent.messages.compose(LINE, "102", world.now, active=False)
        world.run(0.1)
        active, idle = pbx.requests("MESSAGE")
        assert b"<state>active</state>" in active.body
        assert b"<refresh>60</refresh>" in active.body
        assert b"<state>idle</state>" in idle.body
        assert b"<refresh>" not in idle.body
        assert desk.of(MessageOutcome) == []

    def test_between_two_of_ours(self, world, pair):
        left, right = pair
        left.agent.messages.compose("desk", "600", world.now, active=True)
        world.run(0.1)
        left.agent.messages.send(REF, "desk", "600", "Hello", world.now)
        world.run(0.1)
        kinds = [type(each) for each in right.heard]
        assert kinds == [ComposingChanged, ComposingChanged, MessageReceived]
        assert left.last(MessageOutcome).status == 200
