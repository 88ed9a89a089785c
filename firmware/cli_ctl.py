"""`deskphone ctl`: arguments to requests, answers to JSON or text.

`status`, `stats`, `calls` and `reload` answer in JSON unless `--text` is given, `screen` and
`ladder` in text unless `--json` is; `events` are always JSON, one a line.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from firmware.base.phrase import Phrase, phrase
from firmware.cli_text import (
    Say,
    calls_text,
    messages_text,
    reload_text,
    stats_text,
    status_text,
)
from firmware.control import schema
from firmware.control.client import Client
from firmware.control.errors import ControlError, RefusalKind, RefusedError
from firmware.control.place import find_socket
from firmware.media.messages import PathName
from firmware.ui.text import Texts
from hal.keys import Key, key_named

_VOLUME_STEP = 10
Reply = TypeVar("Reply")


def ctl(options: argparse.Namespace) -> int:
    """Ask a running phone; returns the exit code."""
    path: Path = options.control or find_socket()
    try:
        with Client(path) as client:
            ANSWERS.get(options.ask, _wish)(client, options)
    except RefusedError as refusal:
        # The faults of a file stand one a line, each with its place, as `check` prints them.
        begin = "" if refusal.kind is RefusalKind.CONFIG else "deskphone: "
        print(f"{begin}{refusal}", file=sys.stderr)
        return refusal.kind.exit_code
    except (ControlError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        print(f"deskphone: {error}", file=sys.stderr)
        return 1
    return 0


def _status(client: Client, options: argparse.Namespace) -> None:
    raw = client.ask_raw(schema.Status())
    _print(raw, options, schema.StatusReply, status_text)


def _stats(client: Client, options: argparse.Namespace) -> None:
    raw = client.ask_raw(schema.Stats())
    _print(raw, options, schema.StatsReply, stats_text)


def _calls(client: Client, options: argparse.Namespace) -> None:
    raw = client.ask_raw(schema.Calls(limit=options.limit, skip=options.skip))
    _print(raw, options, schema.CallsReply, calls_text)


def _reload(client: Client, options: argparse.Namespace) -> None:
    raw = client.ask_raw(schema.Reload())
    _print(raw, options, schema.ReloadReply, reload_text)


def _screen(client: Client, options: argparse.Namespace) -> None:
    raw = client.ask_raw(schema.Screen())
    reply = msgspec.json.decode(raw, type=schema.ScreenReply)
    if options.png is not None:
        _save(options.png, reply.png)
    elif options.json:
        _write(raw)
    else:
        print(reply.text)


def _save(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise _refused(phrase("ctl.not_written", file=path, reason=error.strerror)) from error


def _ladder(client: Client, options: argparse.Namespace) -> None:
    skip, more = 0, True
    while more:
        raw = client.ask_raw(schema.Ladder(call=options.call, skip=skip))
        reply = msgspec.json.decode(raw, type=schema.LadderReply)
        if options.json:
            _write(raw)
        else:
            print("\n".join(reply.rows))
        skip += len(reply.rows)
        more = reply.more and bool(reply.rows)


def _events(client: Client, options: argparse.Namespace) -> None:
    for line in client.event_lines(tuple(map(_topic, options.topics))):
        _write(line)
        sys.stdout.flush()


def _wish(client: Client, options: argparse.Namespace) -> None:
    """A verb whose answer is that it was done."""
    client.ask(WISHES[options.ask](options), type(None))


def _transfer(client: Client, options: argparse.Namespace) -> None:
    """Answered when it is known how it went: the two have each other, the text was taken."""
    client.be_patient()
    _wish(client, options)


def _messages(client: Client, options: argparse.Namespace) -> None:
    raw = client.ask_raw(schema.Messages(limit=options.limit, skip=options.skip))
    _print(raw, options, schema.MessagesReply, messages_text)
    if options.read or options.forget:
        client.ask(schema.MessagesRead(forget=options.forget), type(None))


def _record(client: Client, options: argparse.Namespace) -> None:
    """Prints the files, one a line, so that a script knows where to look."""
    raw = client.ask_raw(schema.Record(on=options.on == "on", call=options.call))
    if options.json:
        _write(raw)
    else:
        for file in msgspec.json.decode(raw, type=schema.RecordReply).files:
            print(file)


def _volume(options: argparse.Namespace) -> schema.Volume:
    path = PathName(options.path) if options.path else None
    if options.change in ("up", "down"):
        step = _VOLUME_STEP if options.change == "up" else -_VOLUME_STEP
        return schema.Volume(step=step, path=path)
    return schema.Volume(level=int(options.change), path=path)


def _key(options: argparse.Namespace) -> schema.Key:
    key = key_named(options.key)
    if key is None:
        known = ", ".join(key.value for key in Key)
        wrong = phrase("ctl.no_key", got=f'"{options.key}"', known=known)
        raise _refused(wrong, RefusalKind.BAD_REQUEST)
    return schema.Key(key=key, move=schema.KeyMove(options.move))


def _topic(name: str) -> schema.Topic:
    try:
        return schema.Topic(name)
    except ValueError:
        known = ", ".join(topic.value for topic in schema.Topic)
        wrong = phrase("ctl.no_topic", got=f'"{name}"', known=known)
        raise _refused(wrong, RefusalKind.BAD_REQUEST) from None


def _refused(wrong: Phrase, kind: RefusalKind = RefusalKind.FAILED) -> RefusedError:
    """What this side refuses by itself, in words: the language of the phone is not known here."""
    return RefusedError(Texts.load().phrase(wrong), kind)


def _print(
    raw: bytes, options: argparse.Namespace, reply: type[Reply], text: Callable[[Reply, Say], str]
) -> None:
    if options.text:
        print(text(msgspec.json.decode(raw, type=reply), Texts.load().phrase))
    elif sys.stdout.isatty() and not options.json:
        _write(msgspec.json.format(raw, indent=2))
    else:
        _write(raw)


def _write(line: bytes) -> None:
    print(line.decode())


ANSWERS: dict[str, Callable[[Client, argparse.Namespace], None]] = {
    "status": _status,
    "stats": _stats,
    "calls": _calls,
    "reload": _reload,
    "screen": _screen,
    "ladder": _ladder,
    "events": _events,
    "transfer": _transfer,
    "message": _transfer,
    "tell": _transfer,
    "messages": _messages,
    "record": _record,
}
WISHES: dict[str, Callable[[argparse.Namespace], schema.AnyRequest]] = {
    "key": _key,
    "hook": lambda options: schema.Hook(move=schema.HookMove(options.move)),
    "dial": lambda options: schema.Dial(target=options.target, line=options.line),
    "message": lambda options: schema.Message(
        target=options.target, text=" ".join(options.text), line=options.line
    ),
    "tell": lambda options: schema.Tell(text=" ".join(options.text), call=options.call),
    "writing": lambda options: schema.Writing(
        target=options.target, on=options.on == "on", line=options.line
    ),
    "answer": lambda options: schema.Answer(call=options.call),
    "hangup": lambda options: schema.HangUp(call=options.call),
    "unwanted": lambda options: schema.Unwanted(call=options.call),
    "presence": lambda options: schema.Presence(shown=schema.Shown(options.shown)),
    "pickup": lambda options: schema.PickUp(target=options.target),
    "hold": lambda options: schema.Hold(call=options.call),
    "resume": lambda options: schema.Resume(call=options.call),
    "transfer": lambda options: schema.Transfer(target=options.target),
    "dtmf": lambda options: schema.Dtmf(digits=options.digits),
    "conference": lambda options: schema.Conference(on=options.on == "on"),
    "mute": lambda options: schema.Mute(on=options.on == "on"),
    "volume": _volume,
    "path": lambda options: schema.Path(path=PathName(options.path)),
    "play": lambda options: schema.Play(file=os.path.realpath(options.file), call=options.call),
}
