"""`deskphone check FILE`: every fault of the file, and what this machine lacks for it.

What stands in the file wrongly is an error (exit 2). What only this machine lacks (a library, a
free port, a file) is a note, because the file may be meant for another machine; an exception is
that no codec at all can be loaded.
"""

import contextlib
import ctypes
import errno
import socket
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

from firmware.cli_board import unknown_board
from firmware.codec import CODECS, CodecUnavailableError, available
from firmware.config import Examination, Problem, Settings, examine_file
from firmware.config.kinds import nearest
from firmware.net.port_holder import holder_of

_LIBRARIES = (("libspeexdsp.so.1", "libspeexdsp1", "a plain resampler is used"),)


def check(file: Path) -> int:
    """Print all errors and notes; 0 if there is no error, else 2."""
    found = examine_file(file)
    problems = list(found.problems)
    notes = list(found.notes)
    if found.settings is not None:
        problems += _faults(found, found.settings)
        notes += _remarks(found, found.settings)
    for note in sorted(notes, key=lambda one: one.line):
        print(f"note: {note}")
    for problem in problems:
        print(problem)
    if problems:
        count = f"{len(problems)} errors" if len(problems) > 1 else "1 error"
        print(f"{file}: {count}")
        return 2
    print(f"{file}: ok")
    return 0


def _faults(found: Examination, settings: Settings) -> Iterator[Problem]:
    codecs = settings.audio.codecs
    if not available(codecs):
        yield found.note("audio.codecs", "no_codec", reason="; ".join(map(_why_not, codecs)))
    if reason := unknown_board(settings.board.name):
        yield found.note("board.name", "no_board", reason=reason)


def _remarks(found: Examination, settings: Settings) -> Iterator[Problem]:
    for name in settings.audio.codecs:
        if name not in {row.name for row in available((name,))}:
            yield found.note("audio.codecs", "note_codec", name=name, reason=_why_not(name))
    for library, package, effect in _LIBRARIES:
        if not _can_load(library):
            args = {"library": library, "package": package, "effect": effect}
            yield found.note("", "note_library", **args)
    yield from _zone(found, settings.time.zone)
    yield from _files(found, settings)
    yield from _ports(found, settings)


def _why_not(codec: str) -> str:
    try:
        CODECS[codec].load()
    except CodecUnavailableError as error:
        return str(error)
    return ""


def _can_load(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _zone(found: Examination, name: str) -> Iterator[Problem]:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = nearest(name, sorted(zoneinfo.available_timezones()))
        hint = f"did you mean {near}?" if near else ""
        yield found.note("time.zone", "note_zone", got=name, near=hint)


def _files(found: Examination, settings: Settings) -> Iterator[Problem]:
    files = {"audio.play": settings.audio.play}
    for number, line in enumerate(settings.lines, start=1):
        for key in ("ca", "cert", "key"):
            files[f"line[{number}].tls.{key}"] = getattr(line.tls, key)
    for key, name in files.items():
        if not name:
            continue
        try:
            Path(name).open("rb").close()
        except OSError as error:
            reason = error.strerror or str(error)
            yield found.note(key, "note_file", got=name, reason=reason)


def _ports(found: Examination, settings: Settings) -> Iterator[Problem]:
    for address in settings.network.bind or ("",):
        for protocol in ("udp", "tcp"):
            port = settings.network.sip_port
            yield from _port(found, "network.sip_port", protocol, (address, port))
    if settings.web.enabled:
        listen = "127.0.0.1" if settings.web.listen == "localhost" else settings.web.listen
        yield from _port(found, "web.port", "tcp", (listen, settings.web.port))


def _port(found: Examination, key: str, protocol: str, place: tuple[str, int]) -> Iterator[Problem]:
    address, port = place
    if not port:
        return
    failure = _bind_error(protocol, address, port)
    if failure == errno.EADDRINUSE:
        holder = holder_of(protocol, port)
        yield found.note(key, "note_port", port=str(port), protocol=protocol, holder=holder)
    elif failure == errno.EADDRNOTAVAIL:
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
