"""Three desks that trust each other, and a far end made by hand."""

import itertools
import re

import pytest

from firmware.sip.message import Headers, Request, Response
from firmware.sip.notifications import CallRef, IncomingCall, OfferWanted
from firmware.sip.parser import parse
from tests.support.sip_link import LINE, Desk, Stranger, World

OFFER, ANSWER = b"v=0 offer", b"v=0 answer"
HOSTS = {"101": "192.0.2.1", "102": "192.0.2.2", "103": "192.0.2.3"}


def aor(user):
    return f"sip:{user}@{HOSTS[user]}"


class Party(Desk):
    """A user agent that offers when it is asked; it answers a call when told to."""

    def __init__(self, world, user):
        super().__init__(world, HOSTS[user])
        self.user = user
        others = tuple(host for host in HOSTS.values() if host != HOSTS[user])
        self.line(HOSTS[user], user, register=False, peers=others)
        self.script = self._offer

    def _offer(self, heard):
        if isinstance(heard, OfferWanted):
            self.agent.offer(heard.call, OFFER, self.now)

    def calls(self, other, name):
        """Call another party, who answers; gives both names of the call."""
        mine = CallRef(name)
        self.agent.invite(mine, LINE, aor(other.user), self.now)
        self.world.run(0.1)
        theirs = other.last(IncomingCall).call
        other.agent.accept(theirs, ANSWER, self.now)
        self.world.run(0.1)
        return mine, theirs

    def sent(self, method):
        """The requests of one method that it has sent."""
        name = str(self.endpoint)
        messages = [parse(data) for _, who, _, data in self.world.log if who == name]
        return [x for x in messages if isinstance(x, Request) and x.method == method]


class FarEnd(Stranger):
    """A far end by hand at the address of 102: it calls 101 and speaks in that dialog."""

    def __init__(self, world, desk):
        super().__init__(world, HOSTS["102"])
        self.desk = desk
        self.numbers = itertools.count(1)
        self.tag = self.contact = ""
        self.address = "sip:far@192.0.2.2"

    def calls(self, *rows):
        """Call the desk, which answers; gives the desk's name for the call."""
        self.ask("INVITE", *rows, body=OFFER)
        call = self.desk.last(IncomingCall).call
        self.desk.agent.accept(call, ANSWER, self.world.now)
        self.world.run(0.02)
        answer = self.responses(200)[-1]
        self.tag = answer.headers.get("To").split("tag=")[1]
        self.contact = re.search("<(.*)>", answer.headers.get("Contact")).group(1)
        self.ask("ACK", number=1)
        self.inbox.clear()
        return call

    def ask(self, method, *rows, body=b"", number=0, **other):
        """Send a request in the dialog (or the first), and let it be answered."""
        number = number or next(self.numbers)
        to = f"<{aor('101')}>" + (f";tag={self.tag}" if self.tag else "")
        headers = Headers(
            [
                ("Via", f"SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK{method}{number};rport"),
                ("Max-Forwards", "70"),
                ("From", f"<{aor('102')}>;tag=far"),
                ("To", other.get("to", to)),
                ("Call-ID", other.get("call_id", "by-hand")),
                ("CSeq", f"{number} {method}"),
                ("Contact", f"<{self.address}>"),
                *rows,
            ]
        )
        if body and "Content-Type" not in headers:
            headers.add("Content-Type", "application/sdp")
        self.tell(Request(method, self.contact or aor("101"), headers, body), self.desk)
        self.world.run(0.02)

    def answers(self, request, status, *rows):
        """Answer a request of the desk."""
        copied = ("From", "To", "Call-ID", "CSeq")
        headers = Headers([("Via", row) for row in request.headers.all("Via")])
        for name in copied:
            headers.add(name, request.headers.get(name))
        for row in rows:
            headers.add(*row)
        self.tell(Response(status, "Said So", headers), self.desk)
        self.world.run(0.02)

    def notifies(self, fragment, state="active;expires=60", event="refer", media="message/sipfrag"):
        """Tell how the reference goes; gives the answer's status."""
        rows = [("Event", event), ("Subscription-State", state)]
        if media:
            rows.append(("Content-Type", media))
        before = len(self.inbox)
        self.ask("NOTIFY", *rows, body=fragment.encode())
        (answer,) = [x for x in self.inbox[before:] if isinstance(x, Response)]
        return answer.status

    def refers(self, *rows):
        """Ask for a call; gives the latest answer, or None."""
        before = len(self.inbox)
        self.ask("REFER", *rows)
        answers = [x for x in self.inbox[before:] if isinstance(x, Response)]
        return answers[-1] if answers else None


@pytest.fixture
def world():
    return World()


@pytest.fixture
def office(world):
    """(transferor 101, transferee 102, target 103)."""
    return tuple(Party(world, user) for user in HOSTS)


@pytest.fixture
def desk(world):
    return Party(world, "101")


@pytest.fixture
def far(world, desk):
    return FarEnd(world, desk)
