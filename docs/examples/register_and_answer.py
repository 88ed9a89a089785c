"""Register, and answer every call. It says what happens; digits sent by INFO are shown.

python docs/examples/register_and_answer.py 127.0.0.1:5080 201 201
"""

import asyncio
import socket
import sys

from firmware.net.runner import running
from firmware.sip.account import Account
from firmware.sip.notifications import (
    CallConfirmed,
    CallEnded,
    IncomingCall,
    InfoDigit,
    LineName,
    RegistrationChanged,
    ReofferReceived,
)

LINE = LineName("me")


def audio(host: str, port: int) -> bytes:
    """A session description with one PCMU stream; sending and hearing it is not shown here."""
    return (
        f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    ).encode()


async def answer_calls(server: str, user: str, password: str) -> None:
    """Until somebody stops the program."""
    rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    rtp.bind(("", 0))
    media_port = rtp.getsockname()[1]
    async with running(Account(LINE, user, server, password)) as phone:
        phone.do(lambda now: phone.agent.register(LINE, now))
        async for notification in phone:
            match notification:
                case RegistrationChanged(state=state, cause=cause):
                    print(
                        "registration:", state.value, *([cause.value] if cause else []), flush=True
                    )
                case IncomingCall(call, caller=caller, local=local):
                    print("call from", caller.user, flush=True)
                    sdp = audio(local, media_port)
                    phone.do(lambda now, call=call, sdp=sdp: phone.agent.accept(call, sdp, now))
                case ReofferReceived(call):
                    phone.do(lambda now, call=call: phone.agent.reject_reoffer(call, 488, now))
                case CallConfirmed():
                    print("talking", flush=True)
                case InfoDigit(digit=digit):
                    print("digit", digit, flush=True)
                case CallEnded(by_us=by_us):
                    print("ended by", "us" if by_us else "them", flush=True)
                case _:
                    pass


if __name__ == "__main__":
    try:
        asyncio.run(answer_calls(*sys.argv[1:4]))
    except KeyboardInterrupt:
        print("stopped")
