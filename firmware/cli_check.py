"""`deskphone check FILE`: every fault of the file, and what this machine lacks for it.

What stands in the file wrongly is an error (exit 2). What only this machine lacks (a library, a
free port, a file) is a note, because the file may be meant for another machine; an exception is
that no codec at all can be loaded. Both are looked for in what can be read of a file with faults.
"""

import contextlib
import ctypes
import errno
import os
import socket
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

from firmware.base.values import replace
from firmware.bootstrap.machine import (
    board_absent,
    board_faults,
    board_lacks,
    cards_absent,
    cards_lack,
    guesses_hook,
    idle_mixers,
    silent_board,
)
from firmware.cli_board import unknown_board
from firmware.cli_certificates import certificate_remarks
from firmware.config import Examination, Problem, Settings, examine_file
from firmware.config.kinds import nearest
from firmware.config.machine import missing_codecs, with_codecs
from firmware.config.problems import Wrong
from firmware.config.schema import PhoneSettings
from firmware.dsp.cadence import DEFAULT_COUNTRY
from firmware.net.port_holder import holder_of
from firmware.phone.emergency import EMERGENCY_NUMBERS, EmergencyNumbers
from firmware.storage.atomic import real_path
from firmware.ui.faults import say
from firmware.ui.text import Texts, languages

_NOWHERE = "ZZ"
_TLS_FILES = ("ca", "cert", "key")
_LIBRARIES = {"libspeexdsp.so.1": "note_no_speexdsp"}
"""What the phone runs without, but not as well; each with the note that names its package."""


def check(file: Path) -> int:
    """Print all errors and notes; 0 if there is no error, else 2."""
    found = examine_file(file)
    draft = replace(found.draft, board=found.draft.board.beside(real_path(file).parent))
    problems = [*with_codecs(found).problems, *_sound(found, _faults(found, draft))]
    notes = [*found.notes, *_sound(found, _remarks(found, draft))]
    texts = Texts.load(found.draft.phone.language)
    for note in sorted(notes, key=lambda one: one.line):
        print(f"note: {say(note, texts)}")
    for problem in sorted(problems, key=lambda one: one.line):
        print(say(problem, texts))
    if problems:
        count = "check.errors" if len(problems) > 1 else "check.error"
        print(f"{file}: {texts.say(count, count=len(problems))}")
        return 2
    print(f"{file}: {texts.say('check.ok')}")
    return 0


def _sound(found: Examination, remarks: Iterator[Problem]) -> Iterator[Problem]:
    """What is said of values that are in the file: a faulty one has left its place to a default."""
    if found.document is None:
        return
    faulty = {problem.key for problem in found.problems}
    yield from (each for each in remarks if each.key not in faulty)


def _faults(found: Examination, settings: Settings) -> Iterator[Problem]:
    if wrong := unknown_board(settings.board.name):
        yield found.place("board.name", wrong)
    else:
        yield from board_faults(settings.board, found, elsewhere=True)


def _remarks(found: Examination, settings: Settings) -> Iterator[Problem]:
    for wrong in missing_codecs(settings.audio.codecs):
        yield found.place("audio.codecs", wrong)
    for library, text in _LIBRARIES.items():
        if not _can_load(library):
            yield found.place("", Wrong(text))
    yield from _people(found, settings.phone)
    yield from _hardware(found, settings)
    yield from _zone(found, settings.time.zone)
    yield from _files(found, settings)
    yield from certificate_remarks(found, settings)
    yield from _ports(found, settings)


def _can_load(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _people(found: Examination, phone: PhoneSettings) -> Iterator[Problem]:
    if phone.language not in languages():
        yield found.note("phone.language", "note_language", got=phone.language)
    emergency = EmergencyNumbers.of(phone).numbers
    if emergency == EmergencyNumbers.of(replace(phone, country=_NOWHERE)).numbers:
        numbers = ", ".join(sorted(emergency))
        args = {"known": ", ".join(EMERGENCY_NUMBERS), "tones": DEFAULT_COUNTRY, "numbers": numbers}
        yield found.note("phone.country", "note_country", got=phone.country, **args)


def _hardware(found: Examination, settings: Settings) -> Iterator[Problem]:
    if unknown_board(settings.board.name) is None:
        if board_absent(settings.board):
            yield found.note("board.name", "note_no_board", got=settings.board.name)
        elif reason := board_lacks(settings.board):
            yield found.note("board.name", "note_board", reason=reason)
    yield from silent_board(settings.board, found)
    if guesses_hook(settings.board):
        yield found.note("board.hook.lifted", "note_hook")
    for key, reason in cards_lack(settings.audio, settings.board).items():
        yield found.note(key, "note_card", reason=reason)
    for key, reason in cards_absent(settings.audio, settings.board).items():
        yield found.note(key, "note_absent_card", reason=reason)
    for device in idle_mixers(settings.audio, settings.board):
        yield found.note("board.mixer", "note_mixer", device=device)


def _zone(found: Examination, name: str) -> Iterator[Problem]:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = nearest(name, sorted(zoneinfo.available_timezones()))
        if near:
            yield found.note("time.zone", "note_zone_near", got=name, near=near)
        else:
            yield found.note("time.zone", "note_zone", got=name)


def _files(found: Examination, settings: Settings) -> Iterator[Problem]:
    files = {"audio.play": settings.audio.play}
    files |= {f"network.tls.{key}": getattr(settings.network.tls, key) for key in _TLS_FILES}
    for number, line in enumerate(settings.lines, start=1):
        for key in _TLS_FILES:
            files[f"line[{number}].tls.{key}"] = getattr(line.tls, key)
    for key, name in files.items():
        if not name:
            continue
        try:
            Path(name).open("rb").close()
        except OSError as error:
            reason = error.strerror or str(error)
            yield found.note(key, "note_file", got=name, reason=reason)
    if settings.audio.record and (code := _write_error(Path(settings.audio.record))):
        args = {"got": settings.audio.record, "reason": os.strerror(code)}
        yield found.note("audio.record", "note_record", **args)


def _write_error(file: Path) -> int:
    """The errno of writing to a file that need not be there; 0 if nothing is in the way."""
    if file.is_dir():
        return errno.EISDIR
    place = file if file.exists() else file.parent
    if not place.exists():
        return errno.ENOENT
    return 0 if os.access(place, os.W_OK) else errno.EACCES


def _ports(found: Examination, settings: Settings) -> Iterator[Problem]:
    for address in settings.network.bind or ("",):
        for protocol in ("udp", "tcp"):
            port = settings.network.sip_port
            yield from _port(found, "network.sip_port", protocol, (address, port))
        yield from _address(found, "network.bind", address)
    if settings.web.enabled:
        listen = "127.0.0.1" if settings.web.listen == "localhost" else settings.web.listen
        yield from _port(found, "web.port", "tcp", (listen, settings.web.port))
        yield from _address(found, "web.listen", listen)


def _port(found: Examination, key: str, protocol: str, place: tuple[str, int]) -> Iterator[Problem]:
    address, port = place
    if not port:
        return
    if _bind_error(protocol, address, port) == errno.EADDRINUSE:
        holder = holder_of(protocol, port, host=address)
        yield found.note(key, "note_port", port=str(port), protocol=protocol, holder=holder)


def _address(found: Examination, key: str, address: str) -> Iterator[Problem]:
    if _bind_error("udp", address, 0) == errno.EADDRNOTAVAIL:
        yield found.note(key, "note_address", address=address)


def _bind_error(protocol: str, address: str, port: int) -> int:
    """The errno of taking the port for a moment; 0 if it is free."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with contextlib.suppress(OSError), socket.socket(family, kind) as probe:
        if kind is socket.SOCK_STREAM:
            # Connections of a phone that has just ended do not hold the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return error.errno or 0
    return 0
