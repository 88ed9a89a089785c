"""Watch a mailbox, and say how many messages wait in it.

python docs/examples/watch_message_waiting.py 127.0.0.1:5080 201 201
"""

import asyncio
import sys

from firmware.net.runner import running
from firmware.sip.account import Account
from firmware.sip.event.message_summary import MessageSummary
from firmware.sip.notifications import (
    EventReceived,
    LineName,
    SubscriptionChanged,
    SubscriptionRef,
)

LINE, MAILBOX = LineName("me"), SubscriptionRef("mailbox")


async def watch(server: str, user: str, password: str) -> None:
    """Until somebody stops the program."""
    async with running(Account(LINE, user, server, password, register=False)) as phone:
        phone.do(
            lambda now: phone.agent.subscriptions.subscribe(MAILBOX, LINE, "message-summary", now)
        )
        async for notification in phone:
            match notification:
                case SubscriptionChanged(progress=progress, cause=cause):
                    print("subscription:", progress.value, *([cause.value] if cause else []))
                case EventReceived(document=MessageSummary(waiting, account, voice)):
                    new, old = (voice.new, voice.old) if voice else (0, 0)
                    print(f"waiting: {waiting}, new {new}, old {old}", account, flush=True)
                case _:
                    pass


if __name__ == "__main__":
    try:
        asyncio.run(watch(*sys.argv[1:4]))
    except KeyboardInterrupt:
        print("stopped")
