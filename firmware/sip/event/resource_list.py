"""Lists of resources watched by one subscription (RFC 4662): rlmi and its parts.

The body is multipart/related; its root is an RLMI document that names the resources and points by
Content-ID to the part with the state of each, which the package's own reader reads.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from firmware.sip.errors import ParseError
from firmware.sip.event.package import (
    BodyError,
    Document,
    GapError,
    Package,
    Reader,
    kind_of,
    parameter,
)
from firmware.sip.event.versions import Step, Versions
from firmware.sip.event.xml import Element, read_xml
from firmware.sip.multipart import Part, parts_of

RLMI: Final = "application/rlmi+xml"
RELATED: Final = "multipart/related"
OPTION: Final = "eventlist"
"""The option tag of a subscription to a list (RFC 4662 §4.1)."""
_MOST_RESOURCES: Final = 200
_MOST_PARTS: Final = 300
_MOST_OCTETS: Final = 65_536
_MOST_MARKS: Final = 2_500
"""The most `<` in all the parts together: what one document may have of them is no bound here."""
_MOST_NESTED: Final = 3


class Instance(Struct, frozen=True):
    """One notifier of a resource: its subscription's state (RFC 4662 §5.5) and what it says."""

    id: str
    state: str
    reason: str = ""
    document: Document | None = None


class Resource(Struct, frozen=True):
    """One member of a list, with all its instances."""

    uri: str
    name: str = ""
    instances: tuple[Instance, ...] = ()


class ResourceList(Document, frozen=True):
    """The list as it is known now."""

    uri: str
    name: str
    resources: tuple[Resource, ...]


@dataclass(slots=True)
class _Row:
    """What is kept of a resource: its instances, and a reader for each."""

    resource: Resource
    readers: dict[str, Reader] = field(default_factory=dict)


class ListReader:
    """Keeps the table of one list (RFC 4662 §5.6.1, §5.6.2); a list in it is a document."""

    def __init__(self, reader: Callable[[], Reader], depth: int = 0) -> None:
        self._reader = reader
        self._plain = reader()
        self._depth = depth
        self._versions = Versions()
        self._rows: dict[str, _Row] = {}
        self._uri = self._name = ""

    def read(self, content_type: str, body: bytes) -> Document:
        """The whole list after this body; a body of the package itself is read as that.

        Raises:
            BodyError: it is no list.
            GapError: a list before it is missing.
        """
        if kind_of(content_type) != RELATED:
            # RFC 4662 §4.1: a URI that is no list is notified as ever.
            return self._plain.read(content_type, body)
        parts = _parts(content_type, body)
        root = read_xml(_root(content_type, parts).body, "list")
        full = root.get("fullState", "true").lower() in ("true", "1")
        step = self._versions.step(root.get("version"), full=full)
        resources = list(root.all("resource"))
        if len(resources) > _MOST_RESOURCES:
            raise BodyError("too many resources")
        if step is not Step.OLD:
            # Each part is the state of one instance (RFC 4662 §5.5), and is read for one only:
            # a thousand instances that name the same part are no thousand documents (A15).
            self._take(root, resources, {part.content_id: part for part in parts}, full=full)
        document = ResourceList(
            self._uri, self._name, tuple(row.resource for row in self._rows.values())
        )
        if step is Step.GAP:
            raise GapError(document)
        return document

    def _take(
        self, root: Element, resources: list[Element], parts: dict[str, Part], *, full: bool
    ) -> None:
        self._uri = root.get("uri") or self._uri
        self._name = root.said("name") or self._name
        before = dict(self._rows)
        if full:
            self._rows.clear()
        for element in resources:
            uri = element.get("uri")
            row = before.get(uri) or _Row(Resource(uri))
            known = {each.id: each for each in row.resource.instances}
            instances = tuple(
                self._instance(row, known, each, parts) for each in element.all("instance")
            )
            row.readers = {each.id: row.readers[each.id] for each in instances}
            name = element.said("name") or row.resource.name
            row.resource = Resource(uri, name, instances)
            if len(self._rows) < _MOST_RESOURCES or uri in self._rows:
                self._rows[uri] = row

    def _instance(
        self,
        row: _Row,
        known: Mapping[str, Instance],
        element: Element,
        parts: dict[str, Part],
    ) -> Instance:
        mark, part = element.get("id"), parts.pop(element.get("cid"), None)
        old = known.get(mark)
        document = old.document if old is not None else None
        reader = row.readers.setdefault(mark, self._new_reader())
        if part is not None:
            try:
                document = reader.read(part.headers.get("Content-Type") or "", part.body)
            except GapError as gap:
                document = gap.document
        return Instance(mark, element.get("state"), element.get("reason"), document)

    def _new_reader(self) -> Reader:
        if self._depth >= _MOST_NESTED:
            return self._reader()
        return ListReader(self._reader, self._depth + 1)


def _parts(content_type: str, body: bytes) -> list[Part]:
    whole = Part(RELATED, body, {"boundary": parameter(content_type, "boundary")})
    if len(body) > _MOST_OCTETS or body.count(b"<") > _MOST_MARKS:
        raise BodyError("too long")
    try:
        parts = list(itertools.islice(parts_of(whole), _MOST_PARTS + 1))
    except ParseError as error:
        raise BodyError(str(error)) from error
    if len(parts) > _MOST_PARTS:
        raise BodyError("too many parts")
    return parts


def _root(content_type: str, parts: list[Part]) -> Part:
    """RFC 2387 §3.2: the part that `start` names, else the first."""
    start = parameter(content_type, "start").strip("<>")
    found = next((part for part in parts if start and part.content_id == start), None)
    if found is None and parts:
        found = parts[0]
    if found is None or found.media_type != RLMI:
        raise BodyError("no rlmi")
    return found


def as_list(package: Package) -> Package:
    """A package whose subscriptions may be to lists."""

    def reader() -> Reader:
        return ListReader(package.reader)

    return Package(
        package.name, (*package.accept, RLMI, RELATED), reader, package.expires, package.forks
    )
