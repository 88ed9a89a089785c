"""`.ci/setup`: what whoever types `make demo` gets to read while the packages are installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[2] / ".ci/setup"
PIP = """\
#!/bin/sh
case "$*" in *compileall*) exit 0;; *-qq*) ;; *) echo "WARNING: a folder is ignored" >&2;; esac
[ -e broken ] || exit 0
echo "ERROR: no matching distribution" >&2
exit 1
"""


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def setup(tmp_path):
    """Runs it where pip is one that warns, and says nothing below errors if it is told so."""
    program(tmp_path / ".venv/bin/python", PIP)
    program(tmp_path / "bin/ldconfig", "#!/bin/sh\necho libspeexdsp.so.1 libopus.so.0\n")

    def run(want):
        return subprocess.run(
            ["/bin/sh", SETUP, want],
            cwd=tmp_path,
            env={"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "PYTHON": sys.executable},
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )

    return run


@pytest.mark.parametrize("want", ["run", "dev"])
def test_what_pip_only_warns_of_is_kept_from_the_user(setup, want):
    done = setup(want)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "deskphone: installing Python packages (about half a minute the first time) …",
        "deskphone: ready.",
    ]


def test_an_error_of_pip_is_shown_and_ends_the_setup(setup, tmp_path):
    (tmp_path / "broken").touch()

    done = setup("run")

    assert done.returncode == 1
    assert done.stderr == "ERROR: no matching distribution\n"
    assert "ready" not in done.stdout
