"""Every text id the phone may put into a `Notice`, with the names of its arguments.

The words are not here: `firmware.ui.text` has one TOML per language, and a test fails on an id
without words. An argument that a sentence does not use is simply not mentioned in it.

Arguments: `who` the other party as shown; `number` what was dialled; `time`
how long; `line` a line's name, `lines`
those of all and `position` its place in the file (1 …); `where` the server with its transport;
`status` and `phrase` the SIP answer (may be empty); `setting` a line of the configuration; `reason`
and `detail` a clause from a device or the engine; `device` its name or several names, `devices`
names and clauses of `count` of them; `path` a `PathName` value or several, or the place of the
configuration `file`, which has `count` faults; `count` of crashes, too; `level` dBov as a whole
number.
"""

from firmware.media.messages import Silence, Unheard
from firmware.phone.view import Notice
from firmware.sip.causes import cause_of
from firmware.sip.notifications import Barrier, FailureCause

_LINE = ("line", "position", "where", "status", "phrase")
_CALL = ("who", "line", "status", "phrase")
_CONFIG = ("file", "path", "count")

LINE_CAUSES: dict[FailureCause, str] = {cause: f"line_{cause.value}" for cause in FailureCause}
"""Why a line is not registered."""

CALL_CAUSES: dict[FailureCause, str] = {cause: f"call_{cause.value}" for cause in FailureCause}
"""Why a call did not come about or broke off."""

CALL_STATUSES: dict[int, str] = {
    380: "call_alternative",
    400: "call_misunderstood",
    402: "call_payment",
    405: "call_not_taken",
    412: "call_misunderstood",
    413: "call_too_large",
    414: "call_misunderstood",
    417: "call_extension",
    420: "call_extension",
    421: "call_wants_more",
    422: "call_wants_more",
    423: "call_wants_more",
    424: "call_location",
    425: "call_misunderstood",
    428: "call_identity",
    429: "call_identity",
    436: "call_identity",
    437: "call_identity",
    438: "call_identity",
    439: "call_wants_more",
    440: "call_in_circles",
    469: "call_misunderstood",
    470: "call_consent",
    482: "call_in_circles",
    483: "call_in_circles",
    489: "call_not_taken",
    491: "call_crossed",
    493: "call_undeciphered",
    494: "call_wants_more",
    501: "call_not_taken",
    502: "call_gateway",
    503: "call_overloaded",
    505: "call_misunderstood",
    513: "call_too_large",
    555: "call_wants_more",
    580: "call_condition",
    608: "call_filtered",
}
"""What a final status says of a call where its cause is too coarse."""

CALL_CLASSES: dict[int, str] = {4: "call_other_refused", 6: "call_other_nowhere"}
"""What one says that nobody registered, by its first digit (RFC 3261 §8.1.3.2)."""

CALL_AGAIN: dict[FailureCause, str] = {
    FailureCause.BUSY: "call_busy_again",
    FailureCause.DECLINED: "call_declined_again",
    FailureCause.NO_ANSWER: "call_no_answer_again",
    FailureCause.SERVER_ERROR: "call_server_error_again",
}
"""The same where the answer says when to try again (RFC 3261 §20.33)."""

TRANSFER_CAUSES: dict[FailureCause, str] = {
    FailureCause.BUSY: "transfer_busy",
    FailureCause.NO_ANSWER: "transfer_no_answer",
    FailureCause.DECLINED: "transfer_declined",
    FailureCause.NOT_FOUND: "transfer_not_found",
    FailureCause.FORBIDDEN: "transfer_forbidden",
}
"""Why the target of a transfer was not reached, if that has a sentence of its own."""

REDIRECT_BARRED: dict[Barrier, str] = {why: f"redirect_{why.value}" for why in Barrier}
"""Why a redirection is not followed."""

SENT_TO_BARRED: dict[Barrier, str] = {
    why: f"sent_to_{why.value}" for why in Barrier if why is not Barrier.AWAY
}
"""Why a transfer is not followed."""

MESSAGE_STATUSES: dict[int, str] = {
    202: "message_kept",
    405: "message_not_taken",
    406: "message_not_taken",
    413: "message_too_long",
    415: "message_not_taken",
    488: "message_not_taken",
    501: "message_not_taken",
    513: "message_too_long",
    606: "message_not_taken",
}
"""What became of a text, where it is another thing than with a call."""

HEARING: dict[Silence, str] = {cause: f"hearing_nothing_{cause.value}" for cause in Silence}
"""Why nothing is heard in a call."""

UNHEARD: dict[Unheard, str] = {cause: f"unheard_{cause.value}" for cause in Unheard}
"""Why the far end does not hear us."""

TEXTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(LINE_CAUSES.values(), _LINE),
    "line_trying": _LINE,
    "line_blocked": ("line", "setting"),
    "line_none": (),
    "mailbox_unknown": (),
    "message_from": ("who", "words"),
    "message_arrived": ("who", "line"),
    "message_sent": ("who",),
    "message_kept": ("who", "line", "status", "phrase"),
    "message_not_taken": ("who", "line", "status", "phrase"),
    "message_too_long": ("who", "line", "status", "phrase"),
    "message_empty": (),
    "message_too_many": (),
    **dict.fromkeys(CALL_CAUSES.values(), _CALL),
    **dict.fromkeys((*CALL_STATUSES.values(), *CALL_CLASSES.values()), _CALL),
    **dict.fromkeys((*CALL_AGAIN.values(), "call_other_again"), (*_CALL, "time")),
    "call_worth_trying": ("who", "number"),
    "call_ended": _CALL,
    "call_ended_because": _CALL,
    "call_redirected": ("who", "number"),
    **dict.fromkeys(REDIRECT_BARRED.values(), ("who", "number")),
    "call_replaced": ("who", "line"),
    "call_finished": _CALL,
    "call_elsewhere": _CALL,
    "call_missed": _CALL,
    "call_nothing_in_common": ("who", "line", "detail"),
    "call_no_port": ("who", "line", "reason"),
    "call_no_keys": ("who", "line"),
    "call_keys_failed": ("who", "line", "reason"),
    "call_no_way": ("who", "line", "reason"),
    "call_way_lost": ("who", "line"),
    "call_too_many": ("number",),
    "call_not_dialable": ("number",),
    "call_no_such_line": ("line", "lines"),
    "call_waiting": ("who", "line"),
    "call_hidden": (),
    "presence_not_shown": (),
    "pickup_nobody_rings": (),
    "pickup_unknown": ("who",),
    "recording_began": ("who",),
    **dict.fromkeys(("recording_off", "recording_no_emergency", "recording_none"), ()),
    **dict.fromkeys(("recording_full", "recording_longest", "recording_hole"), ()),
    "recording_failed": ("reason",),
    "hold_refused": _CALL,
    "digits_refused": _CALL,
    "transfer_done": ("who", "number"),
    "transfer_under_way": ("who", "number"),
    "transfer_not_itself": (),
    "transfer_only_answered": (),
    "conference_none": (),
    "conference_needs_two": (),
    "conference_no_emergency": (),
    "conference_over": ("who",),
    "transfer_emergency": ("number",),
    "transfer_refused": ("who", "number", "status", "phrase"),
    "transfer_failed": ("who", "number", "status", "phrase"),
    **dict.fromkeys(TRANSFER_CAUSES.values(), ("who", "number", "status", "phrase")),
    "transferred_to": ("who", "number"),
    **dict.fromkeys(SENT_TO_BARRED.values(), ("who", "number")),
    "mailbox_barred": ("number",),
    **dict.fromkeys(("click_asked", "click_over"), ("who", "number")),
    "call_not_moved": ("who", "line"),
    "emergency_trying": ("number", "line"),
    "emergency_again": ("number", "line"),
    "emergency_failed": ("number",),
    "emergency_hang_up_again": ("number",),
    "emergency_no_hold": ("number",),
    "emergency_removed": ("number",),
    "emergency_nothing_else": ("number",),
    "safe_mode": ("count",),
    "nothing_dialled": (),
    "nothing_to_redial": (),
    "no_call_up": (),
    "no_call_rings": (),
    "no_call_to_mute": (),
    "call_in_the_way": (),
    "path_missing": ("path",),
    "path_on_hook": ("path",),
    "path_not_for_talk": ("path",),
    "stopping": (),
    "handset_off_hook": (),
    **dict.fromkeys(HEARING.values(), ("detail", "path")),
    "hearing_nothing_volume": ("detail", "path"),
    **dict.fromkeys(UNHEARD.values(), ("who", "detail")),
    "audio_restarting": (),
    "card_failed": ("path", "reason"),
    "card_remark": ("path", "reason"),
    "device_failed": ("device", "reason"),
    "devices_failed": ("count", "devices"),
    "ringer_off": (),
    **dict.fromkeys(("config_before", "config_before_one"), _CONFIG),
    **dict.fromkeys(("config_none", "config_none_one"), _CONFIG),
    "network_down": (),
    "certificate_ends": ("file", "days"),
    "audio_test_listen": ("path",),
    "audio_test_voice": ("path",),
    "audio_test_speak": ("path", "level"),
    "audio_test_failed": ("path", "reason"),
}
"""Text id → argument names."""


def call_text(cause: FailureCause, status: int = 0, *, again: bool = False) -> str:
    """The id of why a call failed; `again` if a `time` is known after which it may be tried."""
    if again:
        return CALL_AGAIN.get(cause, "call_other_again")
    coarse = CALL_CAUSES[cause]
    if not status or cause_of(status) is not cause:
        return coarse
    if cause is FailureCause.OTHER:
        coarse = CALL_CLASSES.get(status // 100, coarse)
    return CALL_STATUSES.get(status, coarse)


def how_long(seconds: int) -> str:
    """So many seconds for a person, in unit symbols that every language shares."""
    if seconds < 100:
        return f"{seconds} s"
    return f"{round(seconds / 60)} min" if seconds < 100 * 60 else f"{round(seconds / 3600)} h"


def notice(text: str, **args: object) -> Notice:
    """A `Notice`; the arguments must be those that `TEXTS` names for this id.

    Raises:
        ValueError: the id or an argument is unknown (a fault of our own code).
    """
    if text not in TEXTS or not set(args) <= set(TEXTS[text]):
        raise ValueError(f"no text {text!r} with arguments {sorted(args)}")
    return Notice(text, tuple((name, str(args.get(name, ""))) for name in TEXTS[text]))
