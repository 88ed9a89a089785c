"""dialog: the calls of somebody else (RFC 4235), and how ours are written down.

A watcher gets full and partial documents and keeps a table of dialogs by id; what it hands on is
always the whole table without what has ended.
"""

import enum
import itertools
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from firmware.base.values import replace
from firmware.sip.event.package import BodyError, Document, GapError, Package
from firmware.sip.event.versions import Step, Versions
from firmware.sip.event.xml import Element, escape, read_xml

MEDIA_TYPE: Final = "application/dialog-info+xml"
_MOST_DIALOGS: Final = 200
_NAMESPACE: Final = "urn:ietf:params:xml:ns:dialog-info"


class Phase(enum.Enum):
    """The states of a dialog (RFC 4235 §3.7.1)."""

    TRYING = "trying"
    PROCEEDING = "proceeding"
    EARLY = "early"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Participant(Struct, frozen=True):
    """One end of a dialog; `held` is True if it renders nothing (`+sip.rendering` is no)."""

    uri: str = ""
    name: str = ""
    target: str = ""
    held: bool = False


class DialogEntry(Struct, frozen=True):
    """One dialog of the watched user, seen from there.

    `initiator` is True if the watched user placed the call, None if that is not said. The three ids
    are what a Replaces needs to pick the call up; `event` and `code` say how it ended.
    """

    id: str
    phase: Phase
    initiator: bool | None = None
    call_id: str = ""
    local_tag: str = ""
    remote_tag: str = ""
    local: Participant = Participant()
    remote: Participant = Participant()
    event: str = ""
    code: int = 0


class DialogInfo(Document, frozen=True):
    """All dialogs of one user that have not ended."""

    entity: str
    dialogs: tuple[DialogEntry, ...]


class DialogReader:
    """Merges partial documents into the table (RFC 4235 §4.3)."""

    def __init__(self) -> None:
        self._versions = Versions()
        self._table: dict[str, DialogEntry] = {}
        self._entity = ""

    def read(self, content_type: str, body: bytes) -> DialogInfo:
        """The whole table after this document.

        Raises:
            BodyError: it is no dialog information.
            GapError: a document before it is missing.
        """
        del content_type
        root = read_xml(body, "dialog-info")
        full = root.get("state", "full") == "full"
        entries = [_entry(child) for child in itertools.islice(root.all("dialog"), _MOST_DIALOGS)]
        step = self._versions.step(root.get("version", "0"), full=full)
        if step is not Step.OLD:
            if full:
                self._table.clear()
            self._entity = root.get("entity") or self._entity
            for entry in entries:
                self._put(entry)
        document = DialogInfo(self._entity, tuple(self._table.values()))
        if step is Step.GAP:
            raise GapError(document)
        return document

    def _put(self, entry: DialogEntry) -> None:
        old = self._table.get(entry.id)
        if entry.phase is Phase.TERMINATED:
            self._table.pop(entry.id, None)
        elif old is not None:
            # RFC 4235 §4.1.6.1, §4.1.6.2: what is not repeated is as before.
            local, remote = _kept(old.local, entry.local), _kept(old.remote, entry.remote)
            self._table[entry.id] = replace(entry, local=local, remote=remote)
        elif len(self._table) < _MOST_DIALOGS:
            self._table[entry.id] = entry


def _kept(old: Participant, new: Participant) -> Participant:
    if not new.uri:
        new = replace(new, uri=old.uri, name=old.name)
    return new if new.target else replace(new, target=old.target, held=old.held)


def _entry(element: Element) -> DialogEntry:
    mark, state = element.get("id"), element.child("state")
    if not mark or state is None:
        raise BodyError("a dialog without id or state")
    try:
        phase = Phase(state.text.lower())
    except ValueError as error:
        raise BodyError("no state of a dialog") from error
    code = state.get("code")
    return DialogEntry(
        mark,
        phase,
        _DIRECTIONS.get(element.get("direction")),
        _named(element.get("call-id")),
        _named(element.get("local-tag")),
        _named(element.get("remote-tag")),
        _participant(element.child("local")),
        _participant(element.child("remote")),
        state.get("event"),
        int(code) if code.isascii() and code.isdigit() and len(code) == 3 else 0,
    )


def _named(text: str) -> str:
    """One of the three ids; XML may hold line breaks, and what can stand in no header is none."""
    return text if text.isprintable() else ""


# The RFC itself writes "receiver" in an example.
_DIRECTIONS: Final = {"initiator": True, "recipient": False, "receiver": False}


def _participant(element: Element | None) -> Participant:
    if element is None:
        return Participant()
    identity, target = element.child("identity"), element.child("target")
    held = target is not None and any(
        param.get("pname").lstrip("+") == "sip.rendering" and param.get("pval") == "no"
        for param in target.all("param")
    )
    return Participant(
        identity.text if identity is not None else "",
        identity.get("display") if identity is not None else "",
        target.get("uri") if target is not None else "",
        held,
    )


# --- writing --------------------------------------------------------------------------------------


def write_dialogs(
    entity: str, dialogs: Iterable[DialogEntry], version: int, *, full: bool = True
) -> bytes:
    """A document with all dialogs or, not `full`, with those that have changed (RFC 4235 §4.1)."""
    state = "full" if full else "partial"
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<dialog-info xmlns="{_NAMESPACE}"',
        f' version="{version}" state="{state}" entity="{escape(entity)}">',
    ]
    for entry in dialogs:
        lines += _written(entry)
    lines.append("</dialog-info>")
    return "\n".join(lines).encode()


def _written(entry: DialogEntry) -> list[str]:
    direction = {True: "initiator", False: "recipient", None: ""}[entry.initiator]
    named = (
        ("id", entry.id),
        ("call-id", entry.call_id),
        ("local-tag", entry.local_tag),
        ("remote-tag", entry.remote_tag),
        ("direction", direction),
    )
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in named if value)
    event = f' event="{escape(entry.event)}"' if entry.event else ""
    code = f' code="{entry.code}"' if entry.code else ""
    return [
        f"<dialog{attributes}>",
        f"<state{event}{code}>{entry.phase.value}</state>",
        *_written_end("local", entry.local),
        *_written_end("remote", entry.remote),
        "</dialog>",
    ]


def _written_end(name: str, who: Participant) -> list[str]:
    inner: list[str] = []
    if who.uri:
        display = f' display="{escape(who.name)}"' if who.name else ""
        inner.append(f"<identity{display}>{escape(who.uri)}</identity>")
    if who.target:
        held = '<param pname="+sip.rendering" pval="no"/>' if who.held else ""
        inner.append(f'<target uri="{escape(who.target)}">{held}</target>')
    return [f"<{name}>", *inner, f"</{name}>"] if inner else []


PACKAGE: Final = Package("dialog", (MEDIA_TYPE,), DialogReader, forks=True)
