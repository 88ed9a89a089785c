"""presence: whether somebody can be reached, and what keeps them (RFC 3856).

Read are PIDF (RFC 3863) with what RPID adds to it (RFC 4480), and xpidf, which came before any of
them and is what old softphones and servers still send. Ours is written as PIDF with RPID.
"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from firmware.sip.event.package import Document, Package
from firmware.sip.event.xml import Element, escape, read_xml
from firmware.sip.facts import Activity

PIDF: Final = "application/pidf+xml"
CPIM: Final = "application/cpim-pidf+xml"
XPIDF: Final = "application/xpidf+xml"
_MOST: Final = 32
_LONGEST: Final = 128
# xpidf comes with one that points to a file nobody has; with anything inside it is refused (A15).
_DOCTYPE: Final = re.compile(rb"<!DOCTYPE[^<>\[\]]{0,300}>")
# What xpidf calls an activity, in the words of RFC 4480 §3.2.
_SUBSTATES: Final = {
    "onthephone": "on-the-phone",
    "busy": "busy",
    "away": "away",
    "idle": "away",
    "berightback": "away",
    "outtolunch": "meal",
}


class Tuple(Struct, frozen=True):
    """One way to reach somebody; `available` is None if nothing is said of it."""

    id: str
    available: bool | None = None
    contact: str = ""
    note: str = ""


class Presence(Document, frozen=True):
    """Somebody; `activities` are the words of RFC 4480 §3.2, such as `on-the-phone`."""

    entity: str
    tuples: tuple[Tuple, ...] = ()
    activities: tuple[str, ...] = ()
    note: str = ""

    @property
    def available(self) -> bool | None:
        """Whether any way to them is open; None if nothing is known."""
        said = [each.available for each in self.tuples if each.available is not None]
        return any(said) if said else None


class PresenceReader:
    """Each body is the whole state (RFC 3856 §6.6.1)."""

    def read(self, content_type: str, body: bytes) -> Presence:
        """Who is where.

        Raises:
            BodyError: it is no presence document.
        """
        del content_type  # the two formats cannot be confused, their labels are
        root = read_xml(_DOCTYPE.sub(b"", body[:70_000], count=1), "presence")
        if root.child("presentity") is not None or root.child("atom") is not None:
            return _xpidf(root)
        return _pidf(root)


def _pidf(root: Element) -> Presence:
    tuples = [_tuple(each) for each in root.all("tuple")][:_MOST]
    notes = [each.note for each in tuples if each.note]
    note = _cut(root.said("note")) or next(iter(_person_notes(root)), "")
    return Presence(
        entity=_cut(root.get("entity")),
        tuples=tuple(tuples),
        activities=tuple(_activities(root))[:_MOST],
        note=note or next(iter(notes), ""),
    )


def _tuple(element: Element) -> Tuple:
    status = element.child("status")
    basic = "" if status is None else status.said("basic").lower()
    return Tuple(
        id=_cut(element.get("id")),
        # RFC 3863 §4.1.4: what is neither says nothing.
        available={"open": True, "closed": False}.get(basic),
        contact=_cut(element.said("contact")),
        note=_cut(element.said("note")),
    )


def _person_notes(root: Element) -> Iterator[str]:
    for person in root.all("person"):
        if person.said("note"):
            yield _cut(person.said("note"))


def _activities(root: Element) -> Iterator[str]:
    """RFC 4480 §3.2 puts them into the person; drafts before it into tuples and their status."""
    places = [*root.all("person"), *root.all("tuple")]
    places += [status for each in root.all("tuple") for status in each.all("status")]
    seen = set()
    for place in places[: 3 * _MOST]:
        for activities in place.all("activities"):
            for each in activities.children:
                # `<activity>busy</activity>` was an early form of `<busy/>`.
                word = _cut(each.text if each.name == "activity" else each.name).lower()
                if word and word not in seen and each.name != "note":
                    seen.add(word)
                    yield word


def _xpidf(root: Element) -> Presence:
    presentity = root.child("presentity")
    uri = "" if presentity is None else presentity.get("uri")
    tuples, activities = [], []
    for atom in root.all("atom"):
        for address in atom.all("address"):
            status, substate = address.child("status"), address.child("msnsubstatus")
            word = "" if status is None else status.get("status").lower()
            open_ = {"open": True, "inuse": True, "closed": False, "inactive": False}.get(word)
            tuples.append(Tuple(_cut(atom.get("id")), open_, _cut(address.get("uri"))))
            said = "" if substate is None else substate.get("substatus").lower()
            if word == "inuse" or said in _SUBSTATES:
                activities.append(_SUBSTATES.get(said, "on-the-phone"))
    unique = tuple(dict.fromkeys(activities))
    return Presence(_cut(uri.partition(";")[0]), tuple(tuples[:_MOST]), unique[:_MOST])


def _cut(text: str) -> str:
    return "".join(filter(str.isprintable, text))[:_LONGEST]


# --- our own --------------------------------------------------------------------------------------


def write_presence(entity: str, contact: str, activity: Activity) -> bytes:
    """A PIDF document; `entity` and `contact` are URIs.

    Who is on the phone can still be called; who wants no calls cannot (RFC 3863 §4.1.4).
    """
    basic = "closed" if activity is Activity.DO_NOT_DISTURB else "open"
    person = ""
    if activity.value:
        person = (
            '<dm:person id="p1"><rpid:activities>'
            f"<rpid:{activity.value}/></rpid:activities></dm:person>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n'
        '<presence xmlns="urn:ietf:params:xml:ns:pidf"'
        ' xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"'
        ' xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid"'
        f' entity="{escape(entity)}"><tuple id="t1"><status><basic>{basic}</basic></status>'
        f"<contact>{escape(contact)}</contact></tuple>{person}</presence>\r\n"
    ).encode()


PACKAGE: Final = Package("presence", (PIDF, CPIM, XPIDF), PresenceReader, expires=3600)
