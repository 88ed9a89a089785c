"""Place a call with `firmware.sip` alone: one UDP socket, `select`, no asyncio, no DNS.

python docs/examples/own_loop.py 127.0.0.1:5080 202 202 600
"""

import os
import select
import socket
import sys
import time

from firmware.base.tokens import Tokens
from firmware.sip.account import Account
from firmware.sip.agent import AgentSettings, UserAgent
from firmware.sip.effects import Effect, ResolveTarget, Transmit
from firmware.sip.flow import Endpoint, Flow, Target, Transport
from firmware.sip.notifications import CallAnswered, CallEnded, CallRef, LineName, OfferWanted

LINE, CALL = LineName("me"), CallRef("the call")
NOTHING_NEW_SECONDS = 1.0


class Loop:
    """The four steps of docs/sip.md: one input, all effects, all notifications, one timer."""

    def __init__(self, account: Account, server: tuple[str, int]) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(server)
        self._here = Endpoint(*self._socket.getsockname())
        self._there = Endpoint(*server)
        self.agent = UserAgent(AgentSettings(), Tokens(os.urandom(32)))
        self.agent.set_lines((account,), time.monotonic())

    def turn(self) -> list[object]:
        """Wait for a datagram or a timer, and give what has happened."""
        self._perform(self.agent.take_effects())
        due = self.agent.next_deadline()
        wait = NOTHING_NEW_SECONDS if due is None else max(0.0, due - time.monotonic())
        if select.select([self._socket], [], [], min(wait, NOTHING_NEW_SECONDS))[0]:
            flow = Flow(Transport.UDP, self._here, self._there)
            self.agent.receive(self._socket.recv(65_535), flow, time.monotonic())
        self.agent.fire_timers(time.monotonic())
        return list(self.agent.take_notifications())

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Transmit):
                self._socket.send(effect.data)
            elif isinstance(effect, ResolveTarget):
                target = Target(Transport.UDP, self._there, self._here, effect.host)
                self.agent.target_resolved(effect.query, (target,), time.monotonic())
                self._perform(self.agent.take_effects())


def call(server: str, user: str, password: str, number: str) -> int:
    """Call, hang up once somebody answers; returns 0 if somebody did."""
    host, _, port = server.partition(":")
    account = Account(LINE, user, server, password, register=False)
    loop, answered = Loop(account, (host, int(port))), False
    loop.agent.invite(CALL, LINE, number, time.monotonic())
    over = False
    # Goodbyes are effects too: the far end hears them before we leave.
    while not (over and loop.agent.settled):
        for heard in loop.turn():
            print(type(heard).__name__, flush=True)
            if isinstance(heard, OfferWanted):
                sdp = (
                    f"v=0\r\no=- 1 1 IN IP4 {heard.local}\r\ns=-\r\nc=IN IP4 {heard.local}\r\n"
                    "t=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
                )
                loop.agent.offer(CALL, sdp.encode(), time.monotonic())
            elif isinstance(heard, CallAnswered):
                answered = True
                loop.agent.end(CALL, time.monotonic())
            elif isinstance(heard, CallEnded):
                over = True
    return 0 if answered else 1


if __name__ == "__main__":
    sys.exit(call(*sys.argv[1:5]))
