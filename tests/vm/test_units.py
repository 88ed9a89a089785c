"""Our units under the real systemd: ready, watched, locked in, and gone with a farewell."""

import re

import pytest

UNITS = ("deskphone", "deskphone-web", "deskphone-clock", "deskphone-clock-save")
GOAL, MUST = 1.5, 2.5


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_thinks_that_a_break_in_would_find_little(pi, unit, capsys):
    said = pi.text(f"systemd-analyze security --no-pager {unit}.service", seconds=60)
    score = float(re.search(r"exposure level for \S+ ([\d.]+)", said)[1])
    with capsys.disabled():
        print(f"\n{unit}: systemd-analyze security {score}")  # noqa: T201 - a figure to be seen
    assert score <= MUST, said
