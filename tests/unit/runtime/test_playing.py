"""The verb `play`."""

import os
import wave

import pytest

from firmware.control import schema as s
from firmware.control.errors import RefusedError
from firmware.media.messages import PlayClip
from firmware.phone.view import CallState, CallView, PhoneView
from firmware.runtime.playing import play
from firmware.sip.notifications import CallRef, LineName

LINE = LineName("101@pbx")


def call(name, state=CallState.TALKING, *, held=False):
    return CallView(CallRef(name), LINE, True, state, "", "204", held=held)  # noqa: FBT003 - its place


@pytest.fixture
def tune(tmp_path):
    path = tmp_path / "tune.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\1\2" * 800)
    return path


@pytest.fixture
def played(house, monkeypatch):
    """What the engine was told to play: stream, rate, samples."""
    found = []

    def send(order, descriptors=()):
        found.append((order, os.pread(descriptors[0], 10_000, 0)))

    monkeypatch.setattr(house, "engine", type("Engine", (), {"send": staticmethod(send)})())
    house.streams.update({3: CallRef("a"), 4: CallRef("b")})
    return found


async def test_the_call_that_is_talked_in_hears_it(house, played, tune):
    view = PhoneView(calls=(call("a", held=True), call("b")))
    await play(house, view, s.Play(file=str(tune)))
    assert played == [(PlayClip(4, 8000), b"\1\2" * 800)]


async def test_of_several_the_one_in_front_hears_it(house, played, tune):
    view = PhoneView(calls=(call("a"), call("b")), front=CallRef("b"))
    await play(house, view, s.Play(file=str(tune)))
    assert [order for order, _ in played] == [PlayClip(4, 8000)]


@pytest.mark.parametrize("name", [None, "a"])
async def test_a_conversation_is_told_once_and_the_engine_knows_who_is_in_it(
    house, played, tune, name
):
    view = PhoneView(calls=(call("a"), call("b")), front="a", conference=("a", "b"))
    await play(house, view, s.Play(file=str(tune), call=name))
    assert [order for order, _ in played] == [PlayClip(3, 8000)]


@pytest.mark.parametrize(("name", "streams"), [(None, [3, 4]), ("b", [4])])
async def test_whoever_waits_in_a_conversation_on_hold_hears_it(house, played, tune, name, streams):
    waiting = (call("a", held=True), call("b", held=True), call("c", held=True))
    view = PhoneView(calls=waiting, front="a", conference=("a", "b"))
    await play(house, view, s.Play(file=str(tune), call=name))
    assert played == [(PlayClip(stream, 8000), b"\1\2" * 800) for stream in streams]


async def test_a_call_may_be_named(house, played, tune):
    view = PhoneView(calls=(call("a", held=True), call("b")))
    await play(house, view, s.Play(file=str(tune), call="a"))
    assert played[0][0] == PlayClip(3, 8000)


@pytest.mark.parametrize(
    ("calls", "name", "words"),
    [
        ((), None, r"refused\.no_call"),
        ((call("a", CallState.RINGING_HERE),), None, r"refused\.no_call"),
        ((call("a"),), "z", r"refused\.no_such_call"),
        ((call("c"),), None, r"refused\.no_call"),
    ],
)
async def test_without_such_a_call_it_says_so(house, played, tune, calls, name, words):
    with pytest.raises(RefusedError, match=words):
        await play(house, PhoneView(calls=calls), s.Play(file=str(tune), call=name))
    assert played == []


async def test_p12_between_two_engines_it_says_so(house, played, tune):
    view = PhoneView(calls=(call("a"),), audio_alive=False)
    with pytest.raises(RefusedError, match=r"refused\.no_sound"):
        await play(house, view, s.Play(file=str(tune)))
    assert played == []


async def test_a_file_that_is_not_there_is_told(house, played, tmp_path):
    with pytest.raises(RefusedError, match=r"storage\.unreadable"):
        await play(house, PhoneView(calls=(call("a"),)), s.Play(file=str(tmp_path / "no.wav")))
    assert played == []
