"""What changed between two views, as events for whoever listens on the control socket.

No seconds are counted in them: they are read long after they were written.
"""

from collections.abc import Callable, Iterator

import msgspec

from firmware.control.schema import (
    AnyEvent,
    CallEvent,
    LampsEvent,
    MessageEvent,
    NoticeEvent,
    StatusEvent,
)
from firmware.phone.view import CallView, PhoneView
from firmware.runtime.figures import Reports, Say, call_of, say_notice, status_of, text_of

Wall = Callable[[], float]


def present(
    view: PhoneView, reports: Reports, say: Say, now: float, at: float
) -> Iterator[AnyEvent]:
    """How things stand, for a new listener."""
    yield StatusEvent(at, status_of(view, reports, say, now, 0, counts=False))
    yield LampsEvent(at, dict(view.lamps))


def changes(
    old: PhoneView, new: PhoneView, reports: Reports, say: Say, now: float, at: float
) -> Iterator[AnyEvent]:
    """One event for each thing that changed."""
    yield from _calls(old, new, reports, say, now, at)
    yield from _texts(old, new, now, at)
    if new.lamps != old.lamps:
        yield LampsEvent(at, dict(new.lamps))
    if new.notice is not None and new.notice != old.notice:
        yield NoticeEvent(at, say_notice(new.notice, say))
    yield StatusEvent(at, status_of(new, reports, say, now, 0, counts=False))


def _texts(old: PhoneView, new: PhoneView, now: float, at: float) -> Iterator[AnyEvent]:
    if new.texts is not old.texts:
        last = max((text.number for text in old.texts), default=-1)
        for text in new.texts:
            if text.number > last:
                yield MessageEvent(at, text_of(text, now, at))


def _calls(
    old: PhoneView, new: PhoneView, reports: Reports, say: Say, now: float, at: float
) -> Iterator[AnyEvent]:
    before: dict[str, CallView] = {call.ref: call for call in old.calls}
    for call in new.calls:
        if before.pop(call.ref, None) != call:
            yield CallEvent(at, call_of(call, reports.get(call.ref), now))
    for gone in before.values():
        figures = call_of(gone, reports.get(gone.ref), now)
        ended = msgspec.structs.replace(figures, state="ended")
        yield CallEvent(at, ended, say_notice(new.notice, say))
