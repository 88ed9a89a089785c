"""Every flow of RFC 3665, RFC 5359 and RFC 5589: who plays it, or why a phone has no part.

`FLOWS` names the scenario files of `sipp/` and, in words, the phone's role in each. A flow whose
messages are those of another one is shown there. What a phone cannot do is said, not left out.
"""

import re
from pathlib import Path

import pytest

from tests.support.sipp_flows import FLOWS

pytestmark = pytest.mark.interop
HERE = Path(__file__).parent
RFCS = ("rfc3665", "rfc5359", "rfc5589")


def test_every_scenario_file_is_of_a_flow_and_every_flow_has_files_or_a_reason():
    named = {file for flow in FLOWS for file in flow.files}
    there = {f"{rfc}/{path.stem}" for rfc in RFCS for path in (HERE / "sipp" / rfc).glob("*.xml")}
    assert named == there
    assert all(flow.files or flow.why for flow in FLOWS)


def test_every_scenario_file_is_played():
    tests = "".join(path.read_text() for path in HERE.glob("test_flows_rfc*.py"))
    names = {re.sub(r"\\{\w+\\}", ".+", re.escape(x)) for x in re.findall(r'"([\w{}]+)"', tests)}
    for flow in FLOWS:
        for file in flow.files:
            stem = file.split("/")[1]
            assert any(re.fullmatch(name, stem) for name in names if name != ".+"), file


def test_no_flow_is_left_out():
    """The numbers of the three tables of contents."""
    sections = {
        "rfc3665": [*(f"2.{n}" for n in range(1, 6)), *(f"3.{n}" for n in range(1, 12))],
        "rfc5359": [f"2.{n}" for n in range(1, 19)],
        "rfc5589": [
            *("6.1", "6.2", "6.3.1", "6.3.2", "8", "9", "10", "11"),
            *(f"7.{n}" for n in range(1, 8)),
        ],
    }
    assert {(rfc, n) for rfc, numbers in sections.items() for n in numbers} == {
        (flow.rfc, flow.section) for flow in FLOWS
    }
