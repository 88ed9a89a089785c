"""The lines: which may be used, and why one may not."""

from firmware.base.values import replace
from firmware.config.rules import line_blocked, plays_auto_answer_tone
from firmware.config.schema import LineSettings, Settings
from firmware.phone.model import Line, PhoneState
from firmware.phone.texts import LINE_CAUSES, notice
from firmware.phone.view import Notice
from firmware.sip.notifications import LineName, RegistrationChanged, RegistrationState


def from_settings(settings: Settings, known: tuple[Line, ...] = ()) -> tuple[Line, ...]:
    """The lines of the settings, each with what is known of its registration."""
    before = {line.name: line for line in known}
    lines = (_line(line) for line in settings.lines)
    return tuple(
        replace(
            line,
            registration=before[line.name].registration,
            at=before[line.name].at,
            mailbox=before[line.name].mailbox,
        )
        if line.name in before and _is_as_before(line, before[line.name])
        else line
        for line in lines
    )


def _is_as_before(line: Line, before: Line) -> bool:
    """Whether what was heard of its registration may still be true."""
    return not line.blocked and line.registers == before.registers


def name_of(line: LineSettings) -> LineName:
    """The name of a line, which the settings may leave to us."""
    return LineName(line.name or f"{line.user}@{line.server}")


def _line(line: LineSettings) -> Line:
    return Line(
        name=name_of(line),
        user=line.user,
        label=line.display_name or line.name or line.user,
        registers=line.register,
        auto_answer=line.auto_answer,
        auto_answer_tone=plays_auto_answer_tone(line),
        reject_anonymous=line.reject_anonymous,
        blocked=line_blocked(line) or "",
    )


def note(state: PhoneState, event: RegistrationChanged, now: float) -> PhoneState:
    """Remember what was said of a line."""
    lines = tuple(
        replace(line, registration=event, at=now) if line.name == event.line else line
        for line in state.lines
    )
    return replace(state, lines=lines)


def is_usable(state: PhoneState, line: Line) -> bool:
    """Whether a call that is no emergency may go out on it."""
    if not state.network_up or line.blocked:
        return False
    if not line.registers:
        return True
    registration = line.registration
    return registration is not None and registration.state is RegistrationState.REGISTERED


def usable(state: PhoneState) -> bool:
    """Whether any line is usable."""
    return any(is_usable(state, line) for line in state.lines)


def default(state: PhoneState) -> Line | None:
    """The first usable line, else the first."""
    for line in state.lines:
        if is_usable(state, line):
            return line
    return state.lines[0] if state.lines else None


def trouble(state: PhoneState, line: Line) -> Notice | None:
    """Why a line cannot be used, None if it can."""
    if line.blocked:
        return notice("line_blocked", line=line.label, setting=line.blocked)
    if not state.network_up:
        return notice("network_down")
    if is_usable(state, line):
        return None
    said = line.registration
    if said is None:
        return _sentence(state, line, "line_trying", RegistrationChanged(line.name, _TRYING))
    text = "line_trying" if said.cause is None else LINE_CAUSES[said.cause]
    return _sentence(state, line, text, said)


_TRYING = RegistrationState.TRYING


def _sentence(state: PhoneState, line: Line, text: str, said: RegistrationChanged) -> Notice:
    return notice(
        text,
        line=line.label,
        position=state.lines.index(line) + 1,
        where=said.where,
        status=said.status or "",
        phrase=said.phrase,
    )


def why_none(state: PhoneState) -> Notice:
    """Why no line is usable: the reason of the first one."""
    first = state.lines[0] if state.lines else None
    found = None if first is None else trouble(state, first)
    return found or notice("line_none")
