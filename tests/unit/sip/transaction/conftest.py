"""A host that writes down what transactions do."""

import pytest

from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.message import Headers, Request, Response
from firmware.sip.transaction.keys import read_arrival
from firmware.sip.transaction.timing import Timing

HERE = Endpoint("192.0.2.1", 5060)
THERE = Endpoint("192.0.2.2", 5060)


class Recorder:
    """Host, client user and server user in one; `done` is what happened, in order."""

    def __init__(self):
        self.timing = Timing()
        self.done = []
        self.armed = {}

    def take(self):
        done, self.done = self.done, []
        return done

    def transmit(self, _flow, data):
        self.done.append("send " + data.split(b" SIP/2.0")[0].split(b"\r\n")[0].decode())

    def arm(self, _transaction, timer, at):
        self.armed[timer] = at
        self.done.append(f"{timer.value} {at:g}")

    def disarm(self, _transaction, timer):
        if self.armed.pop(timer, None) is not None:
            self.done.append(f"stop {timer.value}")

    def forget(self, _transaction):
        self.done.append("gone")

    def ignore(self, event):
        self.done.append(f"ignored {event.value}")

    def on_response(self, response, _now):
        self.done.append(f"told {response.status}")

    def on_ack(self, _arrival, _now):
        self.done.append("told ACK")

    def on_failure(self, failure, _now):
        self.done.append(f"told {failure.value}")


class Telephony:
    """Builds the messages and flows these tests speak of."""

    udp = Flow(Transport.UDP, HERE, THERE)
    tcp = Flow(Transport.TCP, HERE, THERE, 7)

    @staticmethod
    def request(method="INVITE", branch="z9hG4bKone", *, via="192.0.2.1:5060", to_tag="", cseq=1):
        to = "<sip:600@pbx.example>" + (f";tag={to_tag}" if to_tag else "")
        rows = [
            ("Via", f"SIP/2.0/UDP {via};rport;branch={branch}"),
            ("Max-Forwards", "70"),
            ("Route", "<sip:proxy.example;lr>"),
            ("From", "<sip:101@pbx.example>;tag=ours"),
            ("To", to),
            ("Call-ID", "call"),
            ("CSeq", f"{cseq} {method}"),
            ("Subject", "not copied"),
        ]
        return Request(method, "sip:600@pbx.example", Headers(rows))

    @classmethod
    def arrival(cls, method="INVITE", branch="z9hG4bKone", flow=None, **more):
        return read_arrival(cls.request(method, branch, **more), flow or cls.udp)

    @staticmethod
    def response(status, method="INVITE", branch="z9hG4bKone"):
        rows = [
            ("Via", f"SIP/2.0/UDP 192.0.2.1:5060;branch={branch}"),
            ("From", "<sip:101@pbx.example>;tag=ours"),
            ("To", "<sip:600@pbx.example>;tag=theirs"),
            ("Call-ID", "call"),
            ("CSeq", f"1 {method}"),
        ]
        return Response(status, "Phrase", Headers(rows))


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def telephony():
    return Telephony
