"""A configuration file becomes `Settings`, or all its faults at once.

`examine` is the whole look: settings, faults and notes. `parse` and `load` raise the faults.
"""

import re
from pathlib import Path as FilePath

import msgspec
from msgspec import Struct, field

from firmware.base.values import replace
from firmware.config import rules, syntax
from firmware.config.kinds import nearest, wrong
from firmware.config.problems import ConfigErrors, Problem, Wrong
from firmware.config.redact import MASK
from firmware.config.schema import Settings
from firmware.config.syntax import Document, Table
from firmware.config.table import SETTINGS, Setting
from hal.toml_positions import Path, dotted

Branch = dict[str, "Setting | Branch"]


class Examination(Struct, frozen=True):
    """What a look at a file found; `settings` is None if there are problems.

    `draft` holds every value that is good by itself, and the default in the place of each other.
    """

    settings: Settings | None
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...] = ()
    file: str = ""
    document: Document | None = None
    draft: Settings = field(default_factory=Settings)

    def note(self, key: str, text: str, **args: str) -> Problem:
        """One more remark on a key such as `web.port` or `line[1].tls.ca`, at its place."""
        return self.place(key, Wrong(text, tuple(args.items())))

    def place(self, key: str, verdict: Wrong) -> Problem:
        """A verdict on a key, at its place."""
        parts = (part for part in re.split(r"[.\[\]]+", key) if part)
        path = tuple(int(part) - 1 if part.isdigit() else part for part in parts)
        return Problem(self.file, self.line_of(path), key, verdict.text, verdict.args)

    def line_of(self, path: Path) -> int:
        """The line on which a key stands; 0 = in none."""
        return self.document.line_of(path) if self.document else 0


def load(path: FilePath) -> Settings:
    """The settings of a file.

    Raises:
        ConfigErrors: the file cannot be read, or has faults: all of them.
    """
    return _settings_of(examine_file(path))


def parse(text: str, file: str = "deskphone.toml") -> Settings:
    """The settings of a text; `file` is the name that its faults carry.

    Raises:
        ConfigErrors: the text has faults: all of them.
    """
    return _settings_of(examine(text, file))


def examine_file(path: FilePath) -> Examination:
    """Look at a file; never raises."""
    try:
        with path.open("rb") as stream:
            data = stream.read(syntax.SIZE_LIMIT + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Examination(None, (Problem(str(path), 0, "", "unreadable", (("reason", reason),)),))
    return examine_bytes(data, str(path))


def examine_bytes(data: bytes, file: str) -> Examination:
    """Look at the content of a file; never raises."""
    text = syntax.decode(data, file)
    return Examination(None, (text,)) if isinstance(text, Problem) else examine(text, file)


def examine(text: str, file: str = "deskphone.toml") -> Examination:
    """Look at a text; never raises."""
    document = syntax.read(text, file)
    check = _Check(document, file)
    values = check.table(document.tables, _TREE, ())
    rules.fill_names(values)
    check.problems.extend(rules.contradictions(values, document, file))
    # A line that could not be read may be the one that seems to be missing.
    kept = (one for one in check.problems if not (document.problems and one.text == "missing"))
    problems = tuple(sorted((*document.problems, *kept), key=lambda one: one.line))
    settings = _settings(values)
    if problems:
        return Examination(None, problems, (), file, document, settings)
    notes = rules.notes(settings, document, file)
    return Examination(settings, (), notes, file, document, settings)


def _settings(values: Table) -> Settings:
    lines = values.pop("line", ())
    assert isinstance(lines, tuple)
    # In a draft a line may lack what it must have; it keeps its place.
    whole = tuple({"user": "", "server": "", **line} for line in lines)
    return msgspec.convert({**values, "lines": whole}, Settings)


def without_lines(draft: Settings, problems: tuple[Problem, ...]) -> Settings:
    """What a phone runs with that has no settings it can trust: no line, but its board.

    A table with a fault is as if it were not there. If it is not known where a fault belongs, every
    other table but the board's is: half a table could open more than the whole would.
    """
    faulty = {problem.key.partition(".")[0] for problem in problems}
    tables = {"board"} if "" in faulty else set(Settings.__struct_fields__) - {"lines"}
    good = {name: getattr(draft, name) for name in tables - faulty}
    return replace(Settings(), **good)


def _settings_of(examination: Examination) -> Settings:
    if examination.settings is None:
        raise ConfigErrors(examination.problems)
    return examination.settings


def _tree() -> Branch:
    root: Branch = {}
    for setting in SETTINGS.values():
        branch = root
        *tables, name = setting.key.split(".")
        for table in tables:
            inner = branch.setdefault(table, {})
            assert isinstance(inner, dict)
            branch = inner
        branch[name] = setting
    return root


_TREE = _tree()


class _Check:
    """One walk over the tables of a file; faults are collected, good values are kept."""

    def __init__(self, document: Document, file: str) -> None:
        self._document = document
        self._file = file
        self.problems: list[Problem] = []

    def table(self, table: Table, branch: Branch, path: Path) -> Table:
        """The good values of a table."""
        values: Table = {}
        for name, value in table.items():
            place = (*path, name)
            match branch.get(name):
                case None:
                    self._note(place, _unknown(name, branch))
                case Setting() as setting:
                    self._keep(values, name, self._value(setting, value, place))
                case inner if name == "line" and not path:
                    values[name] = self._lines(value, inner)
                case inner:
                    self._keep(values, name, self._inner(value, inner, place))
        self._ask_for_missing(table, branch, path)
        return values

    def _value(self, setting: Setting, value: object, place: Path) -> object | None:
        verdict = setting.kind.judge(value)
        if not isinstance(verdict, Wrong):
            return verdict
        self._note(place, _masked(verdict) if setting.secret else verdict)
        return None

    def _inner(self, value: object, branch: Branch, place: Path) -> Table | None:
        if isinstance(value, dict):
            return self.table(value, branch, place)
        self._note(place, wrong("need_table", value, key=dotted(place)))
        return None

    def _lines(self, value: object, branch: Branch) -> tuple[Table, ...]:
        if isinstance(value, dict):
            self._note(("line",), Wrong("need_lines"))
            return (self.table(value, branch, ("line",)),)
        if not isinstance(value, list):
            self._note(("line",), wrong("need_line_list", value))
            return ()
        # A bad line keeps its place, so that the others keep their number.
        return tuple(
            self._inner(line, branch, ("line", index)) or {} for index, line in enumerate(value)
        )

    def _ask_for_missing(self, table: Table, branch: Branch, path: Path) -> None:
        for name, setting in branch.items():
            if name in table or not isinstance(setting, Setting) or not setting.required:
                continue
            if name == "server" and table.get("register") is False:
                continue
            args = (
                ("key", name),
                ("example", setting.kind.example),
                ("sentence", setting.sentence),
            )
            self._note((*path, name), Wrong("missing", args))

    def _note(self, place: Path, verdict: Wrong) -> None:
        line = self._document.line_of(place)
        key = dotted(place)
        self.problems.append(Problem(self._file, line, key, verdict.text, verdict.args))

    @staticmethod
    def _keep(values: Table, name: str, value: object | None) -> None:
        if value is not None:
            values[name] = value


def _unknown(name: str, branch: Branch) -> Wrong:
    near = nearest(name, list(branch))
    if near:
        return Wrong("unknown_near", (("near", near),))
    return Wrong("unknown_far", (("known", ", ".join(branch)),))


def _masked(verdict: Wrong) -> Wrong:
    """A verdict on a secret quotes nothing of it."""
    hidden = {"got": MASK, "example": ""}
    return Wrong(verdict.text, tuple((name, hidden.get(name, arg)) for name, arg in verdict.args))
