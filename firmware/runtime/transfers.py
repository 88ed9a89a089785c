"""The control verb `transfer`: it is answered when the transfer has succeeded or failed.

What becomes of it is read off the view, as a person would: while somebody is being transferred the
view says so, and the sentence that stands there afterwards says how it went.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from firmware.base.phrase import Phrase
from firmware.control.errors import RefusedError
from firmware.phone.view import PhoneView
from firmware.runtime.loop import PhoneLoop

DONE: Final = "transfer_done"
LONGEST: Final = 320.0
"""Seconds; the SIP stack gives up before."""


async def carried_out(loop: PhoneLoop, begin: Callable[[], None]) -> None:
    """Begin a transfer and wait for its end.

    Raises:
        RefusedError: it did not come about; the reason is the sentence that the phone shows.
    """
    ended: asyncio.Future[PhoneView] = asyncio.get_running_loop().create_future()

    def look(old: PhoneView, new: PhoneView) -> None:
        if old.transfer is not None and new.transfer is None and not ended.done():
            ended.set_result(new)

    loop.watch(look)
    try:
        begin()
        if not ended.done() and loop.view.transfer is None:
            raise _failure(loop.view)
        view = await asyncio.wait_for(ended, LONGEST)
    finally:
        loop.unwatch(look)
    if view.notice is None or view.notice.text != DONE:
        raise _failure(view)


def _failure(view: PhoneView) -> RefusedError:
    notice = view.notice
    if notice is None:
        return RefusedError(Phrase("refused.not_transferred"))
    return RefusedError(Phrase(notice.text, notice.args))
