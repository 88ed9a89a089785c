"""Whatever happens to a file, the answer is settings or a list of faults, never another error."""

import tomllib

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.cli_manual import toml
from firmware.config import Examination, examine, examine_bytes
from firmware.config.kinds import Choice, Flag, Many, PortRange, Text, Whole
from firmware.config.plan import plan
from firmware.config.redact import redact_toml
from firmware.config.table import SETTINGS
from firmware.ui.faults import say
from firmware.ui.text import Texts
from hal.toml_positions import Positions

TEXTS = Texts.load()
ROWS = list(SETTINGS.values())
ODD_VALUES = ["1", "-1", "0x" + "f" * 6000, "1e999", "nan", "true", '""', '"é"', "'\\'", "[]",
              "[1, 2]", '["a"]', "[[]]", "{}", "{ a = 1 }", "1979-05-27", "07:32:00", '"\\u0000"',
              '"""x\ny"""', "[1,\n2]", "@", "", '"', "[", "{", "x y"]  # fmt: skip
SNIPPETS = ["[line]", "[[line]]", "[line.tls]", "[phone]", "[phone", "]]", "\ufeff", "\r", "\x00",
            '"""', "'''", "= 1", "line = 1", "line.user = 2", "[line.tls.ca]", "[[line.tls]]",
            "[[phone]]", "[audio.handset.volume]", "# x", '"" = 1', "a.b.c = 1",
            '"a\\nFAKE" = 1']  # fmt: skip


def assert_sane(found: Examination):
    assert (found.settings is None) == bool(found.problems)
    for problem in (*found.problems, *found.notes):
        sentence = say(problem, TEXTS)
        assert "\n" not in sentence
        assert len(sentence) < 600
        assert problem.line >= 0
    if found.settings is not None:
        assert not plan(found.settings, found.settings)
        msgspec.convert(msgspec.to_builtins(found.settings), type(found.settings))


def _another_value(line: str, data) -> str:
    return f"{line.partition('=')[0]}= {data.draw(st.sampled_from(ODD_VALUES))}"


def _another_key(_line: str, data) -> str:
    row = data.draw(st.sampled_from(ROWS))
    return f"{row.key} = {data.draw(st.sampled_from(ODD_VALUES))}"


MUTATIONS = [
    lambda _line, _data: "",
    lambda line, _data: f"{line}\n{line}",
    lambda line, data: line[: data.draw(st.integers(0, 40))],
    lambda line, data: line + data.draw(st.text(max_size=5)),
    lambda line, data: f"{data.draw(st.sampled_from(SNIPPETS))}\n{line}",
    lambda line, data: data.draw(st.sampled_from(SNIPPETS)) + line,
    _another_value,
    _another_key,
]


def mutated(text: str, data) -> str:
    """The file with a few lines gone, doubled, cut, or given odd values."""
    lines = text.split("\n")
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(lines) - 1))
        lines[place] = data.draw(st.sampled_from(MUTATIONS))(lines[place], data)
    return "\n".join(lines)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_mutated_file_is_settings_or_faults(full_text, data):
    assert_sane(examine(mutated(full_text, data)))


@settings(max_examples=150, deadline=None)
@given(data=st.data(), flips=st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 255))))
def test_flipped_bytes_are_settings_or_faults(full_text, data, flips):
    raw = bytearray(full_text.encode())
    for place, byte in flips:
        raw[place % len(raw)] = byte
    cut = data.draw(st.integers(0, len(raw)))

    assert_sane(examine_bytes(bytes(raw[:cut]), "f"))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_settings_or_faults(data):
    assert_sane(examine_bytes(data, "f"))


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="[]{}=\"'.,#\n \tline1a_\\", max_size=80))
def test_places_are_found_or_not_but_never_fail(text):
    positions = Positions(text)
    redact_toml(text)
    assert positions.line_of(("line", 0, "a")) <= text.count("\n") + 1


def _values(kind) -> st.SearchStrategy:
    """Values that a kind must accept, as far as they can be made up."""
    match kind:
        case Choice():
            return st.sampled_from(kind.options)
        case Whole():
            return st.integers(kind.low, kind.high)
        case Flag():
            return st.booleans()
        case PortRange():
            return st.tuples(st.integers(1024, 30000), st.integers(30002, 65535)).map(list)
        case Text(form=None, limit=limit):
            safe = st.characters(categories=("L", "N", "P", "Zs"))
            return st.text(safe, min_size=1, max_size=min(limit, 30))
        case Many(item=Choice(options)):
            return st.lists(st.sampled_from(options), unique=True, min_size=1)
        case _:
            return st.nothing()


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_every_value_in_range_is_accepted_and_arrives(data):
    makeable = [row for row in ROWS if not _values(row.kind).is_empty and row.key != "audio.loop"]
    row = data.draw(st.sampled_from(makeable))
    value = data.draw(_values(row.kind))
    literal = toml(tuple(value) if isinstance(value, list) else value)
    if isinstance(value, str):
        literal = literal[0] + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    table, _, name = row.key.rpartition(".")
    text = '[[line]]\nuser = "1"\nserver = "h"\n' if table.startswith("line") else ""
    text += f"{name} = {literal}\n" if table == "line" else f"[{table}]\n{name} = {literal}\n"
    if row.key.removesuffix(name) in ("line.tls.", "network.tls.") and name in ("cert", "key"):
        text += f"{'key' if name == 'cert' else 'cert'} = 'x'\n"

    found = examine(text)

    assert found.problems == ()
    arrived = found.settings
    for part in row.key.split("."):
        arrived = arrived.lines[0] if part == "line" else getattr(arrived, part)
    assert arrived == (tuple(value) if isinstance(value, list) else value)
    assert tomllib.loads(text)
