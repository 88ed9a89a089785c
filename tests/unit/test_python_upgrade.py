"""A newer Python under the phone breaks nothing, least of all the sound.

PEP 594 took nineteen modules out of Python 3.13, audioop among them; other releases took names out
of modules that stayed. What is gone is judged here by the text of our modules, whichever Python
runs the tests; what a Python merely warns of is an error in every test (pyproject.toml).
"""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
OURS = ("firmware", "hal")
GONE = {
    "3.12": "asynchat asyncore distutils imp smtpd",
    "3.13": "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib "
    "ossaudiodev pipes sndhdr spwd sunau telnetlib uu xdrlib",
}
"""Modules of Python 3.11 by the release that is the first without them."""
BROUGHT_BACK = {"audioop": "audioop-lts"}
"""Those that a package brings, which has to be asked for from that release on."""
LEAVING = {
    "3.13": "configparser.LegacyInterpolation locale.resetlocale logging.warn webbrowser.MacOSX",
    "3.14": "asyncio.AbstractChildWatcher asyncio.FastChildWatcher asyncio.MultiLoopChildWatcher "
    "asyncio.PidfdChildWatcher asyncio.SafeChildWatcher asyncio.ThreadedChildWatcher "
    "asyncio.get_child_watcher asyncio.set_child_watcher asyncio.get_event_loop "
    "importlib.abc.ResourceReader importlib.abc.Traversable importlib.abc.TraversableResources "
    "pkgutil.find_loader pkgutil.get_loader sqlite3.version_info urllib.request.URLopener "
    "urllib.request.FancyURLopener",
    "later": "asyncio.get_event_loop_policy asyncio.iscoroutinefunction "
    "asyncio.set_event_loop_policy collections.abc.ByteString ctypes.SetPointerType "
    "datetime.datetime.utcfromtimestamp datetime.datetime.utcnow glob.glob0 glob.glob1 "
    "locale.getdefaultlocale ssl.OP_NO_SSLv3 ssl.OP_NO_TLSv1 ssl.OP_NO_TLSv1_1 ssl.OP_NO_TLSv1_2 "
    "ssl.OP_NO_TLSv1_3 ssl.PROTOCOL_TLS ssl.PROTOCOL_TLSv1_2 tempfile.mktemp typing.ByteString",
}
"""Names that such a release lacks, makes an error of, or says of that they are to go."""
MODULES = {module for names in GONE.values() for module in names.split()}
NAMES = {name for names in LEAVING.values() for name in names.split()}
WORDS = re.compile(
    r"\b(?:" + "|".join([*MODULES, *(name.rpartition(".")[2] for name in NAMES)]) + r")\b"
)


def outdated(text):
    """The modules and names that this text uses and that are gone or leaving."""
    if not WORDS.search(text):
        return set()  # not worth the parsing
    tree = ast.parse(text)
    bound = {}
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            prefix = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            bound |= {alias.asname or alias.name: prefix + alias.name for alias in node.names}
            imported |= {prefix + alias.name for alias in node.names}
    attributes = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    used = {
        ".".join([bound.get(first, first), rest])
        for first, _, rest in (one.partition(".") for one in attributes)
    }
    return {one.partition(".")[0] for one in imported} & MODULES | (imported | used) & NAMES


def test_a_python_upgrade_takes_nothing_away_that_the_phone_uses():
    found = {
        str(file.relative_to(ROOT)): names
        for folder in OURS
        for file in sorted((ROOT / folder).rglob("*.py"))
        if (names := outdated(file.read_text()) - BROUGHT_BACK.keys())
    }
    assert found == {}


@pytest.mark.parametrize("release", ["3.13", "3.14", "3.15"])
def test_a_python_upgrade_brings_the_module_that_the_sound_is_made_with(release):
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    needs = {need.name: need for need in map(Requirement, asked)}
    for package in BROUGHT_BACK.values():
        assert needs[package].marker.evaluate({"python_version": release})


def test_this_python_lacks_what_the_table_says():
    for release, modules in GONE.items():
        if sys.version_info >= tuple(map(int, release.split("."))):
            assert sys.stdlib_module_names.isdisjoint(modules.split())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import audioop", {"audioop"}),
        ("def late():\n    import cgi.thing as page", {"cgi"}),
        ("from telnetlib import Telnet", {"telnetlib"}),
        ("from datetime import datetime as d\nd.utcnow()", {"datetime.datetime.utcnow"}),
        ("import datetime as d\nd.datetime.utcnow()", {"datetime.datetime.utcnow"}),
        ("import ssl\nssl.PROTOCOL_TLS", {"ssl.PROTOCOL_TLS"}),
        ("import importlib.abc\nimportlib.abc.Traversable", {"importlib.abc.Traversable"}),
        ("from asyncio import get_event_loop", {"asyncio.get_event_loop"}),
        ("import chunks\nchunk = chunks.chunk(uu=1)", set()),
        ("from firmware.base.pcm import audioop\naudioop.rms(b'', 2)", set()),
    ],
)
def test_what_is_gone_is_found_however_it_is_imported(text, told):
    assert outdated(text) == told
