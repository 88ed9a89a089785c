"""What `deskphone check` says of certificates: files that do not fit, and one that ends soon.

They are notes, for the file may be meant for another machine; a line whose certificate cannot be
used stays down there and says so.
"""

from collections.abc import Iterator
from pathlib import Path

from firmware.config import Examination, Problem, Settings
from firmware.net.clock import wall_clock
from firmware.net.link_error import LinkError
from firmware.net.security import WARNED_SECONDS
from firmware.net.tls import client_context, server_context
from firmware.sip.flow import TlsTerms


def certificate_remarks(found: Examination, settings: Settings) -> Iterator[Problem]:
    """Notes on every certificate whose files are all here."""
    door = settings.network.tls
    yield from _remarks(found, "network.tls", TlsTerms(door.ca, door.cert, door.key), server=True)
    for number, line in enumerate(settings.lines, start=1):
        terms = TlsTerms(line.tls.ca, line.tls.cert, line.tls.key)
        yield from _remarks(found, f"line[{number}].tls", terms, server=False)


def _remarks(found: Examination, key: str, terms: TlsTerms, *, server: bool) -> Iterator[Problem]:
    files = [Path(file) for file in (terms.ca, terms.cert, terms.key) if file]
    if not files or not all(file.is_file() for file in files):
        return  # what is missing has its own note
    try:
        context = server_context(terms) if server else client_context(terms)
    except LinkError as error:
        yield found.note(
            f"{key}.cert" if terms.cert else f"{key}.ca", "note_tls", reason=str(error)
        )
        return
    left = WARNED_SECONDS if context.own_until is None else context.own_until - wall_clock()
    if left < WARNED_SECONDS:
        days = max(0, int(left // 86400))
        yield found.note(f"{key}.cert", "note_certificate_ends", got=terms.cert, days=str(days))
