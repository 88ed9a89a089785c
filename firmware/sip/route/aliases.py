"""Connections that somebody opened to us and that lead back to them (RFC 5923).

A peer that shows a certificate over TLS and writes `alias` into its Via says: what you have for me
at the address in this Via may come over this connection. It is believed only for the domains of the
certificate (RFC 5923 §9.2), so nobody can take calls that are for somebody else.
"""

from typing import Final

from firmware.sip.flow import Endpoint, Flow, Target, Terms, Transport
from firmware.sip.transaction.keys import Arrival

_DEFAULT_PORT: Final = 5061
_MOST: Final = 64


class Aliases:
    """The alias table of RFC 5923 §5."""

    def __init__(self) -> None:
        self._flows: dict[tuple[Transport, Endpoint], Flow] = {}

    def __len__(self) -> int:
        return len(self._flows)

    def note(self, arrival: Arrival) -> None:
        """Keep the connection of a request that offers it (RFC 5923 §8.2)."""
        flow, via = arrival.flow, arrival.via
        if not flow.identities or not any(name.lower() == "alias" for name, _ in via.params):
            return
        # RFC 5923 §8.2: the address is where it came from, the port the one it advertises.
        there = Endpoint(flow.remote.host, via.port or _DEFAULT_PORT)
        if len(self._flows) < _MOST or (flow.transport, there) in self._flows:
            self._flows[flow.transport, there] = flow

    def find(self, target: Target, terms: Terms | None) -> Flow | None:
        """A connection to `target` whose far end has proved to be the domain of the terms."""
        flow = self._flows.get((target.transport, target.remote))
        if flow is None or terms is None or terms.name.lower() not in flow.identities:
            return None
        return flow

    def drop(self, flow: Flow) -> None:
        """The connection is gone."""
        self._flows = {key: each for key, each in self._flows.items() if each != flow}


def offers_alias(flow: Flow, listening: Endpoint) -> bool:
    """Whether we may write `alias`: we show a certificate, and listen where our Via says."""
    # RFC 5923 §8.1: whoever writes it must go on taking requests at the advertised address.
    tls = flow.terms.tls if flow.terms is not None else None
    return flow.transport is Transport.TLS and bool(tls and tls.cert) and listening != flow.local
