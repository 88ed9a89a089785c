from hal.events import DeviceFailed, DeviceRecovered
from hal.health import Health


def watched():
    told = []
    return Health("screen", told.append, lambda: 3.0), told


def test_f41_a_fault_is_told_once_and_its_end_once():
    health, told = watched()
    for _ in range(5):
        health.failed("no answer at 0x3c")
    health.works()
    health.works()
    assert told == [
        DeviceFailed("screen", "no answer at 0x3c", 3.0),
        DeviceRecovered("screen", 3.0),
    ]


def test_another_reason_is_told():
    health, told = watched()
    health.failed("no answer")
    health.failed("no permission")
    assert [event.reason for event in told] == ["no answer", "no permission"]


def test_f41_tries_become_rarer_down_to_two_a_minute():
    health, _ = watched()
    assert [health.failed("no answer") for _ in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]
    health.works()
    assert health.failed("no answer") == 1


def test_what_works_from_the_beginning_is_not_worth_a_word():
    health, told = watched()
    health.works()
    assert told == []
