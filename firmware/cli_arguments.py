"""The arguments of `deskphone`: names and help only, no import that costs time."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from firmware import __version__

PATHS = ("handset", "headset", "speaker", "ringer")
TALK_PATHS = PATHS[:3]
# Verbs of `ctl` that need nothing but perhaps a call.
_CALL_VERBS = {
    "answer": "answer the call that rings",
    "hangup": "end or refuse a call",
    "unwanted": "refuse a call that should not have been made",
    "hold": "put a call on hold",
    "resume": "take a call off hold",
}


class _Parser(argparse.ArgumentParser):
    """Complains in one line that names the way to the help."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"deskphone: {message}; see: {self.prog} --help\n")


Verbs: TypeAlias = "argparse._SubParsersAction[Any]"  # noqa: SLF001 - it has no public name


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments as attributes; `verb` is always there.

    Raises:
        SystemExit: help or version was asked for (0), or the arguments are wrong (2).
    """
    given = sys.argv[1:] if arguments is None else arguments
    return parser(remote="ctl" in given).parse_args(given)


def parser(*, remote: bool = True) -> argparse.ArgumentParser:
    """The command line; without `remote` the verbs of `ctl` are left out.

    They are three quarters of it, and a phone that starts needs none: a megabyte and five
    milliseconds.
    """
    root = _Parser(prog="deskphone", description="The desk phone, its page, its remote control.")
    root.add_argument("--version", action="version", version=f"deskphone {__version__}")
    verbs = root.add_subparsers(dest="verb", metavar="VERB", required=True, title="verbs")
    _programs(verbs)
    _helpers(verbs)
    ctl = verbs.add_parser("ctl", help="tell a running phone what to do, or ask how it is")
    if remote:
        _ctl(ctl)
    return root


def _programs(verbs: Verbs) -> None:
    demo = verbs.add_parser("demo", help="the virtual phone with the practice PBX")
    demo.add_argument("--once", action="store_true", help="call the echo, measure, print JSON")
    demo.add_argument("--port", type=_port, metavar="N", help="port of the page")
    demo.add_argument("--no-browser", action="store_true", help="do not open a browser")
    run = verbs.add_parser("run", help="the phone")
    run.add_argument("-c", "--config", type=Path, metavar="FILE", help="deskphone.toml")
    run.add_argument("--board", metavar="NAME", help="instead of the one configured")
    run.add_argument("--control", type=Path, metavar="PATH", help="control socket to make")
    web = verbs.add_parser("web", help="the page of a running phone")
    web.add_argument("--control", type=Path, metavar="PATH", required=True)
    pbx = verbs.add_parser("pbx", help="the practice PBX alone")
    pbx.add_argument("--port", type=_port, metavar="N", help="SIP port")
    _files(pbx, "--tls", "TLS too, at the next port")
    pbx.add_argument("--ws", action="store_true", help="WebSocket too, two ports up")
    _files(pbx, "--wss", "secure WebSocket too, three ports up")


def _files(parser: argparse.ArgumentParser, name: str, words: str) -> None:
    parser.add_argument(name, nargs=2, type=Path, metavar=("CERT", "KEY"), help=words)


def _helpers(verbs: Verbs) -> None:
    check = verbs.add_parser("check", help="look for faults in a configuration file")
    check.add_argument("file", type=Path, metavar="FILE")
    board = verbs.add_parser("board", help="list, show or test boards")
    actions = board.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="the boards that come with the phone").set_defaults(name=None)
    actions.add_parser("show", help="pins and parts of a board").add_argument("name")
    cards = actions.add_parser("cards", help="the sound cards of this machine, or the mixer of one")
    cards.add_argument("name", nargs="?", metavar="CARD", help="id:NAME or usb:PORT")
    test = actions.add_parser("test", help="try every part of the board, find wrong wires")
    test.add_argument("name", nargs="?", help="else the one configured")
    test.add_argument("-c", "--config", type=Path, metavar="FILE", help="deskphone.toml")
    test.add_argument("--write", action="store_true", help="write what is learned into it, unasked")
    clock = verbs.add_parser("clock", help="a machine without a clock: for its service files")
    clock.add_argument("action", choices=("set", "save"), help="set it forward, or save it")


def _ctl(ctl: argparse.ArgumentParser) -> None:
    ctl.add_argument("--control", type=Path, metavar="PATH", help="control socket of the phone")
    _form(ctl)
    verbs = ctl.add_subparsers(dest="ask", metavar="VERB", required=True, title="verbs")
    _questions(verbs)
    _wishes(verbs)
    for name, words in _CALL_VERBS.items():
        verb = verbs.add_parser(name, help=words)
        verb.add_argument("call", nargs="?", metavar="CALL", help="its id; else the one in front")


def _form(parser: argparse.ArgumentParser, **more: Any) -> None:
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="answers as JSON on one line", **more)
    form.add_argument("--text", action="store_true", help="answers as text for people", **more)


def _questions(verbs: Verbs) -> None:
    form = argparse.ArgumentParser(add_help=False)
    # Written after the verb it counts as well; not written, it leaves what stood before the verb.
    _form(form, default=argparse.SUPPRESS)
    verbs.add_parser("status", help="state, lines, calls", parents=[form])
    verbs.add_parser("stats", help="the status with counters", parents=[form])
    calls = verbs.add_parser("calls", help="calls that are up, and the call list", parents=[form])
    calls.add_argument("--limit", type=_whole, default=50, metavar="N")
    calls.add_argument("--skip", type=_whole, default=0, metavar="N")
    texts = verbs.add_parser("messages", help="texts that were sent to us", parents=[form])
    texts.add_argument("--limit", type=_whole, default=50, metavar="N")
    texts.add_argument("--skip", type=_whole, default=0, metavar="N")
    after = texts.add_mutually_exclusive_group()
    after.add_argument("--read", action="store_true", help="and count them as read")
    after.add_argument("--forget", action="store_true", help="and keep none of them")
    screen = verbs.add_parser("screen", help="what the screen shows", parents=[form])
    screen.add_argument("--png", type=Path, metavar="FILE", help="write it as a picture")
    events = verbs.add_parser("events", help="what happens, one JSON object a line")
    events.add_argument("topics", nargs="*", metavar="TOPIC", help="only these kinds")
    about = "the SIP messages of a call, and why it ended"
    ladder = verbs.add_parser("ladder", help=about, parents=[form])
    ladder.add_argument("call", nargs="?", metavar="CALL", help="or a line: its registration")
    verbs.add_parser("reload", help="read the configuration file again", parents=[form])


def _wishes(verbs: Verbs) -> None:
    key = verbs.add_parser("key", help="press a key")
    key.add_argument("key", metavar="K")
    move = key.add_mutually_exclusive_group()
    move.add_argument("--down", dest="move", action="store_const", const="down", default="press")
    move.add_argument("--up", dest="move", action="store_const", const="up")
    hook = verbs.add_parser("hook", help="lift or replace the handset")
    hook.add_argument("move", choices=("up", "down", "flash"))
    dial = verbs.add_parser("dial", help="call a number or SIP URI")
    dial.add_argument("target", metavar="STRING")
    dial.add_argument("--line", metavar="NAME")
    message = verbs.add_parser("message", help="send a short text")
    message.add_argument("target", metavar="TARGET")
    message.add_argument("text", metavar="TEXT", nargs="+")
    message.add_argument("--line", metavar="NAME")
    tell = verbs.add_parser("tell", help="send a short text into the call")
    tell.add_argument("text", metavar="TEXT", nargs="+")
    tell.add_argument("--call", metavar="CALL")
    writing = verbs.add_parser("writing", help="let somebody see that a text is being written")
    writing.add_argument("target", metavar="TARGET", nargs="?", default="")
    writing.add_argument("on", choices=("on", "off"), nargs="?", default="on")
    writing.add_argument("--line", metavar="NAME")
    transfer = verbs.add_parser("transfer", help="send the call on, or connect two calls")
    transfer.add_argument("target", metavar="TARGET", nargs="?", default="")
    conference = verbs.add_parser("conference", help="make one conversation of all calls")
    conference.add_argument("on", choices=("on", "off"))
    pickup = verbs.add_parser("pickup", help="answer here what rings at somebody watched")
    pickup.add_argument("target", metavar="WHO", nargs="?", default="")
    presence = verbs.add_parser("presence", help="what you are shown as to those who watch")
    presence.add_argument("shown", choices=("available", "away", "busy"))
    verbs.add_parser("dtmf", help="send digits into the call").add_argument("digits")
    verbs.add_parser("mute", help="the microphone").add_argument("on", choices=("on", "off"))
    volume = verbs.add_parser("volume", help="louder, softer, or a value")
    volume.add_argument("change", type=_volume, metavar="up|down|N")
    volume.add_argument("path", nargs="?", choices=PATHS, metavar="PATH", help=", ".join(PATHS))
    verbs.add_parser("path", help="what to talk on").add_argument("path", choices=TALK_PATHS)
    _sound_files(verbs)


def _sound_files(verbs: Verbs) -> None:
    record = verbs.add_parser("record", help="record a call to a WAV file, or end that")
    record.add_argument("on", choices=("on", "off"))
    record.add_argument("call", nargs="?", metavar="CALL")
    play = verbs.add_parser("play", help="a WAV file into the call, for everybody in it to hear")
    play.add_argument("file", type=Path, metavar="FILE")
    play.add_argument("call", nargs="?", metavar="CALL", help="another than the one in front")


def _port(text: str) -> int:
    return _within(text, 65535)


def _whole(text: str) -> int:
    return _within(text, 1_000_000)


def _volume(text: str) -> str:
    return text if text in ("up", "down") else str(_within(text, 100))


def _within(text: str, high: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7 and int(text) <= high):
        raise argparse.ArgumentTypeError(f"write a whole number from 0 to {high}, not {text!r}")
    return int(text)
