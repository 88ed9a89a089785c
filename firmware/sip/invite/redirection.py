"""Where a redirected call goes: the Contacts of 3xx answers, best first (RFC 3261 §8.1.3.4).

A loop ends because no address is tried twice, a long way because there are few steps. A call to a
sips address never goes on to one that is not secure (RFC 3261 §8.1.3.4, §26.4.4). Whoever answers
with 3xx must not make us pay or call for help, nor send us to a server that nobody here chose
(A19); an emergency call goes wherever it is sent.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from firmware.sip.errors import LocalError, ParseError
from firmware.sip.headers import NameAddr, contact_list
from firmware.sip.line import Line
from firmware.sip.message import Response
from firmware.sip.names import Barrier
from firmware.sip.uri import Uri

Knows = Callable[[Line, str], bool]
_MOST_STEPS: Final = 5
_MOST_TARGETS: Final = 10
_FOLLOWED: Final = frozenset({300, 301, 302, 305})
"""380 names other services, in its body; they are for a person to read."""


class Step(NamedTuple):
    """An address to try; as a `proxy` it is the way to the target as it was (305)."""

    uri: Uri
    proxy: bool


class Redirection:
    """The addresses of one call that are still worth a try."""

    def __init__(self, line: Line, target: Uri, knows: Knows, *, emergency: bool = False) -> None:
        self._line = line
        self._knows = knows
        self._emergency = emergency
        self._first = target
        self._secure = target.secure
        self._tried = {_key(target)}
        self._left: list[Step] = []
        self._steps = 0

    def learn(self, response: Response) -> list[tuple[Uri, Barrier]]:
        """Take the Contacts of a redirection; what none of our business is left out.

        Returns those that only a person may call.
        """
        if response.status not in _FOLLOWED or self._steps >= _MOST_STEPS:
            return []
        self._steps += 1
        try:
            contacts = contact_list(response.headers)
        except ParseError:
            return []
        contacts.sort(key=_quality, reverse=True)  # stable: equal ones in their order
        proxy = response.status == 305
        usable = map(self._usable, (contact.uri for contact in contacts))
        steps = [Step(uri, proxy) for uri in usable if uri is not None]
        barriers = [self._barrier(step) for step in steps]
        fresh = [step for step, why in zip(steps, barriers, strict=True) if why is None]
        # What this answer says comes before what is left of earlier ones.
        self._left = [*fresh, *self._left][:_MOST_TARGETS]
        return [(step.uri, why) for step, why in zip(steps, barriers, strict=True) if why]

    def _barrier(self, step: Step) -> Barrier | None:
        """Why this one is not followed (A19); through a proxy the number stays what it was."""
        if self._emergency:
            return None
        uri, first = step.uri, self._first
        why = None if step.proxy else self._line.account.toll.barrier(uri.user, first.user)
        # RFC 3261 §19.1.1: with maddr it goes there, whatever the host is.
        hosts = {uri.host, uri.param("maddr") or uri.host} - {first.host}
        away = not all(self._knows(self._line, host) for host in hosts)
        return why or (Barrier.AWAY if away else None)

    def next(self) -> Step | None:
        """The next address to try; None if there is none."""
        return self._left.pop(0) if self._left else None

    def _usable(self, uri: Uri) -> Uri | None:
        if uri.scheme not in ("sip", "sips", "tel") or (self._secure and not uri.secure):
            return None
        try:
            # Headers of a Contact would let somebody else write our INVITE: left out.
            found = self._line.target(str(uri).partition("?")[0])
        except LocalError:
            return None
        if _key(found) in self._tried:
            return None
        self._tried.add(_key(found))
        return found


def _key(uri: Uri) -> tuple[str, str, str, int | None, str | None]:
    return (uri.scheme, uri.user, uri.host.lower(), uri.port, uri.transport)


def _quality(contact: NameAddr) -> float:
    """The q value, 1 where it is missing or cannot be read (RFC 3261 §20.10)."""
    try:
        return min(max(float(contact.param("q") or "1"), 0.0), 1.0)
    except ValueError:
        return 1.0
