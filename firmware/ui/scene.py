"""What a screen is drawn from: the phone's view, the time of day and the words."""

from datetime import datetime

from msgspec import Struct

from firmware.phone.view import CallView, Notice, PhoneView
from firmware.ui.text import Texts


class Clock(Struct, frozen=True):
    """The time as it enters from outside.

    `now` is the monotonic clock of the view's moments, in seconds; `wall` is the local time of day,
    None while nobody has set it.
    """

    now: float
    wall: datetime | None = None


class Scene(Struct, frozen=True):
    """One moment to be drawn."""

    view: PhoneView
    clock: Clock
    texts: Texts

    def say(self, text_id: str, **args: object) -> str:
        """The words of a text."""
        return self.texts.say(text_id, **args)

    def notice(self, notice: Notice | None) -> str:
        """The words of a notice; none = no words."""
        return self.texts.say(notice.text, **dict(notice.args)) if notice else ""

    def time(self) -> str:
        """Hours and minutes."""
        wall = self.clock.wall
        return self.say("clock.time", time=f"{wall:%H:%M}") if wall else self.say("clock.unknown")

    def date(self) -> str:
        """Weekday, day and month; no words while the clock is not set."""
        wall = self.clock.wall
        if wall is None:
            return ""
        return self.say(
            "clock.date",
            weekday=self.say(f"weekday.{wall.isoweekday()}"),
            day=wall.day,
            month=self.say(f"month.{wall.month}"),
        )


def who(call: CallView, texts: Texts) -> tuple[str, str]:
    """Whom a call is with: what to write large, and the number below it if that adds anything."""
    if call.name and call.name != call.user:
        return call.name, call.user
    return call.user or texts.say("call.unknown_caller"), ""


def talked(call: CallView, now: float) -> str:
    """How long a call has been going on: `0:07`, `12:34`, `1:02:03`."""
    seconds = max(0, int(now - call.answered_at + 1e-6)) if call.answered_at else 0
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{seconds:02}"
    return f"{minutes}:{seconds:02}"
