"""From one configuration to the next: what changed, and what of it can be done now. Pure.

The runtime applies `at_once` now, `when_idle` as soon as no call is up, and names what only a
restart brings. Lines are told apart by their name, so renaming one is one less and one more.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from firmware.base.values import replace
from firmware.config.schema import LineSettings, PathSettings, Settings, Table
from firmware.config.table import SETTINGS, Applies

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PATHS = ("handset", "headset", "speaker", "ringer")
_CARD_KEYS = ("card", "play", "record")
_PATH_KEYS = (
    *("card", "gain", "sidetone"),
    *("echo_cancellation", "noise_suppression", "automatic_gain"),
)
Node = TypeVar("Node", bound="DataclassInstance")


class Change(Struct, frozen=True):
    """A key with another value (never the value: it may be a secret), and when it takes effect.

    A line's key carries its name: `line[101@pbx].password`; `line[101@pbx]` is a whole line.
    """

    key: str
    applies: Applies


class LineChange(Struct, frozen=True):
    """A line that stays but differs; `anew` if it must leave its registrar and come back."""

    old: LineSettings
    new: LineSettings
    anew: bool


class Plan(Struct, frozen=True):
    """What a reload must do; false if nothing changed.

    `paths` are the audio paths whose card or microphone differs, `volumes` what the file now says
    of volumes.
    """

    changes: tuple[Change, ...]
    lines_added: tuple[LineSettings, ...]
    lines_removed: tuple[LineSettings, ...]
    lines_changed: tuple[LineChange, ...]
    paths: tuple[str, ...]
    volumes: tuple[tuple[str, int], ...]
    at_once: Settings
    """The new settings, but with the old value wherever a key has to wait."""
    when_idle: Settings
    """The new settings, but with the old value of what needs a restart."""

    def __bool__(self) -> bool:
        return bool(self.changes)

    def keys(self, *applies: Applies) -> tuple[str, ...]:
        """The changed keys that take effect so."""
        return tuple(change.key for change in self.changes if change.applies in applies)

    @property
    def applied(self) -> tuple[str, ...]:
        """Keys that need no waiting."""
        return self.keys(Applies.NOW, Applies.NEXT_CALL, Applies.LINE)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Keys that wait until no call is up."""
        return self.keys(Applies.IDLE)

    @property
    def restart(self) -> tuple[str, ...]:
        """Keys that the next start brings."""
        return self.keys(Applies.RESTART)

    def touches(self, table: str) -> bool:
        """Whether a key of this table (`web`, `phone.emergency` …) changed."""
        return any(f"{change.key}.".startswith(f"{table}.") for change in self.changes)


def plan(old: Settings, new: Settings) -> Plan:
    """What has to be done to a phone with settings `old` so that it has `new`."""
    keys = [key for key in _differing(old, new, "") if not key.startswith("lines")]
    changes = [Change(key, SETTINGS[key].applies) for key in keys]
    before = {line.name: line for line in old.lines}
    after = {line.name: line for line in new.lines}
    changed = tuple(
        _line_change(before[name], line)
        for name, line in after.items()
        if name in before and before[name] != line
    )
    when_idle = _with_old(old, new, _keys_that(changes, Applies.RESTART))
    return Plan(
        changes=(*changes, *_line_changes(before, after)),
        lines_added=tuple(line for name, line in after.items() if name not in before),
        lines_removed=tuple(line for name, line in before.items() if name not in after),
        lines_changed=changed,
        paths=tuple(_changed_paths(keys)),
        volumes=tuple(_changed_volumes(keys, new)),
        at_once=_with_old(old, when_idle, _keys_that(changes, Applies.IDLE)),
        when_idle=when_idle,
    )


def _line_changes(
    before: dict[str, LineSettings], after: dict[str, LineSettings]
) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            yield Change(f"line[{name}]", Applies.LINE)
        else:
            for key in _differing(old, new, ""):
                yield Change(f"line[{name}].{key}", SETTINGS[f"line.{key}"].applies)


def _line_change(old: LineSettings, new: LineSettings) -> LineChange:
    keys = _differing(old, new, "")
    anew = any(SETTINGS[f"line.{key}"].applies is Applies.LINE for key in keys)
    return LineChange(old, new, anew)


def _keys_that(changes: list[Change], applies: Applies) -> list[str]:
    return [change.key for change in changes if change.applies is applies]


def _changed_paths(keys: list[str]) -> Iterator[str]:
    every = any(f"audio.{name}" in keys for name in _CARD_KEYS)
    for path in PATHS:
        if every or any(f"audio.{path}.{name}" in keys for name in _PATH_KEYS):
            yield path


def _changed_volumes(keys: list[str], new: Settings) -> Iterator[tuple[str, int]]:
    for path in PATHS:
        if f"audio.{path}.volume" in keys:
            settings: PathSettings = getattr(new.audio, path)
            yield path, settings.volume


def _differing(old: object, new: object, prefix: str) -> Iterator[str]:
    """The dotted keys in which two trees of one type differ."""
    if not isinstance(old, Table):
        return
    for name in old.__struct_fields__:
        was, will = getattr(old, name), getattr(new, name)
        if was == will:
            continue
        key = f"{prefix}{name}"
        if isinstance(was, Table):
            yield from _differing(was, will, f"{key}.")
        else:
            yield key


def _with_old(old: Settings, new: Settings, keys: list[str]) -> Settings:
    for key in keys:
        new = _taken(new, old, key.split("."))
    return new


def _taken(tree: Node, source: Node, names: list[str]) -> Node:
    """`tree` with one leaf taken from `source`."""
    name, *rest = names
    value = getattr(source, name)
    if rest:
        value = _taken(getattr(tree, name), value, rest)
    return replace(tree, **{name: value})
