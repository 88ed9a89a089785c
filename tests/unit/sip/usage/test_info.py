"""INFO inside a call: digits both ways, packages."""

import pytest

from firmware.sip.agent import AgentSettings
from firmware.sip.errors import LocalError
from firmware.sip.notifications import (
    CallEnded,
    CallRef,
    DigitsRefused,
    FailureCause,
    IncomingCall,
    InfoAnswered,
    InfoDigit,
    InfoReceived,
    OfferWanted,
)
from firmware.sip.usage.info import PLAIN, RELAY, read_digit

OUT = CallRef("out")


@pytest.fixture
def up(world, desk, pbx, sip):
    """A call that is up; INFOs of ours are answered by `pbx.verdict_on_info`."""
    pbx.infos = []

    def reply(message):
        method = getattr(message, "method", "")
        if method == "INVITE":
            return [sip.answer_to(message, 200, ("Contact", "<sip:600@192.0.2.9>"))]
        if method == "INFO":
            pbx.infos.append(message)
            return [sip.answer_to(message, status) for status in pbx.verdict_on_info(message)]
        return [sip.answer_to(message, 200)] if method == "BYE" else []

    pbx.reply = reply
    pbx.verdict_on_info = lambda _: [200]
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.1)
    desk.agent.offer(desk.last(OfferWanted).call, sip.OFFER, world.now)
    world.run(0.1)
    return desk


def tell(world, desk, pbx, sip, *rows, body=b"", cseq=1):
    ours = pbx.requests("ACK")[-1].headers
    tag = ours.get("From").partition("tag=")[2]
    message = sip.request("INFO", "sip:101@192.0.2.1", *rows, tag=tag, cseq=cseq, body=body,
                          call_id=ours.get("Call-ID"), branch=f"z9hG4bK{cseq}")  # fmt: skip
    message.headers.set("From", "<sip:600@192.0.2.9>;tag=pbx")
    pbx.tell(message, desk)
    world.run(0.1)
    return next(each for each in reversed(pbx.inbox) if hasattr(each, "status"))


class TestDigitsOfOurs:
    def test_each_waits_for_the_answer_to_the_one_before(self, world, up, pbx):
        """RFC 3261 §12.2.2: over UDP they could pass each other."""
        pbx.verdict_on_info = lambda _: []
        for digit in "12#":
            up.agent.info_digit(OUT, digit, 120, world.now)
        world.run(0.1)
        assert len(up.agent.info) == 1
        assert [each.body for each in pbx.infos] == [b"Signal=1\r\nDuration=120\r\n"]
        pbx.verdict_on_info = lambda _: [200]
        world.run(2.0)
        assert [each.body[7:8] for each in pbx.infos[-3:]] == [b"1", b"2", b"#"]
        assert len(up.agent.info) == 0

    def test_a_gateway_that_knows_only_the_plain_form(self, world, up, pbx):
        kinds = []

        def verdict(message):
            kinds.append((message.headers.get("Content-Type"), message.body))
            return [200 if kinds[-1][0] == PLAIN else 415]

        pbx.verdict_on_info = verdict
        up.agent.info_digit(OUT, "5", 160, world.now)
        up.agent.info_digit(OUT, "6", 160, world.now)
        world.run(0.2)
        assert kinds == [(RELAY, b"Signal=5\r\nDuration=160\r\n"), (PLAIN, b"5"), (PLAIN, b"6")]
        assert up.of(DigitsRefused) == []

    @pytest.mark.parametrize("status", [405, 415, 469, 501, 603])
    def test_what_the_far_end_does_not_take_is_told(self, world, up, pbx, status):
        pbx.verdict_on_info = lambda _: [status]
        up.agent.info_digit(OUT, "5", 160, world.now)
        up.agent.info_digit(OUT, "6", 160, world.now)
        world.run(0.2)
        assert up.of(DigitsRefused) == [DigitsRefused(OUT, "56")]
        assert len(up.agent.info) == 0

    def test_silence_is_a_refusal_too(self, world, up, pbx):
        pbx.verdict_on_info = lambda _: []
        up.agent.info_digit(OUT, "5", 160, world.now)
        world.run(40.0)
        assert up.of(DigitsRefused) == [DigitsRefused(OUT, "5")]

    def test_the_end_of_the_call_is_the_end_of_its_digits(self, world, up, pbx):
        pbx.verdict_on_info = lambda _: []
        for digit in "123":
            up.agent.info_digit(OUT, digit, 160, world.now)
        world.run(0.1)
        up.agent.end(OUT, world.now)
        pbx.verdict_on_info = lambda _: [200]
        world.run(40.0)
        assert {each.body[7:8] for each in pbx.infos} == {b"1"}
        assert up.of(DigitsRefused) == []
        assert len(up.agent) == 0

    def test_a_person_cannot_fill_the_memory(self, world, up, pbx):
        pbx.verdict_on_info = lambda _: []
        for _ in range(500):
            up.agent.info_digit(OUT, "1", 160, world.now)
        world.run(40.0)
        assert len(up.last(DigitsRefused).digits) == 64

    @pytest.mark.parametrize("digit", ["", "x", "12", "!"])
    def test_what_is_no_key_is_our_own_mistake(self, world, up, digit):
        with pytest.raises(LocalError):
            up.agent.info_digit(OUT, digit, 160, world.now)

    def test_ten_thousand_digits_leave_nothing(self, world, up):
        for _ in range(100):
            for digit in "1234567890" * 5:
                up.agent.info_digit(OUT, digit, 100, world.now)
            world.run(2.0)
        assert len(up.agent.info) == 0


class TestDigitsOfTheFarEnd:
    @pytest.mark.parametrize(
        ("kind", "body", "found"),
        [
            (RELAY, b"Signal=5\r\nDuration=160\r\n", ("5", 160)),
            (RELAY, b"Signal= *\nDuration= 250\n", ("*", 250)),
            (RELAY, b"signal=11\r\nduration=99999\r\n", ("#", 8000)),
            (RELAY, b"Signal=a\r\nDuration=x\r\n", ("A", 160)),
            (RELAY, b"Duration=160\r\n", None),
            (RELAY, b"Signal=55\r\n", None),
            (PLAIN, b"5", ("5", 160)),
            (PLAIN, b" 16 \r\n", ("!", 160)),
            (PLAIN, b"Signal=7\r\nDuration=0\r\n", ("7", 1)),
            (PLAIN, b"\xff", None),
            ("text/plain", b"5", None),
        ],
    )
    def test_digits_are_read_as_gateways_write_them(self, kind, body, found):
        assert read_digit(kind, body) == found

    def test_a_digit_is_told(self, world, up, pbx, sip):
        rows = (("Content-Type", "Application/DTMF-Relay"),)
        answer = tell(world, up, pbx, sip, *rows, body=b"Signal=5\r\nDuration=200\r\n")
        assert answer.status == 200
        assert up.of(InfoDigit) == [InfoDigit(OUT, "5", 200)]

    @pytest.mark.parametrize(
        ("given", "status"),
        [
            (("", b""), 200),
            ((RELAY, b""), 200),
            ((RELAY, b"nonsense"), 400),
            (("application/media_control+xml", b"<media_control/>"), 415),
            (("text/plain", b"hello"), 415),
        ],
    )
    def test_what_is_no_digit(self, world, sip, pbx, up, given, status):
        """RFC 5168 has no meaning for a phone without a camera; RFC 6086 §2 for the others."""
        kind, body = given
        rows = [("Content-Type", kind)] if kind else []
        answer = tell(world, up, pbx, sip, *rows, body=body)
        assert answer.status == status
        assert up.of(InfoDigit) == []
        if status == 415:
            assert answer.headers.get("Accept") == f"{RELAY}, {PLAIN}"


class TestPackages:
    def test_one_we_did_not_announce_is_469(self, world, up, pbx, sip):
        """RFC 6086 §4.2.2."""
        answer = tell(world, up, pbx, sip, ("Info-Package", "weather"), body=b"sun")
        assert (answer.status, answer.headers.get("Recv-Info")) == (469, "")

    def test_one_that_the_owner_takes_is_told(self, world, sip, pbx, desk, up):
        """RFC 6086 §7.2: names compare without case, parameters do not count."""
        object.__setattr__(desk.agent._core, "settings", AgentSettings(info_packages=("Weather",)))
        rows = (("Info-Package", "weather;place=here"), ("Content-Type", "text/plain"))
        assert tell(world, up, pbx, sip, *rows, body=b"sun").status == 200
        assert up.of(InfoReceived) == [InfoReceived(OUT, "Weather", "text/plain", b"sun")]
        answer = tell(world, up, pbx, sip, ("Info-Package", "other"), cseq=2)
        assert (answer.status, answer.headers.get("Recv-Info")) == (469, "Weather")

    @pytest.mark.parametrize(("ours", "said"), [(("weather", "tides"), "weather, tides"), ((), "")])
    def test_what_we_take_stands_in_the_invite(self, world, sip, pbx, ours, said):
        """RFC 6086 §5.2.3: also that we take none."""
        desk = sip.Desk(world, "192.0.2.7", info_packages=ours)
        desk.line(sip.PBX)
        desk.agent.invite(OUT, sip.LINE, "600", world.now)
        world.run(0.1)
        desk.agent.offer(OUT, sip.OFFER, world.now)
        world.run(0.1)
        assert pbx.requests("INVITE")[0].headers.get("Recv-Info") == said

    @pytest.mark.parametrize(
        ("asked", "told"), [((), None), ((("Recv-Info", "x"),), ""), ((("Recv-Info", ""),), "")]
    )
    def test_who_asks_is_told_that_there_are_none(self, world, sip, pbx, desk, asked, told):
        """RFC 6086 §5.2.3."""
        pbx.tell(sip.request("INVITE", "sip:101@192.0.2.1", *asked, body=sip.OFFER), desk)
        world.run(0.1)
        desk.agent.accept(desk.last(IncomingCall).call, sip.ANSWER, world.now)
        world.run(0.1)
        assert pbx.responses(200)[0].headers.get("Recv-Info") == told


def test_info_outside_a_call_belongs_to_nothing(world, desk, pbx, sip):
    pbx.tell(sip.request("INFO", "sip:101@192.0.2.1", body=b"x"), desk)
    world.run(0.1)
    assert pbx.responses(481)


class TestPackagesOfOurs:
    @pytest.fixture
    def taking(self, world, desk, pbx, sip):
        """A call whose far end takes weather; INFOs are answered by `pbx.verdicts` in turn."""
        pbx.verdicts_on_info, pbx.infos = [], []

        def reply(message):
            method = getattr(message, "method", "")
            contact = ("Contact", "<sip:600@192.0.2.9>")
            if method == "INVITE":
                return [sip.answer_to(message, 200, contact, ("Recv-Info", "Weather;v=2, tides"))]
            if method == "INFO":
                pbx.infos.append(message)
                status = pbx.verdicts_on_info.pop(0) if pbx.verdicts_on_info else 200
                return [sip.answer_to(message, status)]
            return [sip.answer_to(message, 200)] if method == "BYE" else []

        pbx.reply = reply
        desk.agent.invite(OUT, sip.LINE, "600", world.now)
        world.run(0.1)
        desk.agent.offer(desk.last(OfferWanted).call, sip.OFFER, world.now)
        world.run(0.1)
        return desk

    def test_what_the_far_end_takes_is_sent(self, world, taking, pbx):
        """RFC 6086 §4.2.1, §4.3.1."""
        taking.agent.info.send(OUT, "weather", "text/plain", b"sun", world.now)
        world.run(0.1)
        [request] = pbx.infos
        assert request.headers.get("Info-Package") == "weather"
        assert request.headers.get("Content-Disposition") == "Info-Package"
        assert "Recv-Info" not in request.headers
        assert request.body == b"sun"
        assert taking.last(InfoAnswered) == InfoAnswered(OUT, "weather", status=200)
        world.run(40.0)
        assert len(taking.agent.info) == 0

    def test_nothing_else_is(self, world, taking, pbx):
        """RFC 6086 §4.2.1: only what was said to be welcome, within the dialog."""
        with pytest.raises(LocalError):
            taking.agent.info.send(OUT, "sports", "text/plain", b"1:0", world.now)
        with pytest.raises(LocalError):
            taking.agent.info.send(CallRef("none"), "weather", "text/plain", b"sun", world.now)
        assert pbx.infos == []

    def test_one_that_is_refused_ends_nothing(self, world, taking, pbx):
        """RFC 6086 §4.2.1 (469): neither the call nor what waits behind it."""
        pbx.verdicts_on_info = [469, 200, 200]
        taking.agent.info.send(OUT, "weather", "text/plain", b"sun", world.now)
        taking.agent.info_digit(OUT, "5", 160, world.now)
        taking.agent.info.send(OUT, "tides", "text/plain", b"low", world.now)
        world.run(0.2)
        told = [(news.package, news.status, news.cause is None) for news in taking.of(InfoAnswered)]
        assert told == [("weather", 469, False), ("tides", 200, True)]
        assert [request.body for request in pbx.infos][1].startswith(b"Signal=5")
        assert taking.of(CallEnded) == []

    def test_what_waits_behind_silence_is_told_too(self, world, taking, pbx):
        world.silent.add(pbx.endpoint)
        for package in ("weather", "tides"):
            taking.agent.info.send(OUT, package, "text/plain", b"x", world.now)
        world.run(40.0)
        causes = [news.cause for news in taking.of(InfoAnswered)]
        assert causes == [FailureCause.NO_ANSWER] * 2
        assert taking.of(DigitsRefused) == []
