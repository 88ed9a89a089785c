"""docs/settings.md from the table: `python -m firmware.cli_manual [FILE]` writes it.

The page has no hand-written part; a test compares the committed file with what this makes.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from firmware.config.table import SETTINGS, Applies, Setting
from firmware.ui.text import Texts

PAGE = Path("docs/settings.md")
_TEXTS = Texts.load()
_TABLES = {
    "phone": "The phone as a whole.",
    "time": "The clock.",
    "network": "Addresses and ports.",
    "network.tls": "Listening for TLS; lines that call out need nothing of this.",
    "network.wifi": "Wi-Fi.",
    "line": "One SIP identity; write `[[line]]` once for each.",
    "line.tls": "Certificates of the `[[line]]` above it.",
    "board": "The hardware.",
    "audio": "Speech and sound cards.",
    "audio.handset": "The handset.",
    "audio.headset": "The headset.",
    "audio.speaker": "The loudspeaker.",
    "audio.ringer": "The bell.",
    "recording": "Recording of calls, in the phone's own folder.",
    "web": "The page; its process hears this from the phone and reads no file with passwords.",
    "control": "The control socket.",
}
_INTRODUCTION = """\
# Settings

Everything the phone can be told stands in one file, `deskphone.toml`. This page is made from the
table that also checks the file (`make docs`); `deskphone check FILE` lists every fault of a file
with its line and what would be right. `deskphone ctl reload` (or SIGHUP) puts a changed file in
force: a file with faults changes nothing, and what needs a restart is named.

Five lines are enough to make calls:

```toml
[board]
name = "mock"
[[line]]
user = "101"
password = "secret"
server = "pbx.example"
```
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *_tables(), *_when()]) + "\n"


def _tables() -> Iterator[str]:
    for table, sentence in _TABLES.items():
        header = f"[[{table}]]" if table == "line" else f"[{table}]"
        yield f"## `{header}`\n\n{sentence}\n"
        yield "| key | default | value | meaning | a change takes effect |"
        yield "|---|---|---|---|---|"
        for key, setting in SETTINGS.items():
            if key.rpartition(".")[0] == table:
                yield _row(setting)
        yield ""


def _row(setting: Setting) -> str:
    name = setting.key.rpartition(".")[2]
    value = f"{_TEXTS.phrase(setting.kind.described)} {setting.unit}".strip()
    sentence = _TEXTS.phrase(setting.sentence)
    sentence += " Never shown or logged." if setting.secret else ""
    sentence += "" if setting.works else " Accepted, not used by this version."
    cells = (f"`{name}`", _default(setting), value, sentence, _when_applied(setting.applies))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _when_applied(applies: Applies) -> str:
    return _TEXTS.say(f"applies.{applies.value}")


def _default(setting: Setting) -> str:
    if setting.required:
        return "must be given"
    return f"`{toml(setting.default)}`" if setting.default is not None else "see there"


def toml(value: object) -> str:
    """A default as it would be written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return "{}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _when() -> Iterator[str]:
    yield "## When a change takes effect\n"
    for applies in Applies:
        keys = (f"`{key}`" for key, row in SETTINGS.items() if row.applies is applies)
        yield f"- {_when_applied(applies)}: {', '.join(keys)}"


def main() -> None:
    """Write the page to the path given as argument, or where it belongs."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
