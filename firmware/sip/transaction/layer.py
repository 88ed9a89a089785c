"""All transactions of the user agent: finding the one a message belongs to, and their timers.

Not here: what a request or a final response means. Bounded: when the store of server transactions
is full a new one is refused, so that a flood costs memory only up to that bound.
"""

from collections import Counter
from collections.abc import Callable

from firmware.base.deadlines import Deadlines
from firmware.sip.flow import Flow
from firmware.sip.message import Request, Response
from firmware.sip.transaction.client import ClientTransaction, ClientUser
from firmware.sip.transaction.keys import Arrival, ClientKey, ServerKey, response_flow, response_key
from firmware.sip.transaction.machine import Timed
from firmware.sip.transaction.server import ServerTransaction, ServerUser
from firmware.sip.transaction.tables import Event, State
from firmware.sip.transaction.timing import Timer, Timing

Send = Callable[[Flow, bytes], None]


class TransactionLayer:
    """The transactions that are alive, by key."""

    def __init__(self, send: Send, timing: Timing, most_servers: int = 5000) -> None:
        self.timing = timing
        self.ignored: Counter[Event] = Counter()
        self._send = send
        self._deadlines: Deadlines[tuple[Timed, Timer]] = Deadlines()
        self._most_servers = most_servers
        self._clients: dict[ClientKey, ClientTransaction] = {}
        self._servers: dict[ServerKey, ServerTransaction] = {}
        self._merge: dict[ServerKey, ServerKey] = {}

    def __len__(self) -> int:
        return len(self._clients) + len(self._servers) + len(self._merge) + len(self._deadlines)

    @property
    def full(self) -> bool:
        """Whether no more server transactions are taken."""
        return len(self._servers) >= self._most_servers

    @property
    def waiting(self) -> bool:
        """Whether a request of ours still waits for its final response."""
        return any(each.state in _WAITING for each in self._clients.values())

    @property
    def next_deadline(self) -> float | None:
        """When the next timer of a transaction is due."""
        return self._deadlines.earliest()

    def fire_timers(self, now: float) -> None:
        """Let every timer that is due do its work."""
        for transaction, timer in self._deadlines.due(now):
            transaction.on_alarm(timer, now)

    # --- client side ------------------------------------------------------------------------

    def send(
        self, request: Request, branch: str, flow: Flow, user: ClientUser, now: float
    ) -> ClientTransaction:
        """Start a client transaction; the request's top Via must carry `branch`."""
        key = (branch, request.method)
        transaction = ClientTransaction(self, key, request, flow, user)
        self._clients[key] = transaction
        transaction.start(now)
        return transaction

    def receive_response(self, response: Response, flow: Flow, now: float) -> bool:
        """Hand a response to its transaction; False if it is nobody's and was dropped."""
        found = response_key(response)
        transaction = self._clients.get(found[0]) if found else None
        if found is None or transaction is None or not _from_peer(transaction.flow, flow):
            return False
        if (found[1].host, found[1].port) != transaction.sent_by:
            return False  # RFC 3261 §18.1.2: the Via is not ours
        transaction.receive(response, now)
        return True

    # --- server side ------------------------------------------------------------------------

    def absorb(self, arrival: Arrival, now: float) -> bool:
        """Give a request to the transaction it repeats or acknowledges, if there is one."""
        transaction = self._servers.get(arrival.key)
        if transaction is None:
            return False
        transaction.receive(arrival, now)
        return True

    def open(self, arrival: Arrival, user: ServerUser | None = None) -> ServerTransaction:
        """A server transaction for a request that `absorb` did not take."""
        key = arrival.key
        transaction = ServerTransaction(self, key, arrival, response_flow(arrival), user)
        self._servers[key] = transaction
        if not arrival.to_tag:
            self._merge.setdefault(arrival.merge_key, key)
        return transaction

    def unanswered(self, arrival: Arrival) -> ServerTransaction | None:
        """The transaction of a request other than INVITE to which nothing was said yet."""
        transaction = self._servers.get(arrival.key)
        waits = transaction is not None and transaction.state is State.TRYING
        return transaction if waits else None

    def merged(self, arrival: Arrival) -> bool:
        """Whether this request already arrived by another way (RFC 3261 §8.2.2.2)."""
        return not arrival.to_tag and arrival.merge_key in self._merge

    def sent_by_us(self, arrival: Arrival) -> bool:
        """Whether this is a request of our own that nobody but us has had in hand (A22)."""
        return (arrival.via.branch or "", arrival.request.method) in self._clients

    def invite_of(self, cancel: Arrival) -> ServerTransaction | None:
        """The INVITE transaction that a CANCEL is about (RFC 3261 §9.2)."""
        return self._servers.get(cancel.invite_key)

    # --- the transport ----------------------------------------------------------------------

    def flows(self) -> list[Flow]:
        """The flows on which requests of ours wait for an answer."""
        waiting = (each.flow for each in self._clients.values() if each.state in _WAITING)
        return list(dict.fromkeys(waiting))

    def flow_failed(self, flow: Flow, now: float) -> None:
        """Tell every transaction on this flow; a stream is gone for good, a datagram is not."""
        event = Event.FLOW_LOST if flow.transport.reliable else Event.TRANSPORT_ERROR
        for client in [each for each in self._clients.values() if each.flow == flow]:
            client.handle(event, now)
        for server in [each for each in self._servers.values() if each.flow == flow]:
            server.handle(event, now)

    # --- what transactions ask of their host ------------------------------------------------

    def transmit(self, flow: Flow, data: bytes) -> None:
        self._send(flow, data)

    def arm(self, transaction: Timed, timer: Timer, at: float) -> None:
        self._deadlines.set((transaction, timer), at)

    def disarm(self, transaction: Timed, timer: Timer) -> None:
        self._deadlines.cancel((transaction, timer))

    def forget(self, transaction: Timed) -> None:
        if isinstance(transaction, ClientTransaction):
            self._clients.pop(transaction.key, None)
        elif isinstance(transaction, ServerTransaction):
            self._servers.pop(transaction.key, None)
            merge_key = transaction.arrival.merge_key
            if self._merge.get(merge_key) == transaction.key:
                del self._merge[merge_key]
        for timer in Timer:
            self._deadlines.cancel((transaction, timer))

    def ignore(self, event: Event) -> None:
        self.ignored[event] += 1

    def kill(self, transaction: ClientTransaction) -> None:
        """End a client transaction that will never be answered (RFC 3261 §9.1)."""
        transaction.state = State.TERMINATED
        self.forget(transaction)


_WAITING = (State.CALLING, State.TRYING, State.PROCEEDING)


def _from_peer(ours: Flow, theirs: Flow) -> bool:
    """Whether a response came back the way the request went (not from somebody who guesses)."""
    if ours.transport.reliable:
        return ours.number == theirs.number
    return ours.transport is theirs.transport and ours.remote.host == theirs.remote.host
