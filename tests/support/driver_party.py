"""User agents with their drivers on real sockets of loopback: a phone and its PBX."""

import asyncio
from dataclasses import dataclass, field

import pytest

from firmware.base.tokens import Tokens
from firmware.net.resolver import Resolver
from firmware.net.sip_driver import SipDriver
from firmware.sip.account import Account
from firmware.sip.agent import AgentSettings, UserAgent
from firmware.sip.flow import Flow
from firmware.sip.notifications import (
    CallRef,
    IncomingCall,
    LineName,
    OfferWanted,
    RequestReceived,
)

LINE, CALL = LineName("desk"), CallRef("c1")
SDP = b"v=0\r\n"


@dataclass
class Party:
    """One user agent with its driver; `heard` are its notifications."""

    settings: AgentSettings
    seed: bytes
    resolver: Resolver
    heard: list = field(default_factory=list)
    traced: list[tuple[bool, bytes, Flow]] = field(default_factory=list)

    def __post_init__(self):
        tokens = Tokens(self.seed * 16)
        self.contacts = []
        self.agent = UserAgent(self.settings, tokens)
        self.driver = SipDriver(
            self.agent, self.resolver, tokens, self.notified, lambda *row: self.traced.append(row)
        )
        self._news = asyncio.Event()

    @property
    def now(self):
        return asyncio.get_running_loop().time()

    def have(self, server, **more):
        self.agent.set_lines((Account(LINE, "101", server, "101", **more),), self.now)

    def notified(self, thing):
        self.heard.append(thing)
        self._news.set()
        match thing:
            case RequestReceived(key, request):
                contact = request.headers.get("Contact")
                self.contacts.append(contact.partition("<")[2].partition(">")[0])
                granted = (("Contact", f"<{self.contacts[-1]}>;expires=60"),)
                self.agent.respond(key, 200, self.now, granted)
            case IncomingCall(call):
                self.agent.ring(call, self.now)
                self.agent.accept(call, SDP, self.now)
            case OfferWanted(call):
                self.agent.offer(call, SDP, self.now)

    async def hears(self, kind, **facts):
        """The first notification of a kind with these facts."""
        async with asyncio.timeout(20):
            while True:
                for thing in self.heard:
                    if isinstance(thing, kind) and all(
                        getattr(thing, key) == value for key, value in facts.items()
                    ):
                        return thing
                self._news.clear()
                await self._news.wait()


@pytest.fixture
async def parties(tmp_path):
    """Makes parties; they are closed after the test."""
    made = []

    def make(*, pbx=False):
        settings = (
            AgentSettings("pbx", hand_up=frozenset({"REGISTER"}), open_house=True)
            if pbx
            else AgentSettings("phone")
        )
        loop = asyncio.get_running_loop()
        names = Resolver(loop.time, (("127.0.0.1", 1),), tmp_path / "hosts")
        made.append(Party(settings, b"%d" % len(made), names))
        return made[-1]

    yield make
    for party in made:
        await party.driver.close()


def at(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@pytest.fixture
async def pair(parties, loopback):
    """A phone and its PBX, both listening on loopback."""
    phone, pbx = parties(), parties(pbx=True)
    for party in (phone, pbx):
        await party.driver.listen((loopback,), 0)
    server = at(loopback, pbx.driver.port)
    pbx.agent.set_lines(
        (Account(LINE, "pbx", server, register=False, accept_any_user=True),), pbx.now
    )
    phone.server = server
    return phone, pbx
