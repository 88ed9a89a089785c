"""Response codes."""

from firmware.sip.status import Status, phrase_for


def test_a_status_is_its_number_and_says_what_it_means():
    assert Status(486) is Status.BUSY_HERE
    assert Status.BUSY_HERE == 486
    assert Status.BUSY_HERE.phrase == "Busy Here"
    assert Status.BUSY_HERE.description == "this phone is busy"


def test_every_status_has_a_phrase_and_a_sentence_and_a_class():
    assert len(Status) == 75
    for status in Status:
        assert 100 <= status <= 699
        assert status.phrase[0].isupper()
        assert status.description
        assert not status.description.endswith(".")


def test_an_unknown_code_reads_like_the_first_of_its_class():
    assert phrase_for(404) == "Not Found"
    assert phrase_for(499) == "Bad Request"
    assert phrase_for(299) == "OK"
    assert phrase_for(699) == "Busy Everywhere"
    assert phrase_for(42) == "Unknown"
