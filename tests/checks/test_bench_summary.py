"""What `make bench` says of a figure."""

import pytest

from tests.bench.summary import missed, summary, table, verdict


@pytest.mark.parametrize(
    ("goal", "ours", "peer", "said"),
    [
        (("<=", 30, 22), 22, None, "aim reached (<= 22)"),
        (("<=", 30, 22), 23, None, "reached (<= 30, aim 22)"),
        (("<=", 30, 22), 30.1, None, "MISSED (<= 30)"),
        ((">=", 3.81, 3.86), 3.857, 1.0, "reached (>= 3.81, aim 3.86)"),
        (("×", 1.1, 1.0), 1.03, 1.0, "reached (<= 1.1× baresip, aim 1)"),
        (("×", 1.1, 1.0), 0.6, 0.5, "MISSED (<= 1.1× baresip)"),
        (("×", 1.1, 1.0), 0.6, None, "no peer"),
        (None, 7, 7, ""),
    ],
)
def test_a_row_is_reached_missed_or_has_no_goal(goal, ours, peer, said):
    assert verdict(goal, ours, peer) == said


def test_a_figure_is_the_median_of_its_rounds_but_a_worst_one_is_the_worst():
    values = {"start_ms": [3.0, 1.0, 2.0], "busy_late_worst_ms": [3.0, 21.0, 2.0]}
    assert summary(values) == {"start_ms": 2.0, "busy_late_worst_ms": 21.0}


def test_rows_that_miss_are_named_and_the_table_has_machine_peer_and_ratio():
    figures = {"deskphone": {"cpu": 0.6, "mos": 4.0}, "baresip": {"cpu": 0.5}}
    goals = {"cpu": ("×", 1.1, 1.0), "mos": (">=", 4.0, 4.2)}
    assert list(missed(figures, goals)) == ["cpu"]
    told = table({"commit": "abc", "load": [0.1]}, figures, goals, rounds=3)
    assert "commit abc, load [0.1]" in told
    (row,) = [each for each in told.splitlines() if each.startswith("cpu")]
    assert row.split() == ["cpu", "0.6", "0.5", "1.20", "MISSED", "(<=", "1.1×", "baresip)"]
