"""P9: that the far end does not hear us is found out, and why."""

import pytest

from firmware.media.messages import Unheard
from firmware.media.unheard import UnheardWatch


def told(*reports):
    """What comes of reports: so many packets sent, the highest that the far end has seen."""
    watch = UnheardWatch()
    causes = []
    for sent, highest in reports:
        watch.told(sent, highest)
        if watch.changed(sends=True):
            causes.append((sent, watch.cause))
    return causes


def test_p09_who_hears_us_says_so_and_nothing_is_told():
    assert told((250, 250), (500, 499), (750, 750), (750, 750), (760, 755)) == []


def test_p09_reports_that_never_speak_of_us_mean_that_nothing_arrives():
    assert told((250, None), (500, None)) == [(500, Unheard.NOT_ARRIVING)]


def test_p09_one_such_report_may_be_that_of_a_far_end_that_has_just_begun():
    assert told((250, None), (500, 480)) == []


def test_p09_a_number_that_stays_means_it_at_once():
    assert told((250, 250), (500, 250)) == [(500, Unheard.NOT_ARRIVING)]


def test_p09_that_it_arrives_again_is_told_too():
    news = told((250, 250), (500, 250), (750, 260))
    assert news == [(500, Unheard.NOT_ARRIVING), (750, None)]


def test_a_pause_of_ours_proves_nothing():
    assert told((250, 250), (260, 250), (270, 250), (300, 250)) == []


def test_a_new_place_is_judged_by_what_went_there():
    watch = UnheardWatch()
    watch.told(250, 250)
    watch.begin(400)
    watch.told(450, 250)
    watch.told(480, None)
    assert not watch.changed(sends=True)


@pytest.mark.parametrize(
    ("refused", "cause"),
    [
        ([50, 100], Unheard.REFUSED),
        ([50, 50, 100, 100], None),
        ([3, 6, 9, 12], None),
    ],
)
def test_p09_what_our_own_machine_refuses_is_known_within_two_seconds(refused, cause):
    watch = UnheardWatch()
    for total in refused:
        watch.refused(total)
    watch.changed(sends=True)
    assert watch.cause is cause


def test_who_sends_nothing_is_not_to_be_heard():
    watch = UnheardWatch()
    watch.told(250, 250)
    watch.told(500, 250)
    assert watch.changed(sends=True)
    assert watch.changed(sends=False)
    assert watch.cause is None
