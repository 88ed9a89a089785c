"""conference: who is in a conference (RFC 4575).

Documents are trees that change in parts; the reader keeps the tree, merges what comes by the keys
of RFC 4575 §4.5, and hands on what a phone shows of it.
"""

import itertools
from typing import Final

from msgspec import Struct

from firmware.sip.event.package import BodyError, Document, GapError, Package
from firmware.sip.event.versions import Step, Versions
from firmware.sip.event.xml import MOST_ELEMENTS, Element, read_xml

MEDIA_TYPE: Final = "application/conference-info+xml"
_MOST_USERS: Final = 500
_KEYS: Final = {"user": "entity", "endpoint": "entity", "media": "id"}


class ConferenceMedia(Struct, frozen=True):
    """One stream of an endpoint; `status` is sendrecv, sendonly, recvonly or inactive."""

    id: str
    type: str = ""
    status: str = ""


class ConferenceEndpoint(Struct, frozen=True):
    """One device of a user; `status` as connected, on-hold, dialing-out … (RFC 4575 §5.7.3)."""

    entity: str
    name: str = ""
    status: str = ""
    media: tuple[ConferenceMedia, ...] = ()


class ConferenceUser(Struct, frozen=True):
    """One participant."""

    entity: str
    name: str = ""
    roles: tuple[str, ...] = ()
    endpoints: tuple[ConferenceEndpoint, ...] = ()


class ConferenceInfo(Document, frozen=True):
    """A conference; `over` once it has ceased to exist. Counts are None where not said."""

    entity: str
    subject: str = ""
    name: str = ""
    user_count: int | None = None
    most_users: int | None = None
    active: bool | None = None
    locked: bool | None = None
    users: tuple[ConferenceUser, ...] = ()
    over: bool = False


class ConferenceReader:
    """Constructs coherent state (RFC 4575 §4.6)."""

    def __init__(self) -> None:
        self._versions = Versions()
        self._tree: Element | None = None

    def read(self, content_type: str, body: bytes) -> ConferenceInfo:
        """The conference after this document.

        Raises:
            BodyError: it is no conference information.
            GapError: a document before it is missing.
        """
        del content_type
        root = read_xml(body, "conference-info")
        state = root.get("state", "full")
        step = self._versions.step(root.get("version", "0"), full=state != "partial")
        if state == "deleted":
            self._tree = None
            return ConferenceInfo(root.get("entity"), over=True)
        if state == "full":
            self._tree = root
        elif step is Step.GAP or self._tree is None:
            # Other than the dialog package, this one wants nothing of it used (RFC 4575 §4.6).
            raise GapError(None if self._tree is None else _info(self._tree))
        elif step is Step.NEXT:
            _merge(self._tree, root)
            if _size(self._tree) > 2 * MOST_ELEMENTS:
                self._tree = None
                raise GapError
        return _info(self._tree)


def _merge(local: Element, update: Element) -> None:
    """RFC 4575 §4.6, step 3, from one level on downwards.

    Raises:
        BodyError: the update changes parts of one element twice.
    """
    local.attributes.update(update.attributes)
    if update.text:
        local.text = update.text
    # In the order of the document; what is deleted leaves a hole until all is done.
    rows: list[Element | None] = [*local.children]
    places: dict[tuple[str, str], int] = {}
    for place, row in enumerate(local.children):
        places.setdefault(_identity(row), place)
    merged: set[int] = set()
    for child in update.children:
        mark, state = _identity(child), child.get("state", "full")
        place = places.pop(mark, len(rows))
        old = rows[place] if place < len(rows) else None
        if state == "deleted":
            rows[place : place + 1] = [None]
            continue
        places[mark] = place
        if old is not None and state == "partial":
            # Else a short document could have us walk through a long one a thousand times (P3).
            if place in merged:
                raise BodyError("the same part twice")
            merged.add(place)
            _merge(old, child)
        else:
            rows[place : place + 1] = [child]
    local.children = [row for row in rows if row is not None]


def _identity(element: Element) -> tuple[str, str]:
    """What two elements of one place have in common (RFC 4575 §4.5)."""
    key = _KEYS.get(element.name)
    return element.name, "" if key is None else element.get(key)


def _size(element: Element) -> int:
    return 1 + sum(_size(child) for child in element.children)


# --- what is handed on ----------------------------------------------------------------------------


def _info(root: Element) -> ConferenceInfo:
    nothing = Element("", {})
    about = root.child("conference-description") or nothing
    state = root.child("conference-state") or nothing
    users = root.child("users") or nothing
    return ConferenceInfo(
        root.get("entity"),
        about.said("subject"),
        about.said("display-text"),
        _count(state.said("user-count")),
        _count(about.said("maximum-user-count")),
        _truth(state.said("active")),
        _truth(state.said("locked")),
        tuple(_user(each) for each in itertools.islice(users.all("user"), _MOST_USERS)),
    )


def _user(element: Element) -> ConferenceUser:
    roles = element.child("roles")
    return ConferenceUser(
        element.get("entity"),
        element.said("display-text"),
        tuple(each.text for each in roles.all("entry")) if roles is not None else (),
        tuple(_endpoint(each) for each in element.all("endpoint")),
    )


def _endpoint(element: Element) -> ConferenceEndpoint:
    media = tuple(
        ConferenceMedia(each.get("id"), each.said("type"), each.said("status"))
        for each in element.all("media")
    )
    return ConferenceEndpoint(
        element.get("entity"), element.said("display-text"), element.said("status"), media
    )


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None


def _truth(text: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower())


PACKAGE: Final = Package("conference", (MEDIA_TYPE,), ConferenceReader)
