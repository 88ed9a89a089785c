"""Call a number, send some digits by INFO once somebody answers, and hang up.

python docs/examples/call_and_send_dtmf.py 127.0.0.1:5080 202 202 201 123#
"""

import asyncio
import socket
import sys

from firmware.net.runner import Runner, running
from firmware.sip.account import Account
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallProgress,
    CallRef,
    LineName,
    OfferWanted,
)

LINE, CALL = LineName("me"), CallRef("the call")
DIGIT_MS = 160


def audio(host: str, port: int) -> bytes:
    """A session description with one PCMU stream; sending and hearing it is not shown here."""
    return (
        f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    ).encode()


async def press(phone: Runner, digits: str) -> None:
    """One digit after another, then goodbye."""
    for digit in digits:
        phone.do(lambda now, digit=digit: phone.agent.info_digit(CALL, digit, DIGIT_MS, now))
        print("sent", digit, flush=True)
        await asyncio.sleep(DIGIT_MS / 1000)
    phone.do(lambda now: phone.agent.end(CALL, now))


async def call(server: str, user: str, password: str, number: str, digits: str) -> int:
    """Place the call; returns 0 if somebody answered."""
    rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    rtp.bind(("", 0))
    media_port = rtp.getsockname()[1]
    answered = False
    account = Account(LINE, user, server, password, register=False)
    async with running(account) as phone, asyncio.TaskGroup() as tasks:
        phone.do(lambda now: phone.agent.invite(CALL, LINE, number, now))
        async for notification in phone:
            match notification:
                case OfferWanted(local=local):
                    sdp = audio(local, media_port)
                    phone.do(lambda now, sdp=sdp: phone.agent.offer(CALL, sdp, now))
                case CallProgress(status=status, phrase=phrase):
                    print(status, phrase, flush=True)
                case CallAnswered():
                    answered = True
                    print("answered", flush=True)
                    tasks.create_task(press(phone, digits))
                case CallEnded(status=status, cause=cause):
                    print("ended", *([status, cause.value] if cause else []), flush=True)
                    break
                case _:
                    pass
    return 0 if answered else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(call(*sys.argv[1:6])))
