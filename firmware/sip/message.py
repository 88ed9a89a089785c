"""A SIP message in memory: start line, headers in order, body.

Header values are kept as the text that arrived; `firmware.sip.headers` reads the ones whose
structure matters, when it matters. That keeps unknown headers whole and parsing cheap.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct, field

# RFC 3261 §7.3.3 and later registrations.
COMPACT_FORMS = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "n": "Identity-Info",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}


class Headers:
    """Header fields in order; names compare without case, compact and long forms are one.

    Each item is one header *row*. A row of a list header (`Via`, `Contact`, `Route` …) may hold
    several comma-separated values; `firmware.sip.headers` splits them.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items: list[tuple[str, str]] = list(items)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._items == other._items

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __repr__(self) -> str:
        return f"Headers({self._items!r})"

    def copy(self) -> "Headers":
        """An independent copy."""
        return Headers(self._items)

    def get(self, name: str) -> str | None:
        """The first row called `name`, or None."""
        wanted = name.lower()
        for key, value in self._items:
            if key.lower() == wanted:
                return value
        return None

    def all(self, name: str) -> list[str]:
        """Every row called `name`, in order."""
        wanted = name.lower()
        return [value for key, value in self._items if key.lower() == wanted]

    def add(self, name: str, value: str) -> None:
        """Append a row."""
        self._items.append((name, value))

    def prepend(self, name: str, value: str) -> None:
        """Put a row before all others of its name (a new top Via, say)."""
        wanted = name.lower()
        for index, (key, _) in enumerate(self._items):
            if key.lower() == wanted:
                self._items.insert(index, (name, value))
                return
        self._items.insert(0, (name, value))

    def set(self, name: str, value: str) -> None:
        """Make `value` the only row called `name`, in the place of the first."""
        wanted = name.lower()
        for index, (key, _) in enumerate(self._items):
            if key.lower() == wanted:
                rest = [row for row in self._items[index + 1 :] if row[0].lower() != wanted]
                self._items[index:] = [(name, value), *rest]
                return
        self._items.append((name, value))

    def remove(self, name: str) -> None:
        """Drop every row called `name`."""
        wanted = name.lower()
        self._items = [row for row in self._items if row[0].lower() != wanted]


class Request(Struct):
    """A request; `uri` is the Request-URI as text (see `firmware.sip.uri.parse_uri`)."""

    method: str
    uri: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""


class Response(Struct):
    """A response; `phrase` is the reason phrase."""

    status: int
    phrase: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""


Message = Request | Response
