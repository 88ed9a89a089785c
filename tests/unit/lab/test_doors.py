"""The practice PBX takes phones by TLS and WebSockets where it is told to."""

import asyncio

import pytest

from firmware.lab.app import PracticePbx
from firmware.net.stream import Door, Streams
from firmware.sip.flow import Endpoint, Target, Terms, TlsTerms, Transport
from tests.support.certificates import Authority

pytestmark = pytest.mark.realtime
KINDS = (Transport.TLS, Transport.WS, Transport.WSS)
OPTIONS = (
    b"OPTIONS sip:600@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/%b abc.invalid;branch=z9hG4bKdoor\r\n"
    b"From: <sip:1@127.0.0.1>;tag=1\r\nTo: <sip:600@127.0.0.1>\r\nCall-ID: door\r\n"
    b"CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


class Ear:
    """Hears answers."""

    def __init__(self):
        self.messages = asyncio.Queue()

    def stream_message(self, data, _flow):
        self.messages.put_nowait(data)

    def stream_closed(self, _flow, reason, _cause=None):
        self.messages.put_nowait(reason.encode())


async def test_each_door_leads_to_the_exchange(tmp_path):
    office = Authority(tmp_path)
    own = office.issue("DNS:pbx.example")
    tls = TlsTerms(cert=str(own.cert), key=str(own.key))
    pbx, ear = PracticePbx(), Ear()
    client = Streams(ear)
    await pbx.start(("127.0.0.1",), 0, tuple(Door(kind, 0, tls) for kind in KINDS))
    try:
        for kind in KINDS:
            there = Endpoint("127.0.0.1", pbx.port_of(kind))
            secure = TlsTerms(ca=str(office.file)) if kind.secure else None
            terms = Terms("pbx.example", secure, "/" if kind.web else "")
            flow = await client.connect(Target(kind, there, Endpoint("127.0.0.1", 0)), terms)
            client.send(flow, OPTIONS % kind.via.encode())
            answer = await asyncio.wait_for(ear.messages.get(), 20)
            assert answer.startswith(b"SIP/2.0 200 "), (kind, answer)
    finally:
        await client.close()
        await pbx.stop()
