"""What a phone in a call has in its memory (docs/adr/0012-what-is-loaded.md)."""

import compileall
import re
from pathlib import Path

import pytest

from firmware.control import schema as s
from tests.support.far_end import media_port
from tests.support.phone import line
from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
LISTED = """\
import sys
if "run" in sys.orig_argv:
    import atexit
    names = lambda: open({file!r}, "w").write("\\n".join(sys.modules))
    atexit.register(names)
"""
USELESS = {
    *("ssl", "_ssl", "_hashlib", "OpenSSL", "cryptography", "pylibsrtp"),
    *("PIL", "aioice", "websockets", "dns", "xml.parsers.expat", "G722"),
    *("argparse", "gettext", "shutil", "ctypes", "mmap", "wave", "secrets"),
    *("random", "difflib", "typing_extensions", "tempfile", "email", "http"),
    *("firmware.web", "firmware.lab", "firmware.net.tls", "firmware.net.dtls"),
    *("firmware.media.engine", "firmware.media.wire", "firmware.dsp.speex"),
}
"""None of these is for a phone with UDP and PCMU."""
LIBRARIES = re.compile(r"/(lib(?:ssl|crypto|opus|srtp2|jpeg|ffi))\b[^/]*$", re.MULTILINE)
MOST_KB = 36_000
"""Anonymous memory of both processes: 33,000 on Python 3.11, x86_64; one library more is seen."""


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """The modules that the phone of this test had when it ended."""
    for package in ("firmware", "hal"):  # as it is installed: compiling would take memory
        compileall.compile_dir(ROOT / package, quiet=2)
    folder, file = tmp_path / "list", tmp_path / "modules"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(LISTED.format(file=str(file)))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return lambda: set(file.read_text().split())


def anonymous_kb(pid):
    """Memory that is a process's own, whoever else shares its libraries."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE)[1])


def libraries_of(pid):
    return set(LIBRARIES.findall(Path(f"/proc/{pid}/maps").read_text()))


def test_a_phone_in_a_call_holds_what_it_uses_and_no_more(start_phone, far_end, listed):
    phone = start_phone(line("101", f"{far_end.address}:5060"))
    phone.wait_registered()
    phone.ask(s.Dial(target="204"))
    far_end.speak_to((phone.address, media_port(far_end.wait_call().offer)))
    phone.wait_state("talking")
    wait_for("sound", lambda: len(far_end.heard) > 20)
    wait_for("the first picture", lambda: phone.ask(s.Screen(), s.ScreenReply).png)
    family = (phone.pid, phone.child())

    assert libraries_of(phone.pid) == set()
    assert libraries_of(phone.child()) <= {"libffi"}  # ctypes locks the memory
    assert sum(map(anonymous_kb, family)) < MOST_KB

    phone.close()
    loaded = listed()
    assert loaded & USELESS == set()
    assert [name for name in loaded if name.startswith("_sysconfigdata")] == []
