"""The control verb `messages`: a piece of the list of texts, newest first.

The list is on the disk; what the phone itself remembers stands in for it while it cannot be read.
"""

from typing import Final

from firmware.control import schema as s
from firmware.phone.view import PhoneView
from firmware.runtime.figures import text_of
from firmware.runtime.text_keeper import TextKeeper
from firmware.storage.text_log import TextRow

MOST: Final = 50
"""So many texts of the longest kind fit into one line of the control socket."""
_OCTETS: Final = 40_000


async def texts_of(
    request: s.Messages, keeper: TextKeeper | None, view: PhoneView, now: float, at: float
) -> s.MessagesReply:
    """The reply; `at` is the wall clock at `now`."""
    limit, skip = max(0, min(request.limit, MOST)), max(0, request.skip)
    rows = None if keeper is None else await keeper.rows(limit + 1, skip)
    if rows is None or (keeper is not None and keeper.trouble is not None):
        found = tuple(text_of(text, now, at) for text in reversed(view.texts))[skip:]
    else:
        found = tuple(_figures(row) for row in rows)
    texts = _fitting(found[:limit])
    return s.MessagesReply(texts, view.writing, len(found) > len(texts))


def _fitting(texts: tuple[s.TextFigures, ...]) -> tuple[s.TextFigures, ...]:
    """As many as fit into one line."""
    left = _OCTETS
    for number, text in enumerate(texts):
        # A letter may be six characters of JSON.
        left -= 200 + sum(6 if ord(letter) < 32 else 4 for letter in text.text)
        if left < 0 and number:
            return texts[:number]
    return texts


def _figures(row: TextRow) -> s.TextFigures:
    return s.TextFigures(round(row.at, 3), row.line, row.name, row.user, row.text, row.unread)
