"""`deskphone ctl` against a control socket with a make-believe phone behind it."""

import asyncio
import json
from collections.abc import Iterable

import pytest

from firmware.cli import main
from firmware.control import schema as s
from firmware.control.errors import RefusalKind, RefusedError
from firmware.control.server import ControlServer
from firmware.media.messages import PathName
from hal.keys import Key

CALL = s.CallFigures("in-1", "101@pbx", "in", "talking", "Alice", "pcmu", duration=65.0)
STATUS = s.StatusReply(
    "talking",
    (s.LineFigures("101@pbx", registered=True),),
    (CALL,),
    s.AudioFigures("handset", alive=True),
)
ROW = s.LogRow(1_700_000_000.0, "101@pbx", "in", "Alice", "201", "missed", 0.0)


def _wished(request: s.AnyRequest) -> s.AnyResult:
    if isinstance(request, s.Record):
        return s.RecordReply(("/srv/a.wav", "/srv/b.wav") if request.on else ())
    return None


class MakeBelievePhone:
    def __init__(self):
        self.asked: list[s.AnyRequest] = []
        self.refusal: RefusedError | None = None

    async def handle(self, request: s.AnyRequest) -> s.AnyResult:
        self.asked.append(request)
        if self.refusal:
            raise self.refusal
        match request:
            case s.Status():
                return STATUS
            case s.Stats():
                return s.StatsReply(
                    "idle", (), (), s.AudioFigures(None, alive=True), counters={"sip": 3}
                )
            case s.Calls():
                return s.CallsReply((CALL,), (ROW,), more=True)
            case s.Screen():
                return s.ScreenReply(2, 1, b"\x89PNG", "█ ")
            case s.Ladder(skip=skip):
                rows = ("INVITE →", "← 100 Trying", "← 200 OK")
                return s.LadderReply(rows[skip : skip + 2], more=skip < 1)
            case s.Reload():
                return s.ReloadReply(("web.port",), ("audio.card",), ("network.sip_port",))
            case _:
                return _wished(request)

    def present(self) -> Iterable[s.AnyEvent]:
        return (s.NoticeEvent(1.0, "hello"), s.StatusEvent(1.0, STATUS))


@pytest.fixture
def phone():
    return MakeBelievePhone()


@pytest.fixture
async def ctl(phone, tmp_path, capsys):
    path = tmp_path / "control.sock"
    server = ControlServer(phone)
    await server.start(path)

    async def ctl(*arguments: str):
        code = await asyncio.to_thread(main, ["ctl", "--control", str(path), *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    yield ctl
    await server.stop()


WISHES = [
    (("key", "5"), s.Key(key=Key.DIGIT_5)),
    (("key", "#", "--down"), s.Key(key=Key.POUND, move=s.KeyMove.DOWN)),
    (("key", "speaker", "--up"), s.Key(key=Key.SPEAKER, move=s.KeyMove.UP)),
    (("hook", "up"), s.Hook(move=s.HookMove.UP)),
    (("hook", "down"), s.Hook(move=s.HookMove.DOWN)),
    (("hook", "flash"), s.Hook(move=s.HookMove.FLASH)),
    (("dial", "600"), s.Dial(target="600")),
    (("message", "102", "See", "you"), s.Message(target="102", text="See you")),
    (("dial", "sip:a@b", "--line", "101@pbx"), s.Dial(target="sip:a@b", line="101@pbx")),
    (("answer",), s.Answer()),
    (("hangup", "in-1"), s.HangUp(call="in-1")),
    (("hold",), s.Hold()),
    (("resume",), s.Resume()),
    (("transfer", "102"), s.Transfer(target="102")),
    (("dtmf", "12#"), s.Dtmf(digits="12#")),
    (("mute", "on"), s.Mute(on=True)),
    (("mute", "off"), s.Mute(on=False)),
    (("volume", "up"), s.Volume(step=10)),
    (("volume", "down", "ringer"), s.Volume(step=-10, path=PathName.RINGER)),
    (("volume", "40", "speaker"), s.Volume(level=40, path=PathName.SPEAKER)),
    (("path", "headset"), s.Path(path=PathName.HEADSET)),
    (("play", "/srv/a.wav", "in-1"), s.Play(file="/srv/a.wav", call="in-1")),
]


@pytest.mark.parametrize(("arguments", "request_"), WISHES, ids=lambda value: str(value)[:24])
async def test_a_wish_reaches_the_phone_and_says_nothing(ctl, phone, arguments, request_):
    assert await ctl(*arguments) == (0, "", "")

    (asked,) = phone.asked
    assert asked == type(asked)(**{**_fields(request_), "id": asked.id})


async def test_record_prints_where_it_writes(ctl, phone):
    assert await ctl("record", "on", "in-1") == (0, "/srv/a.wav\n/srv/b.wav\n", "")
    (asked,) = phone.asked
    assert (asked.on, asked.call) == (True, "in-1")
    assert await ctl("record", "off") == (0, "", "")


def _fields(request_: s.AnyRequest) -> dict:
    return {name: getattr(request_, name) for name in request_.__struct_fields__}


async def test_status_is_json_on_one_line(ctl):
    code, out, _ = await ctl("status")

    status = json.loads(out)
    assert (code, out.count("\n")) == (0, 1)
    assert status["lines"][0]["name"] == "101@pbx"
    assert set(status) >= {"state", "lines", "calls", "audio", "reason", "version"}
    assert set(status["calls"][0]) >= {
        "id", "line", "direction", "state", "remote", "codec", "secure", "held", "duration", "rtp",
    }  # fmt: skip


async def test_stats_have_counters(ctl):
    assert json.loads((await ctl("stats"))[1])["counters"] == {"sip": 3}


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("status", "line 101@pbx: registered"),
        ("stats", "sip: 3"),
        ("calls", "Alice (201): missed"),
        ("reload", "waits until no call is up: audio.card"),
    ],
)
async def test_answers_can_be_had_as_text(ctl, verb, words):
    code, out, _ = await ctl("--text", verb)

    assert code == 0
    assert words in out


@pytest.mark.parametrize("verb", ["status", "stats", "calls", "reload", "screen", "ladder"])
async def test_the_form_may_be_written_after_the_verb_too(ctl, verb):
    for form in ("--text", "--json"):
        before, after = await ctl(form, verb), await ctl(verb, form)
        assert (after[0], after[1]) == (0, before[1])


async def test_calls_are_asked_for_in_pieces(ctl, phone):
    _, out, _ = await ctl("calls", "--limit", "1", "--skip", "2")

    assert json.loads(out)["log"][0]["user"] == "201"
    assert (phone.asked[0].limit, phone.asked[0].skip) == (1, 2)


async def test_the_screen_is_text_or_a_picture(ctl, tmp_path):
    assert await ctl("screen") == (0, "█ \n", "")

    assert await ctl("screen", "--png", str(tmp_path / "x.png")) == (0, "", "")
    assert (tmp_path / "x.png").read_bytes() == b"\x89PNG"
    assert json.loads((await ctl("--json", "screen"))[1])["width"] == 2


async def test_a_picture_that_cannot_be_written_is_exit_1(ctl, tmp_path):
    code, _, err = await ctl("screen", "--png", str(tmp_path / "nowhere" / "x.png"))

    assert code == 1
    assert (
        err == f"deskphone: {tmp_path}/nowhere/x.png cannot be written: No such file or directory\n"
    )


async def test_a_ladder_is_put_together_from_its_pieces(ctl):
    assert (await ctl("ladder"))[1] == "INVITE →\n← 100 Trying\n← 200 OK\n"


async def test_a_refusal_is_one_line_and_exit_1(ctl, phone):
    phone.refusal = RefusedError("no line is registered")

    assert await ctl("dial", "600") == (1, "", "deskphone: no line is registered\n")


async def test_a_faulty_configuration_is_exit_2(ctl, phone):
    phone.refusal = RefusedError("f:1: a: b", RefusalKind.CONFIG)

    assert await ctl("reload") == (2, "", "f:1: a: b\n")


async def test_an_unknown_key_or_topic_is_exit_2(ctl, phone):
    assert (await ctl("key", "10"))[0] == 2
    assert (await ctl("events", "weather"))[0] == 2
    assert phone.asked == []


async def until(condition):
    while not condition():  # noqa: ASYNC110 - the other side is a thread
        await asyncio.sleep(0)


async def test_events_are_one_object_a_line_until_the_phone_ends(phone, tmp_path, capsys):
    path = tmp_path / "control.sock"
    server = ControlServer(phone)
    await server.start(path)
    running = asyncio.to_thread(main, ["ctl", "--control", str(path), "events", "notice"])
    task = asyncio.ensure_future(running)
    await until(lambda: any(connection._topics for connection in server._connections))

    server.publish(s.NoticeEvent(2.0, "no network"))
    server.publish(s.LampsEvent(2.0, {}))
    await until(lambda: not any(len(connection.outbox) for connection in server._connections))
    await server.stop()

    assert await task == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["text"] for line in lines] == ["hello", "no network"]


def test_no_phone_is_exit_1(tmp_path, capsys):
    assert main(["ctl", "--control", str(tmp_path / "x"), "status"]) == 1
    assert capsys.readouterr().err == f"deskphone: no phone is running at {tmp_path}/x\n"
