"""Every verb has its name, its role, and survives the journey."""

import msgspec
import pytest

from firmware.control import schema
from firmware.control.schema import Role
from firmware.media.messages import PathName
from hal.keys import Key

REQUESTS = [
    (schema.Status(), "status", Role.VIEW),
    (schema.Stats(), "stats", Role.VIEW),
    (schema.Calls(limit=5), "calls", Role.VIEW),
    (schema.Messages(limit=3), "messages", Role.PHONE),
    (schema.MessagesRead(forget=True), "messages_read", Role.PHONE),
    (schema.Tell(text="Hello"), "tell", Role.PHONE),
    (schema.Writing(target="102"), "writing", Role.PHONE),
    (schema.Message(target="102", text="Hello"), "message", Role.PHONE),
    (schema.Screen(), "screen", Role.VIEW),
    (schema.Events(topics=(schema.Topic.CALL,)), "events", Role.VIEW),
    (schema.Key(key=Key.POUND, move=schema.KeyMove.DOWN), "key", Role.PHONE),
    (schema.Hook(move=schema.HookMove.FLASH), "hook", Role.PHONE),
    (schema.Dial(target="600", line="101@pbx"), "dial", Role.PHONE),
    (schema.Answer(), "answer", Role.PHONE),
    (schema.HangUp(call="in-1"), "hangup", Role.PHONE),
    (schema.Unwanted(), "unwanted", Role.PHONE),
    (schema.PickUp(target="102"), "pickup", Role.PHONE),
    (schema.Presence(shown=schema.Shown.AWAY), "presence", Role.PHONE),
    (schema.Hold(), "hold", Role.PHONE),
    (schema.Resume(), "resume", Role.PHONE),
    (schema.Transfer(target="102"), "transfer", Role.PHONE),
    (schema.Conference(on=True), "conference", Role.PHONE),
    (schema.Dtmf(digits="12#"), "dtmf", Role.PHONE),
    (schema.Mute(on=True), "mute", Role.PHONE),
    (schema.Volume(level=40, path=PathName.RINGER), "volume", Role.PHONE),
    (schema.Path(path=PathName.SPEAKER), "path", Role.PHONE),
    (schema.Play(file="/srv/tone.wav"), "play", Role.PHONE),
    (schema.Record(on=True), "record", Role.PHONE),
    (schema.Ladder(call="in-1"), "ladder", Role.ADMIN),
    (schema.Reload(), "reload", Role.ADMIN),
]


@pytest.mark.parametrize(("request_", "verb", "role"), REQUESTS, ids=lambda row: str(row)[:20])
def test_each_verb_keeps_its_name_and_asks_for_its_role(request_, verb, role):
    line = schema.encode(request_)

    assert msgspec.json.decode(line)["verb"] == verb
    assert schema.decode_request(line) == request_
    assert schema.role_needed(request_) is role


def test_every_verb_has_a_row_here():
    assert {type(row[0]) for row in REQUESTS} == set(schema.AnyRequest.__args__)


def test_roles_include_the_ones_below():
    assert Role.ADMIN.covers(Role.VIEW)
    assert Role.PHONE.covers(Role.PHONE)
    assert not Role.VIEW.covers(Role.PHONE)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"hello\n", "malformed"),
        (b'{"verb":"explode"}\n', "explode"),
        (b'{"verb":"dial"}\n', "target"),
        (b'{"verb":"dial","target":"600","tarqet":"7"}\n', "tarqet"),
        (b'{"verb":"key","key":"10"}\n', "10"),
        (b'{"verb":"mute","on":"loud"}\n', "on"),
        (b'{"verb":"status","id":' + b"[" * 5000 + b"}\n", "int"),
        (b'{"verb":"dial","target":"\xff"}\n', "utf-8"),
    ],
)
def test_a_line_that_is_no_request_says_why(line, why):
    with pytest.raises((msgspec.MsgspecError, ValueError), match=why):
        schema.decode_request(line)


EVENTS = [
    (schema.ScreenEvent(at=2.0, width=128, height=64, png=b"\x89PNG"), schema.Topic.SCREEN),
    (schema.RingEvent(at=2.0, cadence=(2.0, 4.0)), schema.Topic.RING),
    (schema.NoticeEvent(at=2.0, text="no network"), schema.Topic.NOTICE),
    (schema.LampsEvent(at=2.0, lamps={}), schema.Topic.LAMPS),
    (schema.GapEvent(dropped=3), None),
]


@pytest.mark.parametrize(("event", "topic"), EVENTS)
def test_events_carry_their_topic_as_their_name(event, topic):
    line = schema.encode(event)

    assert msgspec.json.decode(line)["event"] == (topic.value if topic else "gap")
    assert schema.decode_event(line) == event
    assert schema.topic_of(event) is topic


def test_every_topic_is_the_name_of_an_event():
    names = {event.__struct_config__.tag for event in schema.AnyEvent.__args__}

    assert {topic.value for topic in schema.Topic} == names - {"gap"}
