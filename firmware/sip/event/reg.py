"""reg: what a registrar knows of an address-of-record (RFC 3680)."""

import itertools
from typing import Final

from msgspec import Struct

from firmware.sip.event.package import BodyError, Document, GapError, Package
from firmware.sip.event.versions import Step, Versions
from firmware.sip.event.xml import Element, read_xml

MEDIA_TYPE: Final = "application/reginfo+xml"
_MOST_ROWS: Final = 200
_MOST_OF_ONE: Final = 50
_MOST_CONTACTS: Final = 500
"""Of all addresses together."""


class RegisteredContact(Struct, frozen=True):
    """One binding; `event` is what brought it into this state (RFC 3680 §4.7.1).

    `expires` and `retry_after` are seconds, None where the registrar does not say.
    """

    id: str
    uri: str
    active: bool
    event: str = ""
    expires: int | None = None
    retry_after: int | None = None
    name: str = ""


class RegisteredAddress(Struct, frozen=True):
    """One address-of-record with its bindings, those that have just ended among them."""

    id: str
    aor: str
    state: str
    contacts: tuple[RegisteredContact, ...]


class RegInfo(Document, frozen=True):
    """All that was subscribed to."""

    addresses: tuple[RegisteredAddress, ...]


class RegReader:
    """Merges partial documents (RFC 3680 §5.2)."""

    def __init__(self) -> None:
        self._versions = Versions()
        self._table: dict[str, RegisteredAddress] = {}
        self._contacts = 0

    def read(self, content_type: str, body: bytes) -> RegInfo:
        """All registrations after this document.

        Raises:
            BodyError: it is no registration information.
            GapError: a document before it is missing.
        """
        del content_type
        root = read_xml(body, "reginfo")
        full = root.get("state", "full") == "full"
        addresses = [_address(each) for each in root.all("registration")]
        step = self._versions.step(root.get("version", "0"), full=full)
        self._forget_what_ended()
        if step is not Step.OLD:
            if full:
                self._table.clear()
                self._contacts = 0
            for address in addresses:
                self._put(address)
        document = RegInfo(tuple(self._table.values()))
        if step is Step.GAP:
            raise GapError(document)
        return document

    def _forget_what_ended(self) -> None:
        self._contacts = 0
        for key, address in self._table.items():
            left = tuple(each for each in address.contacts if each.active)
            self._table[key] = RegisteredAddress(address.id, address.aor, address.state, left)
            self._contacts += len(left)

    def _put(self, address: RegisteredAddress) -> None:
        old = self._table.get(address.id)
        if old is None and len(self._table) >= _MOST_ROWS:
            return
        before = old.contacts if old else ()
        rows = {each.id: each for each in (*before, *address.contacts)}
        room = _MOST_CONTACTS - self._contacts + len(before)
        contacts = tuple(rows.values())[: min(room, _MOST_OF_ONE)]
        self._contacts += len(contacts) - len(before)
        self._table[address.id] = RegisteredAddress(
            address.id, address.aor, address.state, contacts
        )


def _address(element: Element) -> RegisteredAddress:
    if not element.get("id"):
        raise BodyError("a registration without id")
    contacts = tuple(map(_contact, itertools.islice(element.all("contact"), _MOST_OF_ONE)))
    return RegisteredAddress(element.get("id"), element.get("aor"), element.get("state"), contacts)


def _contact(element: Element) -> RegisteredContact:
    if not element.get("id"):
        raise BodyError("a contact without id")
    return RegisteredContact(
        element.get("id"),
        element.said("uri"),
        element.get("state") != "terminated",
        element.get("event"),
        _seconds(element.get("expires")),
        _seconds(element.get("retry-after")),
        element.said("display-name"),
    )


def _seconds(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None


PACKAGE: Final = Package("reg", (MEDIA_TYPE,), RegReader, expires=3761)
