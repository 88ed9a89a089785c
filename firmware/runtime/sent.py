"""The control verb `message`: it is answered when the text was taken, or was not.

What becomes of it is read off the view, as a person would: while a text is on its way the view
says so, and the sentence that stands there afterwards says how it went.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from firmware.base.phrase import Phrase
from firmware.control.errors import RefusedError
from firmware.phone.view import PhoneView
from firmware.runtime.loop import PhoneLoop

_DONE: Final = frozenset({"message_sent", "message_kept"})
_LONGEST: Final = 70.0
"""Seconds; the SIP stack gives up before."""


async def sent(loop: PhoneLoop, begin: Callable[[], None]) -> None:
    """Send a text and wait for its answer.

    Raises:
        RefusedError: nobody took it; the reason is the sentence that the phone shows.
    """
    ended: asyncio.Future[PhoneView] = asyncio.get_running_loop().create_future()

    def look(old: PhoneView, new: PhoneView) -> None:
        if len(new.sending) < len(old.sending) and not ended.done():
            ended.set_result(new)

    loop.watch(look)
    try:
        begin()
        view = await asyncio.wait_for(ended, _LONGEST)
    finally:
        loop.unwatch(look)
    if view.notice is None or view.notice.text not in _DONE:
        notice = view.notice
        raise RefusedError(
            Phrase("refused.not_sent") if notice is None else Phrase(notice.text, notice.args)
        )
