"""XML of event packages, read with a small expat reader that cannot be made to work hard (A15).

No document type, no entities, no processing of anything outside the document; at most 64 kB, so
many elements, so deep. Names are compared without their namespace: servers get those wrong more
often than the names. Not a general XML library.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from firmware.sip.event.package import BodyError

MOST_OCTETS: Final = 65_536
MOST_ELEMENTS: Final = 1_500
MOST_DEPTH: Final = 24
MOST_ATTRIBUTES: Final = 4_000
_SEPARATOR: Final = " "


@dataclass(slots=True)
class Element:
    """One element: its name and attributes without namespace, its children, its own text."""

    name: str
    attributes: dict[str, str]
    space: str = ""
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def get(self, name: str, default: str = "") -> str:
        """The value of an attribute."""
        return self.attributes.get(name, default)

    def all(self, name: str) -> Iterator["Element"]:
        """The children of that name."""
        return (child for child in self.children if child.name == name)

    def child(self, name: str) -> "Element | None":
        """The first child of that name."""
        return next(self.all(name), None)

    def said(self, name: str) -> str:
        """The text of the first child of that name; empty if there is none."""
        found = self.child(name)
        return found.text if found is not None else ""


def read_xml(body: bytes, root: str) -> Element:
    """The root element, which must be called `root`. Text is stripped of blanks at its ends.

    Raises:
        BodyError: it is not well-formed, another document, too large, or wants entities.
    """
    # Who only writes documents (`escape`) has no use for a parser.
    from xml.parsers import expat  # noqa: PLC0415 - see above

    if len(body) > MOST_OCTETS:
        raise BodyError("too long")
    builder = _Builder()
    # What the document says of its encoding is not believed: a codec would have to be loaded.
    parser = expat.ParserCreate("utf-8", _SEPARATOR)
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.StartDoctypeDeclHandler = builder.refuse
    parser.EntityDeclHandler = builder.refuse
    parser.ExternalEntityRefHandler = builder.refuse
    try:
        parser.Parse(_as_utf8(body), True)  # noqa: FBT003 - expat takes it by position
    except (expat.ExpatError, ValueError) as error:
        raise BodyError("not well-formed") from error
    found = builder.root
    if found is None or found.name != root:
        raise BodyError(f"not a {root}")
    return found


def escape(text: str) -> str:
    """Text as it may stand in an element or an attribute in double quotes.

    What XML 1.0 cannot carry at all (controls, lone surrogates) is left out.
    """
    if not text.isascii() or not text.isprintable():
        text = "".join(letter for letter in text if _sayable(letter))
    for letter, entity in _ENTITIES:
        text = text.replace(letter, entity)
    return text


_ENTITIES: Final = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"))


def _sayable(letter: str) -> bool:
    code = ord(letter)
    return code >= 0x20 and not 0xD800 <= code <= 0xDFFF and code not in (0xFFFE, 0xFFFF, 0x7F)


def _as_utf8(body: bytes) -> bytes:
    body = body.strip()
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("latin-1").encode()
    return body


class _Builder:
    """Takes expat's events; what it does for each element is kept small (P3)."""

    __slots__ = ("_attributes", "_elements", "_more", "_open", "root")

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        # What open elements said after their first words; joined once, when they end.
        self._more: list[tuple[Element, str]] = []
        self._elements = 0
        self._attributes = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._attributes += len(attributes)
        depth = len(self._open)
        full = self._elements > MOST_ELEMENTS or self._attributes > MOST_ATTRIBUTES
        if full or depth >= MOST_DEPTH:
            raise BodyError("too many or too deep")
        space, _, local = name.rpartition(_SEPARATOR)
        if attributes and _SEPARATOR in "".join(attributes):
            attributes = {key.rpartition(_SEPARATOR)[2]: it for key, it in attributes.items()}
        element = Element(local, attributes, space)
        if depth:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, name: str) -> None:
        del name
        element = self._open.pop()
        if element.text:
            more = self._more
            if more and more[-1][0] is element:
                begin = len(more)
                while begin and more[begin - 1][0] is element:
                    begin -= 1
                element.text += "".join(text for _, text in more[begin:])
                del more[begin:]
            element.text = element.text.strip()

    def characters(self, text: str) -> None:
        element = self._open[-1]
        if element.text:
            self._more.append((element, text))
        else:
            element.text = text

    def refuse(self, *_: object) -> int:
        raise BodyError("document types and entities are not wanted")
