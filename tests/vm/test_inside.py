"""The tests that run inside: on the kernel's own sound, pins and input devices, as root.

Each file of tests/vm/inside is one run of pytest over there; a test that fails there is shown here.
"""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.vm.drive import PLACE
from tests.vm.machine import PYTHON

FILES = sorted((Path(__file__).parent / "inside").glob("test_*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_inside(pi, file, record_property):
    done = pi.run(
        f"cd {PLACE} && {PYTHON} -m pytest -q -p no:cacheprovider -o timeout=200 --rootdir=. "
        f"-c tests/vm/inside/pytest.ini --junitxml=/tmp/report.xml --durations=5 "
        f"tests/vm/inside/{file.name}",
        seconds=500,
        check=False,
    )
    skipped = []
    for case in ET.fromstring(pi.text("cat /tmp/report.xml")).iter("testcase"):  # noqa: S314 - ours
        for found in case.iter("property"):
            record_property(found.get("name"), found.get("value"))
        skipped += [found.get("message", "") for found in case.iter("skipped")]
    if skipped:
        record_property(f"tests of {file.name} skipped: {skipped[0]}", len(skipped))
    assert done.code == 0, f"{done}\n{pi.journal('deskphone')}"
