"""What single keys cannot say: names filled in, values that contradict each other, notes."""

import ipaddress
from collections.abc import Iterator

from firmware.config.forms import split_server
from firmware.config.problems import Problem, Wrong
from firmware.config.schema import LineSettings, Settings
from firmware.config.syntax import Document, Table
from firmware.config.table import SETTINGS
from firmware.rtp import srtp
from hal.toml_positions import Path, dotted

Found = tuple[Path, Wrong]
_LIBRARIES = {"srtp": "pylibsrtp", "ice": "aioice"}
"""What a line may ask for, and whose work it is."""


def line_blocked(line: LineSettings) -> str | None:
    """What a line must be left down for rather than run weaker than asked, if anything.

    It is the setting that cannot be kept, as it is written in the file.
    """
    if line.srtp == "require" and not srtp.installed():
        return 'srtp = "require"'
    if line.ice == "relay" and not can_check_ways():
        return 'ice = "relay"'
    return None


def can_check_ways() -> bool:
    """Whether the library is there that reads and writes what checks of a way are made of."""
    from importlib.util import find_spec  # noqa: PLC0415 - a line with `ice` asks, and no other

    return find_spec("aioice") is not None


def ways_of(line: LineSettings) -> str:
    """What the line does of `ice`: all, or nothing where the library is missing."""
    return line.ice if line.ice == "off" or can_check_ways() else "off"


def plays_auto_answer_tone(line: LineSettings) -> bool:
    """Whether a tone sounds before the line answers by itself."""
    if line.auto_answer_tone is not None:
        return line.auto_answer_tone
    return line.auto_answer == "trusted"


def fill_names(values: Table) -> None:
    """Give each line the name it did not write: `user@server`, or the user if it has no server."""
    for line in _lines(values):
        if line.get("register") is False:
            line.setdefault("server", "")
        user, server = line.get("user"), line.get("server")
        if user and server is not None and not line.get("name"):
            line["name"] = f"{user}@{server}" if server else user


def contradictions(values: Table, document: Document, file: str) -> list[Problem]:
    """Values that are good each by itself but not together; values may be missing."""
    found: list[Found] = []
    names: set[object] = set()
    for index, line in enumerate(_lines(values)):
        path = ("line", index)
        name = line.get("name")
        if name in names:
            found.append(((*path, "name"), Wrong("name_taken", (("got", f'"{name}"'),))))
        if name:
            names.add(name)
        found.extend(_in_line(line, path))
    network = values.get("network", {})
    if isinstance(network, dict) and _half_certificate(network.get("tls")):
        found.append((("network", "tls"), Wrong("half_certificate")))
    audio = values.get("audio", {})
    if isinstance(audio, dict) and audio.get("loop") and audio.get("play"):
        found.append((("audio", "loop"), Wrong("loop_with_play")))
    return [_placed(one, document, file) for one in found]


def _in_line(line: Table, path: Path) -> Iterator[Found]:
    if line.get("server") == "" and line.get("register", True):
        yield (*path, "server"), Wrong("server_needed")
    if _half_certificate(line.get("tls")):
        yield (*path, "tls"), Wrong("half_certificate")
    if bool(line.get("aka_k")) != bool(line.get("aka_op") or line.get("aka_opc")):
        yield (*path, "aka_k"), Wrong("half_card")


def _half_certificate(tls: object) -> bool:
    return isinstance(tls, dict) and bool(tls.get("cert")) != bool(tls.get("key"))


def notes(settings: Settings, document: Document, file: str) -> tuple[Problem, ...]:
    """What a person should know although the phone will run."""
    found = [*_phone_notes(settings), *_way_notes(settings), *_unused(document.tables)]
    for index, line in enumerate(settings.lines):
        found.extend(_line_notes(line, ("line", index)))
    placed = (_placed(one, document, file) for one in found)
    return tuple(sorted(placed, key=lambda one: one.line))


def _phone_notes(settings: Settings) -> Iterator[Found]:
    if not settings.lines:
        yield (), Wrong("note_no_lines")
    if settings.phone.not_emergency:
        numbers = ", ".join(settings.phone.not_emergency)
        yield ("phone", "not_emergency"), Wrong("note_not_emergency", (("got", numbers),))
    for name in ("play", "record"):
        if getattr(settings.audio, name) and not _has_file_card(settings):
            yield ("audio", name), Wrong("note_file_only")
    if settings.recording.calls != "never" and not settings.recording.tone:
        yield ("recording", "tone"), Wrong("note_silent_recording")
    if settings.web.enabled and not _is_loopback(settings.web.listen):
        yield ("web", "listen"), Wrong("note_open_page")


def _way_notes(settings: Settings) -> Iterator[Found]:
    """Servers that nobody asks, or that will give nothing."""
    network = settings.network
    for index, line in enumerate(settings.lines):
        if line.ice == "relay" and not network.turn:
            yield ("line", index, "ice"), Wrong("note_relay_needs_turn")
    if network.turn and all(line.ice == "off" for line in settings.lines):
        yield ("network", "turn"), Wrong("note_turn_unused")
    if network.turn and not (network.turn_user and network.turn_password):
        yield ("network", "turn"), Wrong("note_turn_nobody")


def _line_notes(line: LineSettings, path: Path) -> Iterator[Found]:
    setting = line_blocked(line)
    if setting:
        key = setting.partition(" ")[0]
        args = (("setting", setting), ("library", _LIBRARIES[key]))
        yield (*path, key), Wrong("note_blocked", args)
    elif line.ice != ways_of(line):
        yield (*path, "ice"), Wrong("note_no_ways", (("library", _LIBRARIES["ice"]),))
    yield from _encryption_notes(line, path)
    if not line.tls.verify:
        yield (*path, "tls", "verify"), Wrong("note_no_verify")
    if not line.register and not line.peers:
        server = split_server(line.server)[0]
        verdict = (
            Wrong("note_no_callers", (("server", server),)) if server else Wrong("note_nobody")
        )
        yield (*path, "register"), verdict
    if line.auto_answer == "always":
        yield (*path, "auto_answer"), Wrong("note_any_auto")


def _encryption_notes(line: LineSettings, path: Path) -> Iterator[Found]:
    """Encryption that keeps out fewer people than one might think."""
    if line.srtp == "off":
        if line.srtp_keys != "auto":
            yield (*path, "srtp_keys"), Wrong("note_srtp_keys_unused")
    elif line.transport not in ("tls", "wss"):
        inline = line.srtp_keys == "sdes"
        yield (*path, "srtp"), Wrong("note_srtp_open" if inline else "note_srtp_handshake")


def _unused(tables: Table) -> Iterator[Found]:
    for setting in SETTINGS.values():
        path = tuple(setting.key.split("."))
        if not setting.works and _written(tables, path):
            yield path, Wrong("note_unused")


def _written(tables: Table, path: tuple[str, ...]) -> bool:
    value: object = tables
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return bool(value)


def _has_file_card(settings: Settings) -> bool:
    audio = settings.audio
    paths = (audio.handset, audio.headset, audio.speaker, audio.ringer)
    return audio.card == "file" or any(path.card == "file" for path in paths)


def _is_loopback(listen: str) -> bool:
    return listen == "localhost" or ipaddress.ip_address(listen).is_loopback


def _lines(values: Table) -> tuple[Table, ...]:
    lines = values.get("line", ())
    return lines if isinstance(lines, tuple) else ()


def _placed(found: Found, document: Document, file: str) -> Problem:
    path, verdict = found
    return Problem(file, document.line_of(path), dotted(path), verdict.text, verdict.args)
